"""What it means that an event of ours is not as we know it: decided from what stands there, what we pushed, and what
the appointment is now, and from nothing else.

| what came back | then |
| --- | --- |
| the version that we know | nothing: our own echo |
| cancelled, as the appointment is, or taken out by us | nothing |
| cancelled, while the appointment stands | DELETED |
| when the appointment is | AGREES |
| when it was as it was pushed | BEHIND: what we push next reaches it |
| there again, after it was taken out | BEHIND |
| another time, and the appointment is as it was pushed | MOVED |
| another time, and the appointment was moved here too | DIVERGED |
"""

from enum import Enum, auto

from models import Appointment, CalendarEvent
from providers.capabilities import EventStatus, RemoteEvent


class Meaning(Enum):
    """What somebody did there."""

    NOTHING = auto()
    AGREES = auto()
    BEHIND = auto()
    MOVED = auto()
    DELETED = auto()
    DIVERGED = auto()


def meaning(known: CalendarEvent, appointment: Appointment, there: RemoteEvent, time_zone: str) -> Meaning:
    """Of an event that stands in a calendar of that IANA zone."""
    if known.etag is not None and there.etag == known.etag:
        return Meaning.NOTHING
    gone = known.removed_at is not None or not appointment.is_active
    if there.status is EventStatus.CANCELLED:
        return Meaning.NOTHING if gone else Meaning.DELETED
    if gone:
        return Meaning.BEHIND
    now, then = (appointment.starts_at, appointment.ends_at), known.pushed(there.sequence)
    period = there.period(time_zone)
    if period is None or then is None:
        return Meaning.BEHIND
    if period == now:
        return Meaning.AGREES
    if period == then:
        return Meaning.BEHIND
    return Meaning.MOVED if then == now else Meaning.DIVERGED
