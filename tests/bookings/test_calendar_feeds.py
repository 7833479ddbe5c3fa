"""Feeds of a person's appointments by a secret address: who makes them, what they say, and what ends them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

import models
from models import Role
from models.base import global_id
from services import calendar_feeds
from tests import itip
from tests.shop import Shop

CREATE = """mutation ($input: CalendarFeedCreateInput!) {
  calendarFeedCreate(input: $input) { url calendarFeed { id staff { displayName } } }
}"""
REVOKE = """mutation ($input: CalendarFeedRevokeInput!) {
  calendarFeedRevoke(input: $input) { calendarFeed { id revokedAt } }
}"""


async def test_a_calendar_that_subscribes_reads_when_somebody_is_booked(shop: Shop) -> None:
    staff = await held(shop, "Jean Dupont")

    answer = await opened(shop, await made(shop, staff))

    calendar = itip.read(answer.content)
    (event,) = calendar.components
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert event["SUMMARY"] == "Bilan – Jean D."
    assert b"Dupont" not in answer.content
    assert b"jean@example.com" not in answer.content


async def test_what_nobody_is_expected_at_or_is_long_past_is_not_in_it(shop: Shop) -> None:
    staff = await held(shop, "Jean Dupont", status=models.BookingStatus.CANCELED)
    await held(shop, "Marie Martin", staff=staff, at=datetime.now(UTC) - timedelta(days=40))

    assert itip.read((await opened(shop, await made(shop, staff))).content).components == []


async def test_of_a_group_it_says_how_many_come(shop: Shop) -> None:
    staff = await held(shop, "Jean Dupont", capacity=8)

    (event,) = itip.read((await opened(shop, await made(shop, staff))).content).components

    assert event["SUMMARY"] == "Bilan – 1/8"


async def test_what_has_not_changed_is_not_sent_again(shop: Shop) -> None:
    staff = await held(shop, "Jean Dupont")
    url = await made(shop, staff)
    etag = (await opened(shop, url)).headers["etag"]

    same = await opened(shop, url, {"If-None-Match": f'"other", {etag}'})
    await models.Appointment.all().update(sequence=1)
    changed = await opened(shop, url, {"If-None-Match": etag})

    assert (same.status_code, same.content, changed.status_code) == (304, b"", 200)


async def test_what_has_not_changed_since_a_date_is_not_sent_again(shop: Shop) -> None:
    staff = await held(shop, "Jean Dupont")
    url = await made(shop, staff)
    first = await opened(shop, url)
    since = first.headers["last-modified"]

    same = await opened(shop, url, {"If-Modified-Since": since})
    other_tag = await opened(shop, url, {"If-Modified-Since": since, "If-None-Match": '"other"'})
    await models.Appointment.all().update(sequence=1)
    changed = await opened(shop, url, {"If-Modified-Since": since})

    assert since.endswith(" GMT")
    assert (same.status_code, same.content, same.headers["last-modified"]) == (304, b"", since)
    assert (other_tag.status_code, changed.status_code) == (200, 200)  # a tag counts more (RFC 9110 13.2.2)
    assert changed.headers["last-modified"] != since
    for nothing in ("yesterday", "", "Thu, 32 Foo 2026 99:00:00 GMT"):
        assert (await opened(shop, url, {"If-Modified-Since": nothing})).status_code == 200
    assert (await opened(shop, url, {"If-None-Match": "*"})).status_code == 304


async def test_another_feed_ends_the_one_before_and_revoking_ends_it_too(shop: Shop) -> None:
    staff = await held(shop, "Jean Dupont")
    first, second = await made(shop, staff), await made(shop, staff)
    feed = await models.CalendarFeed.get(revoked_at=None)

    assert [(await opened(shop, url)).status_code for url in (first, second)] == [404, 200]
    await shop(REVOKE, input={"calendarFeed": global_id(feed)})
    assert (await opened(shop, second)).status_code == 404


async def test_the_token_is_kept_nowhere(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    token = (await made(shop, await held(shop, "Jean Dupont"))).rpartition("/")[2].removesuffix(".ics")

    with caplog.at_level("DEBUG"):
        await shop.http.get(f"/calendars/{token}.ics")
        await shop.http.get(f"/calendars/{'0' * 64}.ics")

    assert token not in caplog.text
    kept = await shop.sql("SELECT token_hash FROM calendar_feeds")
    assert token not in str(kept)
    noted = await shop.sql("SELECT to_jsonb(e) FROM audit_entries e WHERE subject_type = 'CalendarFeed'")
    assert kept[0]["token_hash"] not in str(noted)


async def test_who_left_has_no_feed_any_more(shop: Shop) -> None:
    staff = await held(shop, "Jean Dupont")
    member = await models.Membership.filter(organization=shop.organization).first()
    await models.Staff.filter(id=staff.id).update(membership_id=member.id)  # type: ignore[union-attr]
    url = await made(shop, staff)
    assert (await opened(shop, url)).status_code == 200

    await shop.sql("UPDATE memberships SET active = false")

    assert (await opened(shop, url)).status_code == 404


async def test_a_consultant_makes_a_feed_of_their_own_appointments_alone(shop: Shop) -> None:
    staff = await held(shop, "Jean Dupont")
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)

    refusal = await consultant.refused(CREATE, input={"staff": global_id(staff)})
    member = await models.Membership.get(organization=shop.organization, role=Role.CONSULTANT)
    await models.Staff.filter(id=staff.id).update(membership_id=member.id)

    assert refusal == ("FORBIDDEN", "input.staff", "You may make a feed of your own appointments only.")
    assert (await opened(shop, await made(consultant, staff))).status_code == 200


async def test_a_feed_that_is_asked_for_too_often_says_when_to_come_back(shop: Shop) -> None:
    url = await made(shop, await held(shop, "Jean Dupont"))

    answers = [await opened(shop, url) for _ in range(31)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


@pytest.mark.parametrize("token", ["x", "0" * 64, "0" * 63 + "é", "..%2f..%2fetc"])
async def test_what_is_no_token_opens_nothing(shop: Shop, token: str) -> None:
    assert (await shop.http.get(f"/calendars/{token}.ics")).status_code == 404


async def test_a_feed_has_bounds(shop: Shop) -> None:
    assert calendar_feeds.ENTRIES_MOST <= 5000
    staff = await held(shop, "Jean Dupont", at=datetime.now(UTC) + timedelta(days=400))

    assert itip.read((await opened(shop, await made(shop, staff))).content).components == []


async def held(
    shop: Shop, name: str, *, at: datetime | None = None, capacity: int = 1, staff: models.Staff | None = None,
    status: models.BookingStatus = models.BookingStatus.CONFIRMED,
) -> models.Staff:  # fmt: skip
    """Who holds an appointment with somebody, tomorrow unless told."""
    here: dict[str, Any] = {"organization": shop.organization}
    starts_at = at or datetime.now(UTC) + timedelta(days=1)
    ends_at = starts_at + timedelta(hours=1)
    client = await models.Client.create(email=f"{name.split()[0].lower()}@example.com", **here)
    service = await models.Service.create(name="Bilan", duration_minutes=60, price_cents=0, **here)
    staff = staff or await models.Staff.create(display_name="Camille", **here)
    appointment = await models.Appointment.create(
        service=service, staff=staff, starts_at=starts_at, ends_at=ends_at, occupied_from=starts_at,
        occupied_until=ends_at, capacity=capacity, taken=1, **here,
    )  # fmt: skip
    canceled_at = datetime.now(UTC) if status is models.BookingStatus.CANCELED else None
    await models.Booking.create(
        appointment=appointment, client=client, attendee_name=name, status=status, canceled_at=canceled_at,
        price_cents=0, currency="EUR", **here,
    )  # fmt: skip
    return staff


async def made(shop: Shop, staff: models.Staff) -> str:
    created = await shop(CREATE, input={"staff": global_id(staff)})
    return urlsplit(created["url"]).path


async def opened(shop: Shop, url: str, headers: dict[str, str] | None = None) -> Any:
    return await shop.http.get(url, headers=headers)
