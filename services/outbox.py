"""Promises: outside work written with the change that owes it, kept by a worker, lost by nothing.

    promise = await later(invoices.render, invoice)           # in the change's transaction
    await later(invoices.send, invoice, after=promise)

A worker keeps them (`services/keeping.py`).
"""

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from tortoise.models import Model

from errors import Conflict, NotFound
from models import Lane, Promise, rows
from models.database import after_commit, open_transaction, query, transaction
from services.outside import outside

log = logging.getLogger("comptoir.outbox")

ALERT_AT = 10  # failures: a quarter of an hour, and somebody should look

Function = Callable[[Any], Awaitable[None]]


class Again(Exception):
    """Raised by a job that wants another go at a time of its choice."""

    def __init__(self, at: datetime, reason: str) -> None:
        super().__init__(reason)
        self.at = at


class NotYet(Exception):
    """Raised by a job for want of something that may still come: tried again like any failure."""


class Theirs(Exception):
    """Raised by a job for what an organization did, and somebody of theirs has to mend: tried again like any failure,
    and never an alert of ours."""


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
        if isinstance(error, Theirs):
            return False
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
    promise = Promise(
        organization_id=getattr(row, "organization_id", None), lane=owed.lane, job=owed.name, subject_id=row.pk,
        after_id=after.id if after else None, due_at=None if waits else at or datetime.now(UTC),
        given_up_at=datetime.now(UTC) if lost else None, error=lost,
    )  # fmt: skip
    promise.made_in = open_transaction()
    await _write(promise)
    if lost:
        log.error("%s of %s is given up: %s", owed.name, row.pk, lost)
    elif promise.due_at:
        after_commit(outside().wake.of(owed.lane))
    return promise


async def in_turn(row: Model, *functions: Function) -> list[Promise]:
    """Promise jobs on a row, in the open transaction and in one statement: each once the one before is kept."""
    promises: list[Promise] = []
    for function in functions:
        owed = _by_function[function]
        promise = Promise(
            organization_id=getattr(row, "organization_id", None), lane=owed.lane, job=owed.name, subject_id=row.pk,
            after_id=promises[-1].id if promises else None, due_at=None if promises else datetime.now(UTC),
        )  # fmt: skip
        promise.made_in = open_transaction()
        promises.append(promise)
    await _write(*promises)
    after_commit(outside().wake.of(promises[0].lane))
    return promises


def promised(function: Function, given: str) -> str:
    """The statement that promises a job, now, on rows of no organization, as a part of the one that writes them:
    `given` names what gives `promise_id` and `subject_id`. Whoever runs it calls `wake` then."""
    owed = _by_function[function]
    return (
        "INSERT INTO outbox (id, created_at, lane, job, subject_id, due_at, deaths, failures)"  # noqa: S608
        f" SELECT promise_id, now(), '{owed.lane.value}', '{owed.name}', subject_id, now(), 0, 0 FROM {given}"
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


def waited_in_vain(reason: str) -> str:
    """Why what waited for a promise is given up with it."""
    return f"what it waited for was given up: {reason}"[:1000]


_GIVEN = ("id", "organization_id", "lane", "job", "subject_id", "after_id", "due_at", "given_up_at", "error")


async def _write(*promises: Promise) -> None:
    """A third of what `create` takes, and a sale promises four times."""
    values = (getattr(promise, name) for promise in promises for name in _GIVEN)
    await rows.put(promises[0], _written(len(promises)), *values)


@cache
def _written(count: int) -> str:
    numbered = ((f"${place * len(_GIVEN) + column}" for column in range(1, len(_GIVEN) + 1)) for place in range(count))
    values = ", ".join(f"(now(), 0, 0, {', '.join(row)})" for row in numbered)
    return f"INSERT INTO outbox (created_at, deaths, failures, {', '.join(_GIVEN)}) VALUES {values}"  # noqa: S608


async def _state_of(promise: Promise) -> tuple[bool, str | None]:
    """Whether it is still to be kept, and why what waits for it is lost once it was given up.

    Locked: who keeps it now waits for our commit, then frees what waits for it, or gives it up.
    """
    if promise.made_in is not None and promise.made_in is open_transaction():
        return True, waited_in_vain(promise.error or "") if promise.given_up_at else None  # nobody else has seen it
    (row,) = await query("SELECT done_at, given_up_at, error FROM outbox WHERE id = $1 FOR SHARE", promise.id)
    return row["done_at"] is None, row["given_up_at"] and waited_in_vain(row["error"])
