"""The whole of it through the front door, and the real client of Google at its stand-in: connected, out, in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from models import Calendar, Role, Staff
from models.base import global_id
from providers.google import AccessToken, addresses
from providers.google_calendar import GoogleCalendar
from services.outside import outside
from tests.calendars.memory import Memory
from tests.calendars.scenes import Scene, at
from tests.shop import Shop

ANNE = "anne@example.com"
CALENDAR = "calendar { id name timeZone outgoing incoming status statusReason syncedAt }"
CONNECT = f"mutation ($input: CalendarConnectInput!) {{ calendarConnect(input: $input) {{ {CALENDAR} }} }}"
UPDATE = f"mutation ($input: CalendarUpdateInput!) {{ calendarUpdate(input: $input) {{ {CALENDAR} }} }}"
SYNC = f"mutation ($input: CalendarSyncInput!) {{ calendarSync(input: $input) {{ {CALENDAR} }} }}"
DISCONNECT = f"mutation ($input: CalendarDisconnectInput!) {{ calendarDisconnect(input: $input) {{ {CALENDAR} }} }}"
CALENDARS = "{ calendars { nodes { id name status syncedAt } } }"
TO_CONNECT = "{ calendarsToConnect { remoteId name writable primary timeZone } }"
CONFLICTS = """{ calendarConflicts(filter: { resolved: false }) { nodes {
    id kind title startsAt choices message appointmentId } } }"""
RESOLVE = """mutation ($input: CalendarConflictResolveInput!) {
    calendarConflictResolve(input: $input) { calendarConflict { resolution resolvedAt } } }"""


@pytest.fixture
async def anne(shop: Shop) -> AsyncIterator[Scene]:
    """Camille, who agreed that we keep the calendar of Anne's account in step."""
    scene = await Scene.of(shop, Memory())
    await Calendar.all().delete()
    google = shop.sandbox.google
    google.person(ANNE)
    token = AccessToken(access_token=SecretStr(google.people.access_token(ANNE)))

    @asynccontextmanager
    async def opener(access: Any, purpose: str) -> AsyncIterator[GoogleCalendar]:
        async with GoogleCalendar(token, addresses=addresses(shop.sandbox.url)) as calendar:
            yield calendar

    outside().calendars = opener  # type: ignore[assignment]
    yield scene
    outside().calendars = None
    google.drop_calendar(ANNE)


async def connected(scene: Scene, **input: Any) -> dict[str, Any]:
    given = {"staff": global_id(scene.staff), "remoteId": ANNE} | input
    made: dict[str, Any] = (await scene.shop(CONNECT, input=given))["calendar"]
    return made


def standing(scene: Scene) -> list[dict[str, Any]]:
    return [event for event in scene.shop.sandbox.google.events(ANNE) if event["status"] != "cancelled"]


async def test_a_calendar_is_found_connected_read_and_left_alone(anne: Scene) -> None:
    found = await anne.shop(TO_CONNECT)
    assert [(each["remoteId"], each["writable"], each["primary"]) for each in found] == [(ANNE, True, True)]
    anne.shop.sandbox.google.add(ANNE, at(0).isoformat(), at(1).isoformat(), "Dentiste")

    made = await connected(anne)
    assert (made["status"], made["timeZone"], made["syncedAt"]) == ("CONNECTED", "Europe/Paris", None)
    await anne.settled()
    assert await anne.busy() == [(at(0), at(1))]
    assert (await anne.shop(CALENDARS))["nodes"][0]["syncedAt"]

    await anne.shop(UPDATE, input={"calendar": made["id"], "incoming": False})
    assert await anne.busy() == []
    await anne.shop(SYNC, input={"calendar": made["id"]})
    gone = await anne.shop(DISCONNECT, input={"calendar": made["id"]})
    assert gone["calendar"]["status"] == "DISCONNECTED"
    code, field, _ = await anne.shop.refused(SYNC, input={"calendar": made["id"]})
    assert (code, field) == ("CONFLICT", "input.calendar")
    assert (await connected(anne))["id"] == made["id"]


@pytest.mark.parametrize(("events", "left"), [({}, 2), ({"events": "KEEP"}, 2), ({"events": "REMOVE"}, 1)])
async def test_what_becomes_of_our_events_in_a_calendar_that_is_left_alone_is_chosen(
    anne: Scene, events: dict[str, str], left: int
) -> None:
    made = await connected(anne)
    await anne.booked(at(0))
    past = await anne.booked(at(2))
    await anne.settled()
    assert len(standing(anne)) == 2
    columns = ("starts_at", "ends_at", "occupied_from", "occupied_until")  # it is over since
    earlier = ", ".join(f"{column} = {column} - interval '9 days'" for column in columns)
    await anne.shop.sql(f"UPDATE appointments SET {earlier} WHERE id = $1", past.id)

    await anne.shop(DISCONNECT, input={"calendar": made["id"], **events})
    await anne.shop.work_is_done()

    assert len(standing(anne)) == left
    await connected(anne)
    await anne.settled()
    assert len(standing(anne)) == 2


async def test_what_is_no_calendar_is_refused(anne: Scene) -> None:
    given = {"staff": global_id(anne.staff), "remoteId": "nobody@example.com"}
    code, field, _ = await anne.shop.refused(CONNECT, input=given)
    assert (code, field) == ("INVALID", "input.remoteId")


async def test_an_appointment_goes_there_with_its_link_and_follows_what_is_done_there(anne: Scene) -> None:
    google = anne.shop.sandbox.google
    anne.service.online = True
    await anne.service.save()
    await connected(anne)
    made = await anne.booked(at(0))
    await anne.settled()
    (event,) = google.events(ANNE)
    assert (await anne.now(made)).meet_url == event["hangoutLink"]

    google.move(ANNE, event["id"], at(2).isoformat(), at(3).isoformat())
    await anne.settled()
    assert ((await anne.now(made)).starts_at, (await anne.now(made)).sequence) == (at(2), 1)

    google.expire_sync_tokens(ANNE)
    google.move(ANNE, event["id"], at(4).isoformat(), at(5).isoformat())
    await anne.settled()
    assert (await anne.now(made)).starts_at == at(4)

    google.delete(ANNE, event["id"])
    await anne.settled()
    assert not (await anne.now(made)).is_active
    assert await anne.conflicts() == []


async def test_an_event_over_a_booking_is_shown_with_choices_and_settled(anne: Scene) -> None:
    await connected(anne)
    made = await anne.booked(at(0))
    await anne.settled()
    anne.shop.sandbox.google.add(ANNE, at(0.5).isoformat(), at(1.5).isoformat(), "Dentiste")
    await anne.settled()

    (conflict,) = (await anne.shop(CONFLICTS))["nodes"]
    assert (conflict["kind"], conflict["title"], conflict["choices"]) == (
        "OVERLAP",
        "Dentiste",
        ["KEEP_OURS", "CANCEL"],
    )
    assert conflict["appointmentId"] == global_id(made)
    given = {"calendarConflict": conflict["id"], "choice": "ACCEPT_THEIRS"}
    assert (await anne.shop.refused(RESOLVE, input=given))[:2] == ("INVALID", "input.choice")
    await anne.shop(RESOLVE, input=given | {"choice": "CANCEL"})

    await anne.settled()
    assert not (await anne.now(made)).is_active
    assert [event["summary"] for event in standing(anne)] == ["Dentiste"]
    assert (await anne.shop.refused(RESOLVE, input=given | {"choice": "KEEP_OURS"}))[0] == "CONFLICT"


async def test_all_day_recurring_and_transparent_events(anne: Scene) -> None:
    google, day = anne.shop.sandbox.google, at(0).date()
    times = (at(1).isoformat(), at(2).isoformat())
    google.add(ANNE, *times, "Yoga", recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    google.add(ANNE, *times, "Rappel", transparency="transparent")
    await connected(anne)
    await anne.settled()
    assert await anne.busy() == [(at(24 * n + 1), at(24 * n + 2)) for n in range(3)]

    google.add(ANNE, str(day + timedelta(days=9)), str(day + timedelta(days=10)), "Congé")
    await anne.settled()
    starts_at, ends_at = (await anne.busy())[-1]
    assert (ends_at - starts_at, starts_at.hour) == (timedelta(days=1), 23)  # Paris, in winter


async def test_quotas_and_a_consent_that_was_withdrawn(anne: Scene) -> None:
    google = anne.shop.sandbox.google
    await connected(anne)
    google.fail(403, "rateLimitExceeded", times=1)
    await anne.poll()
    assert (await anne.shop(CALENDARS))["nodes"][0]["status"] == "CONNECTED"  # it is asked later

    google.fail(401, "authError", times=1)
    await anne.poll()
    assert (await anne.shop(CALENDARS))["nodes"][0]["status"] == "DISCONNECTED"
    await anne.booked(at(0))
    await anne.shop.work_is_done()
    assert standing(anne) == []

    await connected(anne)
    await anne.settled()
    assert len(standing(anne)) == 1


async def test_a_consultant_connects_a_calendar_of_their_own(anne: Scene) -> None:
    theirs = await Shop.open(anne.shop.http, anne.shop.sandbox, role=Role.CONSULTANT)
    given = {"staff": global_id(anne.staff), "remoteId": ANNE}
    assert (await theirs.refused(CONNECT, input=given))[:2] == ("FORBIDDEN", "input.staff")

    await Staff.filter(id=anne.staff.id).update(membership_id=(await anne.shop.sql(
        "SELECT id FROM memberships WHERE role = 'CONSULTANT'"
    ))[0]["id"])  # fmt: skip
    assert (await theirs(CONNECT, input=given))["calendar"]["status"] == "CONNECTED"
