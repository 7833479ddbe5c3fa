"""Bookings that repeat, by the wall clock; those of storefronts, and under keys."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import models
from errors import Invalid
from models.base import global_id
from services.booking_series import occurrences
from tests.bookings.desk import BOOK, SERIES, Desk, ahead
from tests.security.test_keys import storefront
from tests.shop import GraphQLErrors, Shop

PARIS = ZoneInfo("Europe/Paris")


def local(*at: int) -> datetime:
    return datetime(*at, tzinfo=PARIS).astimezone(UTC)  # type: ignore[arg-type]


def test_the_hour_stays_across_daylight_saving_time() -> None:
    times = occurrences(local(2027, 3, 22, 9), "FREQ=WEEKLY;COUNT=3", PARIS)

    assert [at.astimezone(PARIS).hour for at in times] == [9, 9, 9]
    assert [at.hour for at in times] == [8, 7, 7]


def test_an_hour_that_is_skipped_is_read_with_the_offset_before() -> None:
    times = occurrences(local(2027, 3, 27, 2, 30), "FREQ=DAILY;COUNT=2", PARIS)

    assert times[1] == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)  # 3:30 by the clock


@pytest.mark.parametrize(
    "rule",
    ["", "FREQ=SECONDLY;COUNT=3", "FREQ=DAILY", "FREQ=DAILY;COUNT=3;UNTIL=20270401", "FREQ=DAILY;COUNT=53",
     "FREQ=DAILY;COUNT=1", "FREQ=MONTHLY;BYMONTHDAY=99;COUNT=2", "FREQ=DAILY;UNTIL=nothing", "FREQ=DAILY;COUNT=0",
     "FREQ=DAILY;COUNT=2;BYMONTHDAY=31;INTERVAL=999", "FREQ=MONTHLY;INTERVAL=999;COUNT=2",
     "FREQ=WEEKLY;INTERVAL=0;COUNT=3", "FREQ=DAILY;COUNT=3;BYHOUR=9", "FREQ=DAILY;UNTIL=20270131T000000"],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(Invalid):
        occurrences(local(2027, 3, 22, 9), rule, PARIS)


async def test_all_dates_are_booked_by_one_order_or_none_is(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=5000)
    given = desk.asked(ahead(hour=10), await shop.client(), staff=global_id(desk.staff[0]), rule="FREQ=DAILY;COUNT=4")
    await desk.book(ahead(days=5, hour=10))

    with pytest.raises(GraphQLErrors) as refused:
        await shop(SERIES, input=given)

    told = refused.value.errors[0]["extensions"]
    assert (told["code"], [each["startsAt"] for each in told["taken"]]) == (
        "SLOT_TAKEN", [ahead(days=5, hour=10).isoformat()]
    )  # fmt: skip
    assert await models.Appointment.all().count() == 1
    made = await shop(SERIES, input=given | {"skipTaken": True})
    assert (made["count"], len(made["skipped"]), bool(made["payUrl"])) == (3, 1, True)
    assert made["first"]["order"]["lines"] == [{"quantity": 3}]
    await shop.pay(made["first"]["order"])
    assert await models.Booking.filter(status="CONFIRMED").count() == 3


async def test_a_series_takes_no_second_place_of_a_client_in_a_group(shop: Shop) -> None:
    desk = await Desk.open(shop, capacity=5)
    client = await shop.client()
    await desk.book(ahead(4), client)

    given = {"service": desk.service, "staff": global_id(desk.staff[0]), "client": client}
    series = given | {"startsAt": ahead(3).isoformat(), "rule": "FREQ=DAILY;COUNT=3"}
    code, field, _ = await shop.refused(SERIES, input=series)
    made = await shop(SERIES, input=series | {"skipTaken": True})

    assert (code, field) == ("SLOT_TAKEN", "input.startsAt")
    assert (made["count"], [at[:10] for at in made["skipped"]]) == (2, [ahead(4).isoformat()[:10]])
    assert {row.taken for row in await models.Appointment.all()} == {1}


async def test_a_storefront_books_for_an_address(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=5000)
    site = await storefront(shop)
    given = {"service": desk.service, "startsAt": ahead().isoformat(), "email": "marie@example.com"}

    made = await site(BOOK, input=given)
    again = await site(BOOK, input=given)

    assert (made["booking"], made["confirmed"], bool(made["payUrl"])) == (None, False, True)
    assert again["orderNumber"] == made["orderNumber"]
    assert (await site.refused(BOOK, input=given | {"client": await shop.client()}))[1] == "input.client"
    (booking,) = await models.Booking.all().prefetch_related("client")
    assert booking.client.email == "marie@example.com"


async def test_the_same_key_books_once(shop: Shop) -> None:
    desk = await Desk.open(shop)
    given = desk.asked(ahead(), await shop.client(), idempotencyKey="one")

    first, second = await shop(BOOK, input=given), await shop(BOOK, input=given)

    assert first == second
    assert await models.Booking.all().count() == 1
