"""Events listed: pages, and tokens for what changed since. https://developers.google.com/workspace/calendar/api/guides/sync"""

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from sandbox import google_series as series
from sandbox.google_books import GoogleBooks, Json, moment, occupies, zone
from sandbox.google_errors import GoogleError, full_sync_required, invalid

DEFAULT_PAGE, LARGEST_PAGE = 250, 2500
NOT_WITH_A_TOKEN = ("iCalUID", "orderBy", "privateExtendedProperty", "q", "timeMin", "timeMax", "updatedMin")
OLDEST_UPDATE = timedelta(days=28)
ALWAYS = ("kind", "id", "etag", "status", "recurringEventId", "originalStartTime")


def page(books: GoogleBooks, calendar: Json, asked: dict[str, str], role: str) -> Json:
    """One page of a calendar's events. Raises GoogleError: 410 for a sync token that expired.

    Pages go by id, each token with the last one given, so that what is written meanwhile makes none be left out; and
    the sync token is of the first page's time, so that it comes with the next changes.
    """
    since, window, version, after = _position(books, calendar, asked)
    items = _items(books, calendar, asked, since, window)
    size = min(_number(asked.get("maxResults", str(DEFAULT_PAGE))), LARGEST_PAGE)
    by_start = asked.get("orderBy") == "startTime"
    if by_start and asked.get("singleEvents") != "true":
        raise invalid("The requested ordering is not available for the particular query.")
    ordered = sorted(((_key(each, calendar, by_start), each) for each in items), key=itemgetter(0))
    left = [pair for pair in ordered if after is None or pair[0] > after]
    shown, more = left[:size], len(left) > size
    token: Json = {"c": calendar["id"], "v": version, "w": window, "s": since}
    answer: Json = {
        "kind": "calendar#events",
        "etag": f'"p{calendar["version"]}"',
        "summary": calendar["summary"],
        "updated": books.now.isoformat(),
        "timeZone": calendar["timeZone"],
        "accessRole": role,
        "defaultReminders": [],
        "items": [_shown(each, asked) for _, each in shown],
    }
    if more:
        answer["nextPageToken"] = _sealed(token | {"after": shown[-1][0]})
    elif not by_start:
        answer["nextSyncToken"] = _sealed({"c": calendar["id"], "v": version, "w": window})
    return answer


def between(books: GoogleBooks, calendar: Json, since: datetime, until: datetime) -> list[Json]:
    """What is not cancelled in that time, each occurrence by itself."""
    return list(_items(books, calendar, {"singleEvents": "true"}, None, [since.isoformat(), until.isoformat()]))


def busy(books: GoogleBooks, calendar: Json, since: datetime, until: datetime) -> list[Json]:
    """When whose calendar it is is busy, merged."""
    merged: list[list[datetime]] = []
    taken = [each for each in between(books, calendar, since, until) if occupies(each)]
    days_in = zone(calendar)
    for starts, ends in sorted((moment(each["start"], days_in), moment(each["end"], days_in)) for each in taken):
        if merged and starts <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], ends)
        else:
            merged.append([max(starts, since), ends])
    return [{"start": _utc(starts), "end": _utc(min(ends, until))} for starts, ends in merged]


def _position(books: GoogleBooks, calendar: Json, asked: dict[str, str]) -> tuple[int | None, list[Any], int, Any]:
    """Changes since which, the window, the change that the next token is of, and the last one of the page before."""
    if "syncToken" in asked and any(name in asked for name in NOT_WITH_A_TOKEN):
        raise invalid("Sync token cannot be used together with other parameters that restrict the list.")
    version = calendar["version"]
    if "pageToken" in asked:
        token = _opened(asked["pageToken"], calendar)
        return token["s"], token["w"], token["v"], token.get("after")
    if "syncToken" in asked:
        token = _opened(asked["syncToken"], calendar)
        if token["v"] < calendar["floor"]:
            raise full_sync_required()
        return token["v"], token["w"], version, None
    return None, [_time(asked.get("timeMin")), _time(asked.get("timeMax"))], version, None


def _items(
    books: GoogleBooks, calendar: Json, asked: dict[str, str], since: int | None, window: list[Any]
) -> Iterable[Json]:
    """Of what changed everything is shown, cancelled ones too; occurrences as far as the window goes."""
    events = books.events(calendar["id"], since or 0)
    single, cancelled = asked.get("singleEvents") == "true", since is not None or asked.get("showDeleted") == "true"
    earliest = _updated_min(books, asked)
    starts, ends = _window(books, window)
    for event in events:
        if single and "recurrence" in event:
            if event["status"] != "cancelled":
                yield from series.occurrences(books, calendar, event, starts, ends)
        elif _is_shown(event, cancelled or earliest is not None, earliest) and (
            since is not None or _is_within(event, calendar, window)
        ):
            yield event


def _is_shown(event: Json, cancelled: bool, earliest: datetime | None) -> bool:
    if event["status"] == "cancelled" and not cancelled:
        return False
    return earliest is None or datetime.fromisoformat(event["updated"]) >= earliest


def _is_within(event: Json, calendar: Json, window: list[Any]) -> bool:
    since, until = (datetime.fromisoformat(each) if each else None for each in window)
    starts, ends = (moment(event[name], zone(calendar)) for name in ("start", "end"))
    return (since is None or ends > since) and (until is None or starts < until)


def _window(books: GoogleBooks, window: list[Any]) -> tuple[datetime, datetime]:
    since, until = (datetime.fromisoformat(each) if each else None for each in window)
    return since or books.now - series.BEFORE, until or books.now + series.AHEAD


def _updated_min(books: GoogleBooks, asked: dict[str, str]) -> datetime | None:
    earliest = _time(asked.get("updatedMin"))
    if earliest is None:
        return None
    at = datetime.fromisoformat(earliest)
    if at < books.now - OLDEST_UPDATE:
        message = "The requested minimum modification time lies too far in the past."
        raise GoogleError(410, "updatedMinTooLongAgo", message, domain="calendar")
    return at


def _shown(event: Json, asked: dict[str, str]) -> Json:
    """Of one that is cancelled little is left; of many attendees only whose calendar it is."""
    if event["status"] == "cancelled":
        return {name: event[name] for name in ALWAYS if name in event}
    attendees, most = event.get("attendees", []), int(asked.get("maxAttendees", "10000"))
    if len(attendees) <= most:
        return event
    return event | {"attendees": [each for each in attendees if each.get("self")], "attendeesOmitted": True}


def _key(event: Json, calendar: Json, by_start: bool) -> list[str]:
    return [_utc(moment(event["start"], zone(calendar))), event["id"]] if by_start else [event["id"]]


def _time(text: str | None) -> str | None:
    """RFC 3339, with an offset. Raises GoogleError."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid("Bad Request", "badRequest") from None
    if at.tzinfo is None:
        raise invalid("Bad Request", "badRequest")
    return text


def _number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise invalid(f"Invalid integer value: '{text}'.", "invalidParameter")
    return int(text)


def _sealed(token: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode()


def _opened(token: str, calendar: Json) -> Json:
    """Raises GoogleError for what was never given, or for another calendar."""
    try:
        opened: Json = json.loads(base64.urlsafe_b64decode(token))
        if opened["c"] == calendar["id"]:
            return opened
    except (binascii.Error, ValueError, KeyError, TypeError):
        pass
    raise invalid("Invalid sync token value.")


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
