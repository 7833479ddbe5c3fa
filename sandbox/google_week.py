"""A week of a calendar as a picture: which block goes where, beside whom."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date

from sandbox import google_listing as listing
from sandbox.google_books import GoogleBooks, Json, moment, zone

OPENS, CLOSES = 8, 19  # hours that are shown at least
LEAST = 22  # minutes that a block is drawn high at least
OURS = "comptoirAppointment"


class Block(NamedTuple):
    """An event, or its part of a day. `top` and `height` in hours; `left` and `width` in hundredths of the day."""

    event: Json
    tone: str
    when: str
    top: float
    height: float
    left: float
    width: float


class Bar(NamedTuple):
    """What lasts whole days: the first and the last of them, from 0."""

    event: Json
    tone: str
    first: int
    last: int


class Day(NamedTuple):
    day: date
    name: str
    today: bool
    blocks: list[Block]


class Week(NamedTuple):
    title: str
    monday: date
    days: list[Day]
    bars: list[Bar]
    hours: range


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week(books: GoogleBooks, calendar: Json, first: date) -> Week:
    """The seven days from a Monday on."""
    days_in = zone(calendar)
    dates = [first + timedelta(days=number) for number in range(7)]
    since, until = _midnight(first, days_in), _midnight(first + timedelta(days=7), days_in)
    events = listing.between(books, calendar, since, until)
    long = [each for each in events if _is_long(each, days_in)]
    short = [each for each in events if not _is_long(each, days_in)]
    parts = {day: sorted(_parts(short, day, days_in), key=lambda part: part[1:]) for day in dates}
    opens = min([OPENS, *(int(starts) for day in parts.values() for _, starts, _ in day)])
    closes = max([CLOSES, *(-int(-ends // 1) for day in parts.values() for _, _, ends in day)])
    today = books.now.astimezone(days_in).date()
    return Week(
        title=_title(dates),
        monday=first,
        days=[
            Day(day, format_date(day, "EEE", locale="en"), day == today, list(_placed(parts[day], opens)))
            for day in dates
        ],
        bars=[_bar(each, since, days_in) for each in long],
        hours=range(opens, closes),
    )


def tone(event: Json) -> str:
    """How it looks: ours, free, declined or busy."""
    if any(each.get("self") and each.get("responseStatus") == "declined" for each in event.get("attendees", [])):
        return "declined"
    if event.get("transparency") == "transparent":
        return "free"
    return "ours" if OURS in event.get("extendedProperties", {}).get("private", {}) else "busy"


def _title(dates: list[date]) -> str:
    first, last = dates[0], dates[-1]
    if first.month == last.month:
        return format_date(first, "MMMM y", locale="en")
    return f"{format_date(first, 'MMM', locale='en')} – {format_date(last, 'MMM y', locale='en')}"


def _is_long(event: Json, days_in: ZoneInfo) -> bool:
    return moment(event["end"], days_in) - moment(event["start"], days_in) >= timedelta(days=1)


def _parts(events: Iterable[Json], day: date, days_in: ZoneInfo) -> Iterator[tuple[Json, float, float]]:
    """Of a day: each event with the hours, by the clock on the wall, from and to which it is drawn."""
    for event in events:
        starts, ends = (moment(event[name], days_in).astimezone(days_in) for name in ("start", "end"))
        if starts.date() <= day and ends > _midnight(day, days_in):
            from_hour = _hour(starts) if starts.date() == day else 0.0
            to_hour = _hour(ends) if ends.date() == day else 24.0
            yield event, from_hour, min(24.0, max(to_hour, from_hour + LEAST / 60))


def _placed(parts: list[tuple[Json, float, float]], opens: int) -> Iterator[Block]:
    """Those that overlap share the day's width."""
    together: list[tuple[Json, float, float]] = []
    for part in parts:
        if together and part[1] >= max(ends for _, _, ends in together):
            yield from _side_by_side(together, opens)
            together = []
        together.append(part)
    yield from _side_by_side(together, opens)


def _side_by_side(together: list[tuple[Json, float, float]], opens: int) -> Iterator[Block]:
    free_from: list[float] = []
    columns = []
    for _, starts, ends in together:
        column = next((number for number, at in enumerate(free_from) if at <= starts), len(free_from))
        free_from[column : column + 1] = [ends]
        columns.append(column)
    width = 100 / max(len(free_from), 1)
    for (event, starts, ends), column in zip(together, columns, strict=True):
        when = f"{_clock(starts)} – {_clock(ends)}"
        yield Block(event, tone(event), when, starts - opens, ends - starts, column * width, width)


def _bar(event: Json, since: datetime, days_in: ZoneInfo) -> Bar:
    first = (moment(event["start"], days_in).astimezone(days_in).date() - since.date()).days
    ends = moment(event["end"], days_in).astimezone(days_in) - timedelta(seconds=1)
    return Bar(event, tone(event), max(first, 0), min((ends.date() - since.date()).days, 6))


def _midnight(day: date, days_in: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, days_in)


def _hour(at: datetime) -> float:
    return at.hour + at.minute / 60


def _clock(hour: float) -> str:
    minutes = round(hour * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"
