"""Keeping promises: leased by a worker, kept by their jobs, finished, tried again or given up.

A worker leases due rows, keeps each by its job, and finishes it under its token. A job is safe to run twice: a worker
may die between the work and the finish, and its rows are free again when the lease ends.
"""

import asyncio
import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tortoise.models import Model

from errors import Refused, Unavailable
from models import Lane, Order, Promise, StripeEvent, rows
from models.database import after_commit, query, transaction
from services import metrics
from services.outbox import JOBS, Again, Job, waited_in_vain
from services.outside import outside
from telemetry.context import log_context, note

log = logging.getLogger("comptoir.outbox")

LEASE = timedelta(seconds=15)
DEATHS_MOST = 20  # a row that kills its worker each time must not do so for ever
PAUSE_FIRST, PAUSE_MOST = 1.0, 900.0  # seconds, doubled in between
TRIED_FOR = timedelta(days=30)  # as long as Stripe keeps its events: longer than any operator's holiday


async def claim(lane: Lane, most: int) -> list[Promise]:
    """Lease due promises of a lane to the caller, each under its token: nobody else works on them until the lease ends.

    Materialized: as a subquery of `WHERE id IN`, a planner that expects few rows runs it once a row and takes them all.
    """
    claimed = await query(
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
    return [rows.made(Promise, row) for row in claimed]


async def give_back(tokens: set[UUID]) -> None:
    """What was leased and not begun is free for others."""
    await query("UPDATE outbox SET lease_until = NULL, token = NULL WHERE token = ANY($1)", list(tokens))


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
    kept = _kept.set(_Kept(promise))
    try:
        with log_context(job=promise.job, promise=promise.id):
            outcome = await _keep(promise)
    finally:
        _kept.reset(kept)
    known = promise.job if promise.job in JOBS else "unknown"
    metrics.JOBS.labels(known, outcome).observe(time.perf_counter() - started)


async def finish() -> None:
    """By a job for which nothing waits, last in its own transaction: what it did and that it did it stand together, in
    the same trip."""
    kept = _kept.get()
    if kept is not None:
        await rows.put(kept.promise, _DONE, kept.promise.id, kept.promise.token)
        kept.finished = True


def failing_since() -> datetime | None:
    """Of the promise that is being kept: when it first failed; None for the first try."""
    kept = _kept.get()
    return kept.promise.failing_since if kept else None


@dataclass
class _Kept:
    promise: Promise
    finished: bool = False  # by its job


_kept: ContextVar[_Kept | None] = ContextVar("kept", default=None)


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
    kept = _kept.get()
    if kept is None or not kept.finished:
        await _finish(promise)
    log.info("%s of %s is done", promise.job, promise.subject_id)
    return "kept"


async def _run(owed: Job, subject_id: UUID) -> None:
    row = await rows.read(owed.model, "id = $1", subject_id)
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
        await _write_done(promise)


async def _write_done(promise: Promise) -> None:
    """That it is kept, and what waited for it is due.

    Two statements: the second sees what was promised while the first waited for the promise's row.
    """
    if not await query(f"{_DONE} RETURNING id", promise.id, promise.token):
        log.warning("%s of %s was finished by another worker", promise.job, promise.subject_id)
        return
    freed = await query(
        "UPDATE outbox SET due_at = now() WHERE after_id = $1 AND due_at IS NULL RETURNING lane", promise.id
    )
    for row in freed:
        after_commit(outside().wake.of(Lane(row["lane"])))


_DONE = "UPDATE outbox SET done_at = now(), lease_until = NULL, token = NULL, error = NULL WHERE id = $1 AND token = $2"


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
                promise.id, waited_in_vain(reason),
            )  # fmt: skip


def _storable(reason: str) -> str:
    """What others say may hold anything; PostgreSQL stores neither null characters nor halves of a character."""
    return reason[:1000].encode(errors="replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _pause(promise: Promise, error: Exception) -> timedelta:
    doubled = min(PAUSE_FIRST * 2**promise.failures, PAUSE_MOST)
    asked = error.retry_after if isinstance(error, Unavailable) else None
    return timedelta(seconds=max(doubled, min(asked or 0, PAUSE_MOST)))
