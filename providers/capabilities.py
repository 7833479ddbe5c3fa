"""What a provider can do for us, in small interfaces: features ask for one of these, never for a vendor."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo


class Mailer(Protocol):
    """Sends e-mail."""

    async def send(self, message: EmailMessage) -> None:
        """Hand the message over; returns once the other side has taken it. Raises a ProviderError."""
        ...


class DocumentStore(Protocol):
    """Keeps documents by key, for good: what lies under a key is never replaced. Each raises a ProviderError."""

    async def save(self, key: str, content: bytes, content_type: str) -> str:
        """Keep a document, whole or not at all; SHA-256 (hexadecimal) of what lies under the key then.

        Where something lies there already it stays, and its digest tells whether it is the same.
        """
        ...

    async def save_file(self, key: str, path: Path, content_type: str) -> str:
        """The same for a file of this machine, however large: it is never in memory whole."""
        ...

    async def load(self, key: str) -> bytes:
        """A document, whole. Raises Gone where there is none."""
        ...

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """A document in pieces, never in memory whole. Raises Gone where there is none."""
        ...

    async def digest(self, key: str) -> str | None:
        """SHA-256 (hexadecimal) of a document, None where there is none."""
        ...

    async def link(self, key: str, *, filename: str, content_type: str, life: timedelta) -> str | None:
        """An address that shows the document to whoever has it, for `life`; None where the store serves nobody.

        `filename` is plain ASCII.
        """
        ...

    async def path(self, key: str) -> Path | None:
        """The file that a document is on this machine; None where it is elsewhere. Raises Gone where there is none."""
        return None

    async def discard(self, key: str) -> None:
        """Delete what was made to be fetched once, if it is there; a store that deletes nothing has rules of its own
        for that."""
        return None

    async def delete(self, key: str) -> None:
        """Delete what must not stay; what is not there is fine. Raises Disconnected where it may not."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        return None


class EventStatus(Enum):
    """RFC 5545 3.8.1.11."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELLED = "CANCELLED"


class Participation(Enum):
    """What an attendee answered (RFC 5545 3.2.12)."""

    NEEDS_ACTION = "NEEDS_ACTION"
    DECLINED = "DECLINED"
    TENTATIVE = "TENTATIVE"
    ACCEPTED = "ACCEPTED"


@dataclass(frozen=True)
class Attendee:
    email: str
    name: str | None = None
    participation: Participation = Participation.NEEDS_ACTION


@dataclass(frozen=True)
class RemoteCalendar:
    """A calendar that the credentials see. `time_zone`: IANA's name, in which its all-day events are days."""

    id: str
    name: str
    time_zone: str
    writable: bool
    primary: bool


@dataclass(frozen=True)
class OutgoingEvent:
    """One of our appointments, as it should stand in a calendar.

    `id` is ours, so that inserting twice is once: base32hex in lower case (0–9, a–v), 5 to 1024 characters, never
    used for anything else. `sequence` is the appointment's (RFC 5545 3.8.7.4). Times are aware.
    """

    id: str
    appointment_id: UUID
    sequence: int
    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    description: str = ""
    location: str | None = None
    attendees: tuple[Attendee, ...] = ()
    wants_meet: bool = False


class Period(NamedTuple):
    """From, up to but without; aware."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class RemoteEvent:
    """An event as it stands there; of a recurring one, one occurrence.

    It has `starts_at` and `ends_at` (aware), or `starts_on` and `ends_on` (the day after the last) where it lasts whole
    days, or neither: of one that is cancelled there may be nothing but its id. `transparent`: it occupies nobody;
    `declined`: whose calendar it is will not come. `appointment_id` and `sequence` are those of the OutgoingEvent that
    it was pushed as, None for foreign events. `meet_pending`: the link is being made, read the event again.
    """

    id: str
    etag: str
    status: EventStatus
    updated: datetime | None = None
    title: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    transparent: bool = False
    declined: bool = False
    attendees: tuple[Attendee, ...] = ()
    meet_url: str | None = None
    meet_pending: bool = False
    link: str | None = None
    appointment_id: UUID | None = None
    sequence: int | None = None

    def period(self, time_zone: str) -> Period | None:
        """When it is, its days being those of `time_zone` (the calendar's); None where it does not say."""
        if self.starts_at and self.ends_at:
            return Period(self.starts_at, self.ends_at)
        if self.starts_on and self.ends_on:
            zone = ZoneInfo(time_zone)
            return Period(*(datetime.combine(day, time.min, zone) for day in (self.starts_on, self.ends_on)))
        return None

    @property
    def occupies(self) -> bool:
        """Whether whose calendar it is has no time for anything else."""
        return self.status is not EventStatus.CANCELLED and not self.transparent and not self.declined


class Pushed(NamedTuple):
    """`invited`: whether attendees stand on the event. Where not, they have to be told by us."""

    event: RemoteEvent
    invited: bool


class ChangesPage(NamedTuple):
    """Of what changed, cancelled events included: either there is a next page, or the token for the next time.

    `time_zone`: the calendar's, in which its all-day events are days.
    """

    events: list[RemoteEvent]
    time_zone: str
    next_page_token: str | None
    next_sync_token: str | None


class Calendar(Protocol):
    """Calendars outside that show our appointments and say when people are busy. Each raises a ProviderError."""

    async def list_calendars(self) -> list[RemoteCalendar]:
        """All that the credentials see."""
        ...

    async def add_calendar(self, id: str) -> RemoteCalendar:
        """One that was shared with the credentials, by its address: from now on they see it. Raises Gone for none."""
        ...

    async def event(self, calendar_id: str, id: str) -> RemoteEvent:
        """One event, a cancelled one too. Raises Gone where there never was one, or no such calendar."""
        ...

    async def insert(self, calendar_id: str, event: OutgoingEvent) -> Pushed:
        """Put an event there; where it stands already, as it stands: maybe changed since, or cancelled.

        Raises Gone where there is no such calendar.
        """
        ...

    async def patch(self, calendar_id: str, event: OutgoingEvent, *, etag: str | None = None) -> Pushed:
        """Make an event what it should be, a cancelled one too; attendees keep what they answered.

        Raises Changed where it is not that of `etag` any more, Gone where there is no such event or calendar.
        """
        ...

    async def cancel(self, calendar_id: str, id: str, *, etag: str | None = None) -> None:
        """Cancel an event; one that is gone already is fine. Raises Changed as `patch` does."""
        ...

    async def changes(
        self,
        calendar_id: str,
        *,
        since: datetime,
        until: datetime | None = None,
        sync_token: str | None = None,
        page_token: str | None = None,
    ) -> ChangesPage:
        """One page of all events between `since` and `until`; with a sync token, of what changed since that was given.

        Recurring events come as their occurrences. The next page is asked for with the same arguments and its token.
        `since` and `until` count only without a sync token, which remembers them. Raises SyncExpired for a
        token that is too old (begin again without), Gone where there is no such calendar.
        """
        ...

    async def free_busy(
        self, calendar_ids: Sequence[str], starts_at: datetime, ends_at: datetime
    ) -> Mapping[str, list[Period] | None]:
        """When each calendar is busy, in order, merged; None for one that cannot be read."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        return None
