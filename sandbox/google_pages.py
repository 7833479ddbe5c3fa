"""The pages of Google's stand-in: a calendar's week, where one adds, moves and deletes; who has access; faults."""

import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.google_account import GoogleAccount
from sandbox.google_books import Json, moment, zone
from sandbox.google_errors import GoogleError
from sandbox.google_week import monday, tone, week
from sandbox.render import POLICY, page

SHIFTS = {
    "day-before": timedelta(days=-1),
    "earlier": timedelta(minutes=-30),
    "later": timedelta(minutes=30),
    "day-after": timedelta(days=1),
}
REPEATS = {"": "Does not repeat", "DAILY": "Every day", "WEEKLY": "Every week", "MONTHLY": "Every month"}
REPEATED = 20  # times
FIELDS = ("title", "starts_on", "starts_at", "ends_on", "ends_at", "shows", "repeats", "guests")


class GooglePages:
    def __init__(self, google: GoogleAccount) -> None:
        self._google = google
        at = "/google/calendars/{calendar}"
        self.routes = [
            Route("/google", self._first, methods=["GET"]),
            Route("/google/people", self._add_person, methods=["POST"]),
            Route(at, self._show, methods=["GET"]),
            Route(f"{at}/events", self._add, methods=["POST"]),
            Route(f"{at}/events/{{event}}", self._change, methods=["POST"]),
        ]

    async def _first(self, request: Request) -> Response:
        calendars = self._google.books.calendars()
        if calendars:
            return RedirectResponse(_address(calendars[0]["id"]), 303)
        return page("google_empty")

    async def _add_person(self, request: Request) -> Response:
        email = str((await request.form()).get("email", "")).strip().lower()
        if "@" not in email:
            return RedirectResponse("/google", 303)
        return RedirectResponse(_address(self._google.person(email)), 303)

    async def _show(self, request: Request) -> Response:
        return self._page(request.path_params["calendar"], dict(request.query_params))

    async def _add(self, request: Request) -> Response:
        id, typed = request.path_params["calendar"], await _typed(request)
        try:
            made = self._google.add(
                id, *_times(typed, self._zone_of(id)), typed["title"] or "(No title)", **_more(typed)
            )
        except (GoogleError, ValueError) as error:
            return self._page(id, {"week": typed["starts_on"], "new": "again"}, typed, str(error))
        return RedirectResponse(_address(id, week=typed["starts_on"], event=_first_of(made)), 303)

    async def _change(self, request: Request) -> Response:
        id, event_id = request.path_params["calendar"], request.path_params["event"]
        form = await request.form()
        what, typed = str(form.get("do")), await _typed(request)
        try:
            at = self._done(id, event_id, what, typed, {name: str(value) for name, value in form.items()})
        except (GoogleError, ValueError) as error:
            return self._page(id, {"week": typed["starts_on"], "event": event_id}, None, str(error))
        kept = {} if what.startswith("delete") else {"event": event_id}
        return RedirectResponse(_address(id, week=at, **kept), 303)

    def _done(self, id: str, event_id: str, what: str, typed: dict[str, str], form: dict[str, str]) -> str:
        """Do what a button says; gives the day to show then. Raises GoogleError and ValueError."""
        google = self._google
        event = google.event(id, event_id)
        day = str(event["start"].get("dateTime", event["start"].get("date")))[:10]
        if what in SHIFTS:
            start, end = (_shifted(event[name], SHIFTS[what]) for name in ("start", "end"))
            google.move(id, event_id, start, end)
            return start[:10]
        if what == "delete":
            google.delete(id, event_id)
        elif what == "delete-series":
            google.delete(id, event.get("recurringEventId", event_id))
        elif what == "answer":
            google.answer(id, event_id, form.get("email", ""), form.get("response", ""))
        else:
            start, end = _times(typed, self._zone_of(id))
            more = _more(typed) | {"transparency": "transparent" if typed["shows"] == "free" else "opaque"}
            google.change(id, event_id, summary=typed["title"], **more)
            google.move(id, event_id, start, end)
            return start[:10]
        return day

    def _page(
        self, id: str, query: dict[str, str], typed: dict[str, str] | None = None, problem: str | None = None
    ) -> Response:
        books = self._google.books
        calendars = books.calendars()
        calendar = next((each for each in calendars if each["id"] == id), None)
        if calendar is None:
            return page("nowhere", 404)
        today = books.now.astimezone(zone(calendar)).date()
        first = monday(_day(query.get("week", ""), today))
        nonce = secrets.token_urlsafe(12)
        response = page(
            "google_week",
            400 if problem else 200,
            calendar=calendar,
            calendars=[(each, _address(each["id"], week=str(first))) for each in calendars],
            week=week(books, calendar, first),
            now=books.now.astimezone(zone(calendar)),
            nonce=nonce,
            opened=self._opened(calendar, query.get("event")),
            new=typed or _blank(query["new"]) if "new" in query else None,
            repeats=REPEATS,
            problem=problem,
            at=lambda **more: _address(id, **{"week": str(first)} | more),
            before=_address(id, week=str(first - timedelta(days=7))),
            after=_address(id, week=str(first + timedelta(days=7))),
        )
        # The blocks' places are in a style of this page's own: nothing else may style it.
        policy = POLICY.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
        response.headers["Content-Security-Policy"] = policy
        return response

    def _opened(self, calendar: Json, event_id: str | None) -> dict[str, Any] | None:
        """The event that was chosen, as its form shows it."""
        if not event_id:
            return None
        try:
            event = self._google.event(calendar["id"], event_id)
        except GoogleError:
            return None
        starts, ends = (moment(event[name], zone(calendar)).astimezone(zone(calendar)) for name in ("start", "end"))
        days = "date" in event["start"]
        last = ends - timedelta(days=1) if days else ends
        return {
            "event": event,
            "tone": tone(event),
            "days": days,
            "starts_on": starts.date().isoformat(),
            "ends_on": last.date().isoformat(),
            "starts_at": "" if days else starts.strftime("%H:%M"),
            "ends_at": "" if days else ends.strftime("%H:%M"),
            "free": event.get("transparency") == "transparent",
            "action": f"/google/calendars/{quote(calendar['id'], safe='@')}/events/{event['id']}",
        }

    def _zone_of(self, calendar_id: str) -> Any:
        return zone(self._google.books.calendar(calendar_id))


def _address(calendar_id: str, **query: str) -> str:
    return f"/google/calendars/{quote(calendar_id, safe='@')}" + (f"?{urlencode(query)}" if query else "")


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form()
    return {name: str(form.get(name, "")).strip() for name in FIELDS}


def _times(typed: dict[str, str], days_in: Any) -> tuple[str, str]:
    """Start and end; whole days where no hour was typed. Raises ValueError."""
    try:
        first, last = date.fromisoformat(typed["starts_on"]), date.fromisoformat(typed["ends_on"] or typed["starts_on"])
    except ValueError:
        raise ValueError("Say on which day it starts.") from None
    if not typed["starts_at"] and not typed["ends_at"]:
        return first.isoformat(), (last + timedelta(days=1)).isoformat()
    if not (typed["starts_at"] and typed["ends_at"]):
        raise ValueError("Say from when and until when, or neither for whole days.")
    start, end = (
        datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=days_in)
        for day, hour in ((first, typed["starts_at"]), (last, typed["ends_at"]))
    )
    return start.isoformat(), end.isoformat()


def _more(typed: dict[str, str]) -> dict[str, Any]:
    """What else was typed that says something."""
    more: dict[str, Any] = {}
    if typed["shows"] == "free":
        more["transparency"] = "transparent"
    if typed["repeats"] in REPEATS and typed["repeats"]:
        more["recurrence"] = [f"RRULE:FREQ={typed['repeats']};COUNT={REPEATED}"]
    if typed["guests"]:
        more["attendees"] = [{"email": each.strip()} for each in typed["guests"].split(",") if each.strip()]
    return more


def _shifted(at: Json, by: timedelta) -> str:
    """By the clock on the wall; whole days by whole days only."""
    if "date" in at:
        return (
            date.fromisoformat(at["date"]) + timedelta(days=by.days if abs(by) >= timedelta(days=1) else 0)
        ).isoformat()
    return (datetime.fromisoformat(at["dateTime"]) + by).isoformat()


def _first_of(event: Json) -> str:
    """The id to show: of a series its first occurrence's."""
    if "recurrence" not in event:
        return str(event["id"])
    start = event["start"]
    if "date" in start:
        return f"{event['id']}_{start['date'].replace('-', '')}"
    at = datetime.fromisoformat(start["dateTime"]).astimezone(UTC)
    return f"{event['id']}_{at:%Y%m%dT%H%M%SZ}"


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


def _blank(at: str) -> dict[str, str]:
    """The form of a new event, an hour long from where one clicked."""
    try:
        starts = datetime.fromisoformat(at)
    except ValueError:
        return dict.fromkeys(FIELDS, "")
    ends = starts + timedelta(hours=1)
    return dict.fromkeys(FIELDS, "") | {
        "starts_on": starts.date().isoformat(),
        "starts_at": starts.strftime("%H:%M"),
        "ends_on": ends.date().isoformat(),
        "ends_at": ends.strftime("%H:%M"),
    }
