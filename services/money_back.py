"""Money of an order went back, or came back after all: what follows, whoever did it and in whatever order it is told.

Of a payment, what never counted goes back first, and nothing follows from it: it was never invoiced. What counted
takes as much off the sale; what is still to be paid stays what it was. `docs/architecture.md` has the table.
"""

from models import (
    Conflict,
    ConflictKind,
    ConflictProposal,
    Dispute,
    DisputeStatus,
    Order,
    OrderStatus,
    Payment,
    Refund,
    RefundStatus,
    TimelineKind,
)
from models.database import query
from services import accesses, bilan_money, credit_notes, notifications, settlement, telling, timeline
from services.conflicts import flag
from services.notifications import Refunded
from services.outbox import NotYet, later


async def left_of(payment: Payment) -> int:
    """How much of a payment can still be given back, what is on its way taken off. Its order is locked."""
    given = await _sum(Refund, payment, RefundStatus.PENDING, RefundStatus.SUCCEEDED)
    return payment.amount_cents - given - await _sum(Dispute, payment, DisputeStatus.LOST)


async def went(order: Order, payment: Payment, refund: Refund) -> str:
    """A refund succeeded: credit notes, access, partners; what came of it, in words. The order is locked."""
    assert refund.event_id
    assert refund.refunded_at
    await timeline.note(
        order.organization_id, order.client_id, TimelineKind.PAYMENT_REFUNDED, at=refund.refunded_at,
        author=refund.requested_by_id, order=order.id, order_number=order.number, refund=refund.id,
        amount_cents=refund.amount_cents, currency=refund.currency, method=refund.method,
    )  # fmt: skip
    before = order.refunded_cents
    await _count(order, payment)
    counted = order.refunded_cents - before
    if not counted:
        await later(telling.client_of_refund, refund)
        return "given back; it did not count towards the order"
    await settlement.with_everything(order)
    notes = await credit_notes.follow_refunds(order, refund)
    if not notes:
        await later(telling.client_of_refund, refund)
    if order.is_paid:
        told = Refunded(refund.event_id, refund.refunded_at, counted, order.refunded_cents, refund.reason)
        await notifications.promise_refunded(order, told, notes)
    return f"given back, with {len(notes)} credit notes"


async def came_back(order: Order, payment: Payment, refund: Refund) -> str:
    """A refund failed: the money is ours still, or again. Credit notes stand; a person gives it back another way."""
    await _count(order, payment)
    cents = f"{refund.amount_cents / 100:.2f} {refund.currency}"
    message = f"A refund of {cents} failed ({refund.failure_reason or 'no reason given'}): give it back another way."
    await flag(
        order, ConflictKind.REFUND_FAILED, message, payment=payment, refund_cents=refund.amount_cents,
        reference=refund.stripe_id or str(refund.id),
    )  # fmt: skip
    return "the refund failed; a person gives it back another way"


async def was_taken(order: Order, payment: Payment, dispute: Dispute) -> None:
    """A dispute was lost. The sale stands, and so do its invoices: the client owes that money again, and a person
    claims it or writes it off by a credit note (art. 272-1 du CGI)."""
    await _count(order, payment)
    cents = f"{dispute.amount_cents / 100:.2f} {dispute.currency}"
    message = f"The bank took {cents} back: claim it of the client, or write it off (creditNoteCreate)."
    await flag(order, ConflictKind.DISPUTE_LOST, message, payment=payment, reference=dispute.stripe_id)


async def _count(order: Order, payment: Payment) -> None:
    """What is known of refunds and disputes, summed up anew: news may come in any order. Raises NotYet where they come
    to more than was paid: that one of them failed is still to be told."""
    given = await _sum(Refund, payment, RefundStatus.SUCCEEDED)
    if given + await _sum(Dispute, payment, DisputeStatus.LOST) > payment.amount_cents:
        raise NotYet("more went back than was paid: that some of it failed is still to be told")
    (sums,) = await query(_SUMS, order.id)
    order.refunded_cents = sums["refunded"]
    order.charged_back_cents = sums["gone"] - sums["refunded"]
    order.follow_its_money()
    await order.save()
    await accesses.follow_money(order)
    await bilan_money.follow_money(order)
    if order.status is OrderStatus.REFUNDED:
        from services import pack_refunds  # which cancels bookings, whose money goes back by this

        await pack_refunds.promise(order)
    await _settle_conflicts(payment, given)


async def _settle_conflicts(payment: Payment, given: int) -> None:
    """What waited for a person because money did not fit is settled once that went back, and open again if it failed.
    What a person settled stays."""
    about = Conflict.filter(payment_id=payment.id, proposal=ConflictProposal.REFUND, resolved_by_id=None)
    about = about.exclude(kind=ConflictKind.REFUND_FAILED)
    if given and given >= payment.uncounted_cents:
        await about.filter(resolved_at=None).update(resolved_at=payment.paid_at, resolution="Given back")
    else:
        await about.filter(resolved_at__isnull=False).update(resolved_at=None, resolution=None)


async def _sum(model: type[Refund] | type[Dispute], payment: Payment, *statuses: RefundStatus | DisputeStatus) -> int:
    cents = await model.filter(payment_id=payment.id, status__in=statuses).values_list("amount_cents", flat=True)
    return sum(int(each) for each in cents)  # type: ignore[call-overload]


# Of each payment what never counted goes back first.
_SUMS = """
SELECT coalesce(sum(greatest(r.cents - p.uncounted, 0)), 0)::int AS refunded,
    coalesce(sum(greatest(r.cents + d.cents - p.uncounted, 0)), 0)::int AS gone
FROM (SELECT id, amount_cents - applied_cents AS uncounted FROM payments
    WHERE order_id = $1 AND status = 'SUCCEEDED') p,
LATERAL (SELECT coalesce(sum(amount_cents), 0) AS cents FROM refunds
    WHERE payment_id = p.id AND status = 'SUCCEEDED') r,
LATERAL (SELECT coalesce(sum(amount_cents), 0) AS cents FROM disputes
    WHERE payment_id = p.id AND status = 'LOST') d
"""
