"""Plans: what they keep, when there is none, what happens when the database is slow. That they answer as the other ways
do is for `tests/differential`."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tortoise.expressions import Q, Subquery

import models
from engine.execution import Asked, Engine
from engine.plans import Plans
from engine.plans.explaining import explained
from engine.plans.planning import Kept
from engine.plans.python import key
from engine.plans.scopes import Unplannable, condition, scope, shape
from models.database import reader
from models.readers import Readers
from policy import Actor
from resolvers.schema import build
from schema.context import Context
from tests.shop import Shop

SCHEMA = build()
ORDERS = "{ orders { nodes { number client { email } lines { description } } } }"


async def caller(shop: Shop) -> Actor:
    member = await models.Membership.get(organization=shop.organization)
    return Actor(member.role, member.organization_id, member.id)


async def answer(engine: Engine, actor: Any) -> Any:
    async def context() -> Context:
        return Context(actor)

    return await engine.answer(Asked(ORDERS), context)


# No scope, no plan


class Careless:
    """A viewer whose scope is no function of its facts alone."""

    kind = "careless"

    def __init__(self, facts: tuple[UUID, ...], constants: tuple[Any, ...] = (), **more: Any) -> None:
        self.facts, self.constants, self.more = facts, constants, more

    def having(self, facts: tuple[UUID, ...]) -> "Careless":
        return Careless(facts, self.constants, **self.more)

    def rows(self, model: Any) -> Any:
        return model.filter(organization_id=self.facts[0], **self.more)


def test_a_scope_is_its_viewer_s_facts_as_parameters(shop: Shop) -> None:
    found = scope(Careless((uuid4(), uuid4())), models.Order)

    assert found.condition.where == '"organization_id"=$1'
    assert found.sources == (("fact", 0),)


def test_a_scope_may_hold_what_all_viewers_of_its_kind_have_in_common(shop: Shop) -> None:
    found = scope(Careless((uuid4(),), constants=(True,), live=True), models.Order)

    assert found.condition.where == '"organization_id"=$1 AND "live"=$2'
    assert found.sources == (("fact", 0), ("constant", True))


def test_a_scope_with_a_value_of_its_own_has_no_plan(shop: Shop) -> None:
    with pytest.raises(Unplannable, match="no fact of its viewer"):
        scope(Careless((uuid4(),), live=True), models.Order)


def test_a_scope_that_joins_has_no_plan(shop: Shop) -> None:
    with pytest.raises(Unplannable, match="joins"):
        scope(Careless((uuid4(),), client__email__gt=uuid4()), models.Order)


@pytest.mark.parametrize(
    "rows",
    [
        lambda: models.Order.filter(number__contains="1"),
        lambda: models.Order.all().order_by("number"),
        lambda: models.Order.all().limit(3),
        lambda: models.Order.all().distinct(),
    ],
)
def test_a_queryset_that_is_more_than_a_plain_filter_has_no_plan(rows: Any) -> None:
    with pytest.raises(Unplannable):
        shape(rows())


def test_what_decides_the_sql_is_in_the_shape_and_all_else_is_a_value(shop: Shop) -> None:
    first, second = uuid4(), uuid4()

    def rows(a: Any, b: Any, states: list[str], paid: Any) -> Any:
        mine = models.Client.filter(organization_id=a).values("id")
        return models.Order.filter(Q(live=True) | Q(number__gte=3), client_id__in=Subquery(mine)).filter(
            organization_id=b, status__in=states, paid_at=paid
        )

    one, values = shape(rows(first, second, ["PAID"], None))
    other, _ = shape(rows(second, first, ["OPEN"], None))

    assert one == other
    assert condition(rows(first, second, ["PAID"], None), values).parameters == len(values) == 5
    assert one != shape(rows(first, second, ["PAID", "OPEN"], None))[0]  # another number of parameters
    assert one != shape(rows(first, second, ["PAID"], models.order.datetime.max))[0]  # no longer IS NULL


# What is kept


def test_only_so_many_things_are_kept_and_what_cannot_be_made_is_not_tried_again() -> None:
    kept, tries = Kept(2), list[str]()

    def make(name: str) -> Any:
        tries.append(name)
        if name == "no":
            raise Unplannable("no")
        return name.upper()

    assert [kept.get(name, lambda name=name: make(name)) for name in ("a", "b", "a")] == ["A", "B", "A"]
    for _ in range(2):
        with pytest.raises(Unplannable):
            kept.get("no", lambda: make("no"))

    assert tries == ["a", "b", "no"]
    assert kept.get("b", lambda: "made again") == "made again"  # the least used made room
    assert list(kept) == ["made again"]  # and so did the one after; what cannot be made is no plan


def test_nothing_but_a_name_gets_into_the_code() -> None:
    assert key("total_2") == '"total_2"'
    for text in ('a"', "a b", "", "é", "a\n", "1a"):
        with pytest.raises(Unplannable):
            key(text)


async def test_one_kind_of_viewer_is_never_given_the_plan_of_another(shop: Shop) -> None:
    await shop.order()
    actor = await caller(shop)
    plans = Plans(SCHEMA, reader)
    engine = Engine(SCHEMA, plans=plans)

    everything = await answer(engine, actor)
    nothing = await answer(engine, Actor(models.Role.OWNER, uuid4(), uuid4()))
    own = await answer(engine, Actor(models.Role.CONSULTANT, actor.organization_id, uuid4()))

    assert b'"number":1' in everything.body
    assert b'"nodes":[]' in nothing.body
    assert b'"nodes":[]' in own.body
    assert len(plans.compiled()) == 2  # owners share theirs


# Time


@asynccontextmanager
async def impatient(database_url: str) -> AsyncIterator[Readers]:
    """One connection, whose statements may take a fifth of a second."""
    readers = Readers({"dsn": database_url}, size=1, timeout=0.2)
    yield readers
    await readers.close()


async def test_a_statement_that_takes_too_long_is_an_error_under_an_id_and_frees_its_connection(
    shop: Shop, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.order()
    actor = await caller(shop)
    holder = await asyncpg.connect(database_url)
    async with impatient(database_url) as readers:
        engine = Engine(SCHEMA, plans=Plans(SCHEMA, readers.reader))
        async with holder.transaction():
            await holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
            slow = await answer(engine, actor)
        quick = await answer(engine, actor)
    await holder.close()

    assert slow.body.startswith(b'{"data":null,"errors":[{"message":"Something went wrong on our side.')
    assert b'"path":["orders"]' in slow.body
    assert b'"code":"INTERNAL","id":"' in slow.body
    assert b"statement timeout" not in slow.body
    assert "statement timeout" in caplog.text  # it is for the log
    assert b'"number":1' in quick.body


async def test_no_statement_begins_once_the_time_is_up(shop: Shop) -> None:
    await shop.order()
    actor, plans = await caller(shop), Plans(SCHEMA, reader)
    engine = Engine(SCHEMA, plans=plans)
    operation = engine.documents.operation(ORDERS, None)
    values = operation.variables.values({})
    assert not isinstance(values, list)

    assert await plans.data(operation, values, Context(actor), math.inf)
    with pytest.raises(TimeoutError):
        await plans.data(operation, values, Context(actor), asyncio.get_running_loop().time() - 1)


# Looking at a plan


async def test_a_plan_can_be_looked_at_with_what_was_expected_and_met(shop: Shop, database_url: str) -> None:
    await shop.order()
    actor = await caller(shop)
    operation = Engine(SCHEMA).documents.operation(ORDERS, None)
    values = operation.variables.values({})
    assert not isinstance(values, list)
    connection = await asyncpg.connect(database_url)
    shown = await explained(SCHEMA, connection, operation, values, Context(actor))
    await connection.close()

    page, lines = shown.statements
    assert page[0].startswith('SELECT t0."number"')
    assert "1 met" in page[1][0]
    assert '"order_id" = ANY(' in lines[0]
    assert "def page(rows" in shown.python[0]
    assert shown.why_not is None


async def test_where_there_is_no_plan_the_reason_is_told(shop: Shop, database_url: str) -> None:
    operation = Engine(SCHEMA).documents.operation("{ __schema { queryType { name } } }", None)
    values = operation.variables.values({})
    assert not isinstance(values, list)
    connection = await asyncpg.connect(database_url)
    shown = await explained(SCHEMA, connection, operation, values, Context(await caller(shop)))
    await connection.close()

    assert shown.why_not == "no plan: the root field __schema is no read"


# What one answer may hold, and what is refused before anything is read


class Fat:
    """A database in which every text is long and every list too."""

    async def __aenter__(self) -> "Fat":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def fetch(self, sql: str, *_: Any) -> list[tuple[Any, ...]]:
        wide = sql[: sql.index("FROM")].count(",") + 1
        return [tuple(["x" * 40_000] * wide) for _ in range(201)]  # more than a page, far fewer values than the most


async def test_what_no_answer_can_hold_is_refused_and_not_tried_another_way(shop: Shop) -> None:
    found = await answer(Engine(SCHEMA, plans=Plans(SCHEMA, Fat)), await caller(shop))

    assert found.body.startswith(b'{"data":null,"errors":[{"message":"This asks for more than one answer can hold')
    assert b'"code":"LIMITED"' in found.body


@pytest.mark.parametrize(
    "document",
    [
        "{ orders { nodes { number } } partners { nodes { id } } }",  # which the role may not
        "{ orders { nodes { number } } clients(first: 0) { nodes { id } } }",
        '{ orders { nodes { number } } clients(after: "x") { nodes { id } } }',
    ],
)
async def test_a_refusal_comes_before_the_first_statement(shop: Shop, document: str) -> None:
    def never() -> Any:
        raise AssertionError("it was read")

    owner = await caller(shop)
    accountant = Actor(models.Role.ACCOUNTANT, owner.organization_id, owner.membership_id)
    plans = Plans(SCHEMA, never)
    operation = Engine(SCHEMA).documents.operation(document, None)
    values = operation.variables.values({})
    assert not isinstance(values, list)

    assert await plans.data(operation, values, Context(accountant)) is None
    assert plans.compiled() == []


def test_what_is_kept_holds_nothing_of_the_request_it_was_made_for(shop: Shop) -> None:
    kept = Kept(2)

    def depth(error: BaseException) -> int:
        frames, at = 0, error.__traceback__
        while at:
            frames, at = frames + 1, at.tb_next
        return frames

    def refused() -> BaseException:
        try:
            kept.get("no", lambda: (_ for _ in ()).throw(Unplannable("no")))
        except Unplannable as error:
            return error
        raise AssertionError

    assert {depth(refused()) for _ in range(5)} == {depth(refused())}
    assert next(iter(kept._things.values())).__traceback__ is None


async def test_half_a_surrogate_pair_is_repeated_in_an_error_as_an_escape() -> None:
    document = "query ($of: OrderFilter) { orders(filter: $of) { totalCount } }"

    async def nobody() -> Context:
        return Context(None)

    found = await Engine(SCHEMA).answer(Asked(document, {"of": {"status": ["\ud800"]}}), nobody)

    assert rb"\ud800" in found.body
    assert json.loads(found.body)["errors"][0]["extensions"]["code"] == "INVALID"


async def test_pages_of_many_sizes_and_lists_of_many_lengths_share_a_few_plans(shop: Shop) -> None:
    for _ in range(3):
        await shop.order()
    actor, plans = await caller(shop), Plans(SCHEMA, reader)
    engine = Engine(SCHEMA, plans=plans)
    document = """query ($first: Int, $status: [OrderStatus!]) { orders(first: $first, filter: { status: $status }) {
      totalCount pageInfo { hasNextPage } nodes { number } } }"""

    async def context() -> Context:
        return Context(actor)

    for size in range(1, 101):
        status = ["PAID", "OPEN", "PAID"][: 1 + size % 3] * (1 + size % 30)
        found = await engine.answer(Asked(document, {"first": size, "status": status}), context)
        page = json.loads(found.body)["data"]["orders"]
        expected = 3 if "OPEN" in status else 0
        assert (page["totalCount"], len(page["nodes"])) == (expected, min(size, expected))
        assert page["pageInfo"]["hasNextPage"] == (expected > size)

    assert len(plans.compiled()) <= 6 * 6
