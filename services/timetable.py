"""Which times of somebody's can be booked: computed in whole seconds since 1970, without a database.

Hours are said by the wall clock of the person's own zone, and somebody works at every moment at which that clock shows
one of them. So where a clock is put forward the hour that it skips is not worked, and nothing begins in it; where it is
put back the doubled hour is worked twice, and what begins in it is listed once for each of the two moments. Slots begin
at steps from the beginning of the hours by that clock, last as long as the service does by any clock, and end within
the hours; buffers are kept free, and may lie outside of them.

Of a day what is most particular counts alone: the person's own exceptions, else everybody's, else a public holiday,
else the weekly hours. Of a day that is closed the weekly hours are still listed, as taken.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from models.fields import Coded

DAY, MINUTE = 86_400, 60  # seconds
EPOCH = date(1970, 1, 1).toordinal()

Span = tuple[int, int]  # from a second until before another
Minutes = tuple[int, int]  # the same in minutes after midnight, by the wall clock


class SlotReason(Coded):
    """Why a slot cannot be booked; of several the one that is named first."""

    TOO_SOON = "TOO_SOON", "It has begun, or begins sooner than the service's notice"
    TOO_FAR = "TOO_FAR", "It is further ahead than the service is booked"
    HOLIDAY = "HOLIDAY", "It is a public holiday"
    CLOSED = "CLOSED", "Nobody works on that day"
    FULL = "FULL", "All places of the group are taken"
    BOOKED = "BOOKED", "There is an appointment"
    BUSY = "BUSY", "Somebody is busy with something else"
    RESOURCE_TAKEN = "RESOURCE_TAKEN", "Every room or device that it takes is in use"


@dataclass(frozen=True)
class Terms:
    """What a service asks, in seconds; it begins from `earliest` on, to `latest`."""

    duration: int
    step: int
    earliest: int
    latest: int
    before: int = 0
    after: int = 0


class Taken:
    """Times that are taken: what overlaps or touches is one."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.begins: list[int] = []
        self.ends: list[int] = []
        for begin, end in sorted(spans):
            if self.ends and begin <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], end)
            else:
                self.begins.append(begin)
                self.ends.append(end)

    def meets(self, begin: int, end: int) -> bool:
        """Whether any of it is within that time."""
        place = bisect_right(self.ends, begin)
        return place < len(self.begins) and self.begins[place] < end

    def holds(self, begin: int, end: int) -> bool:
        """Whether all of that time is within it."""
        place = bisect_right(self.begins, begin) - 1
        return place >= 0 and end <= self.ends[place]


class Exceptional(NamedTuple):
    """Days, of the calendar, that are not as each week: with other hours, or closed (None)."""

    first: date
    last: date
    minutes: Minutes | None


class Group(NamedTuple):
    """An appointment of the service that takes several clients."""

    ends: int
    places: int  # that are left


@dataclass
class Person:
    """Somebody who gives the service, with all that is known of their time."""

    zone: ZoneInfo
    weekly: Mapping[int, Sequence[Minutes]]  # by ISO weekday
    own: Sequence[Exceptional] = ()
    house: Sequence[Exceptional] = ()
    holidays: frozenset[date] = frozenset()
    booked: Taken = field(default_factory=lambda: Taken(()))
    busy: Taken = field(default_factory=lambda: Taken(()))
    groups: Mapping[int, Group] = field(default_factory=dict)  # by their beginning


class Slot(NamedTuple):
    """A time at which the service could be given; `places` are those left, `reason` is null where it can be booked."""

    begins: int
    ends: int
    places: int
    reason: SlotReason | None


def slots(person: Person, terms: Terms, capacity: int, window: Span, rooms: Sequence[Taken] | None) -> list[Slot]:
    """Those that begin within the window, in order; of `rooms` one has to be free, None needs none."""
    possible = _beginnings(person, terms, window)
    in_window = {begin: None for begin in person.groups if window[0] <= begin < window[1]}
    return [_slot(person, terms, capacity, begin, possible.get(begin), rooms) for begin in sorted(possible | in_window)]


def working(person: Person, window: Span) -> Taken:
    """The times within the window at which they work."""
    return Taken((begin, end) for begin, end, _, closed in _hours(person, window) if closed is None)


def day_of(person: Person, day: date) -> tuple[Sequence[Minutes], SlotReason | None]:
    """The hours of a day by the calendar, and why they are not worked, where they are not."""
    weekly = person.weekly.get(day.isoweekday(), ())
    for exceptions in (person.own, person.house):
        here = [each for each in exceptions if each.first <= day <= each.last]
        if any(each.minutes is None for each in here):
            return weekly, SlotReason.CLOSED
        if here:
            return [each.minutes for each in here if each.minutes], None
    return weekly, SlotReason.HOLIDAY if day in person.holidays else None


def _slot(
    person: Person, terms: Terms, capacity: int, begin: int, closed: SlotReason | None, rooms: Sequence[Taken] | None
) -> Slot:
    group = person.groups.get(begin)
    end, places = (group.ends, group.places) if group else (begin + terms.duration, capacity)
    reason: SlotReason | None = None
    if begin < terms.earliest:
        reason = SlotReason.TOO_SOON
    elif begin > terms.latest:
        reason = SlotReason.TOO_FAR
    elif group:
        reason = None if group.places else SlotReason.FULL
    elif closed:
        reason = closed
    else:
        occupied = begin - terms.before, end + terms.after
        if person.booked.meets(*occupied):
            reason = SlotReason.BOOKED
        elif person.busy.meets(*occupied):
            reason = SlotReason.BUSY
        elif rooms is not None and all(room.meets(*occupied) for room in rooms):
            reason = SlotReason.RESOURCE_TAKEN
    return Slot(begin, end, 0 if reason else places, reason)


def _beginnings(person: Person, terms: Terms, window: Span) -> dict[int, SlotReason | None]:
    """When slots begin, each with why its hours are not worked; hours that are worked come first."""
    hours = list(_hours(person, (window[0] - DAY, window[1] + terms.duration + DAY)))
    found: dict[int, SlotReason | None] = {}
    for reason in (SlotReason.HOLIDAY, SlotReason.CLOSED, None):
        of_reason = [each for each in hours if each[3] is reason]
        whole = Taken((begin, end) for begin, end, _, _ in of_reason)
        for begin, end, anchor, _ in of_reason:
            first = max(begin, window[0])
            first += (anchor - first) % terms.step
            for at in range(first, min(end, window[1]), terms.step):
                if whole.holds(at, at + terms.duration):
                    found[at] = reason
    return found


def _hours(person: Person, window: Span) -> Iterator[tuple[int, int, int, SlotReason | None]]:
    """(from, until, where steps are counted from, why it is not worked) of the hours within the window, cut where the
    clock is put forward or back."""
    days: dict[int, tuple[Sequence[Minutes], SlotReason | None]] = {}
    for since, until, offset in _offsets(person.zone, window):
        for number in range((since + offset) // DAY, (until - 1 + offset) // DAY + 1):
            if number not in days:
                days[number] = day_of(person, date.fromordinal(EPOCH + number))
            midnight = number * DAY - offset
            for starts_minute, ends_minute in days[number][0]:
                anchor = midnight + starts_minute * MINUTE
                begin, end = max(anchor, since), min(midnight + ends_minute * MINUTE, until)
                if begin < end:
                    yield begin, end, anchor, days[number][1]


def _offsets(zone: ZoneInfo, window: Span) -> Iterator[tuple[int, int, int]]:
    """(from, until, offset from UTC) over the window. No zone changes its clock twice within a day."""
    since, offset = window[0], _offset(zone, window[0])
    for at in range(window[0], window[1], DAY):
        until = min(at + DAY, window[1])
        after = _offset(zone, until)
        if after != offset:
            changes = _first(zone, offset, at, until)
            yield since, changes, offset
            since, offset = changes, after
    if since < window[1]:
        yield since, window[1], offset


def _first(zone: ZoneInfo, offset: int, before: int, after: int) -> int:
    """The second at which the offset is another; halved until it is found."""
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
    return after


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds())
