"""What became of bookings, in the timelines of their clients; in the transaction that does it."""

from datetime import UTC, datetime

from models import Appointment, Booking, TimelineKind
from services import timeline


async def confirmed(booking: Booking) -> None:
    """The client is expected."""
    await _note(booking, TimelineKind.BOOKING_CONFIRMED)


async def moved(booking: Booking) -> None:
    """The client is expected at another time, or by somebody else."""
    await _note(booking, TimelineKind.BOOKING_MOVED)


async def canceled(booking: Booking, reason: str | None) -> None:
    """The client was expected, and is not any more."""
    await _note(booking, TimelineKind.BOOKING_CANCELED, reason)


async def _note(booking: Booking, kind: TimelineKind, reason: str | None = None) -> None:
    appointment = await Appointment.get(id=booking.appointment_id).prefetch_related("service", "staff")
    await timeline.note(
        booking.organization_id, booking.client_id, kind, at=datetime.now(UTC), author=booking.canceled_by_id,
        booking=booking.id, service=appointment.service.name, staff=appointment.staff.display_name,
        starts_at=appointment.starts_at, ends_at=appointment.ends_at, reason=reason,
    )  # fmt: skip
