"""Feeds of a person's appointments, which any calendar subscribes to by a secret address (`/calendars/{token}.ics`).

The token is random, 256 bits, one at a time for a person; its hash is kept. A feed says what its reader needs to come
prepared, and of clients no more than a first name and a letter.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from tortoise.expressions import Q

from errors import Limited
from models import Appointment, AppointmentStatus, BookingStatus, CalendarFeed, Staff
from models.database import fetch, query
from services import booking_letters, calendar_files, limits
from services.access_keys import NOTED_EVERY, hash_of
from services.buckets import Charge, Rate
from services.calendar_files import Entry, Party
from services.outside import outside

BEFORE, AHEAD = timedelta(days=31), timedelta(days=366)
ENTRIES_MOST = 5000  # about 2 MB

_BYTES = 32
_RATES = (Rate(30, 60), Rate(300, 3600))  # of one feed; calendars ask once an hour, several people's more often
_FROM_ADDRESS = Rate(120, 60)  # of tokens, good or not


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar file; by what it is known to be the same (ETag, RFC 9110 8.8.3), and since when it is, to the second
    (Last-Modified, 8.8.2)."""

    content: bytes
    etag: str
    changed_at: datetime

    def is_known(self, if_none_match: str | None, if_modified_since: str | None) -> bool:
        """Whether who asks has it already, by RFC 9110 13.1.2 and, where that says nothing, 13.1.3."""
        if if_none_match is not None:
            return if_none_match.strip() == "*" or self.etag in re.findall(r'"[^"]*"', if_none_match)
        since = _moment(if_modified_since)
        return since is not None and self.changed_at <= since


async def create(staff: Staff) -> tuple[CalendarFeed, str]:
    """(what is kept of it, its address), in place of the one before, which is good for nothing from now on. The staff
    row is locked by the caller."""
    await CalendarFeed.filter(staff_id=staff.id, revoked_at=None).update(revoked_at=datetime.now(UTC))
    token = secrets.token_hex(_BYTES)
    feed = await CalendarFeed.create(organization_id=staff.organization_id, staff=staff, token_hash=hash_of(token))
    return feed, f"{outside().settings.app_url}/calendars/{token}.ics"


async def revoke(feed: CalendarFeed) -> CalendarFeed:
    """Good for nothing from now on; when that began stays."""
    feed.revoked_at = feed.revoked_at or datetime.now(UTC)
    await feed.save(update_fields=["revoked_at"])
    return feed


async def opened(token: str, address: str | None) -> Feed | None:
    """What a calendar is told that asks from an address; None where the token is not, or no longer, good: those of
    people who left are not. Raises Limited for who asks too often."""
    await _spend(f"limit:calendars:{limits.place(address)}", _FROM_ADDRESS)
    found = await fetch(_FIND, hash_of(token)) if re.fullmatch(f"[0-9a-f]{{{2 * _BYTES}}}", token) else []
    if not found:
        return None
    feed_id: UUID = found[0]["id"]
    await _spend(f"limit:calendar:{feed_id}", *_RATES)
    await _note(feed_id)
    staff = await Staff.get(id=found[0]["staff_id"]).prefetch_related("organization")
    content = calendar_files.feed(f"{staff.display_name} – {staff.organization.brand_name}", await _entries(staff))
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Feed(content, etag, await _since(feed_id, etag))


_FIND = """
SELECT calendar_feeds.id, calendar_feeds.staff_id FROM calendar_feeds JOIN staff ON staff.id = calendar_feeds.staff_id
LEFT JOIN memberships ON memberships.id = staff.membership_id
WHERE token_hash = $1 AND revoked_at IS NULL AND coalesce(memberships.active, true)
"""


async def _spend(bucket: str, *rates: Rate) -> None:
    charges = [Charge(f"{bucket}:{rate.seconds}", rate, 1) for rate in rates]
    if wait := await outside().buckets.take(charges):
        raise Limited("This calendar is asked for too often.", retry_after=int(wait) + 1)


async def _note(feed_id: UUID) -> None:
    """To the hour, so that reading it writes nothing most of the time."""
    now = datetime.now(UTC)
    due = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
    await CalendarFeed.filter(due, id=feed_id).update(last_used_at=now)


async def _since(feed_id: UUID, etag: str) -> datetime:
    """Since when it says this, as far as anybody asked. Of what changes twice within a second the later is a second
    younger: HTTP dates know no less."""
    await query(_CHANGED, feed_id, etag)
    feed = await CalendarFeed.get(id=feed_id)
    assert feed.changed_at
    return feed.changed_at.astimezone(UTC)


_CHANGED = """
UPDATE calendar_feeds SET etag = $2,
    changed_at = greatest(date_trunc('second', now()), changed_at + interval '1 second')
WHERE id = $1 AND etag IS DISTINCT FROM $2
"""


def _moment(date: str | None) -> datetime | None:
    """An HTTP date; None for what is none, which then counts for nothing."""
    try:
        at = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC)


async def _entries(staff: Staff) -> list[Entry]:
    now = datetime.now(UTC)
    held = Appointment.filter(
        staff_id=staff.id, status=AppointmentStatus.ACTIVE, ends_at__gt=now - BEFORE, starts_at__lt=now + AHEAD
    )
    nearest = await held.order_by("starts_at", "id").limit(ENTRIES_MOST).prefetch_related("service", "bookings")
    organizer = Party(staff.organization.brand_name, staff.organization.contact_email)
    return [_entry(appointment, organizer) for appointment in nearest if _expected(appointment)]


def _entry(appointment: Appointment, organizer: Party) -> Entry:
    return Entry(
        uid=booking_letters.uid(appointment), sequence=appointment.sequence, stamp=appointment.created_at,
        starts_at=appointment.starts_at, ends_at=appointment.ends_at, summary=_summary(appointment),
        location=appointment.location, meet_url=appointment.meet_url, organizer=organizer,
    )  # fmt: skip


def _summary(appointment: Appointment) -> str:
    expected = _expected(appointment)
    who = f"{len(expected)}/{appointment.capacity}" if appointment.capacity > 1 else _short(expected[0])
    return f"{appointment.service.name} – {who}" if who else appointment.service.name


def _expected(appointment: Appointment) -> list[str]:
    stands = (BookingStatus.CONFIRMED, BookingStatus.COMPLETED)
    return [booking.attendee_name for booking in appointment.bookings if booking.status in stands]


def _short(name: str) -> str:
    """`Jean Dupont` is `Jean D.`; of who is known by an address alone nothing is said."""
    first, *others = name.split()
    if "@" in name:
        return ""
    return f"{first} {others[-1][0]}." if others else first
