"""What is asked twice under one key is done once, and answered alike: keys of the callers' choice, kept for a day.

`once` is for what changes in one transaction: the key is written in it, and a second caller waits for it. `carry_out`
is for what calls out meanwhile: the key is committed first, and who comes while it is under way is told to try again. A
process that died leaves a lease that ends; who asks then does it again, from what is `noted` on.

Answers may hold what is shown once: they are sealed (`services/vault.py`).
"""

import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from errors import Conflict
from models import IdempotencyKey
from models.base import Owned, global_id, parse_global_id
from models.database import query, transaction
from services import vault

R = TypeVar("R", bound=Owned)

log = logging.getLogger("comptoir.idempotency")

FIELD = "input.idempotencyKey"
LEASE = 45  # seconds: longer than an operation may last, which is given up before

Work = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Asked:
    """What a caller asks for under a key. `input_hash` is the SHA-256 of the canonical input, hexadecimal."""

    organization_id: UUID
    caller: UUID
    key: str
    mutation: str
    input_hash: str


class Form(Protocol):
    """How answers are kept as text. Rows are kept by reference."""

    def write(self, answer: Any) -> str: ...

    async def read(self, text: str) -> Any: ...


async def once(asked: Asked, work: Work, form: Form) -> Any:
    """The answer of the work, or of the same that was done before; in the open transaction. Raises Conflict for a key
    of something else, and what the work raises: then nothing is kept."""
    row = await _claim(asked)
    if row.answer is not None:
        return await form.read(await _opened(row))
    answer = await work()
    await _keep(row, form.write(answer))
    return answer


async def carry_out(asked: Asked, work: Work, form: Form) -> Any:
    """The same for work that commits and calls out; opens transactions. Raises Conflict while it is under way too."""
    async with transaction():
        row = await _claim(asked)
        if row.answer is not None:
            return await form.read(await _opened(row))
    token = _under_way.set(row)
    try:
        answer = await work()
    except Exception:
        await _give_back(row)
        raise
    finally:
        _under_way.reset(token)
    async with transaction():
        await _keep(row, form.write(answer))
    return answer


async def note(made: Owned) -> None:
    """Write down, in the transaction that made it, what the exchange under way goes on from if it is begun again.
    Without a key nothing is to be done. Raises Conflict where another went on from here meanwhile."""
    row = _under_way.get()
    if row is None:
        return
    noted = "UPDATE idempotency_keys SET begun = $2 WHERE id = $1 RETURNING id"
    if not await query(noted, row.id, global_id(made)):
        raise _busy()


async def noted(model: type[R]) -> R | None:
    """The row that the exchange under way made before it was begun again."""
    row = _under_way.get()
    name, id = parse_global_id(row.begun or "") or ("", None) if row else ("", None)
    if row is None or name != model.__name__:
        return None
    return await model.get_or_none(id=id, organization_id=row.organization_id)


_under_way: ContextVar[IdempotencyKey | None] = ContextVar("idempotency_key", default=None)


async def _claim(asked: Asked) -> IdempotencyKey:
    """The key's row, in the open transaction: without an answer it is ours. Raises Conflict."""
    claimed = await query(
        _CLAIM, IdempotencyKey().id, asked.organization_id, asked.caller, asked.key, asked.mutation, asked.input_hash
    )
    row = await IdempotencyKey.get_or_none(
        organization_id=asked.organization_id, caller=asked.caller, key=asked.key
    )  # None where it was given back at this moment
    if row is None:
        raise _busy()
    if (row.mutation, row.input_hash) != (asked.mutation, asked.input_hash):
        raise Conflict("This key was used for something else in the last 24 hours. Choose another one.", field=FIELD)
    if row.answer is None and not claimed:
        raise _busy()
    return row


# Under way elsewhere in a transaction, it makes this wait for its end. A key is free for anything after a day, and for
# the same once its lease has ended without an answer.
_CLAIM = f"""
    INSERT INTO idempotency_keys AS kept
        (id, organization_id, caller, key, mutation, input_hash, created_at, lease_until)
    VALUES ($1, $2, $3, $4, $5, $6, now(), clock_timestamp() + {LEASE} * interval '1 second')
    ON CONFLICT (organization_id, caller, key) DO UPDATE SET
        id = EXCLUDED.id, mutation = EXCLUDED.mutation, input_hash = EXCLUDED.input_hash,
        created_at = EXCLUDED.created_at, lease_until = EXCLUDED.lease_until, answer = NULL,
        begun = CASE WHEN kept.created_at > now() - interval '24 hours' THEN kept.begun END
    WHERE kept.created_at <= now() - interval '24 hours'
        OR (kept.answer IS NULL AND kept.lease_until <= clock_timestamp()
            AND (kept.mutation, kept.input_hash) = (EXCLUDED.mutation, EXCLUDED.input_hash))
    RETURNING id
"""  # noqa: S608 - a number of ours


async def _opened(row: IdempotencyKey) -> str:
    text = await vault.open(row, "answer", f"{row.mutation}, asked again under its key")
    assert text is not None
    return text


async def _keep(row: IdempotencyKey, text: str) -> None:
    vault.seal(row, "answer", text)
    kept = "UPDATE idempotency_keys SET answer = $2 WHERE id = $1 RETURNING id"
    if not await query(kept, row.id, row.answer):
        log.warning("%s lasted longer than its lease: another carries it out too", row.mutation)


async def _give_back(row: IdempotencyKey) -> None:
    """What was refused may be asked again at once; where something was made already, for the same alone."""
    try:
        if not await query("DELETE FROM idempotency_keys WHERE id = $1 AND begun IS NULL RETURNING id", row.id):
            await query("UPDATE idempotency_keys SET lease_until = now() WHERE id = $1 RETURNING id", row.id)
    except Exception:
        log.warning("a key of %s could not be given back: its lease will end", row.mutation, exc_info=True)


def _busy() -> Conflict:
    return Conflict("The same is under way at this moment. Try again in a few seconds.", field=FIELD)
