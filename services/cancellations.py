"""Bookings that end before their time, and what that costs: an order comes to what is still owed of its bookings. Less
is asked of what is to be paid, and of what was paid the rest goes back.

A client who cancels in time pays nothing, later or not at all what the service says; whom the organization lets down
gets all back. What is kept is a part of the price, and stays invoiced as it was: the rest is credited
(`services/money_back.py`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import errors
from errors import Invalid
from models import (
    Appointment,
    Booking,
    BookingNews,
    Client,
    ConflictKind,
    Invoice,
    InvoiceType,
    Lane,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    PaymentStatus,
)
from models.amounts import off
from models.database import retried, transaction
from services import (
    asking,
    bilan_hours,
    bookings,
    crediting,
    discounts,
    holds,
    idempotency,
    money_back,
    packs,
    pricing,
    refunds,
    settlement,
)
from services.conflicts import flag
from services.outbox import job, later

AT_ONCE = 50  # bookings that are given up in one transaction
REASON_MOST = 500  # characters
SAID = "Annulation"  # on invoices, where a client gave no reason


async def cancel(booking: Booking, reason: str | None, *, by_rules: bool, by_id: UUID | None) -> Booking:
    """Give a booking up. `by_rules`: for the client, whom it may cost something; else for the organization, and
    everything goes back. What the client could still pay by is taken back first.

    Raises Conflict where it is past that, or the client has just paid.
    """
    if done := await idempotency.noted(Booking):
        return done
    check_reason(reason)
    order = await Order.get(id=booking.order_id) if booking.order_id else None
    if order and order.is_open:
        await asking.must_be_settled(order)
        await asking.take_back(order)

    async def given_up() -> Booking:
        async with transaction():
            _, locked = await lock(booking)
            await end(locked, reason, by_rules=by_rules, by_id=by_id)
            await idempotency.note(locked)
            return locked

    return await retried(given_up)


async def cancel_appointment(appointment: Appointment, reason: str | None, *, by_id: UUID | None) -> None:
    """Give an appointment up, and with it the bookings of all who come: everything goes back to them. In the open
    transaction; what a client could still pay by is taken back after it. Of a large group a worker goes on with those
    who are left, and nobody takes a place meanwhile. Raises Conflict where it was before, or somebody books at this
    moment."""
    check_reason(reason)
    live = [each for each in await Booking.filter(appointment_id=appointment.id).order_by("id") if each.is_live]
    if not live:
        raise errors.Conflict("Nobody comes to this appointment any more.", field="input.appointment")
    await _end_all(live[:AT_ONCE], reason, by_id)
    left = await Appointment.select_for_update(no_key=True).get(id=appointment.id)
    if left.is_active and len(live) <= AT_ONCE:
        raise errors.Conflict("Somebody has just booked a place: look again.", field="input.appointment")
    if left.is_active:
        await _close(left)
        await later(cancel_the_rest, left)


@job(Lane.SYNC)
async def cancel_the_rest(appointment: Appointment) -> None:
    """Go on giving up a large group, for the reason, and by whom, it was begun."""
    last = (
        await Booking.filter(appointment_id=appointment.id, canceled_at__isnull=False).order_by("-canceled_at").first()
    )
    while appointment.is_active and last:
        async with transaction():
            live = [each for each in await Booking.filter(appointment_id=appointment.id).order_by("id") if each.is_live]
            await _end_all(live[:AT_ONCE], last.cancel_reason, last.canceled_by_id)
            appointment = await Appointment.select_for_update(no_key=True).get(id=appointment.id)
            if appointment.is_active:
                await _close(appointment)


async def _close(appointment: Appointment) -> None:
    """No place of it is free."""
    appointment.capacity = appointment.taken
    await appointment.save(update_fields=["capacity"])


async def _end_all(live: Sequence[Booking], reason: str | None, by_id: UUID | None) -> None:
    orders = sorted({each.order_id for each in live if each.order_id})
    await Order.filter(id__in=orders).order_by("id").select_for_update()
    await Client.filter(id__in=[each.client_id for each in live]).order_by("id").select_for_update(no_key=True)
    found = await Booking.filter(id__in=[each.id for each in live]).order_by("id").select_for_update(no_key=True)
    for booking in found:
        if booking.is_live:
            await end(booking, reason, by_rules=False, by_id=by_id)


async def no_show(booking: Booking, *, by_id: UUID | None) -> Booking:
    """The client of a booking did not come, which costs what its service says; in the open transaction. Raises Conflict
    before it began, or where it is past that."""
    order, locked = await lock(booking)
    await bookings.must_have_begun(locked)
    appointment = await Appointment.get(id=locked.appointment_id).prefetch_related("service")
    locked.must_hear(BookingNews.MISSED)
    locked.fee_cents = off(locked.price_cents, appointment.service.no_show_percent)
    await locked.save()
    await bilan_hours.follow(locked, by_id)
    if order:
        await _settle(order, "Absence", by_id)
    return locked


async def fee(booking: Booking, now: datetime) -> int:
    """What it costs a client to cancel a booking now, in minor units."""
    if await _is_in_time(booking, now):
        return 0
    appointment = await Appointment.get(id=booking.appointment_id).prefetch_related("service")
    return off(booking.price_cents, appointment.service.late_cancel_percent)


async def lock(booking: Booking) -> tuple[Order | None, Booking]:
    """A booking and the order by which it is paid, in the order of `services/holds.py`."""
    order = await Order.select_for_update().get(id=booking.order_id) if booking.order_id else None
    await Client.select_for_update(no_key=True).get(id=booking.client_id)
    return order, await Booking.select_for_update(no_key=True).get(id=booking.id)


async def end(booking: Booking, reason: str | None, *, by_rules: bool, by_id: UUID | None) -> None:
    """Give up a booking that is locked with its order; in the open transaction. Raises Conflict."""
    now = datetime.now(UTC)
    if by_rules and await _has_begun(booking, now):
        raise errors.Conflict("This appointment has begun: ask those who hold it.", field="input.booking")
    is_free = not by_rules or await _is_in_time(booking, now)
    owed = 0 if is_free else await fee(booking, now)
    booking.canceled_by_id = by_id
    if booking.is_live:
        await holds.free(booking, BookingNews.GIVEN_UP, reason)
    else:
        booking.must_hear(BookingNews.GIVEN_UP)
        booking.canceled_at, booking.cancel_reason = now, reason
    booking.fee_cents = owed
    await booking.save()
    if is_free:
        await packs.give_back(booking)
    if booking.order_id:
        await _settle(await Order.get(id=booking.order_id), reason or SAID, by_id)


def check_reason(reason: str | None) -> None:
    if reason and ("\x00" in reason or len(reason) > REASON_MOST):
        raise Invalid(f"A reason is text of {REASON_MOST} characters at most.", field="input.reason")


async def _is_in_time(booking: Booking, now: datetime) -> bool:
    """Whether a client may cancel for free, and a pack has its session back."""
    appointment = await Appointment.get(id=booking.appointment_id).prefetch_related("service")
    in_time: bool = now <= appointment.starts_at - timedelta(hours=appointment.service.free_cancel_hours)
    return in_time or not booking.is_expected


async def _has_begun(booking: Booking, now: datetime) -> bool:
    return (await Appointment.get(id=booking.appointment_id)).starts_at <= now


async def _settle(order: Order, reason: str, by_id: UUID | None) -> None:
    """An order, locked, comes to what is owed of its bookings."""
    owed = sum(booking.owed_cents for booking in await Booking.filter(order_id=order.id))
    if order.is_open:
        await _ask_less(order, owed, reason)
        await order.refresh_from_db()
    over = order.kept_cents - await _on_its_way(order) - owed
    if order.is_paid and over > 0:
        await _give_back(order, over, reason, by_id)


async def _ask_less(order: Order, owed: int, reason: str) -> None:
    """Of an open order no more is asked than is owed, or was paid. Of what is invoiced a credit note takes the rest
    off; of what is not, less is sold."""
    if order.total_cents - order.waived_cents <= owed:
        return
    invoice = await Invoice.filter(order_id=order.id, type=InvoiceType.INVOICE).order_by("id").first()
    if invoice:
        cents = min(order.total_cents - order.waived_cents - owed, order.balance, invoice.left_cents)
        if cents:
            await crediting.credit(invoice, cents=cents, currency=order.currency, reason=reason)
        return
    if not owed and not order.paid_cents:
        await discounts.release(order)
        order.give_up(at=datetime.now(UTC), reason=reason)
        await order.save()
        await asking.forget_what_is_stale(order)
        return
    await _sell_less(order, max(owed, order.paid_cents), reason)


async def _sell_less(order: Order, cents: int, reason: str) -> None:
    lines = await OrderLine.filter(order_id=order.id).order_by("position")
    order.discount_cents, order.discount_reason = order.subtotal_cents - cents, reason[:200]
    if order.deposit_cents >= cents:
        order.deposit_cents = 0
    pricing.price(order, lines)
    await order.save()
    await OrderLine.bulk_update(lines, ["share_cents"])
    await asking.forget_what_is_stale(order)
    if order.balance == 0:
        payment = await Payment.filter(order_id=order.id, applied_cents__gt=0).order_by("-paid_at", "-id").first()
        await settlement.settle(order, payment, at=datetime.now(UTC), event_id=f"canceled_{order.id.hex}")


async def _on_its_way(order: Order) -> int:
    """What is promised to go back, and has not yet."""
    pending = await order.refunds.filter(status="PENDING").values_list("amount_cents", flat=True)
    return sum(int(each) for each in pending)


async def _give_back(order: Order, cents: int, reason: str, by_id: UUID | None) -> None:
    """Of what was paid last first, through Stripe. What Stripe cannot give back a person does."""
    paid = Payment.filter(order_id=order.id, status=PaymentStatus.SUCCEEDED, applied_cents__gt=0)
    for payment in await paid.order_by("-paid_at", "-id"):
        part = min(cents, payment.applied_cents, await money_back.left_of(payment))
        if part <= 0:
            continue
        cents -= part
        wanted = refunds.Wanted(part, payment.currency, reason, by_id)
        try:
            if payment.method is not PaymentMethod.STRIPE or payment.uncounted_cents:
                raise errors.Conflict(f"It came by {payment.method}.")
            await refunds.promise(order, payment, wanted)
        except errors.Conflict as refusal:
            message = f"{part / 100:.2f} {payment.currency} are to go back after a cancellation: {refusal.message}"
            await flag(
                order, ConflictKind.REFUND_DUE, message, payment=payment, refund_cents=part,
                reference=f"due_{payment.id}_{order.kept_cents}",
            )  # fmt: skip
