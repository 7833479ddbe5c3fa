"""What Stripe tells of refunds, whoever asked for them: an event, or the answer to our own request.

Like those of `services/stripe_news.py`, each function runs in a transaction, locks the order, and says what came of it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from models import Lane, Order, Payment, PaymentStatus, Refund, RefundNews, RefundStatus
from models.database import transaction
from services import clients, money_back
from services.outbox import Again, job, later
from services.outside import outside
from services.stripe_news import News, NotYetKnown, Object, order_id_of
from telemetry.context import note

PATIENCE = timedelta(hours=1)  # for a sale that began at Stripe to become an order of ours
NOT_OURS = "of no payment of ours"


async def told(news: News, refund: Object) -> str:
    """A refund was made, or something came of it (`refund.created`, `.updated`, `.failed`)."""
    found = await payment_of(news, refund)
    if found is None:
        return NOT_OURS
    order, payment = found
    row = await _row_of(news, refund, order, payment)
    row.stripe_id = refund["id"]
    status = RefundNews(refund["status"])
    if not row.hear(status):
        await row.save()
        return "what came of this refund is known" if row.status is not RefundStatus.PENDING else "on its way"
    if row.status is RefundStatus.SUCCEEDED:
        row.refunded_at, row.event_id = news.at, news.event_id
    else:
        row.failure_reason = clients.short(refund.get("failure_reason"), 200)
    await row.save()
    if row.status is RefundStatus.SUCCEEDED:
        return await money_back.went(order, payment, row)
    if row.status is RefundStatus.FAILED:
        return await money_back.came_back(order, payment, row)
    return "the refund was given up: the money is still ours"


async def charge_refunded(news: News, charge: Object) -> str:
    """Something of a charge was given back; which refund it was, the charge does not say."""
    found = await payment_of(news, charge)
    if found is None:
        return NOT_OURS
    await later(ask_after, found[1])
    return "Stripe is asked for the refunds of this payment"


@job(Lane.SYNC)
async def ask_after(payment: Payment) -> None:
    """Take Stripe's word for every refund of a payment."""
    assert payment.stripe_id
    for refund in await outside().stripe.refunds_of_intent(payment.stripe_id):
        at, event_id = datetime.now(UTC), f"refund_{refund.id}"
        async with transaction():
            await told(News(payment.stripe_account, payment.live, at, event_id), refund.to_dict())


async def payment_of(news: News, about: Object) -> tuple[Order, Payment] | None:
    """The payment that a refund, a dispute or a charge is about, and its order, locked. None for one that is not ours.

    Raises NotYetKnown, or Again, where that it was paid is still to be told.
    """
    known: dict[str, Any] = {"stripe_account": news.account, "live": news.live, "stripe_id": about["payment_intent"]}
    payment = await Payment.get_or_none(**known) if about["payment_intent"] else None
    if payment is None:
        if order_id_of(about) is not None:
            raise NotYetKnown(f"{about['payment_intent']} is not known to be paid")
        if datetime.now(UTC) - news.at < PATIENCE:
            raise Again(datetime.now(UTC) + PATIENCE / 12, f"{about['payment_intent']} is not known, yet")
        return None
    order = await Order.select_for_update().get(id=payment.order_id)
    note(order_id=order.id)
    await payment.refresh_from_db()
    if payment.status is not PaymentStatus.SUCCEEDED:
        raise NotYetKnown(f"{payment.stripe_id} is not known to be paid")
    return order, payment


async def _row_of(news: News, refund: Object, order: Order, payment: Payment) -> Refund:
    """The refund that we know by Stripe's id, or asked for; else a new one, of the dashboard's."""
    known = await Refund.get_or_none(stripe_account=news.account, live=news.live, stripe_id=refund["id"])
    if known:
        return known
    asked = await Refund.get_or_none(id=_asked(refund), payment_id=payment.id, stripe_id=None)
    if asked:
        asked.status = RefundStatus.PENDING  # whatever its answer seemed to be: it was done
        return asked
    return Refund(
        organization_id=order.organization_id, order_id=order.id, payment_id=payment.id, method=payment.method,
        amount_cents=refund["amount"], currency=refund["currency"].upper(), stripe_account=news.account,
        live=news.live,
    )  # fmt: skip


def _asked(refund: Object) -> UUID:
    try:
        return UUID((refund.get("metadata") or {}).get("refund", ""))
    except ValueError:
        return UUID(int=0)
