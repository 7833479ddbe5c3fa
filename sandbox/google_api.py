"""Google Calendar's API v3 over HTTP: the token, what may be asked, the answer.

https://developers.google.com/workspace/calendar/api/v3/reference
"""

import json
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import google_events as events
from sandbox import google_listing as listing
from sandbox.google_books import GoogleBooks, Json
from sandbox.google_errors import GoogleError, forbidden, invalid, not_found
from sandbox.google_events import Meet, Writer
from sandbox.google_faults import GoogleFaults
from sandbox.google_fields import masked
from sandbox.google_people import GooglePeople, Principal
from sandbox.server import HangUp

SCOPE = "https://www.googleapis.com/auth/calendar"
KEPT_REQUESTS = 1_000
ALWAYS = {"alt", "fields", "prettyPrint", "quotaUser", "key"}
LIST = {"maxResults", "pageToken", "syncToken", "showDeleted"}
WRITE = {"conferenceDataVersion", "maxAttendees", "sendNotifications", "sendUpdates", "supportsAttachments"}
ROLES = ("freeBusyReader", "reader", "writer", "owner")
MOST_BUSY = 50


class GoogleRequest(NamedTuple):
    """A request received, and how it was answered; `email` of who asked, as far as that was known."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    email: str | None
    status: int | None


class Asked(NamedTuple):
    by: Principal
    query: dict[str, str]
    body: Json
    etag: str | None
    calendar_id: str
    event_id: str


Operation = Callable[[Asked], Json | None]


class GoogleApi:
    def __init__(self, books: GoogleBooks, people: GooglePeople, faults: GoogleFaults) -> None:
        self.requests: deque[GoogleRequest] = deque(maxlen=KEPT_REQUESTS)
        self.meet = Meet()
        self._books = books
        self._people = people
        self._faults = faults
        calendars, list_, one = "/calendars", "/users/me/calendarList", "/calendars/{calendar}/events/{event}"
        self.routes = [
            self._route("GET", list_, self._list_calendars, LIST | {"minAccessRole", "showHidden"}),
            self._route("POST", list_, self._add_calendar, {"colorRgbFormat"}),
            self._route("GET", f"{list_}/{{calendar}}", self._listed_calendar, set()),
            self._route("POST", calendars, self._make_calendar, set()),
            self._route("GET", f"{calendars}/{{calendar}}", self._calendar, set()),
            self._route("GET", f"{calendars}/{{calendar}}/events", self._list_events, LIST | EVENTS),
            self._route("POST", f"{calendars}/{{calendar}}/events", self._insert, WRITE),
            self._route("GET", one, self._get, {"maxAttendees", "timeZone"}),
            self._route("PATCH", one, self._patch, WRITE),
            self._route("DELETE", one, self._delete, {"sendNotifications", "sendUpdates"}),
            self._route("POST", "/freeBusy", self._free_busy, set()),
            Route("/calendar/v3/{rest:path}", self._unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    def _route(self, method: str, path: str, operation: Operation, accepts: set[str]) -> Route:
        return Route(f"/calendar/v3{path}", partial(self._answer, operation, accepts), methods=[method])

    async def _answer(self, operation: Operation, accepts: set[str], request: Request) -> Response:
        query, body, by = dict(request.query_params), await request.body(), None
        fault = self._faults.take(request.url.path)
        try:
            given = _read(body)
            by = self._people.principal(request.headers.get("authorization", ""))
            if fault:
                await fault.strike()
            answer = self._carried_out(operation, accepts, request, query, given, by)
            response = _response(answer)
        except GoogleError as error:
            response = JSONResponse(error.body(), error.status, error.headers)
        hung_up = fault is not None and fault.status is None
        status = None if hung_up else response.status_code
        shown = json.loads(body) if body and body.strip()[:1] == b"{" else None
        self.requests.append(
            GoogleRequest(request.method, request.url.path, query, shown, by.email if by else None, status)
        )
        return HangUp() if hung_up else response

    def _carried_out(
        self,
        operation: Operation,
        accepts: set[str],
        request: Request,
        query: dict[str, str],
        given: Json,
        by: Principal,
    ) -> Json | None:
        unknown = set(query) - accepts - ALWAYS
        if unknown:
            raise invalid(f"Unknown name: {min(unknown)}", "badRequest")
        if not any(scope.startswith(SCOPE) for scope in by.scopes):
            raise GoogleError(403, "insufficientPermissions", "Insufficient Permission")
        calendar_id = request.path_params.get("calendar", "")
        asked = Asked(
            by,
            query,
            given,
            request.headers.get("if-match"),
            by.email if calendar_id == "primary" else calendar_id,
            request.path_params.get("event", ""),
        )
        with self._books.store.transaction():
            answer = operation(asked)
        return masked(answer, query["fields"]) if answer is not None and "fields" in query else answer

    async def _unknown(self, request: Request) -> Response:
        error = not_found()
        return JSONResponse(error.body(), error.status)

    def _list_calendars(self, asked: Asked) -> Json:
        least = ROLES.index(asked.query.get("minAccessRole", "freeBusyReader"))
        found = [each for each in self._books.calendars() if _is_listed(each, asked.by)]
        items = [_entry(each, asked.by) for each in found if ROLES.index(_role(each, asked.by) or "") >= least]
        size, first = int(asked.query.get("maxResults", "100")), int(asked.query.get("pageToken", "0"))
        more = {"nextPageToken": str(first + size)} if len(items) > first + size else {"nextSyncToken": "none"}
        return {"kind": "calendar#calendarList", "etag": '"list"', "items": items[first : first + size], **more}

    def _add_calendar(self, asked: Asked) -> Json:
        calendar = self._seen(asked._replace(calendar_id=str(asked.body.get("id", ""))))
        if not _is_listed(calendar, asked.by):
            calendar["listed"].append(asked.by.email)
            self._books.keep_calendar(calendar)
        return _entry(calendar, asked.by)

    def _listed_calendar(self, asked: Asked) -> Json:
        calendar = self._seen(asked)
        if not _is_listed(calendar, asked.by):
            raise not_found()
        return _entry(calendar, asked.by)

    def _make_calendar(self, asked: Asked) -> Json:
        if not asked.body.get("summary"):
            raise GoogleError(400, "required", "Missing title.")
        id = f"{uuid.uuid4().hex}@group.calendar.google.com"
        made = new_calendar(id, asked.by.email, asked.body["summary"], asked.body.get("timeZone", "UTC"))
        self._books.keep_calendar(made)
        return _calendar(made)

    def _calendar(self, asked: Asked) -> Json:
        return _calendar(self._seen(asked))

    def _list_events(self, asked: Asked) -> Json:
        calendar = self._seen(asked)
        return listing.page(self._books, calendar, asked.query, _role(calendar, asked.by) or "")

    def _insert(self, asked: Asked) -> Json:
        return events.insert(self._books, self._written(asked), asked.body, _writer(asked), **self._conference(asked))

    def _get(self, asked: Asked) -> Json:
        return events.find(self._books, self._seen(asked), asked.event_id)

    def _patch(self, asked: Asked) -> Json:
        calendar, by = self._written(asked), _writer(asked)
        conference = self._conference(asked)
        return events.patch(self._books, calendar, asked.event_id, asked.body, by, etag=asked.etag, **conference)

    def _delete(self, asked: Asked) -> None:
        events.delete(self._books, self._written(asked), asked.event_id, asked.etag)

    def _free_busy(self, asked: Asked) -> Json:
        try:
            since, until = (datetime.fromisoformat(asked.body[name]) for name in ("timeMin", "timeMax"))
            ids = [str(each["id"]) for each in asked.body["items"]]
        except (KeyError, ValueError, TypeError):
            raise invalid("Bad Request", "badRequest") from None
        if len(ids) > MOST_BUSY:
            raise invalid("Too many calendars requested.", "tooManyCalendarsRequested")
        found = {id: self._busy(asked._replace(calendar_id=id), since, until) for id in ids}
        window = {name: asked.body[name] for name in ("timeMin", "timeMax")}
        return {"kind": "calendar#freeBusy", **window, "calendars": found}

    def _busy(self, asked: Asked, since: datetime, until: datetime) -> Json:
        try:
            return {"busy": listing.busy(self._books, self._seen(asked), since, until)}
        except GoogleError as error:
            return {"errors": [{"domain": error.domain, "reason": error.reason}], "busy": []}

    def _seen(self, asked: Asked) -> Json:
        """The calendar. Raises GoogleError where there is none, or none for who asks."""
        calendar = self._books.calendar(asked.calendar_id)
        if _role(calendar, asked.by) is None:
            raise not_found()
        return calendar

    def _written(self, asked: Asked) -> Json:
        calendar = self._seen(asked)
        if _role(calendar, asked.by) not in ("writer", "owner"):
            raise forbidden("requiredAccessLevel", "You need to have writer access to this calendar.")
        return calendar

    def _conference(self, asked: Asked) -> dict[str, Any]:
        return {"conference": asked.query.get("conferenceDataVersion") == "1", "meet": self.meet}


EVENTS = {"singleEvents", "timeMin", "timeMax", "updatedMin", "orderBy", "maxAttendees"}


def new_calendar(id: str, owner: str, name: str, time_zone: str) -> Json:
    """`version`: how many changes it had; `floor`: sync tokens of earlier ones are too old."""
    own = {"id": id, "owner": owner, "summary": name, "timeZone": time_zone}
    return own | {"shared": {}, "listed": [owner], "version": 0, "floor": 0}


def _role(calendar: Json, by: Principal) -> str | None:
    return "owner" if calendar["owner"] == by.email else calendar["shared"].get(by.email)


def _is_listed(calendar: Json, by: Principal) -> bool:
    return _role(calendar, by) is not None and by.email in calendar["listed"]


def _entry(calendar: Json, by: Principal) -> Json:
    primary = {"primary": True} if calendar["id"] == by.email else {}
    own: Json = {"accessRole": _role(calendar, by), "defaultReminders": [], "selected": True} | primary
    return _calendar(calendar) | {"kind": "calendar#calendarListEntry"} | own


def _calendar(calendar: Json) -> Json:
    own = {name: calendar[name] for name in ("id", "summary", "timeZone")}
    conferences = {"conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}}
    return {"kind": "calendar#calendar", "etag": f'"c{calendar["id"]}"', **own, **conferences}


def _writer(asked: Asked) -> Writer:
    return Writer(asked.by.email, asked.by.alone)


def _read(body: bytes) -> Json:
    try:
        given = json.loads(body) if body.strip() else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise invalid("Parse Error", "parseError")
    return given


def _response(answer: Json | None) -> Response:
    if answer is None:
        return Response(status_code=204)
    return JSONResponse(answer, headers={"ETag": answer["etag"]} if "etag" in answer else None)
