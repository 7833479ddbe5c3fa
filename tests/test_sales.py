"""The sale, end to end, through the front door."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from models import InvoiceSeries
from services import deliveries
from tests.shop import CHECKOUT, Shop


async def test_a_sale_ends_with_a_paid_order_an_invoice_a_letter_and_a_partner_who_knows(shop: Shop) -> None:
    product = await shop.product(partners=(await shop.partner(),))

    order = await shop.sell(product)

    assert order["status"] == "PAID"
    (payment,) = order["payments"]
    assert (payment["status"], payment["amount"]) == ("SUCCEEDED", {"amount": 9999, "currency": "EUR"})
    (invoice,) = order["invoices"]
    assert (invoice["net"], invoice["vat"], invoice["total"]) == ({"amount": 8332}, {"amount": 1667}, {"amount": 9999})
    (letter,) = shop.letters(order)
    (attached,) = letter.attachments
    assert attached.get_filename() == f"Facture-{invoice['number']}.pdf"
    assert attached.get_content().startswith(b"%PDF-")
    (notification,) = order["notifications"]
    assert notification["status"] == "DELIVERED"
    assert shop.told()[-1].json["invoice"]["number"] == invoice["number"]


async def test_each_order_grants_access_once_for_each_product(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()

    await shop.sell(product, product, client=client)
    assert await shop.count("accesses") == 1
    await shop.sell(product, client=client)

    assert await shop.count("accesses") == 2


async def test_starting_a_checkout_again_gives_the_same_page_while_it_can_be_used(shop: Shop) -> None:
    order = await shop.order()

    first, second = await shop.checkout(order), await shop.checkout(order)

    assert first == second
    assert await shop.count("attempts", "operation = 'CHECKOUT'") == 1


async def test_the_client_and_the_product_get_one_twin_at_stripe_however_many_buy_at_once(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()
    orders = [await shop.order(product, client=client) for _ in range(5)]

    sessions = await asyncio.gather(*(shop.checkout(order) for order in orders))

    assert len(set(sessions)) == 5
    seen = [shop.sandbox.stripe.session(session) for session in sessions]
    assert len({session["customer"] for session in seen}) == 1
    assert await shop.count("attempts", "operation = 'CREATE_CUSTOMER'") == 1
    assert await shop.count("attempts", "operation = 'CREATE_PRODUCT'") == 1


async def test_a_declined_card_is_kept_and_the_client_pays_with_another(shop: Shop) -> None:
    order = await shop.order()
    session = await shop.checkout(order)
    for event in await shop.sandbox.stripe.pay(session, card="4000000000000002"):
        await shop.deliver(event)
    await shop.work_is_done()
    (declined,) = (await shop.see(order))["payments"]
    assert (declined["status"], declined["failureCode"]) == ("FAILED", "generic_decline")

    for event in await shop.sandbox.stripe.pay(session):
        await shop.deliver(event)
    await shop.work_is_done()

    seen = await shop.see(order)
    assert seen["status"] == "PAID"
    assert [payment["status"] for payment in seen["payments"]] == ["SUCCEEDED"]
    assert seen["payments"][0]["failureCode"] is None


async def test_a_free_order_completes_at_once_without_stripe_or_invoice(shop: Shop) -> None:
    order = await shop.order(await shop.product(0))

    completed = await shop(CHECKOUT, input=shop.checkout_input(order))
    await shop.work_is_done()

    assert completed["__typename"] == "OrderCompleted"
    assert completed["order"]["status"] == "PAID"
    seen = await shop.see(order)
    assert (seen["invoices"], seen["payments"]) == ([], [])
    assert await shop.count("attempts", "order_id IS NOT NULL OR client_id IS NOT NULL") == 0
    assert await shop.count("accesses") == 1


async def test_a_free_order_is_told_only_to_a_partner_who_asked_and_without_an_invoice(shop: Shop) -> None:
    asked, not_asked = await shop.partner("asked", tellFreeOrders=True), await shop.partner("not-asked")
    order = await shop.order(await shop.product(0, (asked, not_asked)))

    await shop(CHECKOUT, input=shop.checkout_input(order))
    await shop.work_is_done()

    (notification,) = (await shop.see(order))["notifications"]
    assert notification["partner"]["slug"] == "asked"
    body = shop.told("asked")[-1].json
    assert body["invoice"] is None
    assert body["event_id"]
    assert body["order"]["total_amount"] == 0.0


async def test_each_partner_has_its_own_invoice_and_hears_of_its_own_lines(shop: Shop) -> None:
    first, second = await shop.partner("first"), await shop.partner("second")
    products = [await shop.product(1000, (first,), name="A"), await shop.product(2000, (second,), name="B")]
    products.append(await shop.product(4000, name="C"))

    order = await shop.sell(*products)

    by_partner = {(invoice["partner"] or {}).get("slug"): invoice for invoice in order["invoices"]}
    assert {slug: invoice["total"]["amount"] for slug, invoice in by_partner.items()} == {
        "first": 1000,
        "second": 2000,
        None: 4000,
    }
    for slug, name, total in (("first", "A", 10.0), ("second", "B", 20.0)):
        body = shop.told(slug)[-1].json
        assert [line["product_name"] for line in body["order"]["products"]] == [name]
        assert body["order"]["total_amount"] == total
        assert body["invoice"]["number"] == by_partner[slug]["number"]
    assert len(shop.letters(order)) == 3


async def test_a_reaction_that_fails_is_left_for_a_person_and_the_payment_stands(shop: Shop) -> None:
    await shop.sql("ALTER TABLE accesses ADD CONSTRAINT broken CHECK (false) NOT VALID")
    try:
        order = await shop.sell()
    finally:
        await shop.sql("ALTER TABLE accesses DROP CONSTRAINT broken")

    assert order["status"] == "PAID"
    assert len(order["invoices"]) == 1
    (conflict,) = order["conflicts"]
    assert conflict["kind"] == "REACTION_FAILED"


async def test_numbers_have_no_gap_when_many_are_paid_at_once(shop: Shop) -> None:
    product = await shop.product()
    paid = [await shop.paid_events(product) for _ in range(12)]

    await asyncio.gather(*(shop.deliver(event) for _, events in paid for event in events))
    await asyncio.gather(*(shop.work_is_done() for _ in range(4)))

    rows = await shop.sql("SELECT sequence, issued_at FROM invoices ORDER BY sequence")
    assert [row["sequence"] for row in rows] == list(range(1, 13))
    assert [row["issued_at"] for row in rows] == sorted(row["issued_at"] for row in rows)


async def test_an_invoice_that_is_rolled_back_gives_its_number_back(shop: Shop) -> None:
    await shop.sell()
    _, events = await shop.paid_events()
    await shop.sql("ALTER TABLE invoices ADD CONSTRAINT broken CHECK (false) NOT VALID")
    try:
        for event in events:
            await shop.deliver(event)
        await shop.work_is_done()
        assert await shop.count("orders", "status = 'PAID'") == 1
    finally:
        await shop.sql("ALTER TABLE invoices DROP CONSTRAINT broken")

    await shop.time_passes(minutes=5)
    await shop.work_is_done()

    rows = await shop.sql("SELECT sequence FROM invoices ORDER BY sequence")
    assert [row["sequence"] for row in rows] == [1, 2]


@pytest.mark.parametrize(
    ("newest", "at", "year", "expected"),
    [
        ((2025, 41), datetime(2025, 12, 31, 22, 59, tzinfo=UTC), 2025, ("FQCA-2025-000042", 2025, 42)),
        ((2025, 41), datetime(2025, 12, 31, 23, 1, tzinfo=UTC), 2026, ("FQCA-2026-000001", 2026, 1)),
        ((2026, 1), datetime(2025, 12, 31, 22, 59, tzinfo=UTC), 2025, ("FQCA-2026-000002", 2026, 2)),
    ],
    ids=["the same year", "a new year in Paris", "a clock that went back"],
)
def test_a_series_goes_on_within_its_year(newest: Any, at: datetime, year: int, expected: Any) -> None:
    series = InvoiceSeries(prefix="FQCA", year=newest[0], last_number=newest[1])

    number, of_year, sequence, _ = series.take(at, year)

    assert (number, of_year, sequence) == expected


def test_dates_never_go_back_within_a_series() -> None:
    series = InvoiceSeries(prefix="FQCA")
    late, early = datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)

    assert [series.take(at, 2026)[3] for at in (late, early)] == [late, late]


async def test_a_person_sees_what_the_client_bought(shop: Shop) -> None:
    order = await shop.sell(await shop.product(4900, name="Intégrale"), quantity=2)

    assert order["total"] == {"amount": 9800, "currency": "EUR", "formatted": "98,00\N{NO-BREAK SPACE}€"}
    (line,) = order["lines"]
    assert (line["description"], line["quantity"], line["unitPrice"]["amount"]) == ("Intégrale", 2, 4900)


async def test_a_mutation_returns_whatever_is_asked_of_what_it_changed(shop: Shop) -> None:
    product, client = await shop.product(partners=(await shop.partner(),)), await shop.client()

    made = await shop(
        """mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order {
          client { email } lines { description product { name partners { slug } } }
          payments { status } invoices { number } notifications { status } conflicts { kind } } } }""",
        input={"client": client, "lines": [{"product": product, "quantity": 1}]},
    )

    (line,) = made["order"]["lines"]
    assert line["product"]["partners"] == [{"slug": "fiscalis"}]
    assert made["order"]["payments"] == []


async def test_a_partner_who_is_to_be_tried_later_can_be_told_at_once(shop: Shop) -> None:
    shop.sandbox.partner.answer(500)
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))
    (notification,) = order["notifications"]
    assert notification["status"] == "PENDING"

    shop.sandbox.partner.answer(200)
    again = await shop(
        """mutation ($input: NotificationResendInput!) { notificationResend(input: $input) {
          notification { status partner { slug } order { number } attempts { number } } } }""",
        input={"notification": notification["id"]},
    )
    await shop.work_is_done()

    assert again["notification"]["attempts"] == [{"number": 1}]
    assert (await shop.see(order))["notifications"][0]["status"] == "DELIVERED"
    await shop.time_passes(hours=1)
    await shop.work_is_done()
    assert len(shop.told()) == 2


async def test_a_free_brand_beside_a_paid_one_has_no_invoice_and_the_order_is_paid(shop: Shop) -> None:
    partner = await shop.partner()
    gift, paid = await shop.product(0, (partner,), name="Cadeau"), await shop.product(5000, name="Conseil")

    order = await shop.sell(gift, paid)

    assert order["status"] == "PAID"
    assert [invoice["total"]["amount"] for invoice in order["invoices"]] == [5000]
    (told,) = shop.told()
    assert told.json["invoice"] is None


async def test_an_order_of_the_other_mode_is_not_checked_out(shop: Shop) -> None:
    order = await shop.order()
    await shop.sql("UPDATE orders SET live = true")

    code, field, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))

    assert (code, field) == ("CONFLICT", "input.order")
    assert "Create a new order" in message
    assert await shop.count("attempts") == 0


async def test_what_the_client_typed_never_stands_in_the_way_of_the_payment(shop: Shop) -> None:
    order, events = await shop.paid_events()
    for event in events:
        if event["type"] == "checkout.session.completed":
            details = event["data"]["object"]["customer_details"]
            details |= {"name": "M\x00" + "a" * 500 + " B", "phone": "not a phone"}
            details["address"] = {"line1": "1 rue\ud800", "city": "x" * 999, "postal_code": "9" * 99, "country": "FRA"}
        await shop.deliver(event)

    await shop.work_is_done()

    seen = await shop.see(order)
    assert seen["status"] == "PAID"
    assert seen["client"]["phone"] is None
    assert len(seen["invoices"]) == 1


async def test_a_second_partner_of_a_line_never_sees_an_invoice_with_the_lines_of_others(shop: Shop) -> None:
    first, second = await shop.partner("first"), await shop.partner("second")
    alone, shared = await shop.product(1000, (first,), name="A"), await shop.product(500, (first, second), name="B")

    await shop.sell(alone, shared)

    assert shop.told("first")[-1].json["order"]["total_amount"] == 15.0
    body = shop.told("second")[-1].json
    assert body["order"]["total_amount"] == 5.0
    assert body["invoice"] is None


async def test_a_second_partner_of_the_only_line_sees_its_invoice(shop: Shop) -> None:
    first, second = await shop.partner("first"), await shop.partner("second")

    order = await shop.sell(await shop.product(500, (first, second)))

    assert shop.told("second")[-1].json["invoice"]["number"] == order["invoices"][0]["number"]


async def test_a_customer_deleted_at_stripe_is_made_again_at_the_next_try(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()
    await shop.checkout(await shop.order(product, client=client))
    await shop.sql("UPDATE clients SET stripe_id = 'cus_deleted'")
    order = await shop.order(product, client=client)

    code, _, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    session = await shop.checkout(order)

    assert code == "CONFLICT"
    assert "No such customer" in message
    assert shop.sandbox.stripe.session(session)["customer"] != "cus_deleted"


async def test_sending_again_several_times_sends_once(shop: Shop) -> None:
    shop.sandbox.partner.answer(500)
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))
    resend = "mutation ($input: NotificationResendInput!) { notificationResend(input: $input) { notification { id } } }"

    for _ in range(4):
        await shop(resend, input={"notification": order["notifications"][0]["id"]})
    await shop.work_is_done()

    assert len(shop.told()) == 2
    assert await shop.count("notifications", "status = 'PENDING' AND attempts_left = 2") == 1


async def test_a_late_answer_does_not_take_back_a_delivery(shop: Shop) -> None:
    shop.sandbox.partner.answer(500)
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))
    await shop.time_passes(minutes=5)
    shop.sandbox.partner.answer(500, delay=0.5, times=1)

    (slow,) = await deliveries.claim(20)
    late = asyncio.create_task(deliveries.tell(slow))
    await asyncio.sleep(0.2)
    shop.sandbox.partner.answer(200)
    await shop.sql(
        "UPDATE partner_endpoints SET lease_until = now() - interval '1 s' WHERE lease_id IS NOT NULL"
    )  # the slow worker seems dead
    (quick,) = await deliveries.claim(20)
    await deliveries.tell(quick)
    await late

    (seen,) = (await shop.see(order))["notifications"]
    assert seen["status"] == "DELIVERED"
    assert [attempt["statusCode"] for attempt in seen["attempts"]] == [500, 200, 500]
