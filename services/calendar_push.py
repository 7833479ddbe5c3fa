"""Our appointments, put into their people's calendars: what is true when a promise is kept, not when it was made.

So promises may be kept in any order, twice, or at the same time. An event has an id that is made of its appointment's,
and what is known of it is written down before and after each call; it is only changed while it is the version that we
know (its etag), so that nobody overwrites what somebody else just did there. Who finds another version looks at it as
if it had been polled (`services/calendar_changes.py`), then pushes again.

Locks, where rows are locked: the appointment, then its event.
"""

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from errors import Changed, Disconnected, Gone, NotConfigured
from models import Appointment, Calendar, CalendarEvent, CalendarStatus, Lane
from models.database import query, transaction
from providers import capabilities
from providers.capabilities import EventStatus, OutgoingEvent, RemoteEvent
from services import calendar_changes, calendar_conflicts, calendar_promises, calendar_states
from services.calendar_access import Access, opened
from services.calendar_outgoing import digest, shown
from services.outbox import Again, job

log = logging.getLogger("comptoir.calendars")

PURPOSE = "calendar_push.push"
TRIES = 4  # at an event that others are changing too
PAUSE = timedelta(seconds=5)  # before a link to Meet is asked after
MEET_WITHIN = timedelta(minutes=10)  # … for so long
AT_ONCE = 200  # appointments, of those that a calendar is caught up with


@job(Lane.SYNC)
async def push(appointment: Appointment) -> None:
    """Have calendars show an appointment as it is now: its person's one that appointments go to, and no other.

    A calendar to which access was withdrawn is left alone until it is connected again, which pushes what it missed.
    """
    await calendar_conflicts.look(appointment.staff_id)
    for _ in range(TRIES):
        with suppress(Disconnected):  # noted, and there is one calendar less
            if await _is_in_step(await Appointment.get(id=appointment.id)):
                return
    raise Again(datetime.now(UTC) + PAUSE, "its event is being changed by others")


@job(Lane.SYNC)
async def catch_up(calendar: Calendar) -> None:
    """Promise to push all appointments to come of a calendar's person, and what of theirs stands in it."""
    after = None
    while True:
        rows = await query(
            """
            SELECT a.id FROM appointments a
            WHERE a.organization_id = $1 AND a.ends_at > now() AND ($4::uuid IS NULL OR a.id > $4) AND (
                (a.staff_id = $2 AND a.status = 'ACTIVE')
                OR a.id IN (
                    SELECT e.appointment_id FROM calendar_events e WHERE e.calendar_id = $3 AND e.removed_at IS NULL
                )
            )
            ORDER BY a.id LIMIT $5
            """,
            calendar.organization_id, calendar.staff_id, calendar.id, after, AT_ONCE,
        )  # fmt: skip
        async with transaction():
            for row in rows:
                await calendar_promises.push(row["id"], calendar.organization_id)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1]["id"]


@job(Lane.SYNC, timeout=300.0)
async def clear(calendar: Calendar) -> None:
    """Take appointments to come out of a calendar that is left alone, unless it was connected again meanwhile. Where it
    cannot be reached any more they stay: nobody may take them out but its person."""
    ours = CalendarEvent.filter(calendar_id=calendar.id, removed_at=None, appointment__ends_at__gt=datetime.now(UTC))
    try:
        async with opened(Access.of(calendar), "calendar_push.clear") as remote:
            for event in await ours.order_by("id").limit(AT_ONCE):
                if (await Calendar.get(id=calendar.id)).is_connected:
                    return
                await _removed(remote, calendar, event)
    except (Disconnected, NotConfigured) as error:
        log.warning("what stands in calendar %s stays: %s", calendar.id, error)
        return
    if await ours.exists():
        raise Again(datetime.now(UTC), "there is more to take out")


async def _is_in_step(appointment: Appointment) -> bool:
    """Have calendars show it; False where something changed meanwhile."""
    event = await shown(appointment)
    calendar = await _calendar_of(appointment) if event else None
    await _take_out(appointment, but=calendar)
    return event is None or calendar is None or await _stands(appointment, calendar, event)


async def _calendar_of(appointment: Appointment) -> Calendar | None:
    """Where the appointments of its person go."""
    return await Calendar.get_or_none(
        staff_id=appointment.staff_id, outgoing=True, status__not=CalendarStatus.DISCONNECTED
    )


async def _take_out(appointment: Appointment, *, but: Calendar | None) -> None:
    """Its events in all calendars but one are cancelled there."""
    events = await CalendarEvent.filter(appointment_id=appointment.id, removed_at=None).select_related("calendar")
    for event in events:
        calendar = event.calendar
        if calendar.id == (but and but.id) or not calendar.is_connected:
            continue
        async with calendar_states.used(calendar, PURPOSE) as remote:
            await _removed(remote, calendar, event)


async def _removed(remote: capabilities.Calendar, calendar: Calendar, event: CalendarEvent) -> None:
    await remote.cancel(calendar.remote_id, event.external_id)
    await CalendarEvent.filter(id=event.id).update(removed_at=datetime.now(UTC), etag=None, pushed_hash=None)


async def _stands(appointment: Appointment, calendar: Calendar, event: OutgoingEvent) -> bool:
    """Have the event stand there; False where something changed meanwhile, so that one has to begin again."""
    known = await _intended(appointment, calendar, event)
    if known is None or (known.pushed_hash and not _lacks_meet(appointment, event)):
        return True
    async with calendar_states.used(calendar, PURPOSE) as remote:
        ask = _asked if known.pushed_hash else _pushed
        there = await ask(remote, calendar, known, event)
    if there is None or not await _confirmed(known, event, there):
        return False
    if there.meet_pending and datetime.now(UTC) < known.created_at + MEET_WITHIN:
        raise Again(datetime.now(UTC) + PAUSE, "its link to Meet is being made")
    return True


def _lacks_meet(appointment: Appointment, event: OutgoingEvent) -> bool:
    return event.wants_meet and appointment.meet_url is None


async def _intended(appointment: Appointment, calendar: Calendar, event: OutgoingEvent) -> CalendarEvent | None:
    """What is known of the event, with what is to be pushed written down first; None where a person has to choose."""
    async with transaction():
        row = await Appointment.select_for_update().get(id=appointment.id)
        if await calendar_conflicts.waits(row, calendar):
            return None
        known = await CalendarEvent.select_for_update().get_or_none(calendar_id=calendar.id, appointment_id=row.id)
        if known is None:
            known = CalendarEvent(
                organization_id=row.organization_id, calendar_id=calendar.id, appointment_id=row.id,
                external_id=event.id, sequence=row.sequence, periods={},
            )  # fmt: skip
        if known.pushed_hash != digest(event) or known.removed_at:
            known.intend(event.sequence, event.starts_at, event.ends_at)
            await known.save()
        return known


async def _pushed(
    remote: capabilities.Calendar, calendar: Calendar, known: CalendarEvent, event: OutgoingEvent
) -> RemoteEvent | None:
    """The event as it stands there then; None where one has to begin again."""
    if known.etag is None:
        there = (await remote.insert(calendar.remote_id, event)).event
        if _is_as_pushed(there, event):
            return there
        if not await calendar_changes.follow(calendar, known, there):
            return None
        known.etag = there.etag
    try:
        return (await remote.patch(calendar.remote_id, event, etag=known.etag)).event
    except Changed:
        there = await remote.event(calendar.remote_id, event.id)
        await calendar_changes.follow(calendar, known, there)
    except Gone:  # deleted for good: it is put there anew, where the calendar still is
        await CalendarEvent.filter(id=known.id, etag=known.etag).update(etag=None)
    return None


def _is_as_pushed(there: RemoteEvent, event: OutgoingEvent) -> bool:
    return (
        there.status is not EventStatus.CANCELLED
        and (there.sequence, there.title) == (event.sequence, event.title)
        and there.period(event.time_zone) == (event.starts_at, event.ends_at)
    )


async def _asked(
    remote: capabilities.Calendar, calendar: Calendar, known: CalendarEvent, event: OutgoingEvent
) -> RemoteEvent | None:
    """What was pushed already, with the link to Meet that may have been made since."""
    there = await remote.event(calendar.remote_id, event.id)
    if there.etag != known.etag and not await calendar_changes.follow(calendar, known, there):
        return None
    return there


async def _confirmed(known: CalendarEvent, event: OutgoingEvent, there: RemoteEvent) -> bool:
    """Write down that it stands there, unless another push did meanwhile."""
    async with transaction():
        confirmed = await query(
            "UPDATE calendar_events SET etag = $4, pushed_hash = $5, link = $6, removed_at = NULL"
            " WHERE id = $1 AND sequence = $2 AND (etag IS NOT DISTINCT FROM $3 OR etag = $4) RETURNING id",
            known.id, event.sequence, known.etag, there.etag, digest(event), there.link,
        )  # fmt: skip
        if confirmed:
            await calendar_changes.note_meet(event.appointment_id, there)
    return bool(confirmed)
