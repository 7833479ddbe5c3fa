"""Sales that began at Stripe itself, by a payment link or another program: orders, of what we know."""

import pytest

from sandbox.stripe_sepa import FAILS, SETTLES
from tests.begun_at_stripe import MARIE, intent_of, opened, orders, paid, session_of, twin, with_tax
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("printer")


async def test_a_payment_link_of_a_known_product_makes_a_paid_order_and_all_that_follows(shop: Shop) -> None:
    product = await shop.product(4900, (await shop.partner(),), name="Conseil", vatRate=2000)
    session = await opened(shop, await twin(shop, product), 4900, quantity=2)

    events = await paid(shop, session)

    (order,) = await orders(shop)
    assert (order["source"], order["status"], order["total"]["amount"]) == ("STRIPE", "PAID", 9800)
    (line,) = order["lines"]
    assert (line["description"], line["quantity"], line["product"]["id"]) == ("Conseil", 2, product)
    client = order["client"]
    assert (client["email"], client["firstName"], client["lastName"]) == (MARIE, "Marie", "Martin")
    assert [(each["method"], each["applied"]["amount"]) for each in order["payments"]] == [("STRIPE", 9800)]
    (invoice,) = order["invoices"]
    assert (invoice["total"]["amount"], len(shop.letters(order))) == (9800, 1)
    told = shop.told()[-1].json
    assert (told["event_id"], told["order_id"], told["order"]["total_amount"], told["invoice"]["number"]) == (
        events[-1]["id"], order["number"], 98.0, invoice["number"],
    )  # fmt: skip
    assert told["customer"]["first_name"] == "Marie"
    assert await shop.count("accesses") == 1


async def test_a_client_whom_we_know_by_the_address_is_the_same(shop: Shop) -> None:
    client = await shop.client(MARIE, firstName="Maria", phone="+33699999999")

    await paid(shop, await opened(shop, await twin(shop, await shop.product(4900)), 4900))

    (order,) = await orders(shop)
    assert (order["client"]["id"], order["client"]["firstName"]) == (client, "Maria")


async def test_the_price_is_the_one_at_stripe(shop: Shop) -> None:
    await paid(shop, await opened(shop, await twin(shop, await shop.product(4900)), 3900))

    (order,) = await orders(shop)
    assert (order["total"]["amount"], order["status"]) == (3900, "PAID")


async def test_an_event_that_comes_three_times_makes_one_order(shop: Shop) -> None:
    session = await opened(shop, await twin(shop, await shop.product(4900)), 4900)
    events = await shop.sandbox.stripe.pay(session["id"], email=MARIE)

    for _ in range(3):
        await shop.tell(events)

    (order,) = await orders(shop)
    assert (len(order["payments"]), len(order["invoices"]), len(shop.letters(order))) == (1, 1, 1)
    assert await shop.count("conflicts") == 0


async def test_a_debit_makes_an_order_once_the_bank_pays(shop: Shop) -> None:
    product = await twin(shop, await shop.product(4900))
    session = await opened(shop, product, 4900, payment_method_types=["sepa_debit"])

    await paid(shop, session, iban=SETTLES)
    assert await orders(shop) == []

    await shop.tell(shop.sandbox.stripe.settle_debit(intent_of(shop, session)))
    (order,) = await orders(shop)
    assert (order["status"], len(order["invoices"])) == ("PAID", 1)


async def test_a_debit_that_the_bank_refuses_makes_none(shop: Shop) -> None:
    product = await twin(shop, await shop.product(4900))
    session = await opened(shop, product, 4900, payment_method_types=["sepa_debit"])
    await paid(shop, session, iban=FAILS)

    await shop.tell(shop.sandbox.stripe.fail_debit(intent_of(shop, session)))

    assert (await orders(shop), await shop.count("conflicts")) == ([], 0)
    assert await shop.count("stripe_events", "handled_at IS NULL") == 0


async def test_a_discount_given_there_is_one_here(shop: Shop) -> None:
    product = await twin(shop, await shop.product(5000, (await shop.partner(),)))
    coupon = await shop.dashboard.v1.coupons.create_async({"amount_off": 1001, "currency": "eur"})
    price = {"currency": "eur", "unit_amount": 5000, "product": product}

    await paid(shop, await session_of(shop, {"price_data": price, "quantity": 2}, discounts=[{"coupon": coupon.id}]))

    (order,) = await orders(shop)
    (line,) = order["lines"]
    assert (order["total"]["amount"], line["discount"]["amount"], line["unitPrice"]["amount"]) == (8999, 1001, 5000)
    assert shop.told()[-1].json["order"]["total_amount"] == 89.99


async def test_taxes_added_there_are_in_the_price_here(shop: Shop) -> None:
    session = await opened(shop, await twin(shop, await shop.product(5000, name="Conseil")), 5000, quantity=2)
    with_tax(shop, session, 2000)

    await paid(shop, session)

    (order,) = await orders(shop)
    (line,) = order["lines"]
    assert (order["status"], order["total"]["amount"]) == ("PAID", 12_000)
    assert (line["description"], line["quantity"], line["unitPrice"]["amount"]) == ("2 × Conseil", 1, 12_000)


async def test_several_products_are_lines_of_one_order_and_each_brand_invoices_its_own(shop: Shop) -> None:
    first, second = await shop.partner("first"), await shop.partner("second")
    items = [
        {"price_data": {"currency": "eur", "unit_amount": price, "product": await twin(shop, product)}, "quantity": 1}
        for price, product in (
            (1000, await shop.product(1000, (first,), name="A")),
            (2000, await shop.product(2000, (second,), name="B")),
        )
    ]

    await paid(shop, await session_of(shop, *items))

    (order,) = await orders(shop)
    assert {each["partner"]["slug"]: each["total"]["amount"] for each in order["invoices"]} == {
        "first": 1000, "second": 2000,
    }  # fmt: skip


async def test_what_is_paid_at_stripe_while_invoices_lack_something_is_taken_and_waits_for_a_person(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    product = await twin(shop, await shop.product(4900))
    await shop.sql("UPDATE organizations SET rcs = NULL")

    await paid(shop, await opened(shop, product, 4900))

    (order,) = await orders(shop)
    assert order["status"] == "PAID"
    (conflict,) = await shop.sql("SELECT kind, message FROM conflicts")
    assert conflict["kind"] == "INVOICE_INCOMPLETE"
    assert conflict["message"].startswith(f"Paid, and {order['invoices'][0]['number']} lacks rcs of the organization")
    assert any(record.levelname == "ERROR" and "lacks rcs" in record.message for record in caplog.records)


async def test_vat_in_another_currency_than_euros_waits_for_a_person(shop: Shop) -> None:
    product = await twin(shop, await shop.product(4900))
    price = await shop.dashboard.v1.prices.create_async({"currency": "usd", "unit_amount": 4900, "product": product})

    await paid(shop, await session_of(shop, {"price": price.id, "quantity": 1}))

    assert await orders(shop) == []
    (conflict,) = await shop.sql("SELECT kind, message FROM conflicts")
    assert conflict["kind"] == "UNKNOWN_SALE"
    assert "not in its currency" in conflict["message"]
