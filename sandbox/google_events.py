"""Events written: made, changed, cancelled; what Google refuses of them, and the links to Meet that come with them."""

import hashlib
import re
import uuid
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox import google_series as series
from sandbox.google_books import GoogleBooks, Json, moment, stamp, zone
from sandbox.google_errors import GoogleError, forbidden, invalid, not_found

WRITABLE = {
    "summary", "description", "location", "start", "end", "status", "attendees", "recurrence", "transparency",
    "visibility", "colorId", "extendedProperties", "guestsCanSeeOtherGuests", "guestsCanInviteOthers",
    "guestsCanModify", "reminders", "source", "sequence", "anyoneCanAddSelf",
}  # fmt: skip
STATUSES = ("confirmed", "tentative", "cancelled")
ANSWERS = ("needsAction", "declined", "tentative", "accepted")
MOST_GUESTS = 300


class Writer(NamedTuple):
    """Who writes. `alone`: a service account that acts for nobody, and therefore may have no guests."""

    email: str
    alone: bool = False


class Meet(NamedTuple):
    """How conferences are made: at once or `slowly` (pending until told); whether for service accounts alone."""

    slowly: bool = False
    for_service_accounts: bool = True


def find(books: GoogleBooks, calendar: Json, id: str) -> Json:
    """An event, cancelled ones too, or an occurrence of a series. Raises GoogleError where there never was one."""
    found = books.stored(calendar["id"], id) or series.occurrence(books, calendar, id)
    if found is None:
        raise not_found()
    return found


def insert(books: GoogleBooks, calendar: Json, given: Json, by: Writer, *, conference: bool, meet: Meet) -> Json:
    """Raises GoogleError for what Google refuses: an id that was ever used, for one, is taken for good."""
    id = given.get("id") or uuid.uuid4().hex
    if not isinstance(id, str) or not re.fullmatch(r"[a-v0-9]{5,1024}", id):
        raise invalid("Invalid resource id value.")
    if books.stored(calendar["id"], id):
        raise GoogleError(409, "duplicate", "The requested identifier already exists.")
    whose = {"email": calendar["owner"]} | ({"self": True} if calendar["id"] == calendar["owner"] else {})
    event: Json = {
        "kind": "calendar#event",
        "id": id,
        "status": "confirmed",
        "htmlLink": f"{books.url}/google/calendars/{calendar['id']}?event={id}",
        "created": stamp(books.now),
        "creator": {"email": by.email},
        "organizer": whose,
        "iCalUID": f"{id}@google.com",
        "sequence": 0,
        "reminders": {"useDefault": True},
        "eventType": "default",
    }
    _set(calendar, event, given, by)
    _confer(event, given, by, conference=conference, meet=meet)
    return books.keep(calendar["id"], event)


def patch(
    books: GoogleBooks,
    calendar: Json,
    id: str,
    given: Json,
    by: Writer,
    *,
    conference: bool,
    meet: Meet,
    etag: str | None,
) -> Json:
    """Only what is given is changed; null unsets. Raises GoogleError; 412 where it is not that of `etag` any more."""
    before = find(books, calendar, id)
    check_etag(before, etag)
    event = _merged(before, given)
    _set(calendar, event, event | {name: value for name, value in given.items() if name not in ("start", "end")}, by)
    _confer(event, given, by, conference=conference, meet=meet)
    if (before["start"], before["end"]) != (event["start"], event["end"]):
        event["sequence"] = event.get("sequence", 0) + 1
    kept = books.keep(calendar["id"], event)
    if "recurrence" in before and any(before[name] != kept.get(name) for name in ("start", "end", "recurrence")):
        series.drop_vanished(books, calendar, before, kept)
    return kept


def delete(books: GoogleBooks, calendar: Json, id: str, etag: str | None = None) -> None:
    """Cancel one. Raises GoogleError: 410 for one that is cancelled already."""
    event = find(books, calendar, id)
    if event["status"] == "cancelled":
        raise GoogleError(410, "deleted", "Resource has been deleted")
    check_etag(event, etag)
    books.keep(calendar["id"], event | {"status": "cancelled", "sequence": event.get("sequence", 0) + 1})
    if "recurrence" in event:
        series.drop_vanished(books, calendar, event, {})


def finish_meet(books: GoogleBooks, calendar: Json, id: str) -> None:
    """Make the link of a conference that was pending."""
    event = find(books, calendar, id)
    request = event["conferenceData"]["createRequest"]
    books.keep(calendar["id"], event | _conference(request["requestId"]))


def check_etag(event: Json, etag: str | None) -> None:
    if etag not in (None, "*", event["etag"]):
        raise GoogleError(412, "conditionNotMet", "Precondition Failed")


def _merged(before: Json, given: Json) -> Json:
    """A patch: objects are merged, anything else is replaced, null unsets (RFC 7396)."""
    after = dict(before)
    for name, value in given.items():
        if name not in WRITABLE:
            continue
        if value is None:
            after.pop(name, None)
        elif isinstance(value, dict) and isinstance(before.get(name), dict):
            after[name] = _all_merged(before[name], value)
        else:
            after[name] = value
    return after


def _all_merged(before: Json, given: Json) -> Json:
    after = dict(before)
    for name, value in given.items():
        if value is None:
            after.pop(name, None)
        elif isinstance(value, dict) and isinstance(before.get(name), dict):
            after[name] = _all_merged(before[name], value)
        else:
            after[name] = value
    return after


def _set(calendar: Json, event: Json, given: Json, by: Writer) -> None:
    """Write what is given into the event, each part as Google has it. Raises GoogleError."""
    event |= {name: value for name, value in given.items() if name in WRITABLE and value is not None}
    if event["status"] not in STATUSES:
        raise invalid("Invalid status value.")
    if event.get("transparency") == "opaque":
        del event["transparency"]
    for name in ("start", "end"):
        if name not in event:
            raise GoogleError(400, "required", f"Missing {name} time.")
        event[name] = _time(event[name], name, zone(calendar))
    if ("date" in event["start"]) != ("date" in event["end"]):
        raise invalid("Start and end times must either both be date or both be dateTime.")
    if moment(event["end"], zone(calendar)) <= moment(event["start"], zone(calendar)):
        raise invalid("The specified time range is empty.", "timeRangeEmpty")
    if "recurrence" in event:
        series.check(event["recurrence"], event["start"], zone(calendar))
    if "attendees" in event:
        event["attendees"] = _guests(calendar, event["attendees"], by)


def _time(at: Any, name: str, days_in: ZoneInfo) -> Json:
    """As it is answered: a day, or a moment in the calendar's zone. Raises GoogleError."""
    at = {key: value for key, value in at.items() if value is not None} if isinstance(at, dict) else {}
    try:
        if "date" in at and "dateTime" not in at:
            return {"date": date.fromisoformat(at["date"]).isoformat()}
        own = ZoneInfo(at["timeZone"]) if "timeZone" in at else None
        given = datetime.fromisoformat(at["dateTime"])
    except (KeyError, TypeError, ValueError, ZoneInfoNotFoundError):
        raise invalid(f"Invalid {name} time.") from None
    if "date" in at:
        raise invalid(f"Invalid {name} time.")
    if given.tzinfo is None:
        if own is None:
            raise GoogleError(400, "required", f"Missing time zone definition for {name} time.")
        given = given.replace(tzinfo=own)
    shown = given.astimezone(days_in).replace(microsecond=0)
    return {"dateTime": shown.isoformat(), "timeZone": own.key if own else days_in.key}


def _guests(calendar: Json, given: Any, by: Writer) -> list[Json]:
    if given and by.alone:
        message = "Service accounts cannot invite attendees without Domain-Wide Delegation of Authority."
        raise forbidden("forbiddenForServiceAccounts", message)
    if not isinstance(given, list) or len(given) > MOST_GUESTS:
        raise invalid("Invalid attendees.")
    guests = []
    for each in given:
        email = each.get("email") if isinstance(each, dict) else None
        if not isinstance(email, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            raise invalid("Invalid attendee email.")
        guest = {"email": email.lower(), "responseStatus": "needsAction"} | {
            name: each[name]
            for name in ("displayName", "responseStatus", "comment", "optional", "resource")
            if name in each
        }
        if guest["responseStatus"] not in ANSWERS:
            raise invalid("Invalid response status.")
        if guest["email"] == calendar["id"]:
            guest["self"] = True
        guests.append(guest)
    return guests


def _confer(event: Json, given: Json, by: Writer, *, conference: bool, meet: Meet) -> None:
    """Make the conference that is asked for, once for each `requestId`; ignored without conferenceDataVersion=1."""
    asked = (given.get("conferenceData") or {}).get("createRequest")
    if not conference or not asked:
        return
    if by.alone and not meet.for_service_accounts:
        raise invalid("Invalid conference type value.")
    request_id = asked.get("requestId")
    if not request_id or asked.get("conferenceSolutionKey", {}).get("type", "hangoutsMeet") != "hangoutsMeet":
        raise invalid("Invalid conference type value.")
    if event.get("conferenceData", {}).get("createRequest", {}).get("requestId") == request_id:
        return
    event |= (
        {"conferenceData": {"createRequest": _request(request_id, "pending")}}
        if meet.slowly
        else _conference(request_id)
    )


def _conference(request_id: str) -> Json:
    digest = hashlib.sha256(request_id.encode()).digest()
    letters = "".join(chr(ord("a") + byte % 26) for byte in digest[:10])
    code = f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
    uri = f"https://meet.google.com/{code}"
    return {
        "hangoutLink": uri,
        "conferenceData": {
            "createRequest": _request(request_id, "success"),
            "entryPoints": [{"entryPointType": "video", "uri": uri, "label": uri.removeprefix("https://")}],
            "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"},
            "conferenceId": code,
        },
    }


def _request(request_id: str, status: str) -> Json:
    kind = {"type": "hangoutsMeet"}
    return {"requestId": request_id, "conferenceSolutionKey": kind, "status": {"statusCode": status}}
