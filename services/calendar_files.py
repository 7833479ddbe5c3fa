"""Calendar files (iCalendar, RFC 5545): an appointment in a letter (iTIP, RFC 5546), and a person's feed of them.

Times are in UTC, which every calendar shows in its reader's own zone, and which no change of a zone's rules moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Conference, Event, vCalAddress, vDuration
from icalendar.enums import CUTYPE, PARTSTAT, ROLE, STATUS

CONTENT_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//Comptoir//Bookings//FR"
ALARM = timedelta(hours=1)  # before it begins, in the calendar of whoever took the file in
REFRESH = timedelta(hours=1)  # how often a feed is asked for again, where its reader listens to us


@dataclass(frozen=True, slots=True)
class Party:
    """Who comes, or who invites."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An appointment as a calendar keeps it. `uid` stays the same for its whole life, `sequence` grows by one with each
    move or cancellation, `stamp` is when this was said of it: by the two, whatever comes in the wrong order is known.
    Moments are aware; `meet_url` is where one joins online."""

    uid: str
    sequence: int
    stamp: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str | None = None
    location: str | None = None
    meet_url: str | None = None
    organizer: Party | None = None
    attendees: tuple[Party, ...] = ()


def request(entry: Entry) -> bytes:
    """What puts an appointment into a calendar, or moves it there (METHOD:REQUEST, RFC 5546 3.2.2)."""
    event = _event(entry, STATUS.CONFIRMED)
    alarm = Alarm.new(description=_plain(entry.summary))
    alarm.add("ACTION", "DISPLAY")
    alarm.add("TRIGGER", vDuration(-ALARM))
    event.add_component(alarm)
    return _written("REQUEST", event)


def cancel(entry: Entry, *, goes_on: bool = False) -> bytes:
    """What takes it out again (METHOD:CANCEL, RFC 5546 3.2.5). `goes_on`: without this attendee, who left a group; the
    event itself is not cancelled then, and says so by having no status."""
    return _written("CANCEL", _event(entry, None if goes_on else STATUS.CANCELLED))


def feed(name: str, entries: Sequence[Entry]) -> bytes:
    """A calendar that others subscribe to (METHOD:PUBLISH, RFC 5546 3.2.1, and RFC 7986). Nobody is an attendee."""
    calendar = _calendar("PUBLISH")
    calendar.add("NAME", _plain(name))
    calendar.add("REFRESH-INTERVAL", vDuration(REFRESH, params={"VALUE": "DURATION"}))
    calendar.add("X-WR-CALNAME", _plain(name))  # the two again, as Apple and Outlook know them
    calendar.add("X-PUBLISHED-TTL", vDuration(REFRESH))
    for entry in entries:
        calendar.add_component(_event(entry, STATUS.CONFIRMED))
    return bytes(calendar.to_ical())


def _written(method: str, event: Event) -> bytes:
    calendar = _calendar(method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    for name, value in (("VERSION", "2.0"), ("PRODID", PRODUCT), ("CALSCALE", "GREGORIAN"), ("METHOD", method)):
        calendar.add(name, value)
    return calendar


def _event(entry: Entry, status: STATUS | None) -> Event:
    event = Event.new(
        uid=entry.uid, sequence=entry.sequence, stamp=entry.stamp, start=entry.starts_at, end=entry.ends_at,
        summary=_plain(entry.summary), description=_plain(entry.description) if entry.description else None,
        location=_plain(entry.location or entry.meet_url or "") or None, url=entry.meet_url, status=status,
        organizer=vCalAddress.new(entry.organizer.email, cn=_plain(entry.organizer.name)) if entry.organizer else None,
        attendees=[_attendee(party) for party in entry.attendees],
    )  # fmt: skip
    if entry.meet_url:
        event.conferences = [Conference(entry.meet_url, feature="VIDEO", label="Google Meet")]
    return event


def _attendee(party: Party) -> vCalAddress:
    """Who booked it comes: nothing is asked of their calendar."""
    return vCalAddress.new(
        party.email,
        cn=_plain(party.name),
        cutype=CUTYPE.INDIVIDUAL,
        role=ROLE.REQ_PARTICIPANT,
        partstat=PARTSTAT.ACCEPTED,
        rsvp=False,
    )


def _plain(text: str) -> str:
    """Without what TEXT may not hold (RFC 5545 3.3.11): control characters, but for the ends of lines."""
    return "".join(char for char in "\n".join(text.splitlines()) if char == "\n" or char.isprintable())
