"""Promises: outside work written with the change that owes it, kept by a worker, lost by nothing.

    promise = await later(invoices.render, invoice)           # in the change's transaction
    await later(invoices.send, invoice, after=promise)

A worker leases due rows, keeps each by its job, and finishes it under its token. A job is safe to run twice: a worker
may die between the work and the finish, and its rows are free again when the lease ends.
"""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.models import Model

from errors import Conflict, NotFound, Refused, Unavailable
from models import Lane, Order, Promise, StripeEvent
from models.database import after_commit, query, transaction
from services import metrics
from services.outside import outside
from telemetry.context import log_context, note

log = logging.getLogger("comptoir.outbox")

LEASE = timedelta(seconds=15)
DEATHS_MOST = 20  # a row that kills its worker each time must not do so for ever
PAUSE_FIRST, PAUSE_MOST = 1.0, 900.0  # seconds, doubled in between
ALERT_AT = 10  # failures: a quarter of an hour, and somebody should look
TRIED_FOR = timedelta(days=30)  # as long as Stripe keeps its events: longer than any operator's holiday

Function = Callable[[Any], Awaitable[None]]


class Again(Exception):
    """Raised by a job that wants another go at a time of its choice."""

    def __init__(self, at: datetime, reason: str) -> None:
        super().__init__(reason)
        self.at = at


class NotYet(Exception):
    """Raised by a job for want of something that may still come: tried again like any failure."""


@dataclass(frozen=True)
class Job:
    name: str
    lane: Lane
    function: Function
    model: type[Model]
    timeout: float
    urgent: bool

    def alarms(self, failures: int, error: Exception) -> bool:
        """Whether somebody should look, after so many failures."""
        return failures >= ALERT_AT or (self.urgent and failures == 1 and not isinstance(error, NotYet))


JOBS: dict[str, Job] = {}
_by_function: dict[Function, Job] = {}


def job(lane: Lane, *, timeout: float = 60.0, urgent: bool = False) -> Callable[[Function], Function]:
    """Declare a job over one row: `async def render(invoice: Invoice) -> None`. `timeout` in seconds; of an `urgent`
    one, the first failure is an alert."""

    def declare(function: Function) -> Function:
        (row,) = inspect.signature(function).parameters.values()
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        JOBS[name] = _by_function[function] = Job(name, lane, function, row.annotation, timeout, urgent)
        return function

    return declare


async def later(function: Function, row: Model, *, after: Promise | None = None, at: datetime | None = None) -> Promise:
    """Promise a job on a row, in the open transaction; `after` another promise is kept, or from a time on.

    After one that was given up, it is given up too: whoever has that one tried again has both.
    """
    owed = _by_function[function]
    waits, lost = await _state_of(after) if after else (False, None)
    promise = await Promise.create(
        organization_id=getattr(row, "organization_id", None), lane=owed.lane, job=owed.name, subject_id=row.pk,
        after=after, due_at=None if waits else at or datetime.now(UTC),
        given_up_at=datetime.now(UTC) if lost else None, error=lost,
    )  # fmt: skip
    if lost:
        log.error("%s of %s is given up: %s", owed.name, row.pk, lost)
    elif promise.due_at:
        after_commit(outside().wake.of(owed.lane))
    return promise


def promised(function: Function, rows: str) -> str:
    """The statement that promises a job, now, on rows of no organization, as a part of the one that writes them: `rows`
    names what gives `promise_id` and `subject_id`. Whoever runs it calls `wake` then."""
    owed = _by_function[function]
    return (
        "INSERT INTO outbox (id, created_at, lane, job, subject_id, due_at, deaths, failures)"  # noqa: S608
        f" SELECT promise_id, now(), '{owed.lane.value}', '{owed.name}', subject_id, now(), 0, 0 FROM {rows}"
    )


async def hasten(function: Function, row: Model) -> bool:
    """Make a promise that waits for its time due now; False where none does."""
    owed = _by_function[function]
    moved = await query(
        "UPDATE outbox SET due_at = now() WHERE subject_id = $1 AND job = $2 AND due_at IS NOT NULL"
        " AND token IS NULL AND done_at IS NULL AND given_up_at IS NULL RETURNING id",
        row.pk, owed.name,
    )  # fmt: skip
    if moved:
        after_commit(outside().wake.of(owed.lane))
    return bool(moved)


async def owes(function: Function, row: Model) -> bool:
    """Whether such a promise on a row is still open."""
    job = _by_function[function].name
    return await Promise.exists(subject_id=row.pk, job=job, done_at=None, given_up_at=None)


async def retry(promise_id: UUID) -> None:
    """Take up again what was given up, with what waited for it. Raises NotFound, and Conflict, saying what to do."""
    async with transaction():
        promise = await Promise.select_for_update().get_or_none(id=promise_id)
        if promise is None:
            raise NotFound(f"There is no promise {promise_id}.")
        if promise.given_up_at is None:
            raise Conflict(f"{promise.job} {promise_id} was not given up.")
        if promise.after_id and await Promise.exists(id=promise.after_id, given_up_at__isnull=False):
            raise Conflict(f"{promise.job} {promise_id} waits for {promise.after_id}, given up too: retry that one.")
        await query(
            "UPDATE outbox SET given_up_at = NULL, failures = 0, deaths = 0, due_at = CASE WHEN id = $1 THEN now() END"
            " WHERE id = $1 OR (after_id = $1 AND given_up_at IS NOT NULL)",
            promise_id,
        )
        after_commit(outside().wake.of(promise.lane))


async def claim(lane: Lane, most: int) -> list[Promise]:
    """Lease due promises of a lane to the caller, each under its token: nobody else works on them until the lease ends.

    Materialized: as a subquery of `WHERE id IN`, a planner that expects few rows runs it once a row and takes them all.
    """
    rows = await query(
        """
        WITH due AS MATERIALIZED (
            SELECT id FROM outbox
            WHERE lane = $1 AND due_at <= now() AND done_at IS NULL AND given_up_at IS NULL
              AND (lease_until IS NULL OR lease_until < now())
            ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        UPDATE outbox SET lease_until = now() + $3::interval, token = gen_random_uuid(),
            deaths = deaths + (token IS NOT NULL)::int
        FROM due WHERE outbox.id = due.id
        RETURNING outbox.*
        """,
        lane.value, most, LEASE,
    )  # fmt: skip
    return [Promise(**row) for row in rows]


async def extend(tokens: set[UUID]) -> None:
    """Heartbeat: the holder of these tokens is alive. A row that is just being written down holds up no other."""
    await query(
        """
        WITH held AS MATERIALIZED (SELECT id FROM outbox WHERE token = ANY($1) FOR UPDATE SKIP LOCKED)
        UPDATE outbox SET lease_until = now() + $2::interval FROM held WHERE outbox.id = held.id
        """,
        list(tokens), LEASE,
    )  # fmt: skip


async def keep(promise: Promise) -> None:
    """Run the job of a leased promise and write down what came of it. Raises nothing but cancellation."""
    started = time.perf_counter()
    with log_context(job=promise.job, promise=promise.id):
        outcome = await _keep(promise)
    known = promise.job if promise.job in JOBS else "unknown"
    metrics.JOBS.labels(known, outcome).observe(time.perf_counter() - started)


async def _state_of(promise: Promise) -> tuple[bool, str | None]:
    """Whether it is still to be kept, and why what waits for it is lost once it was given up.

    Locked: who keeps it now waits for our commit, then frees what waits for it, or gives it up.
    """
    (row,) = await query("SELECT done_at, given_up_at, error FROM outbox WHERE id = $1 FOR SHARE", promise.id)
    return row["done_at"] is None, row["given_up_at"] and _waited_in_vain(row["error"])


def _waited_in_vain(reason: str) -> str:
    return f"what it waited for was given up: {reason}"[:1000]


async def _keep(promise: Promise) -> str:
    """What came of it, in the words of `metrics.JOBS`."""
    owed = JOBS.get(promise.job)
    try:
        if owed is None:
            raise Refused(f"no job is called {promise.job}")
        if promise.deaths > DEATHS_MOST:
            raise Refused(f"{promise.deaths} workers died on it")
        await _run(owed, promise.subject_id)
    except Again as again:
        await _postpone(promise, again.at, str(again), failed=False)
        return "postponed"
    except Refused as refusal:
        await _give_up(promise, str(refusal))
        return "given up"
    except Exception as error:
        reason = _storable(f"{type(error).__name__}: {error}")
        if promise.failing_since and datetime.now(UTC) - promise.failing_since > TRIED_FOR:
            await _give_up(promise, reason)
            return "given up"
        level = logging.ERROR if owed and owed.alarms(promise.failures + 1, error) else logging.WARNING
        log.log(level, "%s of %s failed, to be tried again: %s", promise.job, promise.subject_id, reason)
        log.debug("%s failed", promise.job, exc_info=error)
        await _postpone(promise, datetime.now(UTC) + _pause(promise, error), reason, failed=True)
        return "failed"
    await _finish(promise)
    return "kept"


async def _run(owed: Job, subject_id: UUID) -> None:
    row = await owed.model.get(pk=subject_id)
    note(**_ids(row))
    try:
        async with asyncio.timeout(owed.timeout) as limit:
            await owed.function(row)
    except TimeoutError:
        if limit.expired():
            raise TimeoutError(f"it took more than {owed.timeout:g} s") from None
        raise


def _ids(row: Model) -> dict[str, object]:
    """What log records name a job's row by: the order that it is or belongs to, or Stripe's event."""
    if isinstance(row, StripeEvent):
        return {"event_id": row.stripe_id}
    order_id = row.pk if isinstance(row, Order) else getattr(row, "order_id", None)
    return {"order_id": order_id} if order_id else {}


async def _finish(promise: Promise) -> None:
    async with transaction():
        mine = await query(
            "UPDATE outbox SET done_at = now(), lease_until = NULL, token = NULL, error = NULL"
            " WHERE id = $1 AND token = $2 RETURNING id",
            promise.id, promise.token,
        )  # fmt: skip
        if not mine:
            log.warning("%s of %s was finished by another worker", promise.job, promise.subject_id)
            return
        freed = await query(
            "UPDATE outbox SET due_at = now() WHERE after_id = $1 AND due_at IS NULL RETURNING lane", promise.id
        )
        for row in freed:
            after_commit(outside().wake.of(Lane(row["lane"])))
    log.info("%s of %s is done", promise.job, promise.subject_id)


async def _postpone(promise: Promise, at: datetime, reason: str, *, failed: bool) -> None:
    await query(
        "UPDATE outbox SET due_at = $3, failures = failures + $4, error = $5, lease_until = NULL, token = NULL,"
        " failing_since = coalesce(failing_since, CASE WHEN $4 > 0 THEN now() END) WHERE id = $1 AND token = $2",
        promise.id, promise.token, at, int(failed), _storable(reason),
    )  # fmt: skip


async def _give_up(promise: Promise, reason: str) -> None:
    """With whatever waits for it: a letter without its invoice is no letter.

    Two statements: the second sees what was promised while the first waited for the promise's row.
    """
    reason = _storable(reason)
    log.error("%s of %s is given up: %s", promise.job, promise.subject_id, reason)
    async with transaction():
        mine = await query(
            "UPDATE outbox SET given_up_at = now(), error = $3, lease_until = NULL, token = NULL"
            " WHERE id = $1 AND token = $2 RETURNING id",
            promise.id, promise.token, reason,
        )  # fmt: skip
        if mine:
            await query(
                "UPDATE outbox SET given_up_at = now(), error = $2 WHERE after_id = $1 AND done_at IS NULL",
                promise.id, _waited_in_vain(reason),
            )  # fmt: skip


def _storable(reason: str) -> str:
    """What others say may hold anything; PostgreSQL stores neither null characters nor halves of a character."""
    return reason[:1000].encode(errors="replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _pause(promise: Promise, error: Exception) -> timedelta:
    doubled = min(PAUSE_FIRST * 2**promise.failures, PAUSE_MOST)
    asked = error.retry_after if isinstance(error, Unavailable) else None
    return timedelta(seconds=max(doubled, min(asked or 0, PAUSE_MOST)))
