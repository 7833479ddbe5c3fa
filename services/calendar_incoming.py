"""What a calendar says its person is busy with, kept as busy blocks: one for each event that occupies them.

Pages are written one by one, each in its transaction, so that however many events there are only one page is in memory.
"""

from collections.abc import Sequence
from datetime import datetime

from uuid_utils.compat import uuid7

from models import AppointmentStatus, Calendar, CalendarEvent, Staff
from models.database import query
from providers.capabilities import RemoteEvent
from services import calendar_conflicts

TITLE_MOST = 500  # characters


async def take(calendar: Calendar, events: Sequence[RemoteEvent]) -> list[CalendarEvent]:
    """Keep a page; those of our own events that are not as we know them. In the open transaction, the calendar locked.

    Ours are known by their id, in whichever calendar they were put: who is invited has a copy under the same one. A
    copy that somebody made lies under another, and is busy time.
    """
    ours = await _ours(calendar, events)
    if calendar.incoming:
        await _keep(calendar, [event for event in events if event.id not in ours])
    here = {event.external_id: event for event in ours.values() if event.calendar_id == calendar.id}
    if calendar.full_sync_id and here:
        met = CalendarEvent.filter(id__in=[each.id for each in here.values()])
        await met.update(full_sync_id=calendar.full_sync_id)
    return [here[event.id] for event in events if event.id in here and event.etag != here[event.id].etag]


async def sweep(calendar: Calendar) -> list[CalendarEvent]:
    """At the end of a reading of all events: drop the busy times that it did not meet; our own events that it should
    have met. In the open transaction."""
    await Staff.select_for_update(no_key=True).get(id=calendar.staff_id)
    gone = await query(
        "DELETE FROM busy_blocks WHERE calendar_id = $1 AND full_sync_id IS DISTINCT FROM $2 RETURNING id",
        calendar.id, calendar.full_sync_id,
    )  # fmt: skip
    if gone:
        await calendar_conflicts.look(calendar.staff_id)
    expected = CalendarEvent.filter(
        calendar_id=calendar.id, removed_at=None, etag__isnull=False, appointment__status=AppointmentStatus.ACTIVE,
        appointment__ends_at__gt=calendar.window_from, appointment__starts_at__lt=calendar.window_until,
    )  # fmt: skip
    return [event for event in await expected if event.full_sync_id != calendar.full_sync_id]


async def forget(calendar: Calendar) -> None:
    """It makes nobody busy any more; in the open transaction."""
    await query("DELETE FROM busy_blocks WHERE calendar_id = $1", calendar.id)


async def _ours(calendar: Calendar, events: Sequence[RemoteEvent]) -> dict[str, CalendarEvent]:
    """By their id there; of calendars that are not this one, too."""
    found = (
        await CalendarEvent.filter(
            organization_id=calendar.organization_id, external_id__in=[event.id for event in events]
        )
        if events
        else []
    )
    here_last = sorted(found, key=lambda event: event.calendar_id == calendar.id)
    return {event.external_id: event for event in here_last}


async def _keep(calendar: Calendar, events: Sequence[RemoteEvent]) -> None:
    """One statement for those that occupy, one for those that do not. The person is locked, as whoever books them has
    them locked: either we see the appointment, or they see the event."""
    busy: dict[str, tuple[datetime, datetime, str]] = {}
    free: list[str] = []
    for event in events:
        period = event.period(calendar.time_zone)
        if event.occupies and period and period.starts_at < period.ends_at:
            busy[event.id] = (*period, event.title[:TITLE_MOST])
        else:
            free.append(event.id)
    if not events:
        return
    await Staff.select_for_update(no_key=True).get(id=calendar.staff_id)
    await query("DELETE FROM busy_blocks WHERE calendar_id = $1 AND external_id = ANY($2)", calendar.id, free)
    if busy:
        await query(
            """
            INSERT INTO busy_blocks (id, created_at, organization_id, staff_id, calendar_id, source, full_sync_id,
                external_id, starts_at, ends_at, title)
            SELECT given.id, now(), $1, $2, $3, 'GOOGLE', $4, external_id, starts_at, ends_at, nullif(title, '')
            FROM unnest($5::uuid[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[])
                AS given (id, external_id, starts_at, ends_at, title)
            ON CONFLICT (calendar_id, external_id) DO UPDATE SET starts_at = excluded.starts_at,
                ends_at = excluded.ends_at, title = excluded.title,
                full_sync_id = coalesce(excluded.full_sync_id, busy_blocks.full_sync_id)
            """,
            calendar.organization_id, calendar.staff_id, calendar.id, calendar.full_sync_id,
            [uuid7() for _ in busy], list(busy), *map(list, zip(*busy.values(), strict=True)),
        )  # fmt: skip
    await calendar_conflicts.look(calendar.staff_id)
