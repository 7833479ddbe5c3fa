"""What somebody did in a calendar to an event of ours: followed where the rules allow, else a conflict for a person."""

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from errors import Disconnected, DomainError, Gone
from models import Appointment, Calendar, CalendarConflictKind, CalendarEvent, Lane
from models.database import query, savepoint, transaction
from providers.capabilities import EventStatus, Period, RemoteEvent
from services import calendar_conflicts, calendar_moves, calendar_promises, calendar_states
from services.calendar_meaning import Meaning, meaning
from services.outbox import job

GONE = "gone"  # the version of what is there no more


class _Stale(Exception):
    """What we know changed while it was decided."""


@job(Lane.SYNC)
async def look_again(event: CalendarEvent) -> None:
    """An event of ours may have been changed: read it now, since news may be old, and follow. Not of a calendar to
    which access was withdrawn."""
    calendar = await Calendar.get(id=event.calendar_id)
    if not calendar.is_connected:
        return
    with suppress(Disconnected):
        async with calendar_states.used(calendar, "calendar_changes.look_again") as remote:
            try:
                there = await remote.event(calendar.remote_id, event.external_id)
            except Gone:
                there = RemoteEvent(event.external_id, GONE, EventStatus.CANCELLED)
            await follow(calendar, event, there)


async def follow(calendar: Calendar, known: CalendarEvent, there: RemoteEvent) -> bool:
    """Act on how an event stands there, read after `known` was. Whether ours may be pushed over it: not where what we
    know changed meanwhile, or where it is we who follow."""
    appointment = await Appointment.get(id=known.appointment_id)
    what = meaning(known, appointment, there, calendar.time_zone)
    if what is Meaning.NOTHING:
        return True
    try:
        async with transaction():
            if what in (Meaning.AGREES, Meaning.BEHIND):
                await _agree(calendar, await _unchanged(known, appointment), there, behind=what is Meaning.BEHIND)
                return True
            refusal = await _obeyed(appointment, what, there.period(calendar.time_zone))
            event = await _unchanged(known, appointment, followed=refusal is None)
            event.etag = there.etag
            await event.save(update_fields=["etag"])
            await _conclude(calendar, appointment, what, there, refusal)
    except _Stale:
        pass
    return False


async def note_meet(appointment_id: UUID, there: RemoteEvent) -> None:
    """The link to its video, once the calendar made one; in the open transaction."""
    if there.meet_url:
        await query(
            "UPDATE appointments SET meet_url = $2 WHERE id = $1 AND meet_url IS DISTINCT FROM $2",
            appointment_id, there.meet_url,
        )  # fmt: skip


async def _unchanged(known: CalendarEvent, appointment: Appointment, *, followed: bool = False) -> CalendarEvent:
    """The event, locked after its appointment. Raises _Stale where either is not what was decided on."""
    if not followed:
        locked = await Appointment.select_for_update(no_key=True).get(id=appointment.id)
        if (locked.sequence, locked.status) != (appointment.sequence, appointment.status):
            raise _Stale
    event = await CalendarEvent.select_for_update(no_key=True).get(id=known.id)
    if (event.etag, event.sequence) != (known.etag, known.sequence):
        raise _Stale
    return event


async def _agree(calendar: Calendar, event: CalendarEvent, there: RemoteEvent, *, behind: bool) -> None:
    """It stands as the appointment is, or will once what we owe it is pushed."""
    event.etag = there.etag
    if behind:
        event.pushed_hash, event.removed_at = None, None
        await calendar_promises.push(event.appointment_id, event.organization_id)
    else:
        await calendar_conflicts.settle(event.appointment_id, calendar, event.external_id)
        await note_meet(event.appointment_id, there)
    await event.save(update_fields=["etag", "pushed_hash", "removed_at"])


async def _obeyed(appointment: Appointment, what: Meaning, period: Period | None) -> str | None:
    """Move or cancel the appointment as somebody did there; why not, where the rules refuse it."""
    if appointment.ends_at <= datetime.now(UTC):
        return "It is over."
    try:
        async with savepoint():
            if what is Meaning.DELETED:
                await calendar_moves.cancel_unpaid(appointment)
            elif what is Meaning.DIVERGED or period is None:
                return "It was moved here, too."
            else:
                await calendar_moves.move(appointment, period)
    except DomainError as refusal:
        return refusal.message
    return None


async def _conclude(
    calendar: Calendar, appointment: Appointment, what: Meaning, there: RemoteEvent, refusal: str | None
) -> None:
    if refusal is None:
        await calendar_conflicts.settle(appointment.id, calendar, there.id)
    elif appointment.ends_at > datetime.now(UTC):
        kind = CalendarConflictKind.DELETED if what is Meaning.DELETED else CalendarConflictKind.MOVED
        await calendar_conflicts.open(calendar, appointment, kind, there, refusal)
