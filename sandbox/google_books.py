"""What Google's stand-in knows: calendars, their events, each change of which has the next number of its calendar."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.google_errors import not_found
from sandbox.store import Store

Json = dict[str, Any]

ETAGS_FROM = 3_000_000_000_000_000
MOST_EVENTS = 20_000  # of a calendar, cancelled ones included


class GoogleBooks:
    """`url` is where the stand-in is, once it is known."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self.store = store
        self.clock = clock
        self.url = ""

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def calendars(self) -> list[Json]:
        return self.store.all("google_calendar")

    def calendar(self, id: str) -> Json:
        """Raises GoogleError where there is none."""
        found = self.store.get("google_calendar", id)
        if found is None:
            raise not_found()
        return found

    def keep_calendar(self, calendar: Json) -> None:
        self.store.put("google_calendar", calendar["id"], calendar)

    def events(self, calendar_id: str, since: int = 0) -> list[Json]:
        """Of a calendar, cancelled ones and exceptions of series too, that changed after the change `since`."""
        found = self.store.all(_kind(calendar_id), [("version", ">", since)] if since else [])
        return [thing["event"] for thing in found]

    def stored(self, calendar_id: str, id: str) -> Json | None:
        """An event, or an exception of a series, as it was last written."""
        found = self.store.get(_kind(calendar_id), id)
        return found["event"] if found else None

    def keep(self, calendar_id: str, event: Json) -> Json:
        """Write an event down: the calendar's next change."""
        calendar = self.calendar(calendar_id)
        calendar["version"] += 1
        self.keep_calendar(calendar)
        event |= {"etag": f'"{ETAGS_FROM + calendar["version"]}"', "updated": stamp(self.now)}
        thing = {"version": calendar["version"], "event": event}
        self.store.put(_kind(calendar_id), event["id"], thing, limit=MOST_EVENTS)
        return event


def stamp(moment: datetime) -> str:
    """`2026-11-28T09:00:00.000Z`"""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def zone(calendar: Json) -> ZoneInfo:
    return ZoneInfo(calendar["timeZone"])


def moment(at: Json, days_in: ZoneInfo) -> datetime:
    """Of an event's start or end; a day begins at midnight."""
    if "dateTime" in at:
        return datetime.fromisoformat(at["dateTime"])
    return datetime.fromisoformat(at["date"]).replace(tzinfo=days_in)


def occupies(event: Json) -> bool:
    """Whether whose calendar it is is busy then."""
    declined = any(each.get("self") and each.get("responseStatus") == "declined" for each in event.get("attendees", []))
    return event["status"] != "cancelled" and event.get("transparency") != "transparent" and not declined


def _kind(calendar_id: str) -> str:
    return f"google_event:{calendar_id}"
