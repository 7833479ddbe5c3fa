"""Calendar files say what RFC 5545 and RFC 5546 ask them to, whatever people typed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from icalendar import Calendar

from services import calendar_files
from services.calendar_files import Entry, Party
from tests import itip

ENTRY = Entry(
    uid="0199@comptoir.test",
    sequence=3,
    stamp=datetime(2026, 3, 1, tzinfo=UTC),
    starts_at=datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # in Paris an hour is missing then
    ends_at=datetime(2026, 3, 29, 2, 30, tzinfo=UTC),
    summary="Séance d’hypnose ; « accompagnement », dont le titre est si long qu’il se plie à 75 octets",
    description="Une ligne\net une autre",
    location="12, rue de la Paix ; Paris",
    meet_url="https://meet.google.com/abc-defg-hij",
    organizer=Party("ComptAppart", "bonjour@comptappart.test"),
    attendees=(Party('Jean "JD" Dupont, fils', "jean@example.com"),),
)


def test_a_request_says_when_where_and_with_whom() -> None:
    event = itip.event(calendar_files.request(ENTRY))

    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("0199@comptoir.test", "3", "CONFIRMED")
    assert (event["DTSTART"], event["DTEND"]) == ("20260329T013000Z", "20260329T023000Z")
    assert (event["SUMMARY"], event["LOCATION"]) == (ENTRY.summary, ENTRY.location)
    assert event["DESCRIPTION"] == "Une ligne\net une autre"
    assert (event["ORGANIZER"], event["ATTENDEE"]) == ("mailto:bonjour@comptappart.test", "mailto:jean@example.com")
    assert event["URL"] == event["CONFERENCE"] == ENTRY.meet_url
    assert event.components[0]["TRIGGER"] == "-PT1H"


def test_what_is_online_is_where_its_link_leads() -> None:
    event = itip.event(calendar_files.request(replace(ENTRY, location=None)))

    assert event["LOCATION"] == ENTRY.meet_url


def test_a_cancellation_takes_the_event_out_and_rings_no_bell() -> None:
    event = itip.event(calendar_files.cancel(ENTRY))

    assert (event["STATUS"], event["SEQUENCE"], event.components) == ("CANCELLED", "3", [])


def test_who_leaves_a_group_does_not_cancel_it_for_the_others() -> None:
    assert itip.event(calendar_files.cancel(ENTRY, goes_on=True)).get("STATUS") is None


def test_a_feed_has_a_name_says_how_often_to_ask_and_names_no_attendee() -> None:
    entries = [replace(ENTRY, uid=f"{number}@comptoir.test", attendees=()) for number in range(3)]

    calendar = itip.read(calendar_files.feed("Agenda d’Élodie", entries))

    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "Agenda d’Élodie"
    assert ("REFRESH-INTERVAL", ";VALUE=DURATION", "PT1H") in calendar.properties
    assert len(calendar.components) == 3


def test_the_same_feed_is_the_same_to_the_byte() -> None:
    assert calendar_files.feed("Agenda", [ENTRY]) == calendar_files.feed("Agenda", [ENTRY])


@given(text=some.text(min_size=1, max_size=120))
@settings(max_examples=60, deadline=None)
def test_nothing_that_people_type_makes_a_line_of_its_own(text: str) -> None:
    typed = replace(ENTRY, summary=text, location=text, description=text, attendees=(Party(text, "a@example.com"),))

    content = calendar_files.request(typed)

    event = itip.event(content)
    assert event["SUMMARY"] == "".join(
        char for char in "\n".join(text.splitlines()) if char == "\n" or char.isprintable()
    )
    assert Calendar.from_ical(content).walk("VEVENT")[0]["UID"] == ENTRY.uid


@pytest.mark.parametrize(
    "injected", ["a\r\nATTENDEE:mailto:b@example.com", "a\nEND:VEVENT", 'a";X=1:mailto:b', "\\n;,"]
)
def test_a_line_break_in_a_name_stays_in_the_name(injected: str) -> None:
    event = itip.event(calendar_files.request(replace(ENTRY, attendees=(Party(injected, "a@example.com"),))))

    assert [name for name, _, _ in event.properties].count("ATTENDEE") == 1
    assert event["ATTENDEE"] == "mailto:a@example.com"
