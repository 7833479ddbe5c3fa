"""Bookings: made by whoever may, of who is free; refused with what to do instead; moved, and what came of them."""

import pytest

import models
from models import Role
from services import cancellations
from tests.bookings.desk import BOOK, MOVE, Desk, ahead
from tests.shop import GraphQLErrors, Shop


async def test_what_is_free_is_confirmed_at_once(shop: Shop) -> None:
    desk = await Desk.open(shop)

    made = await desk.book(ahead())

    assert (made["confirmed"], made["payUrl"], made["holdExpiresAt"], made["orderNumber"]) == (True, None, None, None)
    seen = await desk.see(made["booking"]["id"])
    assert seen["status"] == "CONFIRMED"
    assert (seen["appointment"]["taken"], seen["appointment"]["status"]) == (1, "ACTIVE")


async def test_a_time_that_is_taken_is_refused_with_the_nearest_that_are_free(shop: Shop) -> None:
    desk = await Desk.open(shop, slot_step_minutes=60)
    await desk.book(ahead(hour=10))

    with pytest.raises(GraphQLErrors) as refused:
        await desk.book(ahead(hour=10))

    told = refused.value.errors[0]["extensions"]
    assert (told["code"], told["field"]) == ("SLOT_TAKEN", "input.startsAt")
    assert ahead(hour=9).isoformat() in [slot["startsAt"] for slot in told["nearest"]]
    assert ahead(hour=10).isoformat() not in [slot["startsAt"] for slot in told["nearest"]]
    free = told["nearest"][0]
    again = await shop(
        BOOK, input=desk.asked(ahead(), await shop.client(), staff=free["staff"]) | {"startsAt": free["startsAt"]}
    )
    assert again["confirmed"]


async def test_who_is_free_and_has_least_to_do_is_booked(shop: Shop) -> None:
    desk = await Desk.open(shop, "Alix", "Basile")

    told = [(await desk.book(ahead(hour=hour)))["booking"]["appointment"]["staff"]["displayName"]
            for hour in (10, 10, 14, 14, 16)]  # fmt: skip

    assert told == ["Alix", "Basile", "Alix", "Basile", "Alix"]


async def test_a_room_is_taken_by_one_at_a_time(shop: Shop) -> None:
    desk = await Desk.open(shop, "Alix", "Basile", "Chloé")
    await desk.room("Seine")
    await desk.room("Loire")

    rooms = [(await desk.see((await desk.book(ahead()))["booking"]["id"]))["appointment"]["resource"] for _ in range(2)]

    assert len({room["id"] for room in rooms}) == 2
    assert (await shop.refused(BOOK, input=desk.asked(ahead(), await shop.client())))[0] == "SLOT_TAKEN"


async def test_buffers_are_kept_free(shop: Shop) -> None:
    desk = await Desk.open(shop, buffer_before_minutes=15, buffer_after_minutes=15)
    await desk.book(ahead(hour=10))

    assert (await shop.refused(BOOK, input=desk.asked(ahead(hour=11, minute=15), await shop.client())))[
        0
    ] == "SLOT_TAKEN"
    await desk.book(ahead(hour=11, minute=30))


async def test_times_that_cannot_be_are_refused(shop: Shop) -> None:
    desk = await Desk.open(shop)
    client = await shop.client()
    other = await Shop.open(shop.http, shop.sandbox, slug="elsewhere")
    elsewhere = await Desk.open(other, "Zoé")
    stranger = await models.Staff.create(organization_id=shop.organization.id, display_name="Gives nothing")

    async def refused(at: object = None, **values: object) -> tuple[str, str | None]:
        return (await shop.refused(BOOK, input=desk.asked(at or ahead(), client) | values))[:2]  # type: ignore[arg-type]

    from models.base import global_id

    assert await refused(ahead(days=-1)) == ("INVALID", "input.startsAt")
    assert await refused(ahead(hour=20)) == ("INVALID", "input.startsAt")
    assert await refused(ahead(hour=17, minute=30)) == ("INVALID", "input.startsAt")
    assert await refused(ahead(days=800)) == ("INVALID", "input.startsAt")
    assert await refused(staff=global_id(elsewhere.staff[0])) == ("NOT_FOUND", "input.staff")
    assert await refused(staff=global_id(stranger)) == ("NOT_FOUND", "input.staff")
    assert await refused(service=elsewhere.service) == ("NOT_FOUND", "input.service")
    await models.Service.filter(id=desk.row.id).update(active=False)
    assert await refused() == ("CONFLICT", "input.service")


async def test_a_group_takes_as_many_as_it_has_places(shop: Shop) -> None:
    desk = await Desk.open(shop, capacity=2)
    first, second = await desk.book(ahead()), await desk.book(ahead())

    assert first["booking"]["appointment"]["id"] == second["booking"]["appointment"]["id"]
    assert (await shop.refused(BOOK, input=desk.asked(ahead(), await shop.client())))[0] == "SLOT_TAKEN"
    assert (await desk.cancel(first["booking"]["id"]))["appointment"] == {"status": "ACTIVE", "taken": 1}
    assert (await desk.cancel(second["booking"]["id"]))["appointment"] == {"status": "CANCELED", "taken": 0}


async def test_a_client_has_one_place_in_a_group(shop: Shop) -> None:
    desk = await Desk.open(shop, capacity=2)
    client = await shop.client()
    await desk.book(ahead(), client)

    assert (await shop.refused(BOOK, input=desk.asked(ahead(), client)))[:2] == ("CONFLICT", "input.client")


async def test_a_booking_is_moved_and_its_old_time_is_free(shop: Shop) -> None:
    desk = await Desk.open(shop)
    made = await desk.book(ahead(hour=10))

    moved = await desk.move(made["booking"]["id"], ahead(hour=10, minute=30))

    assert moved["appointment"]["sequence"] == 1
    assert moved["appointment"]["id"] == made["booking"]["appointment"]["id"]
    await desk.book(ahead(hour=9, minute=30))
    taken = {"booking": made["booking"]["id"], "startsAt": ahead(hour=9).isoformat()}
    assert (await shop.refused(MOVE, input=taken))[0] == "SLOT_TAKEN"


async def test_of_a_group_one_goes_over_into_another(shop: Shop) -> None:
    desk = await Desk.open(shop, capacity=3)
    here, there = [await desk.book(ahead(hour=10)) for _ in range(2)], await desk.book(ahead(hour=14))

    moved = await desk.move(here[0]["booking"]["id"], ahead(hour=14))

    assert moved["appointment"]["id"] == there["booking"]["appointment"]["id"]
    assert moved["appointment"]["taken"] == 2
    assert (await desk.see(here[1]["booking"]["id"]))["appointment"]["taken"] == 1


async def test_what_came_of_it_is_noted_once_it_has_begun(shop: Shop) -> None:
    desk = await Desk.open(shop)
    came, missed = await desk.book(ahead(hour=10)), await desk.book(ahead(hour=14))
    complete = "mutation ($input: BookingInput!) { bookingComplete(input: $input) { booking { status } } }"
    no_show = "mutation ($input: BookingInput!) { bookingNoShow(input: $input) { booking { status } } }"
    about = {"booking": came["booking"]["id"]}

    assert (await shop.refused(complete, input=about))[:2] == ("CONFLICT", "input.booking")
    for each in (came, missed):
        await desk.time_comes(each["booking"]["id"], days=4)
    assert (await shop(complete, input=about))["booking"]["status"] == "COMPLETED"
    assert (await shop(no_show, input={"booking": missed["booking"]["id"]}))["booking"]["status"] == "NO_SHOW"
    assert (await shop.refused(no_show, input=about))[:2] == ("CONFLICT", "input.booking")


async def test_a_client_books_and_cancels_their_own_and_nothing_else(shop: Shop) -> None:
    desk = await Desk.open(shop, free_cancel_hours=48)
    beneficiary = await Shop.open(shop.http, shop.sandbox, role=Role.BENEFICIARY)
    (member,) = await models.Membership.filter(role=Role.BENEFICIARY)
    other, mine = await shop.client(), await shop.client()
    from models.base import global_id, parse_global_id

    await models.Client.filter(id=parse_global_id(mine)[1]).update(member_id=member.id)  # type: ignore[index]
    theirs = Desk(beneficiary, desk.row, desk.staff)

    made = await theirs.book(ahead(), mine)

    assert made["confirmed"]
    assert (await beneficiary.refused(BOOK, input=desk.asked(ahead(hour=14), other)))[:2] == (
        "NOT_FOUND",
        "input.client",
    )
    later = {"paysLater": True}
    assert (await beneficiary.refused(BOOK, input=desk.asked(ahead(hour=14), mine, **later)))[0] == "FORBIDDEN"
    soon = await desk.book(ahead(hour=14))
    move = {"booking": soon["booking"]["id"], "startsAt": ahead(hour=16).isoformat()}
    assert (await beneficiary.refused(MOVE, input=move))[:2] == ("NOT_FOUND", "input.booking")
    await desk.time_comes(made["booking"]["id"], days=2)
    move |= {"booking": made["booking"]["id"]}
    assert (await beneficiary.refused(MOVE, input=move))[:2] == ("CONFLICT", "input.booking")
    assert (await theirs.cancel(made["booking"]["id"]))["status"] == "CANCELED"
    assert global_id(member) == (await desk.see(made["booking"]["id"]))["canceledBy"]["id"]


async def test_an_appointment_is_given_up_for_all_who_come(shop: Shop) -> None:
    desk = await Desk.open(shop, capacity=3)
    made = [await desk.book(ahead()) for _ in range(2)]
    cancel = """mutation ($input: AppointmentCancelInput!) {
      appointmentCancel(input: $input) { appointment { status taken sequence } }
    }"""
    about = {"appointment": made[0]["booking"]["appointment"]["id"], "reason": "Malade"}

    given_up = (await shop(cancel, input=about))["appointment"]

    assert given_up == {"status": "CANCELED", "taken": 0, "sequence": 1}
    assert {(await desk.see(each["booking"]["id"]))["status"] for each in made} == {"CANCELED"}
    assert (await shop.refused(cancel, input=about))[:2] == ("CONFLICT", "input.appointment")


async def test_a_large_group_is_given_up_bit_by_bit_and_nobody_takes_a_place_meanwhile(shop: Shop) -> None:
    desk = await Desk.open(shop, capacity=200)
    made = await desk.book(ahead())
    here = {"organization_id": shop.organization.id}
    appointment = await models.Appointment.get()
    for number in range(cancellations.AT_ONCE + 5):
        client = await models.Client.create(**here, email=f"client-{number}@example.com")
        await models.Booking.create(
            **here, appointment=appointment, client=client, attendee_name=client.email, status="CONFIRMED",
            price_cents=0, currency="EUR",
        )  # fmt: skip
    await models.Appointment.all().update(taken=cancellations.AT_ONCE + 6)
    cancel = """mutation ($input: AppointmentCancelInput!) {
      appointmentCancel(input: $input) { appointment { id } }
    }"""

    await shop(cancel, input={"appointment": made["booking"]["appointment"]["id"], "reason": "Malade"})
    at_first = await shop.count("bookings", "status = 'CANCELED'")
    refused = await shop.refused(BOOK, input=desk.asked(ahead(), await shop.client()))
    await shop.work_is_done()

    assert (at_first, refused[0]) == (cancellations.AT_ONCE, "SLOT_TAKEN")
    assert await shop.count("bookings", "status <> 'CANCELED' OR cancel_reason <> 'Malade'") == 0
    assert {(row.status, row.taken) for row in await models.Appointment.all()} == {("CANCELED", 0)}


async def test_what_happens_to_a_booking_is_told_while_one_looks(shop: Shop) -> None:
    desk = await Desk.open(shop)
    made = await desk.book(ahead())
    await desk.move(made["booking"]["id"], ahead(hour=14))
    await desk.cancel(made["booking"]["id"])

    told = await shop.sql("SELECT subject, happened FROM changes WHERE subject IN ('bookings', 'appointments')")

    assert {
        ("bookings", "CREATED"),
        ("bookings", "CANCELED"),
        ("appointments", "CHANGED"),
        ("appointments", "CANCELED"),
    } <= {(row["subject"], row["happened"]) for row in told}
