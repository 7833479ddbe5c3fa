"""Bookings that cost something: held while they are paid, confirmed once they are; what cancelling them costs."""

from typing import Any

import pytest

import models
from services import doctor, holds
from tests.bookings.desk import BOOK, Desk, ahead
from tests.documents import CHECKOUT
from tests.security.test_keys import storefront
from tests.shop import Shop

REFUND = "mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { refund { status } } }"


async def late(desk: Desk) -> tuple[dict[str, Any], list[Any]]:
    """A booking that was paid while its hold ended, and what Stripe has to tell."""
    shop, made = desk.shop, await desk.book(ahead())
    page = await shop.checkout(made["booking"]["order"])
    await shop.sql("UPDATE bookings SET status = 'EXPIRED', hold_expires_at = NULL")
    await shop.sql("UPDATE appointments SET status = 'CANCELED', taken = 0")
    return made, list(await shop.sandbox.stripe.pay(page))


async def test_a_place_is_held_until_it_is_paid(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)

    made = await desk.book(ahead())

    assert (made["confirmed"], made["booking"]["status"]) == (False, "PENDING")
    assert made["payUrl"]
    assert made["booking"]["order"]["total"] == {"amount": 6000}
    await shop.pay(made["booking"]["order"])
    seen = await desk.see(made["booking"]["id"])
    assert (seen["status"], seen["holdExpiresAt"], seen["order"]["status"]) == ("CONFIRMED", None, "PAID")
    (granted,) = [each for each in doctor.INVARIANTS if each.holds.startswith("Whoever paid")]
    assert (await doctor.examine(granted)).good  # nothing but the place was bought


async def test_a_page_is_good_for_no_longer_than_the_hold(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead())

    page = await shop.checkout(made["booking"]["order"])

    (row,) = await models.Booking.all()
    session = shop.sandbox.stripe.books.find("checkout.session", page)
    assert row.hold_expires_at
    assert session["expires_at"] < row.hold_expires_at.timestamp()
    assert session["payment_method_types"] == ["card"]


async def test_a_hold_that_ends_gives_the_time_back_and_takes_the_page_back(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead())
    page = await shop.checkout(made["booking"]["order"])

    await desk.holds_end()

    seen = await desk.see(made["booking"]["id"])
    assert (seen["status"], seen["order"]["status"]) == ("EXPIRED", "OPEN")
    assert shop.sandbox.stripe.books.find("checkout.session", page)["status"] == "expired"
    assert (await desk.book(ahead()))["booking"]["appointment"]["id"] != made["booking"]["appointment"]["id"]


async def test_a_client_who_comes_back_has_the_same_place_while_it_is_free(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead())
    await desk.holds_end()

    await shop.pay(made["booking"]["order"])

    seen = await desk.see(made["booking"]["id"])
    assert (seen["status"], seen["appointment"]["status"], seen["appointment"]["taken"]) == ("CONFIRMED", "ACTIVE", 1)


async def test_nothing_is_asked_for_a_place_that_is_gone(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead())
    await desk.holds_end()
    await desk.book(ahead())

    refusal = await shop.refused(CHECKOUT, input=shop.checkout_input(made["booking"]["order"]))

    assert refusal[:2] == ("SLOT_TAKEN", "input.order")


async def test_money_that_comes_late_takes_the_place_again_where_it_is_free(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made, news = await late(desk)

    await shop.tell(news)

    seen = await desk.see(made["booking"]["id"])
    assert (seen["status"], seen["appointment"]["taken"], seen["order"]["conflicts"]) == ("CONFIRMED", 1, [])


async def test_money_that_comes_late_for_a_place_that_is_gone_waits_for_a_person(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made, news = await late(desk)
    await desk.book(ahead())

    await shop.tell(news)

    seen = await desk.see(made["booking"]["id"])
    assert (seen["status"], seen["order"]["status"]) == ("EXPIRED", "PAID")
    assert seen["order"]["conflicts"] == [{"kind": "SLOT_LOST", "proposal": "REFUND", "proposed": {"amount": 6000}}]
    assert any("paiement est arrivé trop tard" in subject for subject in shop.subjects("client1@example.com"))


@pytest.mark.parametrize("gone", ["DELETE FROM weekly_hours", "DELETE FROM service_staff"])
async def test_money_that_comes_late_is_kept_although_nobody_works_then_any_more(shop: Shop, gone: str) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made, news = await late(desk)
    await shop.sql(gone)

    await shop.tell(news)

    seen = await desk.see(made["booking"]["id"])
    assert (seen["status"], seen["order"]["status"]) == ("EXPIRED", "PAID")
    assert [each["kind"] for each in seen["order"]["conflicts"]] == ["SLOT_LOST"]


async def test_a_place_is_not_held_for_ever_without_being_paid(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead())
    for _ in range(3):
        await shop.checkout(made["booking"]["order"])
    (row,) = await models.Booking.all()
    await models.Booking.all().update(holds=holds.HOLDS_MOST)

    code, field, message = await shop.refused(CHECKOUT, input=shop.checkout_input(made["booking"]["order"]))

    assert (row.holds, code, field) == (3, "CONFLICT", "input.order")
    assert message == "This place was held 20 times and not paid: it is kept no longer. Book again."
    await desk.holds_end()
    assert (await desk.see(made["booking"]["id"]))["status"] == "EXPIRED"


async def test_what_nobody_paid_blocks_an_address_for_as_long_as_it_is_held(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    page = await storefront(shop)
    asked = {"service": desk.service, "email": "jean@example.com"}
    for hour in range(9, 14):
        await page(BOOK, input=asked | {"startsAt": ahead(hour=hour).isoformat()})

    sixth = asked | {"startsAt": ahead(hour=15).isoformat()}
    code, field, message = await page.refused(BOOK, input=sixth)
    await shop.sql("UPDATE bookings SET hold_expires_at = now() - interval '1 second'"
                   " WHERE id = (SELECT id FROM bookings ORDER BY id LIMIT 1)")  # fmt: skip

    assert (code, field) == ("CONFLICT", "input.startsAt")
    assert "5 bookings of this client wait to be paid" in message
    assert "book again in 30 minutes" in message
    assert (await page(BOOK, input=sixth))["payUrl"]


@pytest.mark.parametrize("cancels", [True, False])
async def test_a_refund_in_whole_says_what_becomes_of_the_booking(shop: Shop, cancels: bool) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    client = await shop.client("jean@example.com")
    made = await desk.book(ahead(), client)
    order = await shop.pay(made["booking"]["order"])
    payment = {"payment": order["payments"][0]["id"], "cancelBookings": cancels}
    if cancels:
        part = payment | {"amount": {"amount": 100, "currency": "EUR"}}
        assert (await shop.refused(REFUND, input=part))[:2] == ("INVALID", "input.cancelBookings")

    await shop(REFUND, input=payment)
    await shop.work_is_done()

    seen = await desk.see(made["booking"]["id"])
    assert seen["order"]["refunded"] == {"amount": 6000}
    assert await shop.count("refunds") == 1
    if cancels:
        assert (seen["status"], seen["cancelReason"]) == ("CANCELED", "La réservation a été remboursée.")
        assert any("annuler votre rendez-vous" in subject for subject in shop.subjects("jean@example.com"))
    else:
        assert seen["status"] == "CONFIRMED"


async def test_a_deposit_confirms_and_the_rest_is_paid_later(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000, deposit_cents=2000)
    made = await desk.book(ahead())

    await shop.pay(made["booking"]["order"])

    seen = await desk.see(made["booking"]["id"])
    assert (seen["status"], seen["order"]["status"], seen["order"]["balance"]) == (
        "CONFIRMED",
        "OPEN",
        {"amount": 4000},
    )


async def test_a_person_confirms_what_is_paid_later(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)

    made = await desk.book(ahead(), paysLater=True)

    assert (made["confirmed"], bool(made["payUrl"])) == (True, True)
    assert (await desk.see(made["booking"]["id"]))["order"]["status"] == "OPEN"


async def test_a_place_that_nobody_paid_is_given_up_with_its_order(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead())
    page = await shop.checkout(made["booking"]["order"])

    given_up = await desk.cancel(made["booking"]["id"])

    assert (given_up["status"], given_up["order"]["status"]) == ("CANCELED", "CANCELED")
    assert shop.sandbox.stripe.books.find("checkout.session", page)["status"] == "expired"


async def test_an_order_that_is_given_up_gives_the_time_back(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead())

    await shop.do("orderCancel", made["booking"]["order"])

    assert (await desk.see(made["booking"]["id"]))["status"] == "CANCELED"
    assert (await desk.book(ahead()))["booking"]


@pytest.mark.parametrize(
    ("deposit", "days", "cancel", "fee", "kept"),
    [
        (0, 3, {"forClient": True}, 0, 0),  # in time
        (0, 1, {"forClient": True}, 1800, 1800),  # late: 30 %
        (0, 1, {}, 0, 0),  # by the organization
        (2000, 3, {"forClient": True}, 0, 0),
        (2000, 1, {"forClient": True}, 1800, 1800),
        (2000, 1, {}, 0, 0),
    ],
)
async def test_cancelling_costs_what_the_service_says(
    shop: Shop, deposit: int, days: int, cancel: dict[str, Any], fee: int, kept: int
) -> None:
    desk = await Desk.open(
        shop, price_cents=6000, deposit_cents=deposit, free_cancel_hours=48, late_cancel_percent=3000
    )
    made = await desk.book(ahead(days=days))
    await shop.pay(made["booking"]["order"])

    given_up = await desk.cancel(made["booking"]["id"], **cancel)
    await shop.work_is_done()

    assert (given_up["status"], given_up["fee"], given_up["appointment"]["taken"]) == ("CANCELED", {"amount": fee}, 0)
    (order,) = await models.Order.all()
    assert (order.kept_cents, order.balance) == (kept, 0)
    invoices = await models.Invoice.filter(order_id=order.id).exclude(type="CREDIT_NOTE")
    notes = await models.Invoice.filter(order_id=order.id, type="CREDIT_NOTE")
    whole = [each for each in invoices if each.type == "INVOICE"]
    assert sum(each.total_cents for each in whole) - sum(each.total_cents for each in notes) == kept


async def test_not_coming_costs_what_the_service_says(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000, no_show_percent=5000)
    made = await desk.book(ahead())
    await shop.pay(made["booking"]["order"])
    await desk.time_comes(made["booking"]["id"], days=4)

    await shop(
        "mutation ($input: BookingInput!) { bookingNoShow(input: $input) { booking { id } } }",
        input={"booking": made["booking"]["id"]},
    )
    await shop.work_is_done()

    seen = await desk.see(made["booking"]["id"])
    assert (seen["status"], seen["fee"], seen["order"]["refunded"]) == ("NO_SHOW", {"amount": 3000}, {"amount": 3000})


async def test_what_came_by_hand_goes_back_by_a_person(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead(), paysLater=True)
    await shop.do("paymentRecord", made["booking"]["order"], method="CASH")

    await desk.cancel(made["booking"]["id"])

    seen = await desk.see(made["booking"]["id"])
    assert seen["order"]["conflicts"] == [{"kind": "REFUND_DUE", "proposal": "REFUND", "proposed": {"amount": 6000}}]
