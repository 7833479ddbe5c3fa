"""Recurring events: their occurrences by RFC 5545's rules, each an event of its own once it is changed.

https://developers.google.com/workspace/calendar/api/guides/recurringevents
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from sandbox.google_books import GoogleBooks, Json, moment, zone
from sandbox.google_errors import invalid

MOST = 4_000  # occurrences of a series
BEFORE, AHEAD = timedelta(days=366), timedelta(days=731)  # how far they are looked at where nothing else is said
OWN = ("recurrence", "etag", "updated", "id", "start", "end")


def check(recurrence: list[str], start: Json, days_in: ZoneInfo) -> None:
    """Raises GoogleError for lines that are no recurrence."""
    if not isinstance(recurrence, list) or not all(isinstance(line, str) for line in recurrence):
        raise invalid("Invalid recurrence rule.")
    list(_starts(recurrence, start, days_in, moment(start, days_in) + AHEAD))


def occurrences(books: GoogleBooks, calendar: Json, series: Json, since: datetime, until: datetime) -> list[Json]:
    """Those of a series in that time that nobody changed: changed ones are events of their own."""
    within = [
        each
        for each in _all(books, calendar, series)
        if moment(each["end"], zone(calendar)) > since and moment(each["start"], zone(calendar)) < until
    ]
    return [each for each in within if books.stored(calendar["id"], each["id"]) is None]


def occurrence(books: GoogleBooks, calendar: Json, id: str) -> Json | None:
    """One that nobody changed, by its id: the series' and when it was to be."""
    series = books.stored(calendar["id"], id.rpartition("_")[0])
    if series is None or "recurrence" not in series:
        return None
    return next((each for each in _all(books, calendar, series) if each["id"] == id), None)


def drop_vanished(books: GoogleBooks, calendar: Json, before: Json, after: Json) -> None:
    """Cancel the occurrences that a series had and has no more, so that who syncs is told of them."""
    stay = {each["id"] for each in _all(books, calendar, after)} if "recurrence" in after else set()
    for each in _all(books, calendar, before):
        if each["id"] not in stay:
            books.keep(calendar["id"], each | {"status": "cancelled"})


def _all(books: GoogleBooks, calendar: Json, series: Json) -> list[Json]:
    """As far as anybody looks ahead: a series need not end."""
    days_in = zone(calendar)
    start, end = moment(series["start"], days_in), moment(series["end"], days_in)
    days = "date" in series["start"]
    lasts = timedelta(days=(end.date() - start.date()).days) if days else end.astimezone(UTC) - start.astimezone(UTC)
    starts = _starts(series["recurrence"], series["start"], days_in, max(books.now, start) + AHEAD)
    return [
        _occurrence(series, at, at + lasts if days else (at.astimezone(UTC) + lasts).astimezone(at.tzinfo))
        for at in islice(starts, MOST)
    ]


def _occurrence(series: Json, starts: datetime, ends: datetime) -> Json:
    if "date" in series["start"]:
        start, end = {"date": starts.date().isoformat()}, {"date": ends.date().isoformat()}
        mark = starts.strftime("%Y%m%d")
    else:
        name = series["start"].get("timeZone")
        start, end = ({"dateTime": each.isoformat()} | ({"timeZone": name} if name else {}) for each in (starts, ends))
        mark = starts.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return {name: value for name, value in series.items() if name not in OWN} | {
        "id": f"{series['id']}_{mark}",
        "etag": series["etag"],
        "updated": series["updated"],
        "start": start,
        "end": end,
        "recurringEventId": series["id"],
        "originalStartTime": start,
    }


def _starts(recurrence: list[str], start: Json, days_in: ZoneInfo, until: datetime) -> Iterator[datetime]:
    """By the clock on the wall where the event is, whatever daylight saving does. Raises GoogleError."""
    own = ZoneInfo(start.get("timeZone") or days_in.key)
    first = moment(start, days_in).astimezone(own)
    rules = [line for line in recurrence if line.upper().startswith("RRULE:")]
    excluded, added = _dates(recurrence, "EXDATE", own), _dates(recurrence, "RDATE", own)
    try:
        ruled = rrulestr("\n".join(rules), dtstart=first) if rules else [first]
        starts = {*added, *islice(takewhile(lambda at: at < until, ruled), MOST)}
        yield from sorted(starts - excluded)
    except (ValueError, TypeError) as error:
        raise invalid("Invalid recurrence rule.") from error


def _dates(recurrence: list[str], name: str, days_in: ZoneInfo) -> set[datetime]:
    """Of `EXDATE;TZID=Europe/Paris:20261201T100000,…` and its like."""
    found = set()
    for line in recurrence:
        head, _, values = line.partition(":")
        kind, *parameters = head.split(";")
        if kind.upper() != name:
            continue
        given = next((each.partition("=")[2] for each in parameters if each.upper().startswith("TZID=")), None)
        found |= {_date(value, ZoneInfo(given) if given else days_in) for value in values.split(",")}
    return found


def _date(value: str, days_in: ZoneInfo) -> datetime:
    if "T" not in value:
        return datetime.combine(date.fromisoformat(value), time.min, days_in)
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=days_in)
