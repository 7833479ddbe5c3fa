"""What Stripe tells of refunds, whoever asked for them: an event, or the answer to our own request.

An event only says that something happened to one: Stripe is asked what is true of all refunds of that payment, before
the transaction. So no credit note is issued for one that has failed since, in whatever order that is told.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from models import Order, Payment, PaymentStatus, Refund, RefundNews, RefundStatus
from providers.stripe import Stripe
from services import clients, money_back, stripe_accounts
from services.outbox import Again, NotYet
from services.stripe_news import News, NotYetKnown, Object, order_id_of
from telemetry.context import note

TOLD = ("charge.refunded", "charge.refund.updated", "refund.created", "refund.updated", "refund.failed")
PATIENCE = timedelta(hours=1)  # for a sale that began at Stripe to become an order of ours
NOT_OURS = "of no payment of ours"


async def ask(news: News, event_type: str, named: Object) -> list[Object] | None:
    """What Stripe says now of every refund of the payment that an event is about, outside any transaction; None where
    it is about none that we know."""
    if event_type not in TOLD:
        return None
    known: dict[str, Any] = {"stripe_account": news.account, "live": news.live}
    if not await Payment.exists(stripe_id=named["payment_intent"] or "", **known):
        return None
    refunds = await look(await stripe_accounts.at(news.account, news.live), named["payment_intent"])
    if named["object"] == "refund" and all(each["id"] != named["id"] for each in refunds):
        refunds.append(named)  # one of more than Stripe lists
    return refunds


async def look(stripe: Stripe, payment_intent: str) -> list[Object]:
    """What Stripe says now of the refunds of a payment."""
    return [each.to_dict() for each in await stripe.refunds_of_intent(payment_intent)]


async def take(news: News, named: Object, refunds: Sequence[Object]) -> str:
    """In a transaction: follow all refunds of a payment, those that failed first; what came of it, in words."""
    found = await payment_of(news, named)
    if found is None:
        return NOT_OURS
    outcomes = []
    for refund in sorted(refunds, key=lambda each: bool(each["status"] == RefundNews.SUCCEEDED.value)):
        its = news if refund["id"] == named["id"] else news_of(refund, news)
        outcomes.append(await _follow(its, refund, *found))
    return "; ".join(dict.fromkeys(outcomes))[:500] or "no refund is left of this payment"


async def told(news: News, refund: Object) -> str:
    """In a transaction: the answer to a question of ours about one refund."""
    found = await payment_of(news, refund)
    return NOT_OURS if found is None else await _follow(news, refund, *found)


def news_of(refund: Object, asked: News) -> News:
    """What Stripe says of a refund, where no event of its own does."""
    return News(asked.account, asked.live, datetime.now(UTC), f"refund_{refund['id']}")


async def names_no_payment(news: News, named: Object) -> str:
    """An event of money that was not known to have come when Stripe was to be asked. Raises NotYet where it is now."""
    if await payment_of(news, named) is None:
        return NOT_OURS
    raise NotYet("this payment came meanwhile: Stripe is asked for its refunds")


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


async def _follow(news: News, refund: Object, order: Order, payment: Payment) -> str:
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
