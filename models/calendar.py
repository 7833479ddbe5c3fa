"""Calendars outside that people connect: what is pushed to them, what comes back, what does not fit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from models.agenda import Staff
from models.base import Owned
from models.booking import Appointment
from models.fields import Coded, belongs_to

PERIODS_KEPT = 20


class CalendarStatus(Coded):
    """Whether a calendar is kept in step."""

    CONNECTED = "CONNECTED", "It is kept in step"
    ERROR = "ERROR", "It cannot be read or written, and is tried again"
    DISCONNECTED = "DISCONNECTED", "Access was withdrawn, or ended by us: nothing is read or written"


class Calendar(Owned):
    """A calendar of somebody who is booked, at a provider. They may have several.

    It is polled at `next_poll_at` by whoever leases it. A first sync, and one that begins anew, reads all events
    between `window_from` and `window_until`, page by page (`page_token`), under an id of its own (`full_sync_id`), by
    which what was not met any more is found at its end; from then on `sync_token` gives what changed.
    """

    staff_id: UUID
    staff: Staff = belongs_to("Staff", "calendars", "Whose it is")
    provider = fields.CharField(50, description="Key of the provider: `google_calendar`")
    grant_id: UUID | None = fields.UUIDField(null=True)
    remote_id = fields.CharField(1024, description="The calendar's id at the provider")
    name = fields.CharField(300, description="What it is called there")
    time_zone = fields.CharField(64, description="IANA zone in which its all-day events are days")
    outgoing = fields.BooleanField(description="Whether the person's appointments are put into it: one at most")
    incoming = fields.BooleanField(description="Whether its events make the person busy")
    status = fields.CharEnumField(
        CalendarStatus, max_length=20, default=CalendarStatus.CONNECTED, description="Whether it is kept in step"
    )
    status_reason = fields.CharField(500, null=True, description="Why it is not")
    synced_at = fields.DatetimeField(null=True, description="When it was read to the end last")
    next_poll_at = fields.DatetimeField(null=True, description="When it is asked next; null where it is disconnected")
    told_at = fields.DatetimeField(
        null=True, description="When those whom it concerns were told that it is disconnected"
    )
    failures = fields.IntField(default=0, description="How often in a row it could not be read")
    lease_until = fields.DatetimeField(null=True, description="Until when a worker is at it")
    lease_id = fields.UUIDField(null=True, description="Which one")
    sync_token: str | None = fields.TextField(null=True, description="The provider's word for what is read already")
    page_token: str | None = fields.TextField(null=True, description="The provider's word for the page that comes next")
    full_sync_id: UUID | None = fields.UUIDField(null=True, description="The reading of all events that is under way")
    window_from: datetime | None = fields.DatetimeField(null=True, description="From when on events are read")
    window_until: datetime | None = fields.DatetimeField(null=True, description="Until when")

    class Meta:
        table = "calendars"

    @property
    def is_connected(self) -> bool:
        return self.status is not CalendarStatus.DISCONNECTED


class CalendarEventsThen(Coded):
    """What becomes of appointments' events in a calendar that is left alone."""

    KEEP = "KEEP", "They stay as they are, and follow nothing any more"
    REMOVE = "REMOVE", "Those to come are taken out; past ones stay"


class CalendarEvent(Owned):
    """An appointment as an event of a calendar. `etag` is of the event as we know it: another one says that it was
    changed there."""

    calendar_id: UUID
    calendar: Calendar = belongs_to("Calendar", "events", "Where it stands")
    appointment_id: UUID
    appointment: Appointment = belongs_to("Appointment", "calendar_events", "What it shows")
    external_id = fields.CharField(1024, description="The event's id there, made of the appointment's")
    etag = fields.CharField(255, null=True, description="The version of it that we know; null before it was pushed")
    sequence = fields.IntField(description="The appointment's when it was pushed last")
    periods: dict[str, list[str]] = fields.JSONField(
        default=dict, description="Beginning and end that were pushed, by the appointment's sequence then"
    )
    pushed_hash = fields.CharField(64, null=True, description="SHA-256 of what was pushed, once it stands there")
    removed_at = fields.DatetimeField(null=True, description="When it was taken out of there")
    link = fields.CharField(2048, null=True, description="Where it is shown")
    full_sync_id = fields.UUIDField(null=True, description="The reading of all events in which it was met last")

    class Meta:
        table = "calendar_events"
        unique_together = (("calendar", "appointment"),)

    def intend(self, sequence: int, starts_at: datetime, ends_at: datetime) -> None:
        """Before the appointment is pushed: whatever comes back then is known for what it is."""
        self.sequence, self.pushed_hash = sequence, None
        periods = self.periods | {str(sequence): [starts_at.isoformat(), ends_at.isoformat()]}
        self.periods = dict(sorted(periods.items(), key=lambda each: int(each[0]))[-PERIODS_KEPT:])

    def pushed(self, sequence: int | None) -> tuple[datetime, datetime] | None:
        """When the appointment was, as it was pushed at that sequence; the last one for an event that says none."""
        period = self.periods.get(str(self.sequence if sequence is None else sequence))
        return (datetime.fromisoformat(period[0]), datetime.fromisoformat(period[1])) if period else None


class CalendarConflictKind(Coded):
    """What does not fit."""

    OVERLAP = "OVERLAP", "An event lies over an appointment"
    MOVED = "MOVED", "The appointment's event was moved to where the appointment cannot follow"
    DELETED = "DELETED", "The appointment's event was deleted, and the appointment cannot be cancelled by that"


class CalendarChoice(Coded):
    """How a conflict is settled."""

    KEEP_OURS = "KEEP_OURS", "The appointment stands as it is, and the calendar shows it so"
    ACCEPT_THEIRS = "ACCEPT_THEIRS", "The appointment follows the calendar, where no other is in its way"
    CANCEL = "CANCEL", "The appointment is cancelled, and its clients are told"
    OUTDATED = "OUTDATED", "Nothing had to be chosen: it went away by itself"


class CalendarConflict(Owned):
    """Where a calendar and our appointments differ, and a person has to choose."""

    calendar_id: UUID
    calendar: Calendar = belongs_to("Calendar", "conflicts", "The calendar")
    staff_id: UUID
    staff: Staff = belongs_to("Staff", "calendar_conflicts", "Whose it is")
    appointment_id: UUID
    appointment: Appointment = belongs_to("Appointment", "calendar_conflicts", "The appointment")
    kind = fields.CharEnumField(CalendarConflictKind, max_length=20, description="What does not fit")
    external_id = fields.CharField(1024, description="The event's id in the calendar")
    title = fields.CharField(500, null=True, description="What the event is called there")
    starts_at = fields.DatetimeField(null=True, description="When the event begins; null where it was deleted")
    ends_at = fields.DatetimeField(null=True, description="When it ends")
    sequence = fields.IntField(description="The appointment's when they differed")
    message = fields.CharField(500, description="What does not fit, in words")
    resolved_at = fields.DatetimeField(null=True, description="When it was settled")
    resolution = fields.CharEnumField(CalendarChoice, max_length=20, null=True, description="How")
    resolved_by_id: UUID | None
    resolved_by: Any = belongs_to("Membership", None, "By whom; null where it went away by itself", null=True)

    class Meta:
        table = "calendar_conflicts"
