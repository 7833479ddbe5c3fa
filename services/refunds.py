"""Giving money of a payment back: asked of Stripe, or done by hand and recorded."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import stripe

import errors
from errors import Invalid
from models import (
    Attempt,
    AttemptStatus,
    Dispute,
    DisputeStatus,
    Lane,
    Operation,
    Order,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Refund,
    RefundNews,
    RefundStatus,
)
from models.database import transaction
from providers.stripe import Stripe
from services import idempotency, money_back, refund_news, stripe_accounts
from services.exchange import Exchange, carry_out
from services.outbox import Again, job, later
from services.stripe_news import News

SOON, LATER = timedelta(minutes=1), timedelta(days=1)  # when Stripe is asked again
BACKDATED_MOST = timedelta(days=730)
AMOUNT, WENT = "input.amount.amount", "input.refundedAt"


@dataclass(frozen=True)
class Wanted:
    """How much of a payment, in minor units: all that is left unless told. `refunded_at` and `reference` are of what
    went back by hand. `cancel_bookings`: what was booked by its order, and is to come, is given up with it."""

    amount_cents: int | None
    currency: str
    reason: str | None
    by_id: UUID | None
    refunded_at: datetime | None = None
    reference: str | None = None
    cancel_bookings: bool = False


async def give_back(payment: Payment, wanted: Wanted) -> Refund:
    """The refund, on its way or done.

    Raises Conflict where there is nothing to give back, or a bank decides; Invalid for an amount that is not there;
    what Stripe said.
    """
    refund = await idempotency.noted(Refund) or await _begin(payment, wanted)
    if refund.attempt_id:
        await _ask(refund)
        await refund.refresh_from_db()
    return refund


async def promise(order: Order, payment: Payment, wanted: Wanted) -> Refund:
    """The refund of a payment through Stripe, asked for by a worker; in the open transaction, the order locked. Raises
    like `give_back` what is known before Stripe is asked."""
    refund = await _new(order, payment, wanted)
    await _intend(order, payment, refund, at=datetime.now(UTC))
    return refund


@job(Lane.SYNC)
async def finish(refund: Refund) -> None:
    """Ask again where the answer was lost, and each day where a bank takes its time."""
    if refund.status is not RefundStatus.PENDING:
        return
    try:
        await _ask(refund)
    except errors.Refused:
        async with transaction():
            order = await Order.select_for_update().get(id=refund.order_id)
            refund = await Refund.get(id=refund.id)
            await money_back.came_back(order, await Payment.get(id=refund.payment_id), refund)
        return
    await refund.refresh_from_db()
    if refund.status is RefundStatus.PENDING:
        raise Again(datetime.now(UTC) + LATER, "the bank has not answered")


async def _begin(payment: Payment, wanted: Wanted) -> Refund:
    """What is to go back, written down: nobody else can give it too."""
    async with transaction():
        order = await Order.select_for_update().get(id=payment.order_id)
        await payment.refresh_from_db()
        refund = await _new(order, payment, wanted)
        if payment.method is PaymentMethod.STRIPE:
            await _intend(order, payment, refund, at=datetime.now(UTC) + SOON)
        else:
            await _record(order, payment, refund, wanted)
        if wanted.cancel_bookings:
            from services import pack_refunds  # which cancels bookings, whose money goes back by this

            await pack_refunds.give_up(order)
        await idempotency.note(refund)
    return refund


async def _new(order: Order, payment: Payment, wanted: Wanted) -> Refund:
    return Refund(
        organization_id=order.organization_id, order_id=order.id, payment_id=payment.id, method=payment.method,
        amount_cents=await _amount(payment, wanted), currency=payment.currency, reason=wanted.reason,
        stripe_account=payment.stripe_account, live=payment.live, requested_by_id=wanted.by_id,
    )  # fmt: skip


async def _intend(order: Order, payment: Payment, refund: Refund, at: datetime) -> None:
    """What is to go back through Stripe, and the promise that it does."""
    refund.attempt = await _attempt(order, payment, refund)
    await refund.save()
    await later(finish, refund, at=at)


async def _record(order: Order, payment: Payment, refund: Refund, wanted: Wanted) -> None:
    now = datetime.now(UTC)
    at = wanted.refunded_at or now
    if not now - BACKDATED_MOST <= at <= now + timedelta(minutes=5):
        raise Invalid("Money went back in the last two years, and not in the future.", field=WENT)
    if wanted.refunded_at and payment.paid_at and at < payment.paid_at:
        raise Invalid(f"This money came on {payment.paid_at:%Y-%m-%d %H:%M} UTC, and went back after.", field=WENT)
    refund.refunded_at, refund.reference, refund.event_id = at, wanted.reference, f"refund_{refund.id.hex}"
    refund.hear(RefundNews.SUCCEEDED)
    await refund.save()
    await money_back.went(order, payment, refund)


async def _amount(payment: Payment, wanted: Wanted) -> int:
    if payment.status is not PaymentStatus.SUCCEEDED:
        raise errors.Conflict("This payment brought no money: there is nothing to give back.", field="input.payment")
    if wanted.currency != payment.currency:
        raise Invalid(f"The payment was in {payment.currency}.", field="input.amount.currency")
    if await Dispute.exists(payment_id=payment.id, status=DisputeStatus.OPEN):
        raise errors.Conflict(
            "This payment is disputed: the client's bank decides. To accept it, close the dispute at Stripe.",
            field="input.payment",
        )
    if wanted.cancel_bookings and wanted.amount_cents is not None:
        raise Invalid(
            "Bookings are given up where all goes back: leave the amount out, or cancel them (bookingCancel), which"
            " gives back what is due.",
            field="input.cancelBookings",
        )
    left = await money_back.left_of(payment)
    if not left:
        raise errors.Conflict("All of this payment went back already, or is on its way.", field="input.payment")
    amount = left if wanted.amount_cents is None else wanted.amount_cents
    if not 0 < amount <= left:
        raise Invalid(f"Of this payment {left} minor units can be given back: ask for that or less.", field=AMOUNT)
    return amount


async def _attempt(order: Order, payment: Payment, refund: Refund) -> Attempt:
    """Each refund has its own: two of one payment may be under way at once."""
    made = await Attempt.filter(order_id=order.id, operation=Operation.REFUND).count()
    return await Attempt.create(
        organization_id=order.organization_id, order_id=order.id, operation=Operation.REFUND, number=made + 1,
        request={
            "payment_intent": payment.stripe_id, "amount": refund.amount_cents, "reason": "requested_by_customer",
            "metadata": {"order": str(order.id), "refund": str(refund.id)},
        },
        stripe_account=payment.stripe_account, live=payment.live,
    )  # fmt: skip


async def _ask(refund: Refund) -> None:
    """Ask Stripe, or what came of what was asked. Raises what it said: Refused means that nothing goes back."""
    exchange = _AskForRefund(refund)
    try:
        attempt = await carry_out(exchange)
    except (errors.ProviderError, errors.NotConfigured) as error:
        await _fail(refund, str(error))
        raise
    if attempt.status is AttemptStatus.FAILED:
        await _fail(refund, attempt.error or "")
        raise errors.Refused(attempt.error or "refused")
    assert attempt.stripe_id
    answer = exchange.answer or await (await _stripe(attempt)).refund(attempt.stripe_id)
    at = datetime.now(UTC)
    async with transaction():
        await refund_news.told(
            News(refund.stripe_account, refund.live, at, f"refund_{refund.id.hex}"), answer.to_dict()
        )


async def _stripe(attempt: Attempt) -> Stripe:
    return await stripe_accounts.at(attempt.stripe_account, attempt.live)


async def _fail(refund: Refund, reason: str) -> None:
    """Nothing goes back, where Stripe said so; where its answer was lost it is asked again."""
    async with transaction():
        await Order.select_for_update().get(id=refund.order_id)
        row = await Refund.get(id=refund.id).prefetch_related("attempt")
        if row.attempt and row.attempt.status is AttemptStatus.FAILED and row.stripe_id is None:
            row.hear(RefundNews.FAILED)
            row.failure_reason = reason[:200]
            await row.save()


class _AskForRefund(Exchange[stripe.Refund]):
    """https://docs.stripe.com/api/refunds/create"""

    def __init__(self, refund: Refund) -> None:
        self.refund = refund
        self.answer: stripe.Refund | None = None

    async def intend(self) -> Attempt:
        return await Attempt.get(id=self.refund.attempt_id)

    async def call(self, attempt: Attempt) -> stripe.Refund:
        return await (await _stripe(attempt)).create_refund(attempt.request, attempt.idempotency_key)

    async def conclude(self, attempt: Attempt, answer: stripe.Refund) -> None:
        attempt.grant(answer.id)
        self.answer = answer
