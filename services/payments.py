"""Payments that came outside Stripe, recorded by a person; and asking Stripe what came of one of its own."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import stripe

import errors
from errors import Invalid
from models import Attempt, AttemptStatus, Operation, Order, Payment, PaymentMethod, PaymentStatus
from models.database import transaction
from providers.stripe import Stripe
from services import organizations, settlement, stripe_accounts, subscriptions
from services import stripe_news as news
from services.asking import TO_PAY
from services.stripe_news import News

BY_HAND = (PaymentMethod.TRANSFER, PaymentMethod.CHEQUE, PaymentMethod.CASH, PaymentMethod.CPF)
BACKDATED_MOST = timedelta(days=730)
CLOCKS_APART = timedelta(seconds=5)  # Stripe's and ours: an event as young as that may come after what it answers


async def record(
    order: Order,
    method: PaymentMethod,
    *,
    amount_cents: int | None,
    currency: str,
    paid_at: datetime | None,
    reference: str | None,
    by_id: UUID,
) -> Payment:
    """Money that came for an order, locked: all of the balance unless an amount is given.

    Raises Conflict for an order with nothing to pay, Invalid for an amount that is more than the balance.
    """
    order.must_be_open()
    order.must_be_sold_once()
    if method not in BY_HAND:
        raise Invalid(
            "By hand are recorded TRANSFER, CHEQUE, CASH and CPF: others tell by themselves.", field="input.method"
        )
    if order.is_free:
        raise errors.Conflict(f"Order {order.number} is free: start its checkout.", field="input.order")
    await organizations.must_be_complete(order.organization_id)
    amount = order.balance if amount_cents is None else amount_cents
    _check_amount(order, amount, currency)
    now = datetime.now(UTC)
    at = paid_at or now
    if not now - BACKDATED_MOST <= at <= now + timedelta(minutes=5):
        raise Invalid("Money came in the last two years, and not in the future.", field="input.paidAt")
    payment = await Payment.create(
        organization_id=order.organization_id, order=order, method=method, status=PaymentStatus.SUCCEEDED,
        amount_cents=amount, currency=order.currency, stripe_account=order.stripe_account, live=order.live,
        paid_at=at, reference=reference, recorded_by_id=by_id,
    )  # fmt: skip
    await settlement.receive(order, payment, asked_cents=amount, event_id=f"payment_{payment.id.hex}")
    return payment


async def confirm(order: Order) -> None:
    """Ask Stripe what came of whatever the client was asked to pay by, and take its word as an event's."""
    asked = await Attempt.filter(
        order_id=order.id, operation__in=TO_PAY, status__in=(AttemptStatus.OPEN, AttemptStatus.PROCESSING)
    ).order_by("-number")
    for attempt in asked:
        assert attempt.stripe_id is not None
        at = datetime.now(UTC) - CLOCKS_APART
        told = News(attempt.stripe_account, attempt.live, at, f"confirm_{attempt.id.hex}")
        asks = await stripe_accounts.at(attempt.stripe_account, attempt.live)
        if attempt.operation is Operation.CHECKOUT:
            await _take_session(told, asks, await asks.checkout_session(attempt.stripe_id))
        else:
            await _take_intent(told, await asks.payment_intent(attempt.stripe_id))


async def _take_session(told: News, asks: Stripe, session: "stripe.checkout.Session") -> None:
    if session.mode == "subscription" and session.subscription:
        heard = await subscriptions.look(asks, str(session.subscription))
        async with transaction():
            await subscriptions.take(told, heard)
        return
    handler = {"complete": news.session_completed, "expired": news.session_expired}.get(str(session.status))
    if session.status == "complete" and session.payment_status == "unpaid" and session.payment_intent:
        debit = await asks.payment_intent(str(session.payment_intent))
        if debit.status == "requires_payment_method":  # it was under way, and failed
            await _take_intent(told, debit)
            handler = news.session_failed
    if handler:
        async with transaction():
            await handler(told, session.to_dict())


async def _take_intent(told: News, intent: stripe.PaymentIntent) -> None:
    handler = {
        "succeeded": news.intent_succeeded, "processing": news.intent_processing, "canceled": news.intent_canceled,
    }.get(str(intent.status))  # fmt: skip
    if handler is None and intent.last_payment_error:
        handler = news.intent_failed
    if handler:
        async with transaction():
            await handler(told, intent.to_dict())


def _check_amount(order: Order, amount: int, currency: str) -> None:
    if currency != order.currency:
        raise Invalid(f"The order is in {order.currency}.", field="input.amount.currency")
    if not 0 < amount <= order.balance:
        raise Invalid(
            f"Of order {order.number}, {order.balance} minor units are still to be paid: record that or less, and give"
            " what is over back.",
            field="input.amount.amount",
        )
