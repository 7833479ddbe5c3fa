"""Reminders of bookings, so long before they begin as the service wishes, else the organization."""

from datetime import UTC, datetime, timedelta

from errors import Invalid
from models import Appointment, Booking, BookingReminder, BookingStatus, Lane
from services import booking_letters, post
from services.outbox import job, later

MINUTES_MOST = 30 * 24 * 60
REMINDERS_MOST = 5


def written(minutes: list[int], *, field: str) -> str:
    """How long before, as a column keeps it. Raises Invalid for too many, and for what is no time before."""
    if len(minutes) > REMINDERS_MOST or any(not 1 <= each <= MINUTES_MOST for each in minutes):
        raise Invalid(f"Give {REMINDERS_MOST} at most, each of 1 to {MINUTES_MOST} minutes.", field=field)
    return " ".join(map(str, sorted(set(minutes), reverse=True)))


async def follow(appointment: Appointment, what: str) -> None:
    """Promise the reminders of those who are expected and have none for this time yet; in the transaction that changes
    the appointment, locked. None is due in the past: who books late is not reminded of what they have just done."""
    if not appointment.is_active:
        return
    await appointment.fetch_related("service", "organization")
    wished = appointment.service.reminder_list
    now = datetime.now(UTC)
    for minutes in appointment.organization.reminder_list if wished is None else wished:
        due_at = appointment.starts_at - timedelta(minutes=minutes)
        if due_at > now:
            await _promise(appointment, minutes, due_at)


@job(Lane.MAIL)
async def remind(reminder: BookingReminder) -> None:
    """Remind a client who is still expected at that time; once, and not where a later reminder is due as well."""
    booking = await Booking.get(id=reminder.booking_id).prefetch_related("appointment")
    now = datetime.now(UTC)
    appointment = booking.appointment
    stands = booking.status is BookingStatus.CONFIRMED and appointment.starts_at == reminder.starts_at
    if reminder.sent_at is not None or not stands or appointment.starts_at <= now:
        return
    same = BookingReminder.filter(booking_id=booking.id, starts_at=reminder.starts_at, channel=reminder.channel)
    if await same.filter(due_at__gt=reminder.due_at, due_at__lte=now).exists():
        return  # nothing could be sent for a while
    letter = await booking_letters.reminder(booking, minutes_before=reminder.minutes_before)
    await post.send(booking.organization_id, letter)
    await BookingReminder.filter(id=reminder.id).update(sent_at=datetime.now(UTC))


async def _promise(appointment: Appointment, minutes: int, due_at: datetime) -> None:
    expected = Booking.filter(appointment_id=appointment.id, status=BookingStatus.CONFIRMED).order_by("id")
    of_this = BookingReminder.filter(
        booking__appointment_id=appointment.id, minutes_before=minutes, starts_at=appointment.starts_at
    )
    known = set(await of_this.values_list("booking_id", flat=True))
    for booking in await expected:
        if booking.id not in known:
            reminder = await BookingReminder.create(
                organization_id=appointment.organization_id, booking=booking, minutes_before=minutes,
                starts_at=appointment.starts_at, due_at=due_at,
            )  # fmt: skip
            await later(remind, reminder, at=due_at)
