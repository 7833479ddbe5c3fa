"""What a person chooses where a calendar and an appointment differ."""

from datetime import UTC, datetime
from uuid import UUID

from errors import Conflict, Invalid
from models import Appointment, CalendarChoice, CalendarConflict, CalendarConflictKind, CalendarEvent
from providers.capabilities import Period
from services import calendar_moves, calendar_promises, cancellations

CHOICES = {
    CalendarConflictKind.OVERLAP: (CalendarChoice.KEEP_OURS, CalendarChoice.CANCEL),
    CalendarConflictKind.MOVED: (CalendarChoice.KEEP_OURS, CalendarChoice.ACCEPT_THEIRS, CalendarChoice.CANCEL),
    CalendarConflictKind.DELETED: (CalendarChoice.KEEP_OURS, CalendarChoice.CANCEL),
}


async def resolve(conflict: CalendarConflict, choice: CalendarChoice, by: UUID | None) -> CalendarConflict:
    """Do what a person chose, in the open transaction; the calendar is told after it. Raises Conflict and Invalid."""
    if choice not in CHOICES[conflict.kind]:
        names = ", ".join(CHOICES[conflict.kind])
        raise Invalid(f"Of this conflict one may choose {names}.", field="input.choice")
    if conflict.resolved_at is not None:
        raise Conflict("This is settled already.", field="input.conflict")
    appointment = await Appointment.get(id=conflict.appointment_id)
    if choice is CalendarChoice.CANCEL:
        await cancellations.cancel_appointment(appointment, None, by_id=by)
    elif choice is CalendarChoice.ACCEPT_THEIRS:
        assert conflict.starts_at
        length = appointment.ends_at - appointment.starts_at  # as was agreed, whatever the event says
        theirs = Period(conflict.starts_at, conflict.starts_at + length)
        await calendar_moves.move(appointment, theirs, over_busy_times=True)
    locked = await CalendarConflict.select_for_update(no_key=True).get(id=conflict.id)
    if locked.resolved_at is not None:
        raise Conflict("This was settled just now.", field="input.conflict")
    locked.resolved_at, locked.resolution, locked.resolved_by_id = datetime.now(UTC), choice, by
    await locked.save()
    if locked.kind is not CalendarConflictKind.OVERLAP:
        await CalendarEvent.filter(calendar_id=locked.calendar_id, appointment_id=appointment.id).update(
            pushed_hash=None
        )
        await calendar_promises.push(appointment.id, appointment.organization_id)
    return locked
