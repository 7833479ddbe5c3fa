"""Places that clients have in appointments: held while they are paid, confirmed once they are, given back.

Of rows that are locked together this is the order, here and wherever bookings change: order, client, bookings by id,
service, staff by id, resources by id, appointments; what takes a number comes last. Whoever waits for one of them holds
none that comes after it. Two who change places in two groups may still wait for each other: one begins again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import errors
from models import (
    Appointment,
    AppointmentStatus,
    Booking,
    BookingNews,
    BookingStatus,
    ConflictKind,
    Lane,
    Order,
    OrderKind,
    Payment,
    PaymentStatus,
    Service,
)
from models.database import transaction
from services import appointment_news, asking, booking_letters, booking_timeline, slots
from services.appointment_news import What
from services.conflicts import flag
from services.outbox import Again, job, later

PAGE = timedelta(minutes=31)  # that a payment page is good for: Stripe takes 30 minutes at least
MARGIN = timedelta(minutes=2)  # that the place is held longer than it can be paid
HOLDS_MOST = 20  # times that a place is held to be paid: half a day at most without money
PATIENCE = timedelta(hours=1)  # for Stripe to take back what a client could still pay by
SOON = timedelta(minutes=1)


async def hold_again(order: Order) -> None:
    """Before an order, locked, is paid: its places are held for as long as a payment page is good, taken again where
    they were given back. Raises SlotTaken where somebody has them now, and Conflict for what has begun, or was held
    often enough."""
    if order.kind is not OrderKind.BOOKING:
        return
    until = datetime.now(UTC) + PAGE + MARGIN
    for booking in await _locked(order):
        if booking.status not in (BookingStatus.EXPIRED, BookingStatus.PENDING):
            continue
        if booking.holds >= HOLDS_MOST:
            raise errors.Conflict(
                f"This place was held {HOLDS_MOST} times and not paid: it is kept no longer. Book again.",
                field="input.order",
            )
        if booking.status is BookingStatus.EXPIRED:
            await _regain(booking)
        booking.hear(BookingNews.HELD)
        booking.holds += 1
        booking.hold_expires_at = max(until, booking.hold_expires_at or until)
        await booking.save()
        await later(lapse, booking, at=booking.hold_expires_at)


async def page_ends_at(order: Order) -> datetime | None:
    """Until when the payment page of an order may be good: no longer than its places are held. None for any other."""
    if order.kind is not OrderKind.BOOKING:
        return None
    held = Booking.filter(order_id=order.id, status=BookingStatus.PENDING, hold_expires_at__isnull=False)
    first = await held.order_by("hold_expires_at").first()
    if first is None or first.hold_expires_at is None:
        return None
    return min(first.hold_expires_at - MARGIN, datetime.now(UTC) + timedelta(hours=23))


async def confirm(order: Order) -> None:
    """What is to be paid first was paid: the clients of an order, locked, are expected. Safe to call twice.

    The money stands in any case. A place that was given back is taken again where it is free; else a person is told,
    with what to refund, and the client is written to.
    """
    places = await _locked(order)
    for booking in places:  # all of them before anybody is told: people are locked before appointments
        if booking.status is BookingStatus.EXPIRED:
            try:
                await _regain(booking)
                booking.hear(BookingNews.HELD)
            except errors.DomainError as lost:  # taken, begun, or outside of the hours by now
                await _tell_of_loss(order, booking, lost)
    for booking in places:
        if booking.status is BookingStatus.PENDING:
            await expect(booking)


async def expect(booking: Booking) -> None:
    """The client of a booking, locked, is expected from now on; whoever follows the appointment is told."""
    if not booking.hear(BookingNews.CONFIRMED):
        return
    await booking.save()
    await booking_timeline.confirmed(booking)
    await tell(booking)


async def tell(booking: Booking) -> None:
    """The client of a booking is expected now: whoever follows the appointment is told."""
    others = Booking.filter(appointment_id=booking.appointment_id, status=BookingStatus.CONFIRMED)
    what = What.ATTENDEES if await others.exclude(id=booking.id).exists() else What.MADE
    await appointment_news.changed(await slots.locked(booking.appointment_id), what)


async def order_given_up(order: Order, reason: str | None) -> None:
    """Nobody will pay for the places of an order, locked: they are free."""
    if order.kind is OrderKind.BOOKING:
        for booking in await _locked(order):
            if booking.is_live:
                await free(booking, BookingNews.GIVEN_UP, reason)


async def free(booking: Booking, news: BookingNews, reason: str | None = None) -> None:
    """Give the place of a booking, locked and live, back; an appointment for which nobody is left takes no time."""
    was_expected = booking.is_expected
    booking.must_hear(news)
    if booking.status is BookingStatus.CANCELED:
        booking.canceled_at, booking.cancel_reason = datetime.now(UTC), reason
    await booking.save()
    if was_expected:
        await booking_timeline.canceled(booking, reason)
    await leave(await slots.locked(booking.appointment_id), was_expected=was_expected)


async def leave(appointment: Appointment, *, was_expected: bool) -> None:
    """One place of an appointment, locked, is free again."""
    appointment.taken -= 1
    if not appointment.taken:
        appointment.status = AppointmentStatus.CANCELED
        appointment.sequence += 1
    await appointment.save()
    if was_expected:
        expected = await Booking.exists(appointment_id=appointment.id, status=BookingStatus.CONFIRMED)
        await appointment_news.changed(appointment, What.ATTENDEES if expected else What.CANCELED)


@job(Lane.SYNC)
async def lapse(booking: Booking) -> None:
    """A place that was not paid in time is free. What could still be paid is taken back at Stripe first; where Stripe
    cannot be asked for an hour the place is free all the same, and a payment that comes then waits for a person."""
    now = datetime.now(UTC)
    if booking.status is not BookingStatus.PENDING or booking.hold_expires_at is None:
        return
    if booking.hold_expires_at > now:
        return  # held for longer since, with a promise of its own
    if booking.order_id:
        await _take_back(await Order.get(id=booking.order_id), booking.hold_expires_at + PATIENCE)
    async with transaction():
        order = await Order.select_for_update().get(id=booking.order_id) if booking.order_id else None
        locked = await Booking.select_for_update(no_key=True).get(id=booking.id)
        if locked.status is not BookingStatus.PENDING or locked.is_held(datetime.now(UTC)):
            return
        await free(locked, BookingNews.LAPSED)
        await later(booking_letters.tell_of_lapse, locked)
        if order and order.is_open:
            await asking.forget_what_is_stale(order)


async def _take_back(order: Order, until: datetime) -> None:
    """Raises Again where the client has just paid, or a payment is under way: what comes of it is told soon."""
    try:
        await asking.must_be_settled(order)
        await asking.take_back(order)
    except errors.Conflict as busy:
        under_way = await order.payments.filter(status=PaymentStatus.PROCESSING).exists()
        if under_way or datetime.now(UTC) < until:
            raise Again(datetime.now(UTC) + SOON, str(busy)) from busy
    except (errors.ProviderError, errors.NotConfigured):
        if datetime.now(UTC) < until:
            raise


async def _locked(order: Order) -> Sequence[Booking]:
    return await Booking.filter(order_id=order.id).order_by("id").select_for_update(no_key=True)


async def _regain(booking: Booking) -> None:
    """Take the place of a booking, locked, that was given back again, with the same person at the same time. Raises
    SlotTaken, and Conflict for what has begun."""
    before = await Appointment.get(id=booking.appointment_id)
    if before.starts_at <= datetime.now(UTC):
        raise errors.Conflict("It has begun since: book another time.", field="input.order")
    service = await Service.get(id=before.service_id)
    asked = slots.Asked(service, before.starts_at, before.staff_id, field="input.order", ends_at=before.ends_at)
    seat = await slots.seat(asked)
    if seat.joins and await slots.has_a_place(booking.client_id, seat.joins):
        raise errors.Conflict("The client has another place in this appointment by now.", field="input.order")
    again = await slots.locked(before.id)  # a group's others may have it back already
    booking.appointment = await slots.sit(asked, seat, again=None if again.is_active else again)


async def _tell_of_loss(order: Order, booking: Booking, lost: errors.DomainError) -> None:
    payment = await Payment.filter(order_id=order.id, applied_cents__gt=0).order_by("-paid_at", "-id").first()
    cents = min(booking.price_cents, order.paid_cents)
    message = f"Paid after its hold had ended, and the place is gone ({lost.message}): find another time, or refund it."
    await flag(
        order, ConflictKind.SLOT_LOST, message, payment=payment, refund_cents=cents, reference=f"booking_{booking.id}"
    )
    await later(booking_letters.slot_lost, booking)
