"""What it means that an event of ours is not as we know it, line by line of the table in `calendar_meaning`."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from models import Appointment, AppointmentStatus, CalendarEvent
from providers.capabilities import EventStatus, RemoteEvent
from services.calendar_meaning import Meaning, meaning
from tests.calendars.scenes import at

HOUR = timedelta(hours=1)
CANCELLED = {"status": EventStatus.CANCELLED}


def told(starts_at: datetime, moved_to: datetime | None = None, *, removed: bool = False, **there: Any) -> Meaning:
    """Of an appointment that was pushed for nine o'clock as version 1, then moved here, if at all; version 2 of its
    event begins at `starts_at`, unless told otherwise."""
    known = CalendarEvent(etag='"1"', sequence=0, periods={})
    known.intend(0, at(0), at(1))
    known.removed_at = at(0) if removed else None
    now = moved_to or at(0)
    appointment = Appointment(starts_at=now, ends_at=now + HOUR, sequence=1 if moved_to else 0)
    if there.pop("appointment_is_over", False):
        appointment.status = AppointmentStatus.CANCELED
    event = RemoteEvent(
        id="x", etag='"2"', status=EventStatus.CONFIRMED, starts_at=starts_at, ends_at=starts_at + HOUR, sequence=0
    )
    return meaning(known, appointment, replace(event, **there), "Europe/Paris")


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({}, {}),
        ({"moved_to": at(3)}, {}),
        ({}, CANCELLED),
        ({"removed": True}, {}),
        ({"appointment_is_over": True}, {}),
    ],
    ids=["moved there", "moved here", "cancelled there", "taken out", "cancelled here"],
)
def test_the_version_that_we_know_says_nothing_whatever_stands_in_it(here: Any, there: Any) -> None:
    assert told(at(2), etag='"1"', **here, **there) is Meaning.NOTHING


@pytest.mark.parametrize(
    ("starts_at", "more", "means"),
    [
        (at(0), CANCELLED, Meaning.DELETED),
        (at(0), CANCELLED | {"removed": True}, Meaning.NOTHING),
        (at(0), CANCELLED | {"appointment_is_over": True}, Meaning.NOTHING),
        (at(0), {}, Meaning.AGREES),
        (at(3), {"moved_to": at(3)}, Meaning.AGREES),
        (at(0), {"moved_to": at(3)}, Meaning.BEHIND),
        (at(0), {"removed": True}, Meaning.BEHIND),
        (at(2), {"appointment_is_over": True}, Meaning.BEHIND),
        (at(2), {"sequence": 9}, Meaning.BEHIND),  # of a version that nobody pushed
        (at(2), {}, Meaning.MOVED),
        (at(2), {"moved_to": at(3)}, Meaning.DIVERGED),
    ],
)
def test_another_version_means_what_was_done_there(starts_at: datetime, more: Any, means: Meaning) -> None:
    assert told(starts_at, **more) is means
