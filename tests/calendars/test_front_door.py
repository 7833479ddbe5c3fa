"""From a consent, or an organization's own keys, to bookings: through the front door, and at Google's stand-in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from models import Booking
from models.base import global_id
from services import calendar_switch
from services.outside import outside
from tests.agenda.agendas import AVAILABILITY, no_holidays
from tests.bookings.desk import BOOK, BOOKING
from tests.calendars.memory import Memory
from tests.calendars.scenes import Scene, at
from tests.calendars.test_at_google import CALENDARS, CONFLICTS, CONNECT, TO_CONNECT
from tests.consents import ANNE, CLIENT, connected, google
from tests.managing.test_integrations import do
from tests.shop import Shop

__all__ = ["google"]  # a fixture

GRANTS = "{ oauthGrants { nodes { id status } } }"
ACCOUNT = "agendas@shop.iam.gserviceaccount.com"


@dataclass
class Connected:
    """Camille, whose calendar is Anne's at Google. `taken_back`: access ends over there."""

    scene: Scene
    google: Any
    by_consent: bool

    async def book(self, hours: float) -> str:
        client = await self.scene.shop.client(f"ana{hours}@example.com")
        given = {"service": global_id(self.scene.service), "client": client, "startsAt": at(hours).isoformat()}
        made = (await self.scene.shop(BOOK, input=given))["booking"]
        assert made["status"] == "CONFIRMED"
        return str(made["id"])

    async def status(self) -> str:
        (calendar,) = (await self.scene.shop(CALENDARS))["nodes"]
        return str(calendar["status"])

    async def booking(self, id: str) -> dict[str, Any]:
        return dict(await self.scene.shop(BOOKING, id=id))

    async def slots(self) -> dict[datetime, str | None]:
        """Of four hours: why each cannot be booked, if it cannot."""
        given = {"service": global_id(self.scene.service), "from": at(0).isoformat(), "to": at(4).isoformat()}
        found = await self.scene.shop(AVAILABILITY, **given)
        return {datetime.fromisoformat(slot["startsAt"]): slot["reason"] for slot in found}

    def taken_back(self) -> None:
        if self.by_consent:
            self.google.people.forget_consent(CLIENT, ANNE)
        else:
            self.google.unshare(ANNE, ACCOUNT)
            self.google.people.service_account(ACCOUNT)  # another key is made: ours is none any more


@pytest.fixture(params=["a consent", "keys"])
async def camille(shop: Shop, google: Any, request: pytest.FixtureRequest) -> AsyncIterator[Connected]:
    scene = await Scene.of(shop, Memory(), online=True, slot_step_minutes=60, min_notice_minutes=0)
    await scene.calendar.delete()
    outside().calendars = None
    await no_holidays(shop)
    google.person(ANNE)
    given = {"staff": global_id(scene.staff), "remoteId": ANNE}
    if request.param == "a consent":
        await connected(shop)
        given["oauthGrant"] = (await shop(GRANTS))["nodes"][0]["id"]
    else:
        google.share(ANNE, ACCOUNT)
        keys = {"service_account_email": ACCOUNT, "private_key": google.people.service_account(ACCOUNT)}
        await do(shop, "integrationConfigure", "google_calendar", values=keys)
        assert (await do(shop, "integrationEnable", "google_calendar"))["status"] == "CONNECTED"
    assert (await shop(CONNECT, input=given))["calendar"]["status"] == "CONNECTED"
    yield Connected(scene, google, request.param == "a consent")
    google.drop_calendar(ANNE)  # the sandbox is the next test's too


async def test_a_booking_goes_to_google_and_follows_what_is_done_there(camille: Connected) -> None:
    id = await camille.book(0)
    await camille.scene.settled()
    (event,) = camille.google.events(ANNE)
    assert datetime.fromisoformat(event["start"]["dateTime"]) == at(0)
    booked = await Booking.get().select_related("appointment")
    assert booked.appointment.meet_url == event["hangoutLink"]

    camille.google.move(ANNE, event["id"], at(2).isoformat(), at(3).isoformat())
    await camille.scene.settled()
    appointment = (await camille.booking(id))["appointment"]
    assert (datetime.fromisoformat(appointment["startsAt"]), appointment["sequence"]) == (at(2), 1)

    camille.google.delete(ANNE, event["id"])
    await camille.scene.settled()
    assert (await camille.booking(id))["status"] == "CANCELED"
    assert (await camille.scene.shop(CONFLICTS))["nodes"] == []


async def test_what_google_has_is_no_time_to_book(camille: Connected) -> None:
    camille.google.add(ANNE, at(1).isoformat(), at(2).isoformat(), "Dentiste")
    await camille.scene.settled()

    slots = await camille.slots()
    assert [at(hours) for hours in range(4)] == sorted(slots)
    assert [hours for hours in range(4) if slots[at(hours)]] == [1]


async def test_a_deletion_of_what_was_paid_is_put_to_a_person(camille: Connected) -> None:
    await camille.book(0)
    await camille.scene.settled()
    booking = await Booking.get().select_related("appointment")
    await camille.scene.paid(booking.appointment)
    (event,) = camille.google.events(ANNE)
    camille.google.delete(ANNE, event["id"])
    await camille.scene.settled()

    (conflict,) = (await camille.scene.shop(CONFLICTS))["nodes"]
    assert conflict["kind"] == "DELETED"
    assert (await Booking.get()).status == "CONFIRMED"


async def test_access_that_is_taken_back_is_told_once_and_nothing_is_asked_any_more(camille: Connected) -> None:
    shop = camille.scene.shop
    await camille.scene.settled()
    camille.taken_back()
    camille.google.people.expire_access_tokens()
    for _ in range(2):  # the first may renew its token, or try
        await camille.scene.poll()
        await shop.time_passes(minutes=3)
        await shop.work_is_done()
    assert await camille.status() == "DISCONNECTED"

    asked = len(camille.google.requests)
    await camille.book(0)
    for _ in range(3):
        await camille.scene.settled()
        await shop.time_passes(hours=2)
    assert len(camille.google.requests) == asked
    assert shop.subjects(shop.organization.contact_email) == ["Un agenda n’est plus synchronisé"]


async def test_calendars_say_that_their_integration_is_off_and_go_on_once_it_is_on(camille: Connected) -> None:
    shop = camille.scene.shop
    await camille.scene.settled()
    if camille.by_consent:
        return  # it needs no keys of the organization's
    await do(shop, "integrationDisable", "google_calendar")
    off = (await shop("{ calendars { nodes { status statusReason } } }"))["nodes"]
    await camille.book(0)
    await camille.scene.settled()
    assert off == [{"status": "DISCONNECTED", "statusReason": calendar_switch.OFF}]
    assert camille.google.events(ANNE) == []

    await do(shop, "integrationEnable", "google_calendar")
    await camille.scene.settled()
    assert await camille.status() == "CONNECTED"
    assert len(camille.google.events(ANNE)) == 1
    assert shop.subjects(shop.organization.contact_email) == []


async def test_a_service_account_that_sees_no_calendar_is_told_what_to_do(shop: Shop, google: Any) -> None:
    keys = {"service_account_email": ACCOUNT, "private_key": google.people.service_account(ACCOUNT)}
    await do(shop, "integrationConfigure", "google_calendar", values=keys)
    await do(shop, "integrationEnable", "google_calendar")

    code, field, message = await shop.refused(TO_CONNECT)

    assert (code, field) == ("CONFLICT", "oauthGrant")
    assert f"share one with {ACCOUNT}, to make changes, and connect it by its address" in message
