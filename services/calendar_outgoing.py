"""What a calendar shows of an appointment: what is held, with whom, when; nothing that is only for ourselves."""

import hashlib
from collections.abc import Sequence

from models import Appointment, Booking, BookingStatus, Service, Staff
from providers.capabilities import Attendee, OutgoingEvent

EXPECTED = (BookingStatus.CONFIRMED, BookingStatus.COMPLETED, BookingStatus.NO_SHOW)


async def shown(appointment: Appointment) -> OutgoingEvent | None:
    """The event that its person's calendar should have; None where it should have none: it is not held, or places are
    only kept for those who have not paid yet."""
    if not appointment.is_active:
        return None
    bookings = (
        await Booking.filter(appointment_id=appointment.id, status__in=EXPECTED).order_by("id").select_related("client")
    )
    if not bookings:
        return None
    service = await Service.get(id=appointment.service_id)
    staff = await Staff.get(id=appointment.staff_id)
    return OutgoingEvent(
        id=event_id(appointment),
        appointment_id=appointment.id,
        sequence=appointment.sequence,
        title=_title(service, appointment, bookings),
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        time_zone=staff.time_zone,
        description=service.description or "",
        location=appointment.location,
        attendees=tuple(Attendee(each.client.email, each.attendee_name) for each in bookings),
        wants_meet=service.online,
    )


def event_id(appointment: Appointment) -> str:
    """The same each time, so that an event that is put there twice is there once. Hexadecimal digits are among those of
    base32hex (RFC 4648), which is what Google takes."""
    return appointment.id.hex


def digest(event: OutgoingEvent) -> str:
    """SHA-256 (hexadecimal) of all that is pushed: the same for what need not be pushed again."""
    return hashlib.sha256(repr(event).encode()).hexdigest()


def _title(service: Service, appointment: Appointment, bookings: Sequence[Booking]) -> str:
    if appointment.capacity > 1:
        return f"{service.name} ({appointment.taken}/{appointment.capacity})"
    return f"{service.name} – {bookings[0].attendee_name}"
