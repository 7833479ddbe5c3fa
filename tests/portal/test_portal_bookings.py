"""What a client books, moves and gives up by their private link."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import models
from models.base import global_id
from tests.bookings.desk import Desk, ahead
from tests.portal.clients import BOOK, CANCEL, MOVE, PAY, SLOTS, come, seen
from tests.security.surroundings import neighbour, never_made, nothing_changes
from tests.shop import Shop


async def test_a_client_finds_a_service_a_time_and_books_it(shop: Shop) -> None:
    desk = await Desk.open(shop, "Zoé", "Camille", location="2 rue Basse, Lyon")
    await Desk.open(shop, "Nobody", active=False)
    client = await come(shop, await shop.client("marie@example.com"))

    (service,) = (await seen(client))["services"]
    found = await client(SLOTS, service=service["id"], **{"from": ahead().isoformat(), "to": ahead(4).isoformat()})
    made = await client(BOOK, input={"service": service["id"], "startsAt": found[0]["startsAt"]})

    assert (service["id"], service["name"], service["price"]) == (desk.service, "Bilan", {"amount": 0})
    assert [each["name"] for each in service["staff"]] == ["Camille", "Zoé"]
    assert sorted(found[0]["staff"]) == sorted(each["id"] for each in service["staff"])
    assert (made["confirmed"], made["order"]) == (True, None)
    (booking,) = (await seen(client))["bookings"]
    assert (booking["id"], booking["status"], booking["location"]) == (
        made["booking"],
        "CONFIRMED",
        "2 rue Basse, Lyon",
    )
    assert datetime.fromisoformat(booking["startsAt"]) == ahead()
    assert datetime.fromisoformat(booking["freeUntil"]) == ahead() - timedelta(hours=24)


async def test_a_place_that_costs_is_held_and_paid_by_the_link(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000, late_cancel_percent=5000)
    client = await come(shop, await shop.client())

    made = await client(BOOK, input={"service": desk.service, "startsAt": ahead().isoformat(), "clientNotes": "<b>"})

    assert (made["confirmed"], made["holdExpiresAt"] is None) == (False, False)
    (held,) = (await seen(client))["bookings"]
    assert (held["status"], held["price"], held["lateFee"]) == ("PENDING", {"amount": 6000}, {"amount": 3000})
    assert held["payUrl"]
    paying = await client(PAY, input={"order": made["order"]})
    assert paying["amount"] == {"amount": 6000}
    await shop.tell(await shop.sandbox.stripe.pay(paying["url"].rpartition("/")[2]))
    (booking,) = (await seen(client))["bookings"]
    assert (booking["status"], booking["payUrl"]) == ("CONFIRMED", None)
    assert (await models.Booking.get()).client_notes == "<b>"


async def test_a_client_moves_and_gives_up_what_is_theirs(shop: Shop) -> None:
    desk = await Desk.open(shop, "Camille", "Zoé")
    client = await come(shop, await shop.client())
    made = await client(BOOK, input={"service": desk.service, "startsAt": ahead().isoformat()})
    zoe = global_id(desk.staff[1])

    later = {"booking": made["booking"], "startsAt": ahead(4).isoformat(), "staff": zoe}
    moved = await client(MOVE, input=later)

    assert (moved["booking"], datetime.fromisoformat(moved["startsAt"])) == (made["booking"], ahead(4))
    assert (await seen(client))["bookings"][0]["staff"] == "Zoé"
    ended = await client(CANCEL, input={"booking": made["booking"], "reason": "Malade"})
    assert ended == {"booking": made["booking"], "fee": {"amount": 0}, "sessionReturned": False}
    assert (await seen(client))["bookings"] == []
    row = await models.Booking.get()
    assert (row.cancel_reason, row.canceled_by_id) == ("Malade", None)
    entry = await models.AuditEntry.filter(action="portalBookingCancel", subject_type="Booking").first()
    link = await models.PortalToken.get()
    assert entry and (entry.actor_kind, entry.key_id) == (models.AuditActor.PORTAL_TOKEN, link.id)


async def test_a_page_on_which_a_time_was_paid_ends_when_that_is_moved_and_the_next_says_the_new_one(
    shop: Shop,
) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    client = await come(shop, await shop.client())
    made = await client(BOOK, input={"service": desk.service, "startsAt": ahead().isoformat()})
    old = session(shop, await client(PAY, input={"order": made["order"]}))
    await client(MOVE, input={"booking": made["booking"], "startsAt": ahead(4).isoformat()})

    new = session(shop, await client(PAY, input={"order": made["order"]}))
    again = session(shop, await client(PAY, input={"order": made["order"]}))

    assert (new["id"], new["id"] == old["id"]) == (again["id"], False)
    assert shop.sandbox.stripe.session(old["id"])["status"] == "expired"
    await client(MOVE, input={"booking": made["booking"], "startsAt": ahead(5).isoformat()})
    await shop.work_is_done()
    assert shop.sandbox.stripe.session(new["id"])["status"] == "expired"
    last = session(shop, await client(PAY, input={"order": made["order"]}))
    await shop.tell(await shop.sandbox.stripe.pay(last["id"]))
    (booking,) = (await seen(client))["bookings"]
    assert (booking["status"], datetime.fromisoformat(booking["startsAt"])) == ("CONFIRMED", ahead(5))


async def test_what_is_held_and_not_paid_is_free_for_another_client(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    slow, other = [await come(shop, await shop.client(f"{name}@example.com")) for name in ("marie", "paul")]
    asked = {"service": desk.service, "startsAt": ahead().isoformat()}
    made = await slow(BOOK, input=asked)
    page = session(shop, await slow(PAY, input={"order": made["order"]}))
    await desk.holds_end()

    assert shop.sandbox.stripe.session(page["id"])["status"] == "expired"
    assert (await seen(slow))["bookings"] == []
    assert (await other(BOOK, input=asked))["holdExpiresAt"]
    assert (await slow.refused(PAY, input={"order": made["order"]}))[0] == "SLOT_TAKEN"
    assert (await slow.refused(MOVE, input={"booking": made["booking"], "startsAt": ahead(4).isoformat()})) == (
        "CONFLICT",
        "input.booking",
        "This booking was not paid in time, and its place is free again: it cannot be moved.",
    )


async def test_the_rules_of_the_service_bind_a_client(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000, late_cancel_percent=5000)
    client = await come(shop, await shop.client())
    made = await client(BOOK, input={"service": desk.service, "startsAt": ahead().isoformat()})
    paying = await client(PAY, input={"order": made["order"]})
    await shop.tell(await shop.sandbox.stripe.pay(paying["url"].rpartition("/")[2]))
    await desk.time_comes(made["booking"], days=2, hours=12)

    refused = await client.refused(MOVE, input={"booking": made["booking"], "startsAt": ahead(5).isoformat()})
    soon = (datetime.now(UTC) + timedelta(minutes=10)).replace(second=0, microsecond=0)
    too_soon = await client.refused(BOOK, input={"service": desk.service, "startsAt": soon.isoformat()})
    ended = await client(CANCEL, input={"booking": made["booking"]})

    late = "This can be moved until 24 hours before it begins, and it is too late: ask those who hold it."
    assert refused == ("CONFLICT", "input.booking", late)
    assert too_soon[:2] == ("INVALID", "input.startsAt")
    assert ended["fee"] == {"amount": 3000}


async def test_what_stripe_says_of_those_who_hold_it_is_not_told_to_their_clients(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    client = await come(shop, await shop.client())
    made = await client(BOOK, input={"service": desk.service, "startsAt": ahead().isoformat()})
    await client(PAY, input={"order": made["order"]})
    shop.sandbox.stripe.fail_next(401)

    refusal = await client.refused(CANCEL, input={"booking": made["booking"]})

    why = "This cannot be cancelled at this moment. Ask those who hold it."
    assert refusal == ("CONFLICT", "input.booking", why)
    assert (await seen(client))["bookings"][0]["status"] == "PENDING"


async def test_what_is_anothers_is_as_what_never_was(shop: Shop) -> None:
    desk, theirs = await Desk.open(shop), await neighbour(shop)
    away = await Desk.open(theirs)
    others = await desk.book(ahead(5), await shop.client("paul@example.com"))
    elsewhere = await away.book(ahead(5), await theirs.client("paul@example.com"))
    closed = await Desk.open(shop, active=False)
    client = await come(shop, await shop.client())
    when = {"from": ahead().isoformat(), "to": ahead(4).isoformat()}
    await seen(client)  # which is noted once

    async with nothing_changes(shop):
        for booking in (others["booking"]["id"], elsewhere["booking"]["id"], never_made("Booking"), desk.service, "x"):
            for document, more in ((MOVE, {"startsAt": ahead(6).isoformat()}), (CANCEL, {})):
                refusal = await client.refused(document, input={"booking": booking, **more})
                assert refusal == ("NOT_FOUND", "input.booking", "No such booking."), booking
        for service in (away.service, closed.service, never_made("Service"), ""):
            refusal = await client.refused(BOOK, input={"service": service, "startsAt": ahead().isoformat()})
            assert refusal == ("NOT_FOUND", "input.service", "No such service.")
            refusal = await client.refused(SLOTS, service=service, **when)
            assert refusal == ("NOT_FOUND", "service", "No such service.")
        for staff in (global_id(away.staff[0]), never_made("Staff")):
            with_them = {"service": desk.service, "startsAt": ahead().isoformat(), "staff": staff}
            assert await client.refused(BOOK, input=with_them) == ("NOT_FOUND", "input.staff", "No such staff.")
            refusal = await client.refused(SLOTS, service=desk.service, staff=staff, **when)
            assert refusal == ("NOT_FOUND", "staff", "No such staff.")


async def test_of_two_clients_one_has_the_time_and_the_other_is_told_which_are_free(shop: Shop) -> None:
    desk = await Desk.open(shop)
    clients = [await come(shop, await shop.client(f"{name}@example.com")) for name in ("marie", "paul")]
    asked = {"service": desk.service, "startsAt": ahead().isoformat()}

    answers = await asyncio.gather(*(client.post(BOOK, {"input": asked}) for client in clients))

    (refused,) = [answer["errors"][0]["extensions"] for answer in answers if "errors" in answer]
    assert (refused["code"], bool(refused["nearest"])) == ("SLOT_TAKEN", True)
    assert await models.Booking.all().count() == 1


async def test_few_places_are_held_without_being_paid(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    client = await come(shop, await shop.client())
    for hour in range(9, 14):
        await client(BOOK, input={"service": desk.service, "startsAt": ahead(hour=hour).isoformat()})

    refusal = await client.refused(BOOK, input={"service": desk.service, "startsAt": ahead(hour=15).isoformat()})

    assert refusal[:2] == ("CONFLICT", "input.startsAt")


async def test_under_a_key_a_time_is_booked_once_and_the_key_is_the_links_own(shop: Shop) -> None:
    desk = await Desk.open(shop)
    mine = await shop.client("marie@example.com")
    client, other = await come(shop, mine), await come(shop, await shop.client("paul@example.com"))
    asked = {"service": desk.service, "startsAt": ahead().isoformat(), "idempotencyKey": "k1"}

    first, again = [await client(BOOK, input=asked) for _ in range(2)]

    assert first == again
    assert (await other.refused(BOOK, input=asked))[0] == "SLOT_TAKEN"  # and not the answer of another
    replaced = await come(shop, mine)
    assert (await replaced.refused(BOOK, input=asked))[0] != "UNAUTHENTICATED"
    assert (await client.refused(BOOK, input=asked))[0] == "UNAUTHENTICATED"
    assert await models.Booking.all().count() == 1


async def test_what_an_organization_lacks_is_not_told_to_its_clients(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    client = await come(shop, await shop.client())
    await shop.sql("UPDATE organizations SET share_capital = NULL, rcs = NULL")

    refusal = await client.refused(BOOK, input={"service": desk.service, "startsAt": ahead().isoformat()})

    assert refusal == ("CONFLICT", "input.service", "This cannot be booked at this moment. Ask those who hold it.")


def session(shop: Shop, paying: dict[str, Any]) -> dict[str, Any]:
    """The page of Stripe's that was given."""
    return shop.sandbox.stripe.session(paying["url"].rpartition("/")[2])
