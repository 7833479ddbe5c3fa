"""Where calendars and appointments differ so that a person has to choose; nothing is booked twice in silence."""

from uuid import UUID

from uuid_utils.compat import uuid7

from models import Appointment, Calendar, CalendarConflict, CalendarConflictKind
from models.database import query
from providers.capabilities import RemoteEvent

TITLE_MOST = 500  # characters


async def open(
    calendar: Calendar, appointment: Appointment, kind: CalendarConflictKind, there: RemoteEvent, reason: str
) -> None:
    """Somebody did to an appointment's event what it cannot follow; in the open transaction. One stays open for it, of
    what was done last."""
    period = there.period(calendar.time_zone) if kind is CalendarConflictKind.MOVED else None
    said = "was moved" if kind is CalendarConflictKind.MOVED else "was deleted"
    await query(
        _OPEN, uuid7(), calendar.organization_id, calendar.id, appointment.staff_id, appointment.id, kind.value,
        there.id, there.title[:TITLE_MOST] or None, period and period.starts_at, period and period.ends_at,
        appointment.sequence, f"The appointment's event {said} in {calendar.name}. {reason}"[:500],
    )  # fmt: skip


async def waits(appointment: Appointment, calendar: Calendar) -> bool:
    """Whether a person has to choose before the appointment is pushed; in the open transaction, it is locked. What
    was done here since then is the choice."""
    await query(
        f"{_SETTLE} WHERE appointment_id = $1 AND calendar_id = $2 AND kind <> 'OVERLAP' AND resolved_at IS NULL"
        " AND sequence < $3",
        appointment.id, calendar.id, appointment.sequence,
    )  # fmt: skip
    return (
        await CalendarConflict.filter(appointment_id=appointment.id, calendar_id=calendar.id, resolved_at=None)
        .exclude(kind=CalendarConflictKind.OVERLAP)
        .exists()
    )


async def settle(appointment_id: UUID, calendar: Calendar, external_id: str) -> None:
    """An event and its appointment agree again; in the open transaction."""
    await query(
        f"{_SETTLE} WHERE appointment_id = $1 AND calendar_id = $2 AND external_id = $3 AND resolved_at IS NULL",
        appointment_id, calendar.id, external_id,
    )  # fmt: skip


async def look(staff_id: UUID) -> None:
    """Which events of a person lie over appointments of theirs to come: those that do are open conflicts, those that do
    no more are settled. One that was settled by keeping the appointment stays so while neither is moved.

    Who books and who reads calendars both look after their commit: whichever was second sees both.
    """
    await query(_SETTLE_OVERLAPS, staff_id)
    await query(_OPEN_OVERLAPS, staff_id)


_SETTLE = "UPDATE calendar_conflicts c SET resolved_at = now(), resolution = 'OUTDATED'"

_OPEN = """
    INSERT INTO calendar_conflicts (id, created_at, organization_id, calendar_id, staff_id, appointment_id, kind,
        external_id, title, starts_at, ends_at, sequence, message)
    VALUES ($1, now(), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (calendar_id, appointment_id, external_id) WHERE resolved_at IS NULL DO UPDATE SET
        kind = excluded.kind, title = excluded.title, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
        sequence = excluded.sequence, message = excluded.message
"""

_OVER = """
    FROM busy_blocks b JOIN appointments a ON a.staff_id = b.staff_id AND a.status = 'ACTIVE' AND a.ends_at > now()
        AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
    WHERE b.staff_id = $1 AND b.calendar_id IS NOT NULL AND b.ends_at > now()
"""

_SETTLE_OVERLAPS = f"""{_SETTLE} WHERE staff_id = $1 AND kind = 'OVERLAP' AND resolved_at IS NULL AND NOT EXISTS (
    SELECT 1 {_OVER} AND b.calendar_id = c.calendar_id AND b.external_id = c.external_id AND a.id = c.appointment_id
)"""

_OPEN_OVERLAPS = f"""
    INSERT INTO calendar_conflicts (id, created_at, organization_id, calendar_id, staff_id, appointment_id, kind,
        external_id, title, starts_at, ends_at, sequence, message)
    SELECT gen_random_uuid(), now(), b.organization_id, b.calendar_id, b.staff_id, a.id, 'OVERLAP', b.external_id,
        b.title, b.starts_at, b.ends_at, a.sequence, 'An event of their calendar lies over the appointment.'
    {_OVER} AND NOT EXISTS (
        SELECT 1 FROM calendar_conflicts c
        WHERE c.appointment_id = a.id AND c.calendar_id = b.calendar_id AND c.external_id = b.external_id
        AND c.resolution = 'KEEP_OURS' AND c.sequence = a.sequence
        AND (c.starts_at, c.ends_at) = (b.starts_at, b.ends_at)
    )
    ON CONFLICT (calendar_id, appointment_id, external_id) WHERE resolved_at IS NULL DO UPDATE SET
        title = excluded.title, starts_at = excluded.starts_at, ends_at = excluded.ends_at, sequence = excluded.sequence
    WHERE (calendar_conflicts.starts_at, calendar_conflicts.ends_at, calendar_conflicts.sequence)
        IS DISTINCT FROM (excluded.starts_at, excluded.ends_at, excluded.sequence)
"""  # noqa: S608
