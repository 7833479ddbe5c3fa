"""Nothing crosses through a plan: no row, count, cursor, and no difference between what is another's and what is not.

What is tried follows from the schema and from what `policy.Actor.rows` gives: all of it as every role, in both
organizations, over every type, root field, filter, order and cursor.
"""

import base64
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import orjson
import pytest
from graphql import get_named_type

from engine.execution import Way
from engine.plans.scopes import scope
from engine.views import VIEWS
from models.base import global_id, parse_global_id
from policy import NOBODY, READS, Actor
from schema.roots import PERMISSIONS
from tests.differential.counting import Counted, everything_behind
from tests.differential.cursors import GARBAGE, Cursors
from tests.differential.values import Values
from tests.differential.ways import Case, Ways
from tests.differential.world import SLUGS, Caller, World, world
from tests.security.documents import BY_PLAN, LISTS, QUERY, VIEWED, list_document, own_document, row_type
from tests.security.surroundings import never_made
from tests.security.test_tenants import GATES, ids_in
from tests.shop import Shop

ROWS: World = world()
CALLERS = [each for each in ROWS.callers if SLUGS[1] not in each.name]  # of one organization, and nobody
MODELS = {view.name: model for model, view in VIEWS.items()}
Seen = dict[str, set[str]]  # type → global ids


@pytest.fixture
async def ways(shop: Shop) -> Ways:
    await ROWS.insert()
    return Ways()


async def test_an_id_that_one_does_not_see_is_answered_as_one_never_made(ways: Ways) -> None:
    looked_up = await looked_up_by(CALLERS[0])
    assert {document for _, document in looked_up} == {document for document, _ in (*by_id(), *by_filter())}
    for caller in CALLERS:
        seen = await seen_by(caller)
        for type_name in VIEWED:
            foreign, own = unseen(type_name, seen, caller)
            ids = [never_made(type_name), foreign, *([own] if own else ())]
            for asked, hidden in ((by_id(), ids), (by_filter(), ids[:2])):
                for document, variables in asked:
                    if (type_name, document) in looked_up:
                        await same(ways, caller, document, map(variables, hidden))


async def test_every_page_of_every_list_in_every_order_holds_what_one_sees_and_no_more(ways: Ways) -> None:
    for caller in CALLERS:
        seen = await seen_by(caller)
        for name in LISTS:
            for order in orders(name):
                forward = await walked(ways, caller, name, order, ("first", "after", "hasNextPage", "endCursor"))
                backward = await walked(ways, caller, name, order, ("last", "before", "hasPreviousPage", "startCursor"))
                assert forward[::-1] == backward
                assert len(set(forward)) == len(forward)
                opened = caller.actor is not None and caller.actor.may(PERMISSIONS[name])
                assert set(forward) == (seen[row_type(name).name] if opened else set()), (caller.name, name)


async def test_whatever_relations_lead_to_is_what_one_sees(ways: Ways) -> None:
    seen = [(caller, await seen_by(caller)) for caller in CALLERS]
    for document, variables in everything():
        for caller, theirs in seen:
            for id in ids_in(await answered(ways, document, variables, caller)):
                assert id in theirs[type_of(id)], (caller.name, document, parse_global_id(id))


async def test_no_filter_finds_or_counts_what_one_does_not_see(ways: Ways) -> None:
    random = Random(1)
    values = Values(ways.schema, ROWS, random)
    for caller in CALLERS:
        seen = await seen_by(caller)
        for name in filtered():
            type_: Any = get_named_type(QUERY.fields[name].args["filter"].type)
            page = "{ totalCount nodes { id } }"
            document = f"query ($filter: {type_.name}) {{ {name}(first: 100, filter: $filter) {page} }}"
            for part, field in [*type_.fields.items()] * 3:
                given = {"filter": {part: values.make(field.type, part, random.choice(owners()))}}
                found = ((await answered(ways, document, given, caller)).get("data") or {}).get(name)
                if found:
                    assert {row["id"] for row in found["nodes"]} <= seen[row_type(name).name], given
                    assert found["totalCount"] == len(found["nodes"])


async def test_every_table_in_every_statement_is_narrowed_to_what_one_sees(shop: Shop) -> None:
    await ROWS.insert()
    counted, narrowed = Counted(), set()
    narrowings = [(caller, narrowed_by(caller.actor)) for caller in CALLERS if caller.actor]
    for document, variables in everything():
        for caller, narrowing in narrowings:
            counted.made = []
            await counted.by_plan(Case(document, variables, caller))
            for table, where in tables_in(counted.made):
                assert where.startswith(tuple(narrowing[table])), (table, where)
                narrowed.add(table)
    links = {"client_tags", "product_partners", "product_services", "service_staff", "service_resources"}
    assert narrowed == {model._meta.db_table for model in VIEWS} | links


async def test_a_cursor_of_another_organization_list_or_order_is_refused_like_garbage(ways: Ways) -> None:
    cursors = Cursors(ways.schema, Random(1), lambda text, caller: answered(ways, text, {}, caller))
    places = [(f"Query.{name}", order) for name in LISTS for order in orders(name)]
    places += [(f"{type_name}.{name}", None) for type_name, name in nested_lists()]
    mine, theirs = owners()
    own = [await cursors.all(*place, mine) for place in places]
    foreign = [await cursors.all(*place, theirs) for place in places]
    for at, place in enumerate(places):
        garbage = await after(ways, mine, *place, GARBAGE[1])
        assert b'"code":"INVALID"' in garbage
        for cursor in (foreign[at][0], *(each[0] for other, each in enumerate(own) if other != at)):
            assert await after(ways, mine, *place, cursor) == garbage, place
        assert b'"errors":' not in await after(ways, mine, *place, own[at][0]), place


# Statements


def tables_in(statements: list[str]) -> Iterator[tuple[str, str]]:
    """(table, what its WHERE says, and all that follows), for every time that a table is named."""
    for sql in statements:
        for found in re.finditer(r'FROM "(\w+)"(?: WHERE )?', sql):
            yield found[1], _numberless(sql[found.end() :])


def narrowed_by(actor: Actor) -> dict[str, set[str]]:
    """What the WHERE of each table begins with: its own scope, or what another's scope asks of it."""
    narrowing: dict[str, set[str]] = defaultdict(set)
    for model in READS:  # organizations are the table of two
        where = scope(actor, model).condition.where
        narrowing[model._meta.db_table].add(_numberless(where))
        for table, inner in tables_in([where]):
            narrowing[table].add(_to_its_end(inner))
    return narrowing


def _to_its_end(inner: str) -> str:
    """A sub-select's condition, without what follows the sub-select."""
    depth = 0
    for place, character in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return inner[:place]
    return inner


def everything() -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents that lead to every type by every relation, without Python fields."""
    for name in LISTS:
        yield list_document(name, depth=2, columns=False), {"first": 12}
        behind = everything_behind(VIEWS[MODELS[row_type(name).name]])  # with the lists of pages
        yield f"query ($first: Int) {{ {name}(first: $first) {{ nodes {behind} }} }}", {"first": 12}
    for type_name in VIEWED:
        row = ROWS.of(MODELS[type_name])[0]
        yield f"query ($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ id }} }} }}", {"id": global_id(row)}
    for name in BY_PLAN:
        yield own_document(name), {}


def _numberless(sql: str) -> str:
    return re.sub(r"\$\d+", "$", sql)


# Who sees what


async def seen_by(caller: Caller) -> Seen:
    """All ids that `policy` lets a caller see."""
    viewer = caller.actor or NOBODY
    return {name: {global_id(row) for row in await viewer.rows(model)} for name, model in MODELS.items()}


async def looked_up_by(owner: Caller) -> set[tuple[str, str]]:
    """(type, document) wherever an id comes to the database in what a document asks of it; and where the owner may not
    ask, which tells nothing. All others answer ids of another organization as one never made."""
    counted, found = Counted(), set()
    for document, variables in (*by_id(), *by_filter()):
        of_none = await counted.by_plan(Case(document, variables(never_made("Order")), owner))
        for type_name in VIEWED:
            row = ROWS.of(MODELS[type_name])[-1]
            counted.given = []
            answer = await counted.by_plan(Case(document, variables(global_id(row)), owner))
            told = str(counted.given)
            if b'"errors":' in answer or str(row.pk) in told or global_id(row) in told:
                found.add((type_name, document))
            else:
                assert answer == of_none, (document, type_name)
    return found


def unseen(type_name: str, seen: Seen, caller: Caller) -> tuple[str, str | None]:
    """Ids of rows that are there and not seen: of another organization, and of one's own if there is one."""
    rows = [row for row in ROWS.of(MODELS[type_name]) if global_id(row) not in seen[type_name]]
    here = caller.organization_id
    own = [row for row in rows if here and getattr(row, "organization_id", None) == here]
    foreign = [row for row in rows if row not in own]
    return global_id(foreign[-1]), global_id(own[-1]) if own else None


def owners() -> list[Caller]:
    """The owner of each organization."""
    return [next(each for each in ROWS.callers if each.name == f"OWNER 1 of {slug}") for slug in SLUGS]


# What is asked


Given = Callable[[str], dict[str, Any]]  # the variables of a document for an id


def by_id() -> Iterator[tuple[str, Given]]:
    """Every root field that takes an id."""
    for name, field in QUERY.fields.items():
        inner = "{ __typename ... on Node { id } }"
        if "id" in field.args:
            yield f"query ($id: ID!) {{ {name}(id: $id) {inner} }}", lambda id: {"id": id}
        if "ids" in field.args:
            yield f"query ($ids: [ID!]!) {{ {name}(ids: $ids) {inner} }}", lambda id: {"ids": [id, id]}


def by_filter() -> Iterator[tuple[str, Given]]:
    """Every part of a filter that takes an id."""
    page = "{ totalCount nodes { id } edges { cursor } pageInfo { hasNextPage endCursor } }"
    for name in filtered():
        type_: Any = get_named_type(QUERY.fields[name].args["filter"].type)
        for part, field in type_.fields.items():
            if get_named_type(field.type).name == "ID":
                document = f"query ($filter: {type_.name}) {{ {name}(filter: $filter) {page} }}"
                yield document, lambda id, part=part: {"filter": {part: id}}  # type: ignore[misc]


def filtered() -> list[str]:
    return [name for name in LISTS if "filter" in QUERY.fields[name].args]


def orders(name: str) -> list[Any]:
    """None, and every other order of a list in one direction or the other."""
    argument = QUERY.fields[name].args.get("orderBy")
    if argument is None:
        return [None]
    named: Any = get_named_type(argument.type)
    columns = get_named_type(named.fields["field"].type).values
    return [None, *({"field": each, "direction": ("ASC", "DESC")[at % 2]} for at, each in enumerate(columns))]


def nested_lists() -> list[tuple[str, str]]:
    """(type, field) of lists of pages within rows that lists show."""
    types = {row_type(name) for name in LISTS}
    return [(each.name, name) for each in types for name, field in each.fields.items() if "after" in field.args]  # type: ignore[attr-defined]


# Asking


async def same(ways: Ways, caller: Caller, document: str, given: Iterable[dict[str, Any]]) -> None:
    answers = {await ways.by_plan(Case(document, variables, caller)) for variables in given}
    assert len(answers) == 1, (caller.name, document, answers)


async def answered(ways: Ways, text: str, variables: dict[str, Any], caller: Caller) -> Any:
    return orjson.loads(await ways.by_plan(Case(text, variables, caller)))


async def walked(ways: Ways, caller: Caller, name: str, order: Any, words: tuple[str, ...]) -> list[str]:
    """The ids of all pages, in the order in which they come; none where the list is refused."""
    size, side, more, at = words
    declared, ordered = (f"$order: {row_type(name).name}Order, ", "orderBy: $order, ") if order else ("", "")
    page = f"{{ totalCount nodes {{ id }} pageInfo {{ {more} {at} }} }}"
    document = f"query ({declared}$at: String) {{ {name}({ordered}{size}: 20, {side}: $at) {page} }}"
    variables: dict[str, Any] = {"order": order} if order else {}
    ids: list[str] = []
    while True:
        answer = await answered(ways, document, variables, caller)
        if "errors" in answer:
            assert answer["errors"][0]["extensions"]["code"] in GATES, answer
            return ids
        found = answer["data"][name]
        rows = [row["id"] for row in found["nodes"]]
        ids += rows if size == "first" else rows[::-1]
        assert len(ids) <= found["totalCount"]
        if not found["pageInfo"][more]:
            assert len(ids) == found["totalCount"]
            return ids
        variables["at"] = found["pageInfo"][at]


async def after(ways: Ways, caller: Caller, coordinate: str, order: Any, cursor: str) -> bytes:
    """The answer to a page after a cursor, of a list or of lists within rows."""
    type_name, _, name = coordinate.partition(".")
    if type_name == "Query":
        declared, ordered = (f", $order: {row_type(name).name}Order", "orderBy: $order, ") if order else ("", "")
        text = f"query ($at: String{declared}) {{ {name}({ordered}after: $at) {{ totalCount }} }}"
    else:
        root = next(each for each in LISTS if row_type(each).name == type_name)
        text = f"query ($at: String) {{ {root}(first: 3) {{ nodes {{ {name}(after: $at) {{ totalCount }} }} }} }}"
    variables = {"at": cursor} | ({"order": order} if order else {})
    return await ways.answer(Case(text, variables, caller), Way.PLAN)


def type_of(id: str) -> str:
    return base64.urlsafe_b64decode(id + "=" * (-len(id) % 4)).decode().partition(":")[0]
