"""Events of Google Calendar's API as ours, and ours as its own.

https://developers.google.com/workspace/calendar/api/v3/reference/events
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from providers.capabilities import (
    Attendee,
    EventStatus,
    OutgoingEvent,
    Participation,
    Period,
    RemoteCalendar,
    RemoteEvent,
)

Json = dict[str, Any]

APPOINTMENT = "comptoirAppointment"  # extended properties of ours, that only our credentials see
SEQUENCE = "comptoirSequence"
FIELDS = (
    "id,etag,status,updated,summary,start,end,transparency,hangoutLink,htmlLink,extendedProperties/private,"
    "attendees(email,displayName,self,responseStatus,organizer,resource),conferenceData(createRequest/status)"
)
"""Of an event, those that are read: descriptions, above all, are left where they are."""

PARTICIPATIONS = {
    "needsAction": Participation.NEEDS_ACTION,
    "declined": Participation.DECLINED,
    "tentative": Participation.TENTATIVE,
    "accepted": Participation.ACCEPTED,
}
WRITERS = {"owner", "writer"}


def calendar_from(item: Json) -> RemoteCalendar:
    """Of an entry of the calendar list."""
    return RemoteCalendar(
        id=item["id"],
        name=item.get("summaryOverride") or item.get("summary") or item["id"],
        time_zone=item.get("timeZone", "UTC"),
        writable=item.get("accessRole") in WRITERS,
        primary=bool(item.get("primary")),
    )


def event_from(item: Json) -> RemoteEvent:
    start, end, attendees = item.get("start", {}), item.get("end", {}), item.get("attendees", [])
    own = item.get("extendedProperties", {}).get("private", {})
    return RemoteEvent(
        id=item["id"],
        etag=item.get("etag", ""),
        status=EventStatus(item.get("status", "confirmed").upper()),
        updated=_moment(item.get("updated")),
        title=item.get("summary", ""),
        starts_at=_moment(start.get("dateTime")),
        ends_at=_moment(end.get("dateTime")),
        starts_on=_day(start.get("date")),
        ends_on=_day(end.get("date")),
        transparent=item.get("transparency") == "transparent",
        declined=any(each.get("self") and each.get("responseStatus") == "declined" for each in attendees),
        attendees=tuple(_attendee(each) for each in attendees if "email" in each),
        meet_url=item.get("hangoutLink"),
        meet_pending=_is_making_meet(item),
        link=item.get("htmlLink"),
        appointment_id=_uuid(own.get(APPOINTMENT)),
        sequence=_number(own.get(SEQUENCE)),
    )


def has_meet(item: Json) -> bool:
    """Whether it has a link to Meet, or will have."""
    return "hangoutLink" in item or _is_making_meet(item)


def busy_from(periods: Iterable[Json]) -> list[Period]:
    return [Period(datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"])) for each in periods]


def body(event: OutgoingEvent, *, attendees: list[Json] | None, meet: bool) -> Json:
    """What an event is set to; its attendees stay as they are where None is given.

    `date` is unset for one that somebody made last whole days, `location` where there is none. Guests of a group do
    not see one another.
    """
    made: Json = {
        "summary": event.title,
        "description": event.description,
        "location": event.location,
        "status": "confirmed",
        "start": _at(event.starts_at, event.time_zone),
        "end": _at(event.ends_at, event.time_zone),
        "extendedProperties": {
            "private": {APPOINTMENT: str(event.appointment_id), SEQUENCE: str(event.sequence)},
        },
        "guestsCanSeeOtherGuests": False,
        "guestsCanInviteOthers": False,
    }
    if attendees is not None:
        made["attendees"] = attendees
    if meet:
        kind = {"type": "hangoutsMeet"}
        made["conferenceData"] = {
            "createRequest": {"requestId": f"{event.id}-{event.sequence}", "conferenceSolutionKey": kind}
        }
    return made


def invited(event: OutgoingEvent, present: Iterable[Json] = ()) -> list[Json]:
    """The attendees of the event: who is there already keeps the answer, and whose calendar it is, and rooms, stay."""
    there = {each["email"].lower(): each for each in present if "email" in each}
    ours = {each.email.lower(): each for each in event.attendees}
    stay = [
        each
        for email, each in there.items()
        if email in ours or each.get("self") or each.get("organizer") or each.get("resource")
    ]
    return stay + [_invitation(each) for email, each in ours.items() if email not in there]


def _is_making_meet(item: Json) -> bool:
    request = item.get("conferenceData", {}).get("createRequest", {})
    return bool(request.get("status", {}).get("statusCode") == "pending")


def _invitation(attendee: Attendee) -> Json:
    return {"email": attendee.email} | ({"displayName": attendee.name} if attendee.name else {})


def _at(moment: datetime, time_zone: str) -> Json:
    return {"dateTime": moment.isoformat(), "timeZone": time_zone, "date": None}


def _attendee(each: Json) -> Attendee:
    answer = PARTICIPATIONS.get(each.get("responseStatus", ""), Participation.NEEDS_ACTION)
    return Attendee(each["email"], each.get("displayName"), answer)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _uuid(text: str | None) -> UUID | None:
    """None for what somebody else wrote there."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
