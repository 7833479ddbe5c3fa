"""When something can be booked, through the front door: by whom, why not, and what bad questions get."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import models
from models.base import parse_global_id
from tests.agenda.agendas import (
    AVAILABILITY,
    BLOCK_CREATE,
    EXCEPTION_CREATE,
    PARIS,
    RESOURCE_CREATE,
    RESOURCE_UPDATE,
    SERVICE_UPDATE,
    STAFF_UPDATE,
    day_ahead,
    no_holidays,
    said,
    service,
    slots,
    staff,
    the_day,
)
from tests.shop import Shop

STATEMENTS_MOST = 8  # who is calling, and what is known of people's time
ORIGIN = "https://shop.example.com"
KEY_CREATE = """mutation ($input: PublishableKeyCreateInput!) {
  publishableKeyCreate(input: $input) { publishableKey { key } }
}"""


def key(id: str) -> Any:
    parsed = parse_global_id(id)
    assert parsed
    return parsed[1]


async def appointment(shop: Shop, service: str, staff: str, at: datetime, **values: Any) -> models.Appointment:
    ends = at + timedelta(hours=1)
    return await models.Appointment.create(
        organization=shop.organization, service_id=key(service), staff_id=key(staff), starts_at=at, ends_at=ends,
        **{"occupied_from": at, "occupied_until": ends, "taken": 1} | values,
    )  # fmt: skip


async def test_anybody_is_whoever_is_free_and_nobody_is_named_by_whom_it_is_taken(shop: Shop) -> None:
    await no_holidays(shop)
    one, two = await staff(shop), await staff(shop, displayName="Dominique")
    offered, day = await service(shop, [one, two]), day_ahead(10)
    await appointment(shop, offered, one, day.replace(hour=9))
    await shop(BLOCK_CREATE, input={
        "staff": two, "startsAt": said(day.replace(hour=9)), "endsAt": said(day.replace(hour=11)), "title": "Dentiste",
    })  # fmt: skip

    found = await the_day(shop, offered, day)
    of_one = await the_day(shop, offered, day, one)

    assert {at: sorted(slot["staff"]) for at, slot in found.items()} == {
        "09:00": [], "10:00": [one], "11:00": sorted([one, two]),
    }  # fmt: skip
    assert (found["09:00"]["available"], found["09:00"]["reason"]) == (False, "BOOKED")
    assert (found["09:00"]["reasonText"], found["09:00"]["english"]) == ("Déjà réservé", "Already booked")
    assert found["11:00"]["places"] == 1
    assert {at: slot["reason"] for at, slot in of_one.items()} == {"09:00": "BOOKED", "10:00": None, "11:00": None}


async def test_times_are_closed_by_exceptions_and_public_holidays_unless_the_switch_is_off(shop: Shop) -> None:
    offered = await service(shop, [person := await staff(shop)])
    summer = next(
        day for day in (datetime(year, 7, 14, tzinfo=PARIS) for year in (2026, 2027, 2028)) if day > day_ahead(2)
    )
    day_after = summer + timedelta(days=1)
    await shop(EXCEPTION_CREATE, input={"startsOn": f"{day_after:%F}", "endsOn": f"{day_after:%F}"})

    assert {slot["reason"] for slot in (await the_day(shop, offered, summer)).values()} == {"HOLIDAY"}
    assert {slot["reason"] for slot in (await the_day(shop, offered, day_after)).values()} == {"CLOSED"}

    await no_holidays(shop)
    assert {slot["reason"] for slot in (await the_day(shop, offered, summer)).values()} == {None}
    exception = {"staff": person, "startsOn": f"{day_after:%F}", "endsOn": f"{day_after:%F}"}
    await shop(EXCEPTION_CREATE, input={**exception, "startsMinute": 840, "endsMinute": 900})
    assert list(await the_day(shop, offered, day_after)) == ["14:00"]


@pytest.mark.parametrize(
    ("month", "expected"),
    [(3, ["01:00", "01:30", "03:00", "03:30"]), (10, ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00"])],
)
async def test_daylight_saving_skips_and_doubles_an_hour(shop: Shop, month: int, expected: list[str]) -> None:
    hours = [{"isoWeekday": 7, "startsMinute": 60, "endsMinute": 60 * (5 if month == 3 else 4)}]
    offered = await service(shop, [await staff(shop, hours)], slotStepMinutes=30)
    last = next(day for day in (last_sunday(year, month) for year in (2026, 2027, 2028)) if day > day_ahead(2))

    found = await slots(shop, offered, last, last + timedelta(days=1))

    walls = [datetime.fromisoformat(slot["startsAt"]).astimezone(PARIS).strftime("%H:%M") for slot in found]
    assert walls[: len(expected)] == expected
    assert len({slot["startsAt"] for slot in found}) == len(found)


def last_sunday(year: int, month: int) -> datetime:
    end = datetime(year, month, 31, tzinfo=PARIS)
    return end - timedelta(days=end.isoweekday() % 7)


async def test_somebody_in_another_zone_is_asked_by_their_own_clock(shop: Shop) -> None:
    await no_holidays(shop)
    offered = await service(shop, [await staff(shop, timeZone="America/Cayenne")])
    noon = datetime.combine(day_ahead(10).date(), datetime.min.time(), UTC)

    found = await slots(shop, offered, noon, noon + timedelta(days=1))

    assert [slot["startsAt"][11:16] for slot in found] == ["12:00", "13:00", "14:00"]


async def test_a_group_is_counted_and_a_room_is_needed(shop: Shop) -> None:
    await no_holidays(shop)
    person, day = await staff(shop), day_ahead(10)
    room = (await shop(RESOURCE_CREATE, input={"name": "Salle"}))["resource"]["id"]
    offered = await service(shop, [person], capacity=4, resources=[room])
    await appointment(shop, offered, person, day.replace(hour=9), capacity=4, taken=4, resource_id=key(room))
    await appointment(shop, offered, person, day.replace(hour=10), capacity=4, taken=1, resource_id=key(room))

    found = await the_day(shop, offered, day)
    assert [(slot["reason"], slot["places"]) for slot in found.values()] == [("FULL", 0), (None, 3), (None, 4)]

    other = await service(shop, [await staff(shop, displayName="Dominique")], resources=[room])
    assert [slot["reason"] for slot in (await the_day(shop, other, day)).values()] == [
        "RESOURCE_TAKEN", "RESOURCE_TAKEN", None,
    ]  # fmt: skip
    await shop(RESOURCE_UPDATE, input={"resource": room, "active": False})
    assert {slot["reason"] for slot in (await the_day(shop, other, day)).values()} == {"RESOURCE_TAKEN"}


async def test_what_is_too_soon_or_too_far_is_not_available(shop: Shop) -> None:
    await no_holidays(shop)
    offered = await service(shop, [await staff(shop)], minNoticeMinutes=3 * 1440, maxAheadDays=5)

    reasons = [{slot["reason"] for slot in (await the_day(shop, offered, day_ahead(on))).values()} for on in (1, 4, 7)]

    assert reasons == [{"TOO_SOON"}, {None}, {"TOO_FAR"}]


@pytest.mark.parametrize(
    ("begins", "ends", "whom", "code", "field"),
    [
        (2, 1, True, "INVALID", "to"),
        (2, 2, True, "INVALID", "to"),
        (1, 64, True, "INVALID", "to"),
        (1, 33, False, "INVALID", "to"),
        (-400, -399, True, "INVALID", "from"),
        (1200, 1201, True, "INVALID", "to"),
    ],
)
async def test_a_range_that_cannot_be_is_refused(
    shop: Shop, begins: int, ends: int, whom: bool, code: str, field: str
) -> None:
    person = await staff(shop)
    given: dict[str, Any] = {"service": await service(shop, [person]), "staff": person if whom else None}
    refusal = await shop.refused(
        AVAILABILITY, **given, **{"from": said(day_ahead(begins)), "to": said(day_ahead(ends))}
    )

    assert refusal[:2] == (code, field)


async def test_of_many_people_at_small_steps_a_shorter_range_is_asked_for(shop: Shop) -> None:
    offered = await service(shop, [await staff(shop, []) for _ in range(9)], slotStepMinutes=5)
    given = {"service": offered, "from": said(day_ahead(1))}

    refusal = await shop.refused(AVAILABILITY, **given, to=said(day_ahead(25)))

    assert refusal == ("INVALID", "to", "Of 9 people every 5 minutes ask for 23 days at most.")
    assert await shop(AVAILABILITY, **given, to=said(day_ahead(20))) == []


async def test_who_does_not_give_the_service_is_refused_and_so_is_one_that_nobody_gives(shop: Shop) -> None:
    theirs = await Shop.open(shop.http, shop.sandbox, "other")
    one, two, foreign = await staff(shop), await staff(shop, displayName="Dominique"), await staff(theirs)
    offered, nobodys = await service(shop, [one]), await service(shop, [])
    span = {"from": said(day_ahead(1)), "to": said(day_ahead(2))}

    async def refused(service: str, staff: str | None) -> tuple[str, str]:
        code, field, _ = await shop.refused(AVAILABILITY, service=service, staff=staff, **span)
        return code, field

    assert await refused(offered, two) == ("INVALID", "staff")
    assert await refused(offered, foreign) == ("NOT_FOUND", "staff")
    assert await refused(nobodys, None) == ("CONFLICT", "service")
    await shop(STAFF_UPDATE, input={"staff": one, "active": False})
    assert await refused(offered, one) == ("INVALID", "staff")
    assert await refused(offered, None) == ("CONFLICT", "service")
    await shop(SERVICE_UPDATE, input={"service": offered, "active": False})
    assert await refused(offered, None) == ("CONFLICT", "service")


async def test_a_storefront_sees_what_is_offered_by_name_and_when_it_is_free(shop: Shop) -> None:
    await no_holidays(shop)
    person = await staff(shop)
    offered = await service(shop, [person])
    gone = await service(shop, [person])
    await shop(SERVICE_UPDATE, input={"service": gone, "active": False})
    made = await shop(KEY_CREATE, input={"name": "Site", "origins": [ORIGIN]})
    site = Shop(shop.http, shop.sandbox, shop.organization, "site", made["publishableKey"]["key"], ORIGIN)

    page = await site("{ services { nodes { id staff { displayName weeklyHours { isoWeekday } } } } }")
    found = await the_day(site, offered, day_ahead(10))

    assert page["nodes"] == [{"id": offered, "staff": [{"displayName": "Camille", "weeklyHours": []}]}]
    assert [slot["available"] for slot in found.values()] == [True, True, True]
    span = {"from": said(day_ahead(1)), "to": said(day_ahead(2))}
    assert (await site.refused(AVAILABILITY, service=gone, **span))[:2] == ("NOT_FOUND", "service")
    assert (await site.refused("{ appointments { nodes { id } } }"))[0] == "FORBIDDEN"


async def test_it_takes_the_same_few_statements_whatever_there_is(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    people = [await staff(shop)]
    offered = await service(shop, people)

    async def told() -> int:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "comptoir.sql"):
            await slots(shop, offered, day_ahead(1), day_ahead(31))
        return sum(record.name == "comptoir.sql" for record in caplog.records)

    few = await told()
    people += [await staff(shop, displayName=f"Camille {number}") for number in range(4)]
    await shop(SERVICE_UPDATE, input={"service": offered, "staff": people})
    for hour in (9, 10, 11):
        await appointment(shop, offered, people[hour % 5], day_ahead(3).replace(hour=hour))

    assert await told() == few <= STATEMENTS_MOST


@pytest.mark.parametrize(("region", "month", "day"), [("6AE", 12, 26), ("57", 12, 26), ("974", 12, 20), ("971", 5, 27)])
async def test_a_region_has_public_holidays_of_its_own(shop: Shop, region: str, month: int, day: int) -> None:
    offered = await service(shop, [await staff(shop)])
    now = datetime.now(PARIS)
    at = next(at for year in (0, 1) if (at := datetime(now.year + year, month, day, tzinfo=PARIS)) > day_ahead(2))
    before = await the_day(shop, offered, at)

    await shop.change("organization", holidayRegion=region)

    after = await the_day(shop, offered, at)
    assert {slot["reason"] for slot in before.values()} == {None}
    assert {slot["reason"] for slot in after.values()} == {"HOLIDAY"}


async def test_a_region_is_one_of_the_country(shop: Shop) -> None:
    update = "mutation ($input: OrganizationUpdateInput!) { organizationUpdate(input: $input) { organization { id } } }"
    unknown = await shop.refused(update, input={"holidayRegion": "Alsace-Moselle"})
    await shop.change("organization", holidayRegion="57")
    moved = await shop.refused(update, input={"country": "BE"})
    none_there = await shop.refused(update, input={"country": "AD", "holidayRegion": "ZZ"})

    assert unknown[:2] == moved[:2] == none_there[:2] == ("INVALID", "input.holidayRegion")
    assert "6AE" in unknown[2]
    await shop.change("organization", country="BE", holidayRegion=None)
