"""One payment asked for at a time: what may be asked of an order now, and taking back what was asked before."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from tortoise.expressions import Q

import errors
from models import Attempt, AttemptStatus, Conflict, Lane, Operation, Order, PaymentStatus
from models.database import query, transaction
from services import booked_times, stripe_accounts
from services.exchange import Exchange, carry_out
from services.outbox import job, later

TO_PAY = (Operation.CHECKOUT, Operation.PAYMENT_INTENT)
ASKED = (AttemptStatus.PENDING, AttemptStatus.OPEN)
FIELD = "input.order"

_STILL_ASKED = (
    "SELECT id FROM attempts WHERE order_id = $1 AND operation = ANY($2::text[]) AND status = ANY($3::text[]) LIMIT 1"
)


async def can_be_used(order: Order, attempt: Attempt, operation: Operation, now: datetime) -> bool:
    """Whether a client can pay what is due of the order by it, and reads there when that is held which they pay."""
    return attempt.can_be_used(operation, order.due_cents, now) and await _says_when(order, attempt)


async def usable(order: Order, operation: Operation) -> Attempt | None:
    """What the client can pay by already, in the amount that is due; None where that is to be made. The order is
    locked. Raises Conflict where nothing may be asked for now, or another way is still open."""
    order.must_be_open()
    await must_be_settled(order)
    # Locked: one concluded between two reads would be neither usable in the first nor pending in the second.
    attempts = await Attempt.filter(order_id=order.id, operation__in=TO_PAY).order_by("-number").select_for_update()
    if any(attempt.status is AttemptStatus.PROCESSING for attempt in attempts):
        raise errors.Conflict(
            f"A payment of order {order.number} is under way: a SEPA debit takes some days.", field=FIELD
        )
    now = datetime.now(UTC)
    found = [attempt for attempt in attempts if await can_be_used(order, attempt, operation, now)]
    if any(attempt.status is AttemptStatus.OPEN and attempt not in found for attempt in attempts):
        raise errors.Conflict(f"Order {order.number} has changed at this moment. Try again.", field=FIELD)
    return found[0] if found else None


async def is_asked(order: Order) -> bool:
    """Whether the client can pay by something, or does."""
    used = (AttemptStatus.PENDING, AttemptStatus.OPEN, AttemptStatus.PROCESSING)
    good = Q(expires_at=None) | Q(expires_at__gt=datetime.now(UTC))
    return await Attempt.filter(good, order_id=order.id, operation__in=TO_PAY, status__in=used).exists()


async def must_be_settled(order: Order) -> None:
    """Money that waits for a person, or is on its way, comes first."""
    if await Conflict.exists(order_id=order.id, resolved_at=None, payment_id__isnull=False):
        raise errors.Conflict(
            f"A payment of order {order.number} is looked at by a person: settle that first.", field=FIELD
        )
    if await order.payments.filter(status=PaymentStatus.PROCESSING).exists():
        raise errors.Conflict(
            f"A payment of order {order.number} is under way: a SEPA debit takes some days.", field=FIELD
        )


async def take_back(order: Order, *, keep: Operation | None = None) -> None:
    """Close at Stripe whatever the client could still pay by, but for what asks in the way of `keep` for what is due.

    Raises Conflict where the client has just paid by it, or what Stripe said.
    """
    now = datetime.now(UTC)
    for attempt in await Attempt.filter(order_id=order.id, operation__in=TO_PAY, status=AttemptStatus.OPEN):
        if keep is None or not await can_be_used(order, attempt, keep, now):
            await _close(attempt, now)


async def must_be_the_last(attempt: Attempt) -> None:
    """Of a page and a form that are asked for at once the later one is given. Takes the other back, and raises
    Conflict."""
    asked = Attempt.filter(order_id=attempt.order_id, operation__in=TO_PAY, status__in=ASKED, id__gt=attempt.id)
    if await asked.exclude(operation=attempt.operation).exists():
        await _close(attempt, datetime.now(UTC))
        raise errors.Conflict("Another way to pay this order was asked for at this moment. Try again.", field=FIELD)


async def forget_what_is_stale(order: Order) -> None:
    """Promise to take back what the client could still pay by, where it asks for another amount than is due now, or
    says another time than what is paid is held at."""
    if await _is_asked(order):
        await later(take_back_what_is_stale, order)


@job(Lane.SYNC)
async def take_back_what_is_stale(order: Order) -> None:
    """After money came by another way, the price changed, or what is paid was moved: what was asked for is not so any
    more."""
    due, now = order.due_cents if order.is_open else 0, datetime.now(UTC)
    for attempt in await Attempt.filter(order_id=order.id, operation__in=TO_PAY, status__in=ASKED):
        try:
            stands = attempt.amount_cents == due and await _says_when(order, attempt)
            if attempt.status is AttemptStatus.PENDING and not stands:
                attempt = await carry_out(_AskedAgain(attempt))
            if attempt.status is AttemptStatus.OPEN and not (
                stands and attempt.can_be_used(attempt.operation, due, now)
            ):
                await _close(attempt, now)
        except (errors.Conflict, errors.Refused):
            continue  # paid in the meantime, its event says the rest; or never granted


async def ask_again(attempt: Attempt) -> None:
    """One whose answer was lost: under the same key Stripe gives the same. Raises Unavailable."""
    with suppress(errors.Refused):  # which is an answer
        await carry_out(_AskedAgain(attempt))


async def forget(attempt: Attempt) -> None:
    """One whose answer was lost so long ago that nobody can pay by it: the next takes another number."""
    async with transaction():
        locked = await Attempt.select_for_update().get(id=attempt.id)
        if locked.status is AttemptStatus.PENDING:
            locked.refuse("Stripe's answer was lost.")
            await locked.save()


async def _says_when(order: Order, attempt: Attempt) -> bool:
    """Whether what the client reads there says when that is held which they pay, where it is held at a time."""
    times = await booked_times.of(order)
    return times is None or times in json.dumps(attempt.request, ensure_ascii=False)


async def _is_asked(order: Order) -> bool:
    """Whether the client could still pay by something. What an event locked of it is at hand."""
    if order.attempts._fetched:
        return any(attempt.status in ASKED for attempt in order.attempts)
    return bool(await query(_STILL_ASKED, order.id, TO_PAY, ASKED))


class Asked(Exchange[Any]):
    """What a client pays by, as Stripe gives it."""

    async def call(self, attempt: Attempt) -> Any:
        stripe = await stripe_accounts.at(attempt.stripe_account, attempt.live)
        is_session = attempt.operation is Operation.CHECKOUT
        ask = stripe.create_checkout_session if is_session else stripe.create_payment_intent
        return await ask(attempt.request, attempt.idempotency_key)

    async def conclude(self, attempt: Attempt, answer: Any) -> None:
        if attempt.operation is Operation.CHECKOUT:
            attempt.grant(answer.id, answer.url, datetime.fromtimestamp(answer.expires_at, UTC))
        else:
            attempt.grant(answer.id)


class _AskedAgain(Asked):
    """One whose answer was lost: under the same key Stripe gives the same."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt

    async def intend(self) -> Attempt:
        return await Attempt.get(id=self.attempt.id)


async def _close(attempt: Attempt, now: datetime) -> None:
    """Take one back at Stripe, where its time has not run out by itself."""
    expired = attempt.expires_at is not None and attempt.expires_at <= now
    if not expired:
        expired = not await _taken_back(attempt)
    async with transaction():
        locked = await Attempt.select_for_update().get(id=attempt.id)
        if expired:
            locked.expire()
        else:
            locked.close()
        await locked.save()


async def _taken_back(attempt: Attempt) -> bool:
    """Whether it was closed by us; False where it had ended by itself. Raises Conflict where it was used."""
    assert attempt.stripe_id is not None
    # Not the same key twice: Stripe would give its own failure again for a day, and ending twice does no harm.
    stripe = await stripe_accounts.at(attempt.stripe_account, attempt.live)
    key = f"{attempt.idempotency_key}:close:{token_hex(4)}"
    is_session = attempt.operation is Operation.CHECKOUT
    try:
        if is_session:
            await stripe.expire_checkout_session(attempt.stripe_id, key)
        else:
            await stripe.cancel_payment_intent(attempt.stripe_id, key)
        return True
    except errors.Gone:
        return False  # nobody can pay by it
    except errors.Refused:
        if is_session:
            ended = (await stripe.checkout_session(attempt.stripe_id)).status == "expired"
        else:
            ended = (await stripe.payment_intent(attempt.stripe_id)).status == "canceled"
        if ended:
            return False
        raise errors.Conflict("The client has just paid, or is paying: look again in a moment.", field=FIELD) from None
