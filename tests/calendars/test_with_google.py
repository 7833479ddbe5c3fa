"""Calendars kept in step with Google's stand-in over HTTP, by Google's own client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from providers.google import AccessToken, addresses
from providers.google_calendar import GoogleCalendar
from services.outside import outside
from tests.calendars.memory import Memory
from tests.calendars.scenes import Scene, at
from tests.shop import Shop

ANNE = "anne.roux@example.com"


@pytest.fixture
async def google(shop: Shop) -> AsyncIterator[Any]:
    shop.sandbox.google.person(ANNE)
    yield shop.sandbox.google
    shop.sandbox.google.drop_calendar(ANNE)  # the sandbox is the next test's too


@pytest.fixture
async def scene(shop: Shop, google: Any) -> AsyncIterator[Scene]:
    """Anne, whose calendar at Google is connected, both ways."""
    scene = await Scene.of(shop, Memory(), online=True)
    scene.calendar.remote_id = ANNE
    await scene.calendar.save()
    token = AccessToken(access_token=SecretStr(google.people.access_token(ANNE)))

    @asynccontextmanager
    async def opener(access: Any, purpose: str) -> AsyncIterator[GoogleCalendar]:
        async with GoogleCalendar(token, addresses=addresses(shop.sandbox.url)) as opened:
            yield opened

    outside().calendars = opener
    yield scene
    outside().calendars = None


def moments(event: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(event["start"]["dateTime"]), datetime.fromisoformat(event["end"]["dateTime"])


async def test_an_appointment_goes_out_moves_in_google_and_is_canceled_here(scene: Scene, google: Any) -> None:
    made = await scene.booked(at(0))
    await scene.settled()
    (event,) = google.events(ANNE)
    google.move(ANNE, event["id"], at(3).isoformat(), at(4).isoformat())
    await scene.settled()
    moved = await scene.now(made)
    await scene.canceled(made)
    await scene.settled()

    assert moments(event) == (at(0), at(1))
    assert event["hangoutLink"] == moved.meet_url
    assert [each["email"] for each in event["attendees"]] == ["ana1@example.com"]
    assert (moved.starts_at, moved.ends_at, moved.sequence) == (at(3), at(4), 1)
    assert await scene.conflicts() == []
    assert google.event(ANNE, event["id"])["status"] == "cancelled"


async def test_what_occupies_in_google_makes_busy_and_all_else_does_not(scene: Scene, google: Any) -> None:
    declined = [{"email": ANNE, "responseStatus": "declined"}]
    google.add(ANNE, at(0).isoformat(), at(1).isoformat(), recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    google.add(ANNE, at(2).isoformat(), at(3).isoformat(), transparency="transparent")
    google.add(ANNE, at(4).isoformat(), at(5).isoformat(), attendees=declined)
    single = google.add(ANNE, at(6).isoformat(), at(7).isoformat())
    await scene.settled()
    busy = await scene.busy()
    google.delete(ANNE, single["id"])
    occurrence = next(each for each in google.events(ANNE) if "recurrence" in each)["id"] + f"_{at(24):%Y%m%dT%H%M%SZ}"
    google.delete(ANNE, occurrence)
    await scene.settled()

    days = [(at(24 * day), at(24 * day + 1)) for day in range(3)]
    assert busy == [days[0], (at(6), at(7)), *days[1:]]
    assert await scene.busy() == [days[0], days[2]]


async def test_a_token_that_expired_costs_nothing_but_a_full_reading(scene: Scene, google: Any) -> None:
    made = await scene.booked(at(0))
    kept = google.add(ANNE, at(6).isoformat(), at(7).isoformat())
    gone = google.add(ANNE, at(8).isoformat(), at(9).isoformat())
    await scene.settled()
    google.expire_sync_tokens(ANNE)
    google.delete(ANNE, gone["id"])
    await scene.settled()

    assert await scene.busy() == [moments(kept)]
    assert (await scene.now(made)).starts_at == at(0)
    assert await scene.conflicts() == []


async def test_quotas_delay_and_lose_nothing(scene: Scene, google: Any) -> None:
    google.fail(403, "rateLimitExceeded", retry_after=1)
    await scene.booked(at(0))
    await scene.shop.work_is_done()
    await scene.shop.time_passes(seconds=int(timedelta(minutes=5).total_seconds()))
    await scene.settled()

    assert [moments(each) for each in google.events(ANNE)] == [(at(0), at(1))]
