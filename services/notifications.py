"""Notifications: what a partner is to be told of an order, and sending it again. `services/deliveries.py` tells them.

The body is the partner guide's, field by field.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from errors import Conflict
from models import (
    Invoice,
    Lane,
    Notification,
    NotificationStatus,
    Order,
    OrderLine,
    Partner,
    PartnerEndpoint,
    PartnerEvent,
    rows,
)
from models.amounts import breakdown, spread
from models.database import after_commit, transaction
from services import invoices
from services.invoice_content import paid_of, sold
from services.outbox import job, later, owes
from services.outside import outside


@dataclass(frozen=True)
class Refunded:
    """Money of an order that was given back: minor units TTC, of `total_cents` in all so far."""

    event_id: str  # the Stripe event's, else a stable one of ours
    at: datetime
    cents: int
    total_cents: int
    reason: str | None = None


async def promise(order: Order, issued: Sequence[Invoice]) -> None:
    """Tell each partner of its own lines once its invoice is there. The order comes as for `invoices.issue`."""
    assert order.event_id
    assert order.paid_at
    for partner, lines in _to_be_told(order, PartnerEvent.ORDER_CREATED):
        if order.is_free and not partner.tell_free_orders:
            continue
        body = _payload(order, lines, PartnerEvent.ORDER_CREATED, order.event_id, order.paid_at)
        await _promise(order, partner, body, _invoice_of(partner, lines, order, issued))


async def promise_refunded(order: Order, refunded: Refunded, notes: Sequence[Invoice]) -> None:
    """Tell each partner who asked for it what of its own lines was given back, once its credit note is there: its part
    by what its lines came to. The order comes as for `promise`."""
    parts = spread(refunded.cents, [paid_of(line) for line in order.lines])
    totals = spread(refunded.total_cents, [paid_of(line) for line in order.lines])
    for partner, lines in _to_be_told(order, PartnerEvent.ORDER_REFUNDED):
        mine = [place for place, line in enumerate(order.lines) if line in lines]
        note = _invoice_of(partner, lines, order, notes)
        body = _payload(order, lines, PartnerEvent.ORDER_REFUNDED, refunded.event_id, refunded.at)
        body["refund"] = {
            "amount": _euros(note.total_cents if note else sum(parts[place] for place in mine)),
            "total_refunded": _euros(sum(totals[place] for place in mine)),
            "currency": order.currency,
            "refund_date": _iso(refunded.at),
            "reason": refunded.reason,
        }
        await _promise(order, partner, body, note)


async def draft(order: Order, partner: Partner) -> Notification:
    """What `promise` would make of an order for a partner, unsaved. Raises Conflict where the order is not paid, or has
    no line of theirs."""
    if not (order.event_id and order.paid_at):
        raise Conflict(f"Order {order.number} is not paid yet: what would be told depends on it.", field="input.order")
    await order.fetch_related("client", "invoices", "lines__product__partner_links__partner")
    lines = _by_partner(order).get(partner)
    if not lines:
        raise Conflict(f"Order {order.number} has no line of this partner.", field="input.partner")
    body = _payload(order, lines, PartnerEvent.ORDER_CREATED, order.event_id, order.paid_at)
    return Notification(
        organization_id=order.organization_id, partner=partner, order=order, live=order.live,
        invoice=_invoice_of(partner, lines, order, [each for each in order.invoices if not each.corrects_id]),
        event_type=body["event_type"], event_id=body["event_id"], payload=orjson.dumps(body).decode(),
    )  # fmt: skip


@job(Lane.DELIVER)
async def deliver(notification: Notification) -> None:
    """Its invoice is there: from now on it is due."""
    async with transaction():
        waiting = Notification.filter(id=notification.id, status=NotificationStatus.PENDING, next_attempt_at=None)
        if await waiting.update(next_attempt_at=datetime.now(UTC)):
            after_commit(outside().wake.of(Lane.DELIVER))


async def resend(notification: Notification) -> Notification:
    """A fresh round of attempts, from now, with the same ids. The notification is locked. Raises Conflict while one is
    under way, while it waits for its invoice, and where its endpoint is disabled."""
    endpoint = await PartnerEndpoint.get(partner_id=notification.partner_id, live=notification.live)
    _must_be_free(notification, endpoint)
    if await owes(deliver, notification):
        raise Conflict("This notification waits for its invoice.", field="input.notification")
    await notification.fetch_related("partner", "invoice")
    invoice = notification.invoice
    ready = invoice is None or invoice.is_rendered
    notification.status, notification.delivered_at = NotificationStatus.PENDING, None
    notification.attempts_left = notification.partner.retry_policy.attempts
    notification.next_attempt_at = datetime.now(UTC) if ready else None
    await notification.save()
    if invoice and not ready:
        await later(deliver, notification, after=await later(invoices.render, invoice))
    after_commit(outside().wake.of(Lane.DELIVER))
    return notification


def _must_be_free(notification: Notification, endpoint: PartnerEndpoint) -> None:
    now = datetime.now(UTC)
    if endpoint.disabled_at:
        raise Conflict("Its endpoint is disabled: enable it first (partnerEndpointEnable).", field="input.notification")
    due = notification.next_attempt_at is not None and notification.next_attempt_at <= now
    if due and notification.status is NotificationStatus.PENDING and endpoint.is_leased:
        raise Conflict("This notification is being sent at this moment.", field="input.notification")


async def _promise(order: Order, partner: Partner, body: dict[str, Any], document: Invoice | None) -> None:
    notification = Notification(
        organization_id=order.organization_id, partner=partner, order=order, invoice=document,
        event_type=body["event_type"], event_id=body["event_id"], payload=orjson.dumps(body).decode(), live=order.live,
        attempts_left=partner.retry_policy.attempts, next_attempt_at=None if document else datetime.now(UTC),
    )  # fmt: skip
    await rows.insert(notification)
    if document:
        await later(deliver, notification, after=await invoices.rendering(document))
    else:
        after_commit(outside().wake.of(Lane.DELIVER))


def _to_be_told(order: Order, event: PartnerEvent) -> list[tuple[Partner, list[OrderLine]]]:
    """Each partner who asked for it, and its lines."""
    told = _by_partner(order).items()
    return [(partner, lines) for partner, lines in told if partner.active and event in partner.event_list]


def _by_partner(order: Order) -> dict[Partner, list[OrderLine]]:
    told: dict[Partner, list[OrderLine]] = {}
    for line in order.lines:
        for partner in invoices.partners_of(line):
            told.setdefault(partner, []).append(line)
    return told


def _invoice_of(
    partner: Partner, lines: Sequence[OrderLine], order: Order, issued: Sequence[Invoice]
) -> Invoice | None:
    """The partner's own, else one of nothing but the partner's lines: an invoice of others is not theirs to see."""
    own = [invoice for invoice in issued if invoice.partner_id == partner.id]
    for invoice in own or issued:
        theirs = [line for line in order.lines if _brand_id(line) == invoice.partner_id]
        if all(line in lines for line in theirs):
            return invoice
    return None


def _brand_id(line: OrderLine) -> UUID | None:
    brand = invoices.brand_of(line)
    return brand.id if brand else None


def _payload(
    order: Order, lines: Sequence[OrderLine], event: PartnerEvent, event_id: str, at: datetime
) -> dict[str, Any]:
    """The guide's body but for the document, which is added at each attempt."""
    client = order.client
    amounts = breakdown([sold(line) for line in lines])
    return {
        "event_type": event.value,
        "event_id": event_id,
        "order_id": order.number,
        "timestamp": _iso(at),
        "customer": {
            "first_name": client.first_name,
            "last_name": client.last_name,
            "email": client.email,
            "phone": client.phone,
        },
        "order": {
            "total_amount": _euros(amounts.gross_cents),
            "currency": order.currency,
            "payment_date": _iso(order.paid_at),
            "products": [
                {
                    "product_id": line.product.stripe_id or str(line.product_id),
                    "product_name": line.description,
                    "quantity": line.quantity,
                    "unit_price": _euros(amount.unit_price_net_cents),
                }
                for line, amount in zip(lines, amounts.lines, strict=True)
            ],
        },
    }


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _euros(cents: int) -> float:
    return cents / 100
