"""What is configured: services, people, hours, rooms, times at which they are busy."""

from typing import Any

import pytest

import models
from models import Role
from models.base import global_id
from tests.agenda.agendas import (
    BLOCK_CREATE,
    BLOCK_DELETE,
    EXCEPTION_CREATE,
    EXCEPTION_DELETE,
    HOURS_SET,
    MORNING,
    RESOURCE_CREATE,
    RESOURCE_UPDATE,
    SERVICE_CREATE,
    SERVICE_UPDATE,
    STAFF_CREATE,
    STAFF_UPDATE,
    service,
    staff,
)
from tests.shop import Shop

BLOCK = {"startsAt": "2099-01-01T09:00:00Z", "endsAt": "2099-01-01T10:00:00Z"}
DAYS = {"startsOn": "2099-01-01", "endsOn": "2099-01-02"}


async def test_a_service_has_staff_and_rooms_which_others_take_the_place_of(shop: Shop) -> None:
    one, two = await staff(shop), await staff(shop, displayName="Dominique")
    room = str((await shop(RESOURCE_CREATE, input={"name": "Salle"}))["resource"]["id"])
    made = await service(shop, [one], resources=[room], deposit={"amount": 3000, "currency": "EUR"})

    await shop(SERVICE_UPDATE, input={"service": made, "staff": [two, two], "name": "Séance"})

    asked = "query ($id: ID!) { service(id: $id) { name deposit { amount } staff { id } resources { id } } }"
    assert await shop(asked, id=made) == {
        "name": "Séance", "deposit": {"amount": 3000}, "staff": [{"id": two}], "resources": [{"id": room}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"durationMinutes": 0}, "durationMinutes"),
        ({"bufferAfterMinutes": -1}, "bufferAfterMinutes"),
        ({"slotStepMinutes": 1}, "slotStepMinutes"),
        ({"capacity": 0}, "capacity"),
        ({"maxAheadDays": 731}, "maxAheadDays"),
        ({"lateCancelPercent": 10_001}, "lateCancelPercent"),
        ({"price": {"amount": -1, "currency": "EUR"}}, "price.amount"),
        ({"deposit": {"amount": 12_001, "currency": "EUR"}}, "deposit.amount"),
        ({"deposit": {"amount": 1, "currency": "USD"}}, "deposit.currency"),
        ({"vatRate": 1234}, "vatRate"),
    ],
)
async def test_a_service_that_cannot_be_is_refused(shop: Shop, values: dict[str, Any], field: str) -> None:
    given = {"name": "Bilan", "durationMinutes": 60, "price": {"amount": 12_000, "currency": "EUR"}, **values}

    code, blamed, _ = await shop.refused(SERVICE_CREATE, input=given)

    assert (code, blamed) == ("INVALID", f"input.{field}")


async def test_somebody_is_in_the_organizations_time_zone_unless_another_is_given(shop: Shop) -> None:
    made = await shop(STAFF_CREATE, input={"displayName": "Camille"})
    elsewhere = await shop(STAFF_CREATE, input={"displayName": "Dominique", "timeZone": "America/Cayenne"})

    assert [each["staff"]["timeZone"] for each in (made, elsewhere)] == ["Europe/Paris", "America/Cayenne"]
    code, field, _ = await shop.refused(STAFF_UPDATE, input={"staff": made["staff"]["id"], "timeZone": "Paris"})
    assert (code, field) == ("INVALID", "input.timeZone")


async def test_a_member_is_booked_as_one_person(shop: Shop) -> None:
    me = await shop("{ me { id } }")
    await shop(STAFF_CREATE, input={"displayName": "Camille", "member": me["id"]})

    code, field, _ = await shop.refused(STAFF_CREATE, input={"displayName": "Again", "member": me["id"]})

    assert (code, field) == ("CONFLICT", "input.member")


async def test_the_hours_of_a_week_take_the_place_of_those_that_were(shop: Shop) -> None:
    person = await staff(shop)

    set_ = await shop(HOURS_SET, input={"staff": person, "hours": [{"isoWeekday": 7, **MORNING}]})

    assert set_["staff"]["weeklyHours"] == [{"isoWeekday": 7, **MORNING}]


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ([{"isoWeekday": 8, **MORNING}], "hours.0.isoWeekday"),
        ([{"isoWeekday": 1, "startsMinute": 600, "endsMinute": 540}], "hours.0.endsMinute"),
        ([{"isoWeekday": 1, "startsMinute": 600, "endsMinute": 1441}], "hours.0.endsMinute"),
        ([{"isoWeekday": 1, "startsMinute": -1, "endsMinute": 540}], "hours.0.startsMinute"),
        ([{"isoWeekday": 1, **MORNING}, {"isoWeekday": 1, "startsMinute": 660, "endsMinute": 780}], "hours.1"),
        ([{"isoWeekday": 1, **MORNING}] * 71, "hours"),
    ],
)
async def test_hours_that_cannot_be_are_refused(shop: Shop, hours: list[dict[str, int]], field: str) -> None:
    person = await staff(shop)

    code, blamed, _ = await shop.refused(HOURS_SET, input={"staff": person, "hours": hours})

    assert (code, blamed) == ("INVALID", f"input.{field}")
    assert await models.WeeklyHours.all().count() == 7


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"endsOn": "2098-12-31"}, "endsOn"),
        ({"endsOn": "2199-12-31"}, "endsOn"),
        ({"startsMinute": 600}, "endsMinute"),
        ({"startsMinute": 600, "endsMinute": 540}, "endsMinute"),
    ],
)
async def test_an_exception_that_cannot_be_is_refused(shop: Shop, values: dict[str, Any], field: str) -> None:
    code, blamed, _ = await shop.refused(EXCEPTION_CREATE, input={**DAYS, **values})

    assert (code, blamed) == ("INVALID", f"input.{field}")


async def test_a_busy_time_ends_after_it_begins_and_what_a_calendar_says_stays(shop: Shop) -> None:
    person = await staff(shop)
    turned = {"staff": person, "startsAt": BLOCK["endsAt"], "endsAt": BLOCK["startsAt"]}
    assert (await shop.refused(BLOCK_CREATE, input=turned))[:2] == ("INVALID", "input.endsAt")
    made = await shop(BLOCK_CREATE, input={"staff": person, **BLOCK})
    id = made["busyBlock"]["id"]

    await models.BusyBlock.all().update(source=models.BusySource.GOOGLE)
    assert (await shop.refused(BLOCK_DELETE, input={"busyBlock": id}))[:2] == ("CONFLICT", "input.busyBlock")

    await models.BusyBlock.all().update(source=models.BusySource.MANUAL)
    await shop(BLOCK_DELETE, input={"busyBlock": id})
    assert await models.BusyBlock.all().count() == 0


async def test_a_consultant_changes_their_own_hours_and_nobody_elses(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    member = await models.Membership.get(organization=shop.organization, role=Role.CONSULTANT)
    mine, other = await staff(shop, member=global_id(member)), await staff(shop, displayName="Dominique")
    hours = [{"isoWeekday": 1, **MORNING}]

    await consultant(HOURS_SET, input={"staff": mine, "hours": hours})
    block = await consultant(BLOCK_CREATE, input={"staff": mine, **BLOCK})
    exception = await consultant(EXCEPTION_CREATE, input={"staff": mine, **DAYS})
    await consultant(BLOCK_DELETE, input={"busyBlock": block["busyBlock"]["id"]})
    await consultant(EXCEPTION_DELETE, input={"hoursException": exception["hoursException"]["id"]})

    house = await shop(EXCEPTION_CREATE, input=DAYS)
    for document, given in (
        (HOURS_SET, {"staff": other, "hours": hours}),
        (BLOCK_CREATE, {"staff": other, **BLOCK}),
        (EXCEPTION_CREATE, {"staff": other, **DAYS}),
        (EXCEPTION_CREATE, DAYS),
        (EXCEPTION_DELETE, {"hoursException": house["hoursException"]["id"]}),
        (STAFF_UPDATE, {"staff": mine, "displayName": "Me"}),
    ):
        assert (await consultant.refused(document, input=given))[0] == "FORBIDDEN", document


async def test_a_room_that_is_not_used_any_more_stays(shop: Shop) -> None:
    room = (await shop(RESOURCE_CREATE, input={"name": "Salle"}))["resource"]["id"]

    changed = await shop(RESOURCE_UPDATE, input={"resource": room, "active": False})

    assert changed["resource"]["active"] is False


async def test_of_two_appointments_of_one_person_or_room_at_once_the_database_refuses_one(shop: Shop) -> None:
    made = {
        "organization_id": shop.organization.id,
        "service_id": (await models.Service.get(id=await row(shop))).id,
        "starts_at": "2099-01-01T09:00:00Z", "ends_at": "2099-01-01T10:00:00Z",
        "occupied_from": "2099-01-01T09:00:00Z", "occupied_until": "2099-01-01T10:15:00Z",
    }  # fmt: skip
    one, two = await models.Staff.all().order_by("id")
    room = await models.Resource.create(name="Salle", organization=shop.organization)
    await models.Appointment.create(staff=one, resource=room, **made)
    later = made | {"starts_at": "2099-01-01T10:10:00Z", "occupied_from": "2099-01-01T10:10:00Z"}
    later |= {"ends_at": "2099-01-01T11:00:00Z", "occupied_until": "2099-01-01T11:00:00Z"}

    with pytest.raises(Exception, match="appointments_staff"):
        await models.Appointment.create(staff=one, **later)
    with pytest.raises(Exception, match="appointments_resource"):
        await models.Appointment.create(staff=two, resource=room, **later)
    await models.Appointment.create(staff=two, **later)


async def row(shop: Shop) -> Any:
    """The id of a service that two people give."""
    await service(shop, [await staff(shop), await staff(shop, displayName="Dominique")])
    return (await models.Service.get()).id
