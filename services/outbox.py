"""Promises: outside work written with the change that owes it, kept by a worker, lost by nothing.

    promise = await later(invoices.render, invoice)           # in the change's transaction
    await later(invoices.send, invoice, after=promise)

A worker leases due rows, keeps each by its job, and finishes it under its token. A job is safe to run twice: a worker
may die between the work and the finish, and its rows are free again when the lease ends.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tortoise.models import Model

from errors import Refused, Unavailable
from models import Lane, Promise
from models.database import after_commit, query, transaction
from services.outside import outside

log = logging.getLogger("comptoir.outbox")

LEASE = timedelta(seconds=15)
FAILURES_MOST = 25
CLAIMS_MOST = 60
PAUSE_FIRST, PAUSE_MOST = 1.0, 900.0

Function = Callable[[Any], Awaitable[None]]


class Again(Exception):
    """Raised by a job that wants another go at a time of its choice."""

    def __init__(self, at: datetime, reason: str) -> None:
        super().__init__(reason)
        self.at = at


@dataclass(frozen=True)
class Job:
    name: str
    lane: Lane
    function: Function
    model: type[Model]
    timeout: float


JOBS: dict[str, Job] = {}
_by_function: dict[Function, Job] = {}


def job(lane: Lane, *, timeout: float = 60.0) -> Callable[[Function], Function]:
    """Declare a job over one row: `async def render(invoice: Invoice) -> None`. `timeout` in seconds."""

    def declare(function: Function) -> Function:
        (row,) = inspect.signature(function).parameters.values()
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        JOBS[name] = _by_function[function] = Job(name, lane, function, row.annotation, timeout)
        return function

    return declare


async def later(function: Function, row: Model, *, after: Promise | None = None, at: datetime | None = None) -> Promise:
    """Promise a job on a row, in the open transaction; `after` another promise is kept, or from a time on."""
    owed = _by_function[function]
    promise = await Promise.create(
        organization_id=getattr(row, "organization_id", None), lane=owed.lane, job=owed.name, subject_id=row.pk,
        after=after, due_at=None if after else at or datetime.now(UTC),
    )  # fmt: skip
    if promise.due_at:
        after_commit(outside().wake.of(owed.lane))
    return promise


async def claim(lane: Lane, most: int) -> list[Promise]:
    """Lease due promises of a lane to the caller: nobody else works on them until the lease ends."""
    rows = await query(
        """
        UPDATE outbox SET lease_until = now() + $3::interval, token = $4, claims = claims + 1
        WHERE id IN (
            SELECT id FROM outbox
            WHERE lane = $1 AND due_at <= now() AND done_at IS NULL AND given_up_at IS NULL
              AND (lease_until IS NULL OR lease_until < now())
            ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        RETURNING *
        """,
        lane.value, most, LEASE, uuid4(),
    )  # fmt: skip
    return [Promise(**row) for row in rows]


async def extend(tokens: set[UUID]) -> None:
    """Heartbeat: the holder of these tokens is alive."""
    await query("UPDATE outbox SET lease_until = now() + $2::interval WHERE token = ANY($1)", list(tokens), LEASE)


async def keep(promise: Promise) -> None:
    """Run the job of a leased promise and write down what came of it. Raises nothing but cancellation."""
    owed = JOBS.get(promise.job)
    try:
        if owed is None:
            raise Refused(f"no job is called {promise.job}")
        if promise.claims > CLAIMS_MOST:
            raise Refused(f"{CLAIMS_MOST} workers died on it")
        row = await owed.model.get(pk=promise.subject_id)
        async with asyncio.timeout(owed.timeout):
            await owed.function(row)
    except Again as again:
        await _postpone(promise, again.at, str(again), failed=False)
    except Refused as refusal:
        await _give_up(promise, str(refusal))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        if promise.failures + 1 >= FAILURES_MOST:
            await _give_up(promise, reason)
        else:
            log.warning("%s of %s failed, to be tried again", promise.job, promise.subject_id, exc_info=error)
            await _postpone(promise, datetime.now(UTC) + _pause(promise, error), reason, failed=True)
    else:
        await _finish(promise)


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


async def _postpone(promise: Promise, at: datetime, reason: str, *, failed: bool) -> None:
    await query(
        "UPDATE outbox SET due_at = $3, failures = failures + $4, error = $5, lease_until = NULL, token = NULL"
        " WHERE id = $1 AND token = $2",
        promise.id, promise.token, at, int(failed), reason[:1000],
    )  # fmt: skip


async def _give_up(promise: Promise, reason: str) -> None:
    log.error("%s of %s is given up: %s", promise.job, promise.subject_id, reason)
    await query(
        "UPDATE outbox SET given_up_at = now(), error = $3, lease_until = NULL, token = NULL"
        " WHERE id = $1 AND token = $2",
        promise.id, promise.token, reason[:1000],
    )  # fmt: skip


def _pause(promise: Promise, error: Exception) -> timedelta:
    doubled = min(PAUSE_FIRST * 2**promise.failures, PAUSE_MOST)
    asked = error.retry_after if isinstance(error, Unavailable) else None
    return timedelta(seconds=max(doubled, min(asked or 0, PAUSE_MOST)))
