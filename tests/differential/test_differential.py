"""A plan, the compiled executor and graphql-core alone give the same bytes (more: `python -m tests.differential`)."""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

import orjson
import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, get_named_type, get_nullable_type

import models
from engine.roots import ROOTS
from engine.views import VIEWS, Column
from models.base import Owned, global_id
from tests.differential.cursors import Cursors
from tests.differential.trying import cases, try_case
from tests.differential.values import Values
from tests.differential.ways import Case, Ways
from tests.differential.world import SLUGS, Caller, World, world
from tests.security.documents import (
    BOARDS,
    BY_ID,
    BY_PLAN,
    LISTS,
    QUERY,
    VIEWED,
    list_document,
    node_document,
    one_document,
    own_document,
    root_type,
    row_type,
)
from tests.shop import Shop

CASES = 30  # of each seed


@pytest.fixture(scope="module")
def rows() -> World:
    return world()


@pytest.fixture
async def asked(shop: Shop, rows: World) -> Ways:
    """All the ways, over the world's rows."""
    await rows.insert()
    return Ways()


@pytest.mark.parametrize("seed", range(1, 5))
async def test_whatever_is_asked_each_way_gives_the_same_bytes(asked: Ways, rows: World, seed: int) -> None:
    tally = asked.tally

    async for case in cases(asked, rows, Random(seed)):
        await try_case(asked, case, f"seed {seed}, case {tally.cases + 1}")
        if tally.cases >= CASES:
            break

    assert tally.clean > CASES // 6
    # What is Python's own, and a bad cursor of a list within, which a plan refuses whether or not there is such a list.
    others = sum(count for why, count in tally.why_not.items() if why.endswith("is no read") or "This cursor" in why)
    assert tally.planned > (tally.clean - others) * 0.9, tally.why_not


async def test_every_root_field_and_every_field_of_every_view_is_answered_by_a_plan(asked: Ways, rows: World) -> None:
    for case in await everything(rows.callers[0]):
        found = await asked.answers(case)
        assert not found.differ, case
        assert found.clean, found.bodies
        assert found.planned, (case.text, asked.tally.why_not)

    wanted = {f"Query.{name}" for name in ROOTS}
    wanted |= {f"{view.name}.{name}" for view in VIEWS.values() for name in view.fields}
    assert wanted <= set(asked.tally.fields), wanted - set(asked.tally.fields)


async def test_what_each_role_sees_behind_every_row_is_the_same_each_way(asked: Ways, rows: World) -> None:
    for caller in rows.callers:
        for name in LISTS if SLUGS[0] in caller.name else ():
            case = Case(list_document(name, depth=2, columns=False), {"first": 12}, caller)
            found = await asked.answers(case)
            assert not found.differ, case
            assert found.planned == found.clean, case


async def test_one_document_with_filters_of_every_shape_is_answered_the_same_each_way(asked: Ways, rows: World) -> None:
    values = Values(asked.schema, rows, Random(1))
    for name in LISTS:
        if "filter" in QUERY.fields[name].args:
            type_: Any = get_named_type(QUERY.fields[name].args["filter"].type)
            document = (
                f"query ($filter: {type_.name}) {{ {name}(first: 5, filter: $filter) {{ totalCount nodes {{ id }} }} }}"
            )
            for given in [each for _ in range(2) for each in shapes(type_, values, rows.callers[0])]:
                found = await asked.answers(Case(document, {"filter": given}, rows.callers[0]))
                assert not found.differ, (document, given)


async def test_one_document_with_pages_of_every_shape_is_answered_the_same_each_way(asked: Ways, rows: World) -> None:
    owner = rows.callers[0]
    cursors = Cursors(asked.schema, Random(1), lambda text, caller: parsed(asked, Case(text, {}, caller)))
    page = "{ totalCount nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"
    for name in LISTS:
        known = await cursors.all(f"Query.{name}", None, owner)
        sizes = ({}, {"first": 2}, {"last": 2}, {"first": 3, "last": None}, {"last": 3})
        sides = ({}, {"after": known[1]}, {"before": known[-1]}, {"after": known[0], "before": known[-1]})
        arguments = "first: $first, last: $last, after: $after, before: $before"
        document = f"""query ($first: Int, $last: Int, $after: String, $before: String) {{
          {name}({arguments}) {page} }}"""
        for size, side in product(sizes, sides):
            found = await asked.answers(Case(document, size | side, owner))
            assert not found.differ, (document, size, side)
            assert found.planned, document


async def test_lists_within_rows_have_each_their_own_page(asked: Ways, rows: World) -> None:
    owner = rows.callers[0]
    cursors = Cursors(asked.schema, Random(1), lambda text, caller: parsed(asked, Case(text, {}, caller)))
    page = "{ totalCount nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } }"
    for root in LISTS:
        for name, field in row_type(root).fields.items():  # type: ignore[attr-defined]
            if "first" in field.args:
                known = await cursors.all(f"{row_type(root).name}.{name}", None, owner)
                document = f"""query ($one: String, $other: String) {{ {root}(first: 20) {{ nodes {{
                  a: {name}(first: 1, after: $one) {page} b: {name}(last: 2, before: $other) {page}
                  c: {name}(first: 3, after: $other, before: $one) {page} d: {name}(first: 4) {page} }} }} }}"""
                for one, other in ((known[0], known[-1]), (known[-1], known[0]), (known[1], known[2])):
                    found = await asked.answers(Case(document, {"one": one, "other": other}, owner))
                    assert not found.differ, document
                    assert found.planned, document


async def test_a_board_is_the_same_each_way_whatever_is_asked_of_it(asked: Ways, rows: World) -> None:
    page = "totalCount nodes { id title } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor }"
    sums = "count totals { formatted }"
    selections = [
        sums,
        f"at: stage {sums} opportunities {{ {page} }}",
        "stage opportunities(last: 1) { nodes { amount { amount } } }",
        f"stage opportunities(first: 1, after: $after) {{ {page} }}",
        "opportunities(first: 3, before: $after) { edges { node { client { email } moves { nodes { id } } } } }",
    ]
    cursor = "{ opportunityBoard { columns { opportunities(first: 1) { edges { cursor } } } } }"
    for caller in rows.callers:
        answer = await parsed(asked, Case(cursor, {}, caller))
        columns = ((answer or {}).get("opportunityBoard") or {}).get("columns", [])
        known = [edge["cursor"] for column in columns for edge in column["opportunities"]["edges"]]
        for selection, chosen in product(selections, ({}, {"stage": ["LEAD", "WON"]}, {"probability": {"least": 60}})):
            document = f"""query ($filter: OpportunityFilter, $after: String) {{
              board: opportunityBoard(filter: $filter) {{ __typename stages: columns {{ {selection} }} }} }}"""
            found = await asked.answers(
                Case(document, {"filter": chosen, "after": known[0] if known else None}, caller)
            )
            assert not found.differ, (document, chosen)
            assert found.planned == found.clean, document
        twice = "{ opportunityBoard { columns { a: opportunities { totalCount } b: opportunities { totalCount } } } }"
        assert not (await asked.answers(Case(twice, {}, caller))).differ


async def test_the_world_has_every_kind_of_row_in_both_organizations(asked: Ways, rows: World) -> None:
    for organization in rows.of(models.Organization):
        for model in VIEWS:
            if issubclass(model, Owned):
                assert any(row.organization_id == organization.id for row in rows.of(model)), model.__name__


def test_the_world_has_every_null_and_every_value_of_an_enum(rows: World) -> None:
    missing = []
    for model, view in VIEWS.items():
        for source in view.fields.values():
            if isinstance(source, Column):
                column = model._meta.fields_map[source.name]
                found = {getattr(row, source.name) for row in rows.of(model)}
                wanted: set[Any] = {None} if column.null else set()
                coded = set(getattr(column, "enum_type", ()))
                wanted |= coded if len(coded) < len(rows.of(model)) else set()
                missing += [f"{model.__name__}.{source.name}: {value}" for value in wanted - found]
    assert missing == []


def shapes(type_: Any, values: Values, owner: Caller) -> Iterator[Any]:
    """An input object with each of its fields alone, and each field of these; nothing, and null."""
    yield from (None, {})
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if isinstance(inner, GraphQLInputObjectType):
            yield from ({name: each} for each in shapes(inner, values, owner))
        else:
            yield {name: values.make(GraphQLNonNull(get_nullable_type(field.type)), name, owner)}
            yield {name: None}


async def parsed(asked: Ways, case: Case) -> Any:
    return orjson.loads(await asked.answer(case))


async def everything(owner: Caller) -> list[Case]:
    """All that can be asked of each root field and each type."""
    assert owner.actor
    ids = {view.name: global_id(await owner.actor.rows(model).first()) for model, view in VIEWS.items()}

    def case(text: str, **variables: Any) -> Case:
        return Case(text, variables, owner)

    return [
        *(case(list_document(name), first=4) for name in LISTS),
        *(case(one_document(name), id=ids[root_type(name).name]) for name in BY_ID),
        *(case(node_document(name), id=ids[name]) for name in VIEWED),
        *(case(own_document(name)) for name in BY_PLAN),
        *(case(own_document(name, depth=0)) for name in BOARDS),
        case('{ clientSearch(text: "client1") { id } }'),
        case("query ($client: ID!) { clientDuplicates(client: $client) { id } }", client=ids["Client"]),
        case("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=list(ids.values())),
    ]
