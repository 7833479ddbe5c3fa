"""What happens to appointments, told to whoever follows it, in the transaction that does it: letters, calendars.

An appointment is told of from its first confirmed booking on: a place that is only held while it is being paid is
nobody's news.
"""

from collections.abc import Awaitable, Callable

from models import Appointment
from models.fields import Coded
from services import booking_letters, booking_reminders, calendar_promises


class What(Coded):
    """What happened to an appointment."""

    MADE = "MADE", "Somebody is expected"
    MOVED = "MOVED", "It is held at another time, or by somebody else"
    CANCELED = "CANCELED", "Nobody is expected any more"
    ATTENDEES = "ATTENDEES", "Others are expected than before"


async def changed(appointment: Appointment, what: What) -> None:
    """Tell all who follow it, in this order; in the open transaction, the appointment locked."""
    for react in REACTIONS:
        await react(appointment, what)


Reaction = Callable[[Appointment, What], Awaitable[None]]

REACTIONS: tuple[Reaction, ...] = (calendar_promises.follow, booking_letters.follow, booking_reminders.follow)
