"""What waits for a person: left for them, and settled by them."""

import logging
from datetime import UTC, datetime
from uuid import UUID

import errors
from models import Conflict, ConflictKind, ConflictProposal, Order, Payment

log = logging.getLogger("comptoir.conflicts")


async def flag(
    order: Order, kind: ConflictKind, message: str, *, payment: Payment | None = None, refund_cents: int = 0,
    reference: str | None = None,
) -> None:  # fmt: skip
    """Leave something for a person to settle, once for each cause; `refund_cents` is what to give back."""
    reference = reference or ((payment.stripe_id or str(payment.id)) if payment else "reaction")
    log.error("order %s: %s (%s)", order.id, message, reference)
    await Conflict.get_or_create(
        order=order, kind=kind, reference=reference,
        defaults={
            "organization_id": order.organization_id, "message": message[:500], "payment": payment,
            "proposal": ConflictProposal.REFUND if refund_cents else ConflictProposal.LOOK,
            "proposed_cents": refund_cents, "currency": payment.currency if payment else order.currency,
        },
    )  # fmt: skip


async def resolve(conflict: Conflict, resolution: str, by: UUID) -> Conflict:
    """Note how it was settled; the row is locked. Raises Conflict where it was before."""
    if conflict.resolved_at is not None:
        raise errors.Conflict("This is settled already.", field="input.conflict")
    conflict.resolved_at, conflict.resolution = datetime.now(UTC), resolution
    conflict.resolved_by_id = by
    await conflict.save()
    return conflict
