"""What Stripe tells of disputes: a client's bank asks for money back, and decides.

https://docs.stripe.com/disputes/how-disputes-work
"""

import logging
from datetime import UTC, datetime
from typing import Any

from models import Dispute, DisputeNews, DisputeStatus
from services import accesses, money_back, telling
from services.outbox import later
from services.refund_news import NOT_OURS, payment_of
from services.stripe_news import News, Object

log = logging.getLogger("comptoir.disputes")


async def told(news: News, dispute: Object) -> str:
    """A dispute began, or something came of it (`charge.dispute.created`, `.updated`, `.closed`)."""
    found = await payment_of(news, dispute)
    if found is None:
        return NOT_OURS
    order, payment = found
    known: dict[str, Any] = {"stripe_account": news.account, "live": news.live, "stripe_id": dispute["id"]}
    row = await Dispute.get_or_none(**known)
    is_new = row is None
    row = row or Dispute(
        organization_id=order.organization_id, order_id=order.id, payment_id=payment.id,
        amount_cents=dispute["amount"], currency=dispute["currency"].upper(), reason=dispute["reason"][:100],
        opened_at=datetime.fromtimestamp(dispute["created"], UTC), evidence_due_at=_due(dispute), **known,
    )  # fmt: skip
    decided = row.hear(DisputeNews(dispute["status"]))
    if decided:
        row.closed_at = news.at
    if not (is_new or decided):
        return "what came of this dispute is known"
    await row.save()
    log.error("order %s: a payment is disputed (%s): %s", order.id, row.stripe_id, row.status)
    await later(telling.staff_of_dispute, row)
    if row.status is DisputeStatus.LOST:
        await money_back.was_taken(order, payment, row)
    else:
        await accesses.follow_money(order)
    return {
        DisputeStatus.OPEN: "the bank asks for the money back",
        DisputeStatus.WON: "the money is ours",
        DisputeStatus.LOST: "the bank took the money back",
    }[row.status]


def _due(dispute: Object) -> datetime | None:
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return datetime.fromtimestamp(due, UTC) if due else None
