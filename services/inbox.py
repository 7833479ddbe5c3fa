"""Stripe's events: stored raw before anything else, handled once, right in whatever order they come."""

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models import (
    Attempt,
    AttemptStatus,
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
from models.database import savepoint, transaction
from services import clients, sales
from services.outbox import job, later
from telemetry.context import note

log = logging.getLogger("comptoir.inbox")

Handler = Callable[[StripeEvent, dict[str, Any]], Awaitable[str]]


class NotYetKnown(Exception):
    """The event names an order that is not there (yet): it is kept and tried again, and in the end a person is told."""


async def receive(account: str, body: bytes) -> bool:
    """Store a verified event and promise its handling; False for one that was already stored. Raises ValueError for a
    body that is no event."""
    event = _Envelope.model_validate(json.loads(body))
    row = StripeEvent(
        stripe_id=event.id, stripe_account=account, live=event.livemode, type=event.type,
        occurred_at=datetime.fromtimestamp(event.created, UTC), body=body,
    )  # fmt: skip
    if event.type not in HANDLERS:
        row.outcome, row.handled_at = "stored; events of this type change nothing here", datetime.now(UTC)
    async with transaction():
        await StripeEvent.bulk_create([row], ignore_conflicts=True)
        if not await StripeEvent.exists(id=row.id):
            return False
        if row.handled_at is None:
            await later(handle, row)
    return True


class _Envelope(BaseModel):
    """What every event of Stripe's has."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[\w-]+$", max_length=255)]
    type: Annotated[str, StringConstraints(pattern=r"^[\w.]+$", max_length=100)]
    created: Annotated[int, Field(ge=0, le=2**33)]
    livemode: bool
    data: dict[str, Any]


@job(Lane.EVENTS, timeout=30)
async def handle(event: StripeEvent) -> None:
    """Do what an event asks, once, in one transaction."""
    async with transaction():
        locked = await StripeEvent.select_for_update().get(id=event.id)
        if locked.handled_at is not None:
            return
        locked.outcome = await HANDLERS[event.type](event, json.loads(event.body)["data"]["object"])
        locked.handled_at = datetime.now(UTC)
        await locked.save(update_fields=["outcome", "handled_at"])


async def _session_completed(event: StripeEvent, session: dict[str, Any]) -> str:
    order = await _order_of(event, session)
    if order is None:
        return "names no order of ours"
    attempt = await _attempt_of(order, session)
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
    await _learn(order, session)
    return await _apply(order, payment)


async def _session_expired(event: StripeEvent, session: dict[str, Any]) -> str:
    order = await _order_of(event, session)
    attempt = await _attempt_of(order, session) if order else None
    if attempt is None:
        return "names no checkout of ours"
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
    if await _is_older(event, payment):
        return "a later refusal of this payment is known"
    reason = intent.get("last_payment_error") or {}
    payment.amount_cents, payment.currency = intent["amount"], intent["currency"].upper()
    payment.failure_code = clients.short(reason.get("decline_code") or reason.get("code"), 100)
    payment.failure_message, payment.event_id = clients.short(reason.get("message"), 500), event.stripe_id
    await payment.save()
    return "the payment was declined; the client may try again"


HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _session_completed,
    "checkout.session.expired": _session_expired,
    "payment_intent.payment_failed": _payment_failed,
}


async def _learn(order: Order, session: dict[str, Any]) -> None:
    """Nice to know; never in the way of the payment."""
    try:
        async with savepoint():
            await clients.learn(order.client_id, session.get("customer_details") or {})
    except Exception:
        log.exception("order %s: what the client typed could not be kept", order.id)


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
    note(order_id=order.id)
    return order


def _named(named: dict[str, Any]) -> UUID | None:
    try:
        return UUID((named.get("metadata") or {}).get("order", ""))
    except ValueError:
        return None


async def _attempt_of(order: Order, session: dict[str, Any]) -> Attempt | None:
    """The attempt that opened a session, locked. One that waits for Stripe's answer learns here what it was given."""
    attempts = await Attempt.filter(order_id=order.id, operation=Operation.CHECKOUT).select_for_update()
    known = next((attempt for attempt in attempts if attempt.stripe_id == session["id"]), None)
    pending = next((attempt for attempt in attempts if attempt.status is AttemptStatus.PENDING), None)
    if known is None and pending is not None:
        pending.stripe_id = session["id"]
    return known or pending


async def _payment_of(event: StripeEvent, order: Order, stripe_id: str) -> Payment:
    """The payment of a PaymentIntent: one row, whatever the events tell of it and in what order."""
    known = await Payment.get_or_none(stripe_account=event.stripe_account, live=event.live, stripe_id=stripe_id)
    return known or Payment(
        organization_id=order.organization_id, order_id=order.id, method=PaymentMethod.STRIPE,
        status=PaymentStatus.FAILED, stripe_account=event.stripe_account, live=event.live, stripe_id=stripe_id,
    )  # fmt: skip


async def _is_older(event: StripeEvent, payment: Payment) -> bool:
    """Whether the payment was last told of by an event that Stripe made after this one."""
    return await StripeEvent.exists(
        stripe_account=event.stripe_account, stripe_id=payment.event_id, occurred_at__gt=event.occurred_at
    )
