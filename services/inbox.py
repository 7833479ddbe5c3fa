"""Stripe's events: stored raw before anything else, handled once, right in whatever order they come."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from models import (
    Attempt,
    Client,
    ConflictKind,
    Lane,
    Operation,
    Order,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    StripeEvent,
)  # fmt: skip
from models.database import transaction
from services import sales
from services.outbox import job, later

log = logging.getLogger("comptoir.inbox")

Handler = Callable[[StripeEvent, dict[str, Any]], Awaitable[str]]


class NotYetKnown(Exception):
    """The event names an order that is not there (yet): it is kept and tried again, and in the end a person is told."""


async def receive(account: str, body: bytes) -> bool:
    """Store a verified event and promise its handling; False for one that was already stored. Raises ValueError for a
    body that is no event."""
    event = orjson.loads(body)
    try:
        row = StripeEvent(
            stripe_id=event["id"], stripe_account=account, live=bool(event["livemode"]), type=event["type"],
            occurred_at=datetime.fromtimestamp(event["created"], UTC), body=body,
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a Stripe event: {error}") from error
    if event["type"] not in HANDLERS:
        row.outcome, row.handled_at = "stored; events of this type change nothing here", datetime.now(UTC)
    async with transaction():
        await StripeEvent.bulk_create([row], ignore_conflicts=True)
        if not await StripeEvent.exists(id=row.id):
            return False
        if row.handled_at is None:
            await later(handle, row)
    return True


@job(Lane.EVENTS, timeout=30)
async def handle(event: StripeEvent) -> None:
    """Do what an event asks, once, in one transaction."""
    async with transaction():
        locked = await StripeEvent.select_for_update().get(id=event.id)
        if locked.handled_at is not None:
            return
        locked.outcome = await HANDLERS[event.type](event, orjson.loads(event.body)["data"]["object"])
        locked.handled_at = datetime.now(UTC)
        await locked.save(update_fields=["outcome", "handled_at"])


async def _session_completed(event: StripeEvent, session: dict[str, Any]) -> str:
    order = await _order_of(event, session)
    if order is None:
        return "names no order of ours"
    attempt = await _attempt_of(event, session)
    if attempt:
        attempt.complete()
        await attempt.save()
    if session["payment_status"] != "paid":
        return "completed, not paid yet"
    payment = await _payment_of(event, order, session["payment_intent"] or session["id"])
    if payment.status is PaymentStatus.SUCCEEDED:
        return "this payment is known"
    payment.status, payment.paid_at, payment.event_id = PaymentStatus.SUCCEEDED, event.occurred_at, event.stripe_id
    payment.amount_cents, payment.currency = session["amount_total"], session["currency"].upper()
    payment.failure_code = payment.failure_message = None
    await payment.save()
    await _learn(order.client_id, session.get("customer_details") or {})
    return await _apply(order, payment)


async def _session_expired(event: StripeEvent, session: dict[str, Any]) -> str:
    attempt = await _attempt_of(event, session)
    if attempt is None:
        return "names no checkout of ours" if not _named(session) else await _unknown(event, session)
    attempt.expire()
    await attempt.save()
    return "the checkout expired; the order can be paid by another"


async def _payment_failed(event: StripeEvent, intent: dict[str, Any]) -> str:
    order = await _order_of(event, intent)
    if order is None:
        return "names no order of ours"
    payment = await _payment_of(event, order, intent["id"])
    if payment.status is PaymentStatus.SUCCEEDED:
        return "this payment succeeded since"
    reason = intent.get("last_payment_error") or {}
    payment.amount_cents, payment.currency = intent["amount"], intent["currency"].upper()
    payment.failure_code = reason.get("decline_code") or reason.get("code")
    payment.failure_message, payment.event_id = (reason.get("message") or "")[:500] or None, event.stripe_id
    await payment.save()
    return "the payment was declined; the client may try again"


HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _session_completed,
    "checkout.session.expired": _session_expired,
    "payment_intent.payment_failed": _payment_failed,
}


async def _apply(order: Order, payment: Payment) -> str:
    """Money came for an order. What does not fit is flagged, and the order is left as it is."""
    reference = payment.stripe_id or str(payment.id)
    if order.status is OrderStatus.CANCELED:
        await sales.flag(
            order, ConflictKind.CANCELED_ORDER_PAID, reference, "Paid after the order was cancelled: refund it."
        )
        return "flagged: the order was cancelled"
    if order.is_paid:
        await sales.flag(order, ConflictKind.DUPLICATE_PAYMENT, reference, "Paid a second time: refund one payment.")
        return "flagged: the order was already paid"
    if (payment.amount_cents, payment.currency) != (order.total_cents, order.currency):
        took, asked = f"{payment.amount_cents} {payment.currency}", f"{order.total_cents} {order.currency}"
        message = f"Stripe took {took}, the order asks {asked} (minor units): refund it, or settle the difference."
        await sales.flag(order, ConflictKind.AMOUNT_MISMATCH, reference, message)
        return "flagged: another amount or currency than the order's"
    await sales.settle(order, payment, at=payment.paid_at or datetime.now(UTC), event_id=payment.event_id or reference)
    return f"order {order.number} is paid"


async def _order_of(event: StripeEvent, named: dict[str, Any]) -> Order | None:
    """The order that Stripe's metadata names, locked; None where it names none. Raises NotYetKnown."""
    order_id = _named(named)
    if order_id is None:
        return None
    order = await Order.select_for_update().get_or_none(
        id=order_id, stripe_account=event.stripe_account, live=event.live
    )
    if order is None:
        raise NotYetKnown(f"no order {order_id} in this Stripe account and mode")
    return order


def _named(named: dict[str, Any]) -> UUID | None:
    try:
        return UUID((named.get("metadata") or {}).get("order", ""))
    except ValueError:
        return None


async def _unknown(event: StripeEvent, named: dict[str, Any]) -> str:
    """An attempt of ours whose answer we have not written down yet, or nothing of ours at all."""
    order = await _order_of(event, named)
    if order and await Attempt.exists(order_id=order.id, operation=Operation.CHECKOUT, stripe_id=None):
        raise NotYetKnown(f"the checkout {named['id']} is not written down yet")
    return "names no checkout of ours"


async def _attempt_of(event: StripeEvent, session: dict[str, Any]) -> Attempt | None:
    return await Attempt.select_for_update().get_or_none(
        operation=Operation.CHECKOUT, stripe_account=event.stripe_account, live=event.live, stripe_id=session["id"]
    )


async def _payment_of(event: StripeEvent, order: Order, stripe_id: str) -> Payment:
    """The payment of a PaymentIntent: one row, whatever the events tell of it and in what order."""
    known = await Payment.get_or_none(stripe_account=event.stripe_account, live=event.live, stripe_id=stripe_id)
    return known or Payment(
        organization_id=order.organization_id, order_id=order.id, method=PaymentMethod.STRIPE,
        status=PaymentStatus.FAILED, stripe_account=event.stripe_account, live=event.live, stripe_id=stripe_id,
    )  # fmt: skip


async def _learn(client_id: UUID, told: dict[str, Any]) -> None:
    """What the client typed at the checkout fills what we did not know of them."""
    client: Any = await Client.select_for_update().get(id=client_id)
    if told.get("name") and not (client.first_name or client.last_name or client.company):
        first, _, last = told["name"].strip().partition(" ")
        client.first_name, client.last_name = first[:100] or None, last.strip()[:100] or None
    phone = told.get("phone") or ""
    client.phone = client.phone or (phone if len(phone) <= 16 and phone else None)
    address: dict[str, Any] = told.get("address") or {}
    if not client.address and address.get("line1"):
        lines = filter(None, (address["line1"], address.get("line2")))
        client.address = "\n".join(lines)[:300]
        client.postal_code, client.city = (
            (address.get("postal_code") or "")[:20] or None,
            (address.get("city") or "")[:100] or None,
        )
        client.country = address.get("country") or client.country
    await client.save()
