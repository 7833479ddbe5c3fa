"""Calling out while somebody waits, with nothing half-done: commit the intent, call, commit the answer.

The intent is an attempt row; it gives the idempotency key. Whatever happens in between, the same attempt can be
repeated: an unknown outcome stays pending and is asked again with the same key and the same parameters.
"""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from errors import Disconnected, Refused, Unavailable
from models import Attempt, AttemptStatus, Operation
from models.base import Owned
from models.database import transaction

Answer = TypeVar("Answer")


class Exchange(ABC, Generic[Answer]):
    """One thing asked of an outside system, in three steps."""

    @abstractmethod
    async def intend(self) -> Attempt:
        """In a transaction: check that it may be asked, and make or find the attempt."""

    @abstractmethod
    async def call(self, attempt: Attempt) -> Answer:
        """In none: ask, with `attempt.request` and `attempt.idempotency_key`."""

    @abstractmethod
    async def conclude(self, attempt: Attempt, answer: Answer) -> None:
        """In a transaction, the attempt locked: write down what was granted."""


async def carry_out(exchange: Exchange[Answer]) -> Attempt:
    """The attempt, granted now or before. Raises what the outside system raised."""
    async with transaction():
        attempt = await exchange.intend()
    if attempt.status is not AttemptStatus.PENDING:
        return attempt
    try:
        answer = await exchange.call(attempt)
    except (Refused, Disconnected, Unavailable) as error:
        if not isinstance(error, Unavailable) or error.answered:
            await _refuse(attempt, str(error))
        raise
    async with transaction():
        locked = await Attempt.select_for_update().get(id=attempt.id)
        if locked.status is AttemptStatus.PENDING:
            await exchange.conclude(locked, answer)
            await locked.save()
        return locked


async def attempt_for(
    subject: Owned, operation: Operation, request: dict[str, Any], *, account: str, live: bool
) -> Attempt:
    """The attempt to carry out: the pending one as it was sent, else a new one. The subject's row must be locked."""
    kind = type(subject).__name__.lower()
    same: dict[str, Any] = {f"{kind}_id": subject.id, "operation": operation, "stripe_account": account, "live": live}
    last = await Attempt.filter(**{f"{kind}_id": subject.id}, operation=operation).order_by("-number").first()
    pending = await Attempt.filter(**same, status=AttemptStatus.PENDING).first()
    return pending or await Attempt.create(
        organization_id=subject.organization_id, number=last.number + 1 if last else 1, request=request, **same
    )


async def _refuse(attempt: Attempt, reason: str) -> None:
    async with transaction():
        locked = await Attempt.select_for_update().get(id=attempt.id)
        if locked.status is AttemptStatus.PENDING:
            locked.refuse(reason)
            await locked.save()
