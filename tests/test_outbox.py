"""The outbox: what is promised is leased, kept, tried again or given up, and lost by nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis
from tortoise import connections

from errors import Disconnected, Refused, Unavailable
from models import Client, Lane, Promise
from models.database import transaction
from services import keeping, outbox
from services.outbox import Again, job, later
from services.outside import outside
from services.wake import Wake
from tests.shop import Shop
from workers.lanes import WIDTHS, Lanes

QUEUE = "arq:queue"


@dataclass
class Work:
    """What the job of these tests does: waits for `gate`, raises the next of `failures`, notes its row in `done`."""

    failures: list[Exception] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    done: list[UUID] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def do(self, client: Client) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
            if self.failures:
                raise self.failures.pop(0)
            self.done.append(client.id)
        finally:
            self.at_once -= 1

    async def under_way(self, count: int) -> None:
        """Wait until so many are at work."""
        async with asyncio.timeout(30):
            while self.at_once < count:
                await asyncio.sleep(0.01)


_work = Work()


@job(Lane.SYNC)
async def labour(client: Client) -> None:
    await _work.do(client)


@job(Lane.MAIL)
async def write(client: Client) -> None:
    await _work.do(client)


@job(Lane.SYNC, timeout=0.05)
async def dawdle(client: Client) -> None:
    await asyncio.sleep(60)


@job(Lane.MAIL)
async def nod(client: Client) -> None:
    """Done at once, whatever the gate."""


@pytest.fixture
def work() -> Work:
    """Fresh, its gate open."""
    global _work
    _work = Work()
    _work.gate.set()
    return _work


@pytest.fixture
async def client(shop: Shop) -> Client:
    return await Client.create(organization=shop.organization, email="marie@example.com")


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[Redis]:
    """What workers are woken through, emptied."""
    async with Redis.from_url(redis_url) as redis:
        await redis.delete(QUEUE)
        yield redis


async def promised(client: Client, function: outbox.Function = labour, count: int = 1) -> list[Promise]:
    async with transaction():
        return [await later(function, client) for _ in range(count)]


async def leased(lane: Lane = Lane.SYNC) -> Promise:
    (promise,) = await keeping.claim(lane, 20)
    return promise


async def now_of(promise: Promise) -> Promise:
    return await Promise.get(id=promise.id)


async def seconds_until_due(promise: Promise) -> float:
    due_at = (await now_of(promise)).due_at
    assert due_at is not None
    return (due_at - datetime.now(UTC)).total_seconds()


async def all_kept(*promises: Promise) -> None:
    """Wait for it; 30 s is what is promised after any loss."""
    async with asyncio.timeout(30):
        while await Promise.filter(id__in=[promise.id for promise in promises], done_at__isnull=True).exists():
            await asyncio.sleep(0.05)


async def woken(queue: Redis) -> int:
    """How many wake-ups came."""
    await outside().wake.told()
    return int(await queue.zcard(QUEUE))


async def forgotten(queue: Redis) -> None:
    """Those that came so far."""
    await woken(queue)
    await queue.delete(QUEUE)


# Promising


async def test_a_promise_is_kept_once_by_its_job(shop: Shop, client: Client, work: Work) -> None:
    (promise,) = await promised(client)

    await keeping.keep(await leased())

    kept = await now_of(promise)
    assert work.done == [client.id]
    assert kept.done_at
    assert (kept.lease_until, kept.token, kept.error, kept.failures, kept.deaths) == (None, None, None, 0, 0)
    assert await keeping.claim(Lane.SYNC, 20) == []


async def test_a_rolled_back_change_leaves_no_promise_and_wakes_nobody(client: Client, queue: Redis) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await later(labour, client)
            raise ZeroDivisionError

    assert await Promise.all().count() == 0
    assert await woken(queue) == 0


async def test_a_committed_change_wakes_each_lane_once(client: Client, queue: Redis) -> None:
    async with transaction():
        for function in (labour, write, labour):
            await later(function, client)
        assert await woken(queue) == 0  # not before it stands

    assert await woken(queue) == 2


async def test_nothing_is_promised_outside_a_transaction(client: Client) -> None:
    with pytest.raises(RuntimeError, match="no transaction"):
        await later(labour, client)


async def test_a_promise_for_later_is_not_due_before(shop: Shop, client: Client, work: Work) -> None:
    async with transaction():
        await later(labour, client, at=datetime.now(UTC) + timedelta(minutes=5))

    assert await keeping.claim(Lane.SYNC, 20) == []
    await shop.time_passes(minutes=5)
    await keeping.keep(await leased())
    assert work.done == [client.id]


async def test_a_promise_after_another_waits_for_it_and_is_woken_by_it(
    shop: Shop, client: Client, work: Work, queue: Redis
) -> None:
    async with transaction():
        first = await later(labour, client)
        second = await later(write, client, after=first)
    await forgotten(queue)
    await shop.time_passes(hours=24)

    assert await keeping.claim(Lane.MAIL, 20) == []
    await keeping.keep(await leased())
    assert await woken(queue) == 1
    await keeping.keep(await leased(Lane.MAIL))
    assert (await now_of(second)).done_at


async def test_a_promise_after_one_that_is_kept_already_is_due(shop: Shop, client: Client, work: Work) -> None:
    (first,) = await promised(client)
    await keeping.keep(await leased())

    async with transaction():
        second = await later(write, client, after=first)

    await keeping.keep(await leased(Lane.MAIL))
    assert (await now_of(second)).done_at


async def test_a_promise_after_one_that_is_being_kept_is_not_forgotten(client: Client, work: Work) -> None:
    """Between our look at the first and our commit, the first may be finished, and frees only what it sees."""
    (first,) = await promised(client)
    held = await leased()

    async with transaction():
        second = await later(write, client, after=first)
        finishing = asyncio.create_task(keeping.keep(held), context=Context())  # not in our transaction
        await asyncio.wait([finishing], timeout=0.3)
    await finishing

    assert (await now_of(first)).done_at
    await keeping.keep(await leased(Lane.MAIL))
    assert (await now_of(second)).done_at


async def test_what_waits_for_a_promise_that_is_given_up_is_given_up_with_it(
    shop: Shop, client: Client, work: Work
) -> None:
    work.failures = [Refused("never")]
    async with transaction():
        first = await later(labour, client)
        second = await later(write, client, after=first)

    await shop.work_is_done()

    assert (await now_of(first)).given_up_at
    waited = await now_of(second)
    assert waited.given_up_at
    assert waited.error == "what it waited for was given up: never"
    assert work.done == []


async def test_what_is_promised_after_one_that_was_given_up_is_given_up_and_both_can_be_tried_again(
    shop: Shop, client: Client, work: Work
) -> None:
    work.failures = [Refused("never")]
    async with transaction():
        first = await later(labour, client)
    await shop.work_is_done()
    async with transaction():
        second = await later(write, client, after=first)

    waited = await now_of(second)
    assert waited.given_up_at
    assert waited.error == "what it waited for was given up: never"

    await outbox.retry(first.id)
    await shop.work_is_done()
    assert [(await now_of(promise)).error for promise in (first, second)] == [None, None]
    assert work.done == [client.id, client.id]


async def test_what_is_promised_after_what_is_given_up_from_the_start_is_given_up_too(
    shop: Shop, client: Client, work: Work
) -> None:
    work.failures = [Refused("never")]
    (first,) = await promised(client)
    await shop.work_is_done()

    async with transaction():
        second = await later(write, client, after=first)
        third = await later(write, client, after=second)

    assert (await now_of(second)).given_up_at
    assert (await now_of(third)).given_up_at


async def test_what_is_promised_while_the_other_is_given_up_does_not_wait_for_ever(
    shop: Shop, client: Client, work: Work
) -> None:
    work.failures = [Refused("never")]
    async with transaction():
        first = await later(labour, client)
    (leased,) = await keeping.claim(Lane.SYNC, 1)
    async with transaction():
        second = await later(write, client, after=first)
        giving_up = asyncio.create_task(keeping.keep(leased), context=Context())
        await asyncio.sleep(0.2)
        assert not giving_up.done()
    await giving_up

    assert (await now_of(second)).error == "what it waited for was given up: never"


async def test_a_promise_that_waits_for_its_time_can_be_hastened(
    shop: Shop, client: Client, work: Work, queue: Redis
) -> None:
    async with transaction():
        promise = await later(labour, client, at=datetime.now(UTC) + timedelta(minutes=30))
        after = await later(write, client, after=promise)
    await forgotten(queue)

    async with transaction():
        assert await outbox.hasten(labour, client)
        assert not await outbox.hasten(write, client)  # it waits for the other, not for its time

    assert await woken(queue) == 1
    held = await leased()
    async with transaction():
        assert not await outbox.hasten(labour, client)  # it is being kept
    assert await outbox.owes(labour, client)
    await keeping.keep(held)
    async with transaction():
        assert not await outbox.hasten(labour, client)
    assert not await outbox.owes(labour, client)
    assert await outbox.owes(write, client)
    assert (await now_of(after)).due_at


# Leases


async def test_two_claimers_never_get_the_same_row(client: Client) -> None:
    await promised(client, count=60)

    claims = await asyncio.gather(*(keeping.claim(Lane.SYNC, 5) for _ in range(20)))

    taken = Counter(promise.id for claim in claims for promise in claim)
    assert len(taken) == 60
    assert set(taken.values()) == {1}
    assert max(len(claim) for claim in claims) == 5


async def test_a_claim_never_takes_more_than_asked_whatever_the_planner_thinks(client: Client) -> None:
    await promised(client)
    await connections.get("default").execute_script("ANALYZE outbox")  # seen by autovacuum when it was young
    await promised(client, count=40)

    assert len(await keeping.claim(Lane.SYNC, 5)) == 5


async def test_what_is_due_first_is_taken_first(client: Client) -> None:
    promises = await promised(client, count=10)

    taken = [promise.id for _ in range(5) for promise in await keeping.claim(Lane.SYNC, 2)]

    assert {*taken[:2]} == {promise.id for promise in promises[:2]}
    assert {*taken} == {promise.id for promise in promises}


async def test_a_lease_holds_until_it_ends_then_another_takes_over(shop: Shop, client: Client, work: Work) -> None:
    (promise,) = await promised(client)
    held = await leased()

    await shop.time_passes(seconds=14)
    assert await keeping.claim(Lane.SYNC, 20) == []
    await shop.time_passes(seconds=2)
    taken_over = await leased()

    assert taken_over.id == held.id == promise.id
    assert taken_over.token != held.token
    assert taken_over.deaths == 1


@pytest.mark.parametrize(
    "outcome", [None, Refused("no"), Unavailable("later"), Again(datetime.now(UTC), "again")], ids=repr
)
async def test_who_finishes_after_its_lease_ended_changes_nothing(
    shop: Shop, client: Client, work: Work, outcome: Exception | None
) -> None:
    async with transaction():
        promise = await later(labour, client)
        await later(write, client, after=promise)
    late = await leased()
    await shop.time_passes(seconds=16)
    await leased()
    before = await now_of(promise)

    work.failures = [outcome] if outcome else []
    await keeping.keep(late)

    after = await now_of(promise)
    for column in ("done_at", "given_up_at", "due_at", "token", "lease_until", "failures", "deaths", "error"):
        assert getattr(after, column) == getattr(before, column), column
    assert await keeping.claim(Lane.MAIL, 20) == []


async def test_a_heartbeat_keeps_the_lease_of_what_is_under_way(shop: Shop, client: Client) -> None:
    await promised(client)
    held = await leased()
    await shop.time_passes(seconds=14)
    assert held.token

    await keeping.extend({held.token})

    await shop.time_passes(seconds=14)
    assert await keeping.claim(Lane.SYNC, 20) == []


async def test_a_heartbeat_holds_nothing_but_what_is_under_way(shop: Shop, client: Client) -> None:
    """Two taken at once: one is still worked on, the other's end could not be written down."""
    await promised(client, count=2)
    lively, lost = await keeping.claim(Lane.SYNC, 20)
    await shop.time_passes(seconds=14)
    assert lively.token

    await keeping.extend({lively.token})

    await shop.time_passes(seconds=2)
    assert (await leased()).id == lost.id


async def test_a_heartbeat_waits_for_no_row_that_is_being_written_down(
    shop: Shop, client: Client, database_url: str
) -> None:
    """It would hold the rows that it has by then, and whoever wants to finish those would wait in turn."""
    await promised(client, count=3)
    held = await keeping.claim(Lane.SYNC, 20)
    await shop.time_passes(seconds=14)
    elsewhere = await asyncpg.connect(database_url)
    finishing = elsewhere.transaction()
    await finishing.start()
    await elsewhere.execute("UPDATE outbox SET done_at = now() WHERE id = $1", held[1].id)

    async with asyncio.timeout(10):
        await keeping.extend({promise.token for promise in held if promise.token})

    await finishing.rollback()
    await elsewhere.close()
    await shop.time_passes(seconds=2)
    assert [promise.id for promise in await keeping.claim(Lane.SYNC, 20)] == [held[1].id]


async def test_a_late_heartbeat_takes_nothing_back(shop: Shop, client: Client) -> None:
    (promise,) = await promised(client)
    held = await leased()
    await shop.time_passes(seconds=16)
    await leased()
    before = await now_of(promise)
    assert held.token

    await keeping.extend({held.token})

    assert (await now_of(promise)).lease_until == before.lease_until


# Failures


async def test_a_failure_is_tried_again_at_doubling_distances(shop: Shop, client: Client, work: Work) -> None:
    work.failures = [RuntimeError(f"no {number}") for number in range(12)]
    (promise,) = await promised(client)
    waits = []

    for number in range(12):
        await keeping.keep(await leased())
        waits.append(round(await seconds_until_due(promise)))
        assert (await now_of(promise)).error == f"RuntimeError: no {number}"
        await shop.time_passes(seconds=1000)
    await keeping.keep(await leased())

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    kept = await now_of(promise)
    assert kept.done_at
    assert (kept.failures, kept.error) == (12, None)


@pytest.mark.parametrize(("asked", "waits"), [(120, 120), (0.5, 1), (None, 1), (86_400, 900)])
async def test_who_says_when_to_come_back_is_believed_within_reason(
    client: Client, work: Work, asked: float | None, waits: int
) -> None:
    work.failures = [Unavailable("busy", retry_after=asked)]
    (promise,) = await promised(client)

    await keeping.keep(await leased())

    assert round(await seconds_until_due(promise)) == waits


async def test_a_refusal_is_given_up_at_once_with_its_reason(shop: Shop, client: Client, work: Work) -> None:
    work.failures = [Refused("no such mailbox")]
    (promise,) = await promised(client)

    await keeping.keep(await leased())

    given_up = await now_of(promise)
    assert given_up.given_up_at
    assert (given_up.error, given_up.done_at, given_up.token, given_up.lease_until) == (
        "no such mailbox", None, None, None,
    )  # fmt: skip
    await shop.time_passes(hours=24)
    assert await keeping.claim(Lane.SYNC, 20) == []


async def test_what_fails_for_thirty_days_is_given_up(shop: Shop, client: Client, work: Work) -> None:
    work.failures = [Disconnected("the password is wrong") for _ in range(100)]
    (promise,) = await promised(client)

    for _ in range(30):
        await keeping.keep(await leased())
        assert not (await now_of(promise)).given_up_at
        await shop.time_passes(hours=24)
    await keeping.keep(await leased())

    given_up = await now_of(promise)
    assert given_up.given_up_at
    assert given_up.error == "Disconnected: the password is wrong"


async def test_a_job_that_wants_another_go_gets_it_at_its_time_and_has_not_failed(
    shop: Shop, client: Client, work: Work
) -> None:
    work.failures = [Again(datetime.now(UTC) + timedelta(minutes=5), "the partner answered 500")]
    (promise,) = await promised(client)

    await keeping.keep(await leased())

    postponed = await now_of(promise)
    assert round(await seconds_until_due(promise)) == 300
    assert (postponed.failures, postponed.error) == (0, "the partner answered 500")
    await shop.time_passes(minutes=5)
    await shop.work_is_done()
    assert work.done == [client.id]


async def test_a_job_that_takes_too_long_is_stopped_and_says_so(client: Client) -> None:
    (promise,) = await promised(client, dawdle)

    await keeping.keep(await leased())

    failed = await now_of(promise)
    assert failed.failures == 1
    assert failed.error == "TimeoutError: it took more than 0.05 s"


async def test_what_kills_its_workers_is_given_up_in_the_end(shop: Shop, client: Client, work: Work) -> None:
    (promise,) = await promised(client)
    for _ in range(keeping.DEATHS_MOST + 1):
        await leased()  # by a worker that dies
        await shop.time_passes(seconds=16)

    await keeping.keep(await leased())

    given_up = await now_of(promise)
    assert given_up.given_up_at
    assert given_up.error == f"{keeping.DEATHS_MOST + 1} workers died on it"
    assert work.done == []


async def test_a_job_that_the_code_no_longer_knows_is_given_up(shop: Shop, client: Client) -> None:
    (promise,) = await promised(client)
    await shop.sql("UPDATE outbox SET job = 'invoices.engrave'")

    await keeping.keep(await leased())

    assert (await now_of(promise)).error == "no job is called invoices.engrave"


@pytest.mark.parametrize("reason", ["é" * 5000, "null \x00", "half \udcff"], ids=["long", "null", "half"])
@pytest.mark.parametrize("kind", [Refused, Unavailable])
async def test_any_reason_can_be_written_down(client: Client, work: Work, kind: type[Exception], reason: str) -> None:
    work.failures = [kind(reason)]
    (promise,) = await promised(client)

    await keeping.keep(await leased())

    failed = await now_of(promise)
    assert failed.token is None
    assert failed.error
    assert reason[:4] in failed.error


# Lanes


@pytest.fixture
async def lanes(shop: Shop) -> AsyncIterator[Lanes]:
    """A worker's lanes, at work in this process."""
    opened = Lanes()
    opened.start()
    yield opened
    await opened.stop()


async def test_lanes_that_are_woken_at_the_moment_they_stop_stop(shop: Shop) -> None:
    for pause in range(5):
        lanes = Lanes()
        lanes.start()
        await asyncio.sleep(0.1)  # they have looked, and wait
        for lane in Lane:
            lanes.wake(lane)
        for _ in range(pause):
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await lanes.stop()


async def test_a_lost_wake_up_is_made_up_for(client: Client, work: Work, lanes: Lanes) -> None:
    await asyncio.sleep(0.2)  # the lanes have looked, and found nothing

    promises = await promised(client)  # no arq worker runs here: nobody is told

    await all_kept(*promises)


async def test_a_lane_never_does_more_at_once_than_its_width(client: Client, work: Work, lanes: Lanes) -> None:
    work.gate.clear()
    promises = await promised(client, count=3 * WIDTHS[Lane.SYNC])
    lanes.wake(Lane.SYNC)
    await work.under_way(WIDTHS[Lane.SYNC])

    work.gate.set()
    await all_kept(*promises)

    assert work.most_at_once == WIDTHS[Lane.SYNC]
    assert len(work.done) == len(promises)


async def test_a_slow_lane_delays_no_other(client: Client, work: Work, lanes: Lanes) -> None:
    work.gate.clear()
    slow = await promised(client, count=2 * WIDTHS[Lane.SYNC])
    lanes.wake(Lane.SYNC)
    await work.under_way(1)

    async with transaction():
        quick = await later(nod, client)
    lanes.wake(Lane.MAIL)

    await all_kept(quick)
    assert await Promise.filter(id__in=[promise.id for promise in slow], done_at__isnull=False).count() == 0
    work.gate.set()
    await all_kept(*slow)


async def test_a_worker_that_stops_finishes_what_it_began_and_takes_nothing_more(client: Client, work: Work) -> None:
    work.gate.clear()
    lanes = Lanes()
    lanes.start()
    begun = await promised(client)
    lanes.wake(Lane.SYNC)
    await work.under_way(1)

    stopping = asyncio.create_task(lanes.stop())
    await asyncio.sleep(0)
    (left,) = await promised(client)
    lanes.wake(Lane.SYNC)
    work.gate.set()
    await stopping

    assert (await now_of(begun[0])).done_at
    assert (await now_of(left)).token is None


async def test_a_database_that_goes_away_under_a_job_costs_a_lease_and_nothing_else(
    shop: Shop, client: Client, work: Work, lanes: Lanes
) -> None:
    work.gate.clear()
    await promised(client, count=3)
    lanes.wake(Lane.SYNC)
    await work.under_way(3)

    await shop.sql(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await asyncio.sleep(0.1)  # all are gone: once the loop went round, the pool knows
    work.gate.set()

    async with asyncio.timeout(30):
        while await Promise.filter(done_at__isnull=True).exists():
            await shop.time_passes(seconds=1)
            await asyncio.sleep(0.05)


# Waking


async def test_a_redis_that_is_away_or_silent_holds_up_no_change() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    wake = Wake(f"redis://127.0.0.1:{port}/0")

    async with asyncio.timeout(20):
        await wake.of(Lane.SYNC)()  # nobody waits for it
        await wake.close()
    silent.close()
    async with asyncio.timeout(20):
        nowhere = Wake(f"redis://127.0.0.1:{port}/0")
        await nowhere.of(Lane.SYNC)()
        await nowhere.close()


async def connected(queue: Redis) -> int:
    """How many are, to the database of these tests: others run beside, on the same server."""
    mine = str(queue.connection_pool.connection_kwargs["db"])
    return sum(client["db"] == mine for client in await queue.client_list())


async def test_many_wake_ups_at_once_are_one_for_each_lane_and_leave_no_connection(queue: Redis) -> None:
    before = await connected(queue)
    wake = Wake(outside().settings.redis_url)

    await asyncio.gather(*(wake.of(lane)() for lane in Lane for _ in range(100)))
    await wake.close()

    assert await queue.zcard(QUEUE) == len(Lane)
    assert await connected(queue) <= before  # one of another test may still have been closing


async def test_a_wake_up_that_comes_while_another_is_told_is_told_after_it(queue: Redis) -> None:
    wake = Wake(outside().settings.redis_url)

    await wake.of(Lane.SYNC)()
    await asyncio.sleep(0)  # the first is on its way
    await wake.of(Lane.SYNC)()
    await wake.close()

    assert await queue.zcard(QUEUE) == 2
