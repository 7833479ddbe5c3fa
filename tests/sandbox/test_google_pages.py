"""The pages of Google's stand-in: a week that one looks at and changes, as people in Google do."""

import re
from datetime import UTC, datetime

import pytest

from sandbox import google_demonstration
from sandbox.google_people import SERVICE_ACCOUNT
from sandbox.google_week import week

ANNE = "anne@example.com"
PAGE = f"/google/calendars/{ANNE}"
NEW = {
    "title": "Dentiste",
    "starts_on": "2027-01-18",
    "starts_at": "15:00",
    "ends_on": "2027-01-18",
    "ends_at": "16:00",
}


@pytest.fixture
def google(sandbox):
    sandbox.google.person(ANNE)
    return sandbox.google


async def follow(browser, answer):
    assert answer.status_code == 303, answer.text
    return await browser.get(answer.headers["location"])


def shown(google, day="2027-01-18"):
    return week(google.books, google.books.calendar(ANNE), datetime.fromisoformat(day).replace(tzinfo=UTC).date())


async def test_a_calendar_is_made_for_whoever_is_named(browser):
    empty = await browser.get("/google")
    made = await follow(browser, await browser.post("/google/people", data={"email": ANNE}))

    assert "Nobody has a calendar yet" in empty.text
    assert ANNE in made.text
    assert (await browser.get("/google")).headers["location"] == PAGE


async def test_an_event_is_added_moved_and_deleted_by_hand(browser, google):
    added = await follow(browser, await browser.post(f"{PAGE}/events", data=NEW))
    (event,) = google.events(ANNE)
    at = f"{PAGE}/events/{event['id']}"
    await follow(browser, await browser.post(at, data=NEW | {"do": "later"}))
    await follow(browser, await browser.post(at, data=NEW | {"do": "day-after"}))
    moved = google.event(ANNE, event["id"])
    await follow(browser, await browser.post(at, data=NEW | {"do": "delete"}))

    assert "Dentiste" in added.text
    assert event["start"]["dateTime"] == "2027-01-18T15:00:00+01:00"
    assert moved["start"]["dateTime"] == "2027-01-19T15:30:00+01:00"
    assert google.event(ANNE, event["id"])["status"] == "cancelled"


async def test_an_event_is_changed_by_its_form(browser, google):
    event = google.add(ANNE, "2027-01-18T15:00:00+01:00", "2027-01-18T16:00:00+01:00")
    typed = NEW | {
        "title": "Congé",
        "starts_at": "",
        "ends_at": "",
        "ends_on": "2027-01-19",
        "shows": "free",
        "do": "save",
    }
    await follow(browser, await browser.post(f"{PAGE}/events/{event['id']}", data=typed))
    changed = google.event(ANNE, event["id"])

    assert (changed["start"], changed["end"]) == ({"date": "2027-01-18"}, {"date": "2027-01-20"})
    assert (changed["summary"], changed["transparency"]) == ("Congé", "transparent")


async def test_one_of_a_series_is_deleted_by_itself_and_then_the_rest(browser, google):
    series = await follow(browser, await browser.post(f"{PAGE}/events", data=NEW | {"repeats": "WEEKLY"}))
    first = re.search(r"events/(\w+_\w+)", series.text)[1]
    at = f"{PAGE}/events/{first}"
    await follow(browser, await browser.post(at, data=NEW | {"do": "delete"}))
    blocks = [len(shown(google, day).days[0].blocks) for day in ("2027-01-18", "2027-01-25")]
    await follow(browser, await browser.post(at, data=NEW | {"do": "delete-series"}))

    assert blocks == [0, 1]
    assert shown(google, "2027-01-25").days[0].blocks == []


async def test_a_guest_answers_by_a_button(browser, google):
    event = google.add(
        ANNE, "2027-01-18T15:00:00+01:00", "2027-01-18T16:00:00+01:00", attendees=[{"email": "marie@example.com"}]
    )
    answer = {"do": "answer", "email": "marie@example.com", "response": "declined", "starts_on": "2027-01-18"}
    await follow(browser, await browser.post(f"{PAGE}/events/{event['id']}", data=answer))

    assert google.event(ANNE, event["id"])["attendees"][0]["responseStatus"] == "declined"


@pytest.mark.parametrize(
    ("typed", "why"),
    [({"ends_at": "14:00"}, "time range is empty"), ({"ends_at": ""}, "until when"), ({"starts_on": ""}, "which day")],
)
async def test_what_cannot_be_is_said_beside_what_was_typed(browser, google, typed, why):
    answer = await browser.post(f"{PAGE}/events", data=NEW | typed)

    assert answer.status_code == 400
    assert why in answer.text
    assert "Dentiste" in answer.text


async def test_a_week_places_blocks_side_by_side_and_days_on_top(browser, google):
    google.add(ANNE, "2027-01-18T07:00:00+01:00", "2027-01-18T09:00:00+01:00", "Tôt")
    google.add(ANNE, "2027-01-18T08:00:00+01:00", "2027-01-18T10:00:00+01:00", "Avec")
    google.add(ANNE, "2027-01-18T22:00:00+01:00", "2027-01-19T01:00:00+01:00", "Nuit")
    google.add(ANNE, "2027-01-16", "2027-01-20", "Salon")
    seen = shown(google)
    page = await browser.get(f"{PAGE}?week=2027-01-18")

    places = [(each.event["summary"], each.top, each.height, each.left, each.width) for each in seen.days[0].blocks]
    assert seen.hours == range(24)
    assert places == [("Tôt", 7, 2, 0, 50), ("Avec", 8, 2, 50, 50), ("Nuit", 22, 2, 0, 100)]
    assert [each.event["summary"] for each in seen.days[1].blocks] == ["Nuit"]
    assert [(each.event["summary"], each.first, each.last) for each in seen.bars] == [("Salon", 0, 1)]
    assert "style=" not in page.text
    assert f"'nonce-{re.search('nonce=.(.+?).>', page.text)[1]}'" in page.headers["content-security-policy"]


async def test_titles_are_only_text(browser, google):
    google.add(ANNE, "2027-01-18T07:00:00+01:00", "2027-01-18T09:00:00+01:00", "<script>alert(1)</script>")

    assert "<script>" not in (await browser.get(f"{PAGE}?week=2027-01-18")).text


async def test_faults_and_access_are_set_by_buttons(browser, google):
    google.people.service_account()
    google.share(ANNE, SERVICE_ACCOUNT)
    for what in ({"do": "429"}, {"do": "rotate"}, {"do": "delegate", "email": SERVICE_ACCOUNT, "delegated": "yes"}):
        await follow(browser, await browser.post("/google/access", data=what))
    page = await browser.get("/google/access")

    assert google.faults.coming == 5
    assert google.people.rotates
    assert google.people.service_accounts()[0]["delegated"]
    assert "acts for people" in page.text


async def test_the_demonstration_is_there_once_and_shared(google):
    key = google.people.service_account()
    for _ in range(2):
        google_demonstration.fill(google, SERVICE_ACCOUNT, key)

    assert len(google.events("owner@demo.test")) == len(google_demonstration.PEOPLE["owner@demo.test"])
    assert google.books.calendar("owner@demo.test")["shared"] == {SERVICE_ACCOUNT: "writer"}
