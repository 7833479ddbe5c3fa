"""Bookings at another time, or with somebody else: of one client alone the appointment moves; of a group one client
goes over into another, or all of them together.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from errors import Conflict
from models import Appointment, Booking, BookingStatus, Order, OrderStatus, Service
from services import appointment_news, asking, booking_timeline, cancellations, holds, packs, slots
from services.appointment_news import What

MOVED = (BookingStatus.PENDING, BookingStatus.CONFIRMED)


async def move(booking: Booking, starts_at: datetime, staff_id: UUID | None, *, by_rules: bool) -> Booking:
    """Hold a booking at another time, with the same person unless told; in the open transaction. A client may
    (`by_rules`) while cancelling is free. Raises SlotTaken, Invalid and Conflict, and nothing is moved."""
    _, locked = await cancellations.lock(booking)
    if locked.status not in MOVED:
        raise Conflict(f"This booking {locked.standing}: it cannot be moved.", field="input.booking")
    appointment = await Appointment.get(id=locked.appointment_id)
    service = await Service.get(id=appointment.service_id)
    if by_rules:
        _must_be_in_time(appointment, service)
    if locked.draws_session:
        await packs.must_be_good_at(locked, starts_at, field="input.startsAt")
    if appointment.capacity == 1:
        await _shift(appointment, service, starts_at, staff_id, by_rules=by_rules)
        return locked
    asked = slots.Asked(service, starts_at, staff_id or appointment.staff_id)
    slots.check(asked, by_rules=by_rules)
    seat = await slots.seat(asked)
    if seat.joins and seat.joins.id == appointment.id:
        return locked
    if seat.joins and await slots.has_a_place(locked.client_id, seat.joins):
        raise Conflict("The client has a place in that appointment already.", field="input.startsAt")
    after = await slots.sit(asked, seat)
    await _go_over(locked, appointment, after)
    await ask_anew(after)
    return locked


async def move_appointment(
    appointment: Appointment, starts_at: datetime, staff_id: UUID | None, *, by_rules: bool = False
) -> Appointment:  # fmt: skip
    """Hold an appointment at another time, all who come with it; in the open transaction. Raises like `move`."""
    if not appointment.is_active:
        raise Conflict("This appointment was cancelled.", field="input.appointment")
    return await _shift(
        appointment, await Service.get(id=appointment.service_id), starts_at, staff_id, by_rules=by_rules
    )


async def ask_anew(appointment: Appointment) -> None:
    """What says when that was which a client is to pay is taken back: the next page says when it is."""
    for order in await Order.filter(bookings__appointment_id=appointment.id, status=OrderStatus.OPEN).order_by("id"):
        await asking.forget_what_is_stale(order)


async def _shift(
    before: Appointment, service: Service, starts_at: datetime, staff_id: UUID | None, *, by_rules: bool
) -> Appointment:  # fmt: skip
    """As long as it was, whatever its service says by now."""
    asked = slots.Asked(
        service, starts_at, staff_id or before.staff_id, ends_at=starts_at + (before.ends_at - before.starts_at)
    )
    slots.check(asked, by_rules=by_rules)
    if (before.starts_at, before.staff_id) == (asked.starts_at, asked.staff_id):
        return before
    seat = await slots.seat(asked, but=before.id, joining=False)
    appointment = await slots.locked(before.id)
    if not appointment.is_active or appointment.sequence != before.sequence:
        raise Conflict("This appointment has changed at this moment: look again.", field="input.startsAt")
    appointment.sequence += 1
    await slots.place(appointment, asked, seat)
    expected = await Booking.filter(appointment_id=appointment.id, status=BookingStatus.CONFIRMED).order_by("id")
    for booking in expected:
        await booking_timeline.moved(booking)
    if expected:
        await appointment_news.changed(appointment, What.MOVED)
    await ask_anew(appointment)
    return appointment


async def _go_over(booking: Booking, before: Appointment, after: Appointment) -> None:
    """From one group into another."""
    was_expected = booking.is_expected
    booking.appointment = after
    await booking.save(update_fields=["appointment_id"])
    await holds.leave(await slots.locked(before.id), was_expected=was_expected)
    if was_expected:
        await booking_timeline.moved(booking)
        await holds.tell(booking)


def _must_be_in_time(appointment: Appointment, service: Service) -> None:
    until = appointment.starts_at - timedelta(hours=service.free_cancel_hours)
    if datetime.now(UTC) > until:
        raise Conflict(
            f"This can be moved until {service.free_cancel_hours} hours before it begins, and it is too late: ask those"
            " who hold it.",
            field="input.booking",
        )
