"""Nothing is left out: what was missed is told on return, whatever order transactions end in."""

import asyncio

import asyncpg
import pytest

from engine.masking import refusal_of
from engine.streams.channel import ROWS_MOST, Channel, Subscription
from engine.streams.events import Event, Topic
from errors import DomainError
from services import changes
from tests.shop import Shop
from tests.streams.clients import ORDERS, Socket, socket

CHANGE = "UPDATE orders SET cancel_reason = 'changed' WHERE number = $1"


async def test_what_was_missed_is_told_once_for_each_row(shop: Shop, port: int) -> None:
    first = await shop.order()
    await settled(shop)
    async with socket(port, shop.token) as client:
        cursor = (await client.follow())["cursor"]
    second = await shop.order()
    await shop.do("orderCancel", first)
    await shop.do("orderCancel", second)

    async with socket(port, shop.token) as client:
        event = await client.follow(after=cursor)
        assert (event["order"]["id"], event["happened"]) == (first["id"], ["CANCELED"])
        event = await client.event()
        assert (event["order"]["id"], event["happened"]) == (second["id"], ["CREATED", "CANCELED"])
        third = await shop.order()
        assert (await client.event())["order"]["id"] == third["id"]

    async with socket(port, shop.token) as client:
        assert (await client.follow(after=event["cursor"]))["order"]["id"] == third["id"]


async def test_of_one_row_what_happened_to_others_is_not_told(shop: Shop, port: int) -> None:
    order = await shop.order()
    await settled(shop)
    async with socket(port, shop.token) as client:
        cursor = (await client.follow(id=order["id"]))["cursor"]
    await shop.order()
    await shop.do("orderCancel", order)

    async with socket(port, shop.token) as client:
        event = await client.follow(id=order["id"], after=cursor)

    assert (event["order"]["id"], event["happened"]) == (order["id"], ["CANCELED"])


async def test_transactions_that_end_in_another_order_than_they_began_leave_nothing_out(
    shop: Shop, port: int, database_url: str
) -> None:
    for _ in range(3):
        await shop.order()
    await settled(shop)
    early = await asyncpg.connect(database_url)
    try:
        async with socket(port, shop.token) as client:
            cursor = (await client.follow())["cursor"]
            open_one = early.transaction()
            await open_one.start()
            await early.execute(CHANGE, 1)  # the first to begin
            await shop.sql(CHANGE, 2)  # the first to end
            await open_one.commit()
            await shop.sql(CHANGE, 3)

            told = await _until_all(client, cursor, 3)

        for place, (_, cursor) in enumerate(told):
            async with socket(port, shop.token) as client:  # from anywhere, exactly the others
                rest = await _until_all(client, cursor, 2 - place, after=cursor)
                assert [id for id, _ in rest] == [id for id, _ in told[place + 1 :]]
    finally:
        await early.close()


async def test_what_a_transaction_that_began_earlier_may_still_come_before_is_held_back(
    shop: Shop, database_url: str
) -> None:
    for _ in range(2):
        await shop.order()
    await settled(shop)
    log = changes.Changes()
    early = await asyncpg.connect(database_url)
    try:
        begun = early.transaction()
        await begun.start()
        await early.execute(CHANGE, 1)
        start = await log.horizon()
        await shop.sql(CHANGE, 2)

        held = await log.since(start)
        await begun.commit()
        await settled(shop)
        news = await log.since(held.position)
    finally:
        await early.close()

    assert (held.events, held.held) == ((), True)
    assert [event.happened for event in news.events] == [("CHANGED",), ("CHANGED",)]


async def test_a_cursor_of_another_database_is_refused(shop: Shop, port: int) -> None:
    async with socket(port, shop.token) as client:
        await client.ask(ORDERS, after=changes.Position(2**62, 1).cursor)

        assert (await client.refusal())[0] == "EXPIRED"


async def settled(shop: Shop) -> None:
    """Nothing that was done so far is held back any more by transactions of others on this server."""
    async with asyncio.timeout(30):
        while await shop.count("changes", "transaction >= pg_snapshot_xmin(pg_current_snapshot())"):
            await asyncio.sleep(0.01)


async def _until_all(client: Socket, cursor: str, number: int, after: str | None = None) -> list[tuple[str, str]]:
    """(id, cursor) of so many events."""
    told = []
    if after is not None and number:
        event = await client.follow(after=after)
        told.append((event["order"]["id"], event["cursor"]))
    while len(told) < number:
        event = await client.event()
        told.append((event["order"]["id"], event["cursor"]))
    return told


class Sleeping(Channel):
    """A client that reads nothing."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self, subscription: Subscription) -> None:
        self.woken += 1

    async def send_next(self, id: str, body: str) -> None:
        raise AssertionError

    async def send_error(self, id: str, errors: list[object]) -> None:
        raise AssertionError

    async def send_complete(self, id: str) -> None:
        raise AssertionError

    async def close(self, why: DomainError | None) -> None:
        raise AssertionError

    def drop(self) -> None:
        raise AssertionError


@pytest.fixture
def slow() -> Subscription:
    subscription = Subscription("1", Sleeping(), None, None, Topic("shop", "orders"), None)  # type: ignore[arg-type]
    subscription.held = False
    return subscription


def test_what_happens_to_a_row_while_a_client_does_not_read_is_one_event(slow: Subscription) -> None:
    for position, (row, what) in enumerate([("a", "CREATED"), ("b", "CREATED"), ("a", "PAID"), ("a", "PAID")]):
        slow.offer(Event(Topic("shop", "orders", row), (what,), position))

    one, other = slow.take(), slow.take()
    assert one == Event(Topic("shop", "orders", "b"), ("CREATED",), 1)
    assert other == Event(Topic("shop", "orders", "a"), ("CREATED", "PAID"), 3)  # last: its cursor covers the other
    assert slow.take() is None


def test_a_client_that_does_not_read_for_too_long_is_told_to_resume(slow: Subscription) -> None:
    for position in range(ROWS_MOST + 1):
        slow.offer(Event(Topic("shop", "orders", position), ("CREATED",), position))

    assert slow.take() is None
    assert slow.failure is not None
    assert refusal_of(slow.failure)["extensions"] == {"code": "LIMITED"}
