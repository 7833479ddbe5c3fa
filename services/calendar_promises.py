"""What calendars are owed: an appointment that changed is pushed to them, by a promise made with the change."""

from typing import TYPE_CHECKING
from uuid import UUID

from models import Appointment, Calendar, CalendarEvent, CalendarStatus
from services.outbox import later

if TYPE_CHECKING:
    from services.appointment_news import What


async def follow(appointment: Appointment, what: "What") -> None:
    """Of a change of any kind, where there is a calendar to push it to; in its transaction."""
    connected = Calendar.filter(staff_id=appointment.staff_id).exclude(status=CalendarStatus.DISCONNECTED)
    if await connected.exists() or await CalendarEvent.exists(appointment_id=appointment.id, removed_at=None):
        await push(appointment.id, appointment.organization_id)


async def push(appointment_id: UUID, organization_id: UUID) -> None:
    """Have calendars show an appointment as it is then; in the open transaction."""
    from services import calendar_push  # what it finds there may move appointments, which is news, which leads here

    await later(calendar_push.push, Appointment(id=appointment_id, organization_id=organization_id))
