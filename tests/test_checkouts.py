"""Paying on Stripe's page: debits that take days, pages whose time ran out, amounts that changed, what a page shows."""

import asyncio
from typing import Any

import pytest

from sandbox.stripe_sepa import FAILS, SETTLES
from tests.shop import CHECKOUT, Shop

pytestmark = pytest.mark.usefixtures("printer")


# Debits


async def test_a_debit_by_the_page_is_under_way_and_pays_days_later(shop: Shop) -> None:
    order = await shop.order(await shop.product(partners=(await shop.partner(),)))

    waiting = await shop.pay(order, iban=SETTLES)
    assert (waiting["status"], waiting["invoices"], shop.told()) == ("OPEN", [], [])
    (payment,) = waiting["payments"]
    assert (payment["status"], payment["applied"]["amount"], payment["paidAt"]) == ("PROCESSING", 0, None)
    code, field, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    assert (code, field, "is under way" in message) == ("CONFLICT", "input.order", True)

    settled = shop.sandbox.stripe.settle_debit(payment["stripeId"])
    await shop.tell(settled)

    seen = await shop.see(order)
    assert (seen["status"], len(seen["invoices"])) == ("PAID", 1)
    assert [(each["status"], each["applied"]["amount"]) for each in seen["payments"]] == [("SUCCEEDED", 9999)]
    assert shop.told()[-1].json["event_id"] == settled[-1]["id"]


@pytest.mark.parametrize("backwards", [False, True], ids=["as sent", "the other way round"])
async def test_a_debit_by_the_page_that_fails_leaves_the_order_to_be_paid_at_once(shop: Shop, backwards: bool) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    waiting = await shop.pay(order, iban=FAILS)

    events = shop.sandbox.stripe.fail_debit(waiting["payments"][0]["stripeId"])
    await shop.tell(reversed(events) if backwards else events)

    seen = await shop.see(order)
    assert (seen["status"], seen["invoices"], seen["balance"]["amount"]) == ("OPEN", [], 9999)
    (payment,) = seen["payments"]
    assert (payment["status"], payment["failureCode"]) == ("FAILED", "debit_not_authorized")
    (letter,) = shop.mails("marie@example.com")
    assert "le prélèvement n’a pas été autorisé" in letter.body("plain")
    assert len(shop.subjects("bonjour@comptappart.test")) == 1
    assert (await shop.pay(order))["status"] == "PAID"


# Time


async def test_a_page_whose_time_ran_out_is_followed_by_another_and_nobody_is_written_to(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    first = await shop.checkout(order)

    await shop.tell([shop.sandbox.stripe.expire(first)])

    assert (await shop.see(order))["status"] == "OPEN"
    assert shop.mails("marie@example.com") == []
    assert await shop.checkout(order) != first
    assert (await shop.pay(order))["status"] == "PAID"


async def test_a_page_whose_time_ran_out_unheard_of_is_followed_by_another(shop: Shop) -> None:
    """Stripe's event of it is late."""
    order = await shop.order()
    first = await shop.checkout(order)
    shop.sandbox.stripe.expire(first)
    await shop.sql("UPDATE attempts SET expires_at = now() WHERE stripe_id = $1", first)

    assert await shop.checkout(order) != first


# Another amount


async def test_after_a_discount_the_old_page_is_closed_and_the_new_one_asks_for_less(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000))
    old = await shop.checkout(order)

    await shop.do("orderDiscount", order, discount={"percent": 1500})
    await shop.work_is_done()

    assert shop.sandbox.stripe.session(old)["status"] == "expired"
    new = await start(shop, order)
    assert (new["amount"], new["session"]["amount_total"]) == ({"amount": 8500, "currency": "EUR"}, 8500)
    assert (await shop.pay(order))["status"] == "PAID"


async def test_a_page_started_before_the_old_one_was_closed_asks_for_the_new_amount_too(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000))
    old = await shop.checkout(order)
    await shop.do("orderDiscount", order, discount={"amount": 100})

    new = await start(shop, order)

    assert shop.sandbox.stripe.session(old)["status"] == "expired"
    assert new["session"]["amount_total"] == 9900


async def test_after_a_part_by_hand_the_old_page_is_closed_and_the_new_one_asks_for_the_rest(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000))
    old = await shop.checkout(order)

    await shop.do("paymentRecord", order, method="TRANSFER", amount={"amount": 4000})
    await shop.work_is_done()

    assert shop.sandbox.stripe.session(old)["status"] == "expired"
    new = await start(shop, order)
    assert new["amount"]["amount"] == 6000
    assert shown(new["session"], shop) == [(f"Solde de la commande n° {order['number']}", 1, 6000)]
    seen = await shop.pay(order)
    assert (seen["status"], seen["paid"]["amount"], seen["conflicts"]) == ("PAID", 10_000, [])


async def test_a_discount_of_all_of_it_leaves_nothing_to_pay(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000))
    old = await shop.checkout(order)

    await shop.do("orderDiscount", order, discount={"percent": 10_000})
    await shop.work_is_done()
    completed = await shop(CHECKOUT, input=shop.checkout_input(order))

    assert shop.sandbox.stripe.session(old)["status"] == "expired"
    assert completed == {"__typename": "OrderCompleted", "order": {"id": order["id"], "status": "PAID"}}
    assert (await shop.see(order))["invoices"] == []


async def test_a_page_paid_as_the_price_changed_is_left_for_a_person(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000))
    events = await shop.sandbox.stripe.pay(await shop.checkout(order))
    await shop.do("orderDiscount", order, discount={"amount": 1000})
    await shop.work_is_done()

    await shop.tell(events)

    seen = await shop.see(order)
    assert (seen["status"], seen["paid"]["amount"]) == ("PAID", 9000)
    (conflict,) = seen["conflicts"]
    assert (conflict["kind"], conflict["proposal"], conflict["proposed"]["amount"]) == ("OVERPAID", "REFUND", 1000)


async def test_a_page_never_asks_for_a_price_that_changed_while_it_was_made(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), discount={"amount": 1000})
    shop.sandbox.stripe.fail_next(200, path="/v1/coupons", delay=0.3)
    starting = asyncio.create_task(shop.refused(CHECKOUT, input=shop.checkout_input(order)))
    while not await shop.count("attempts", "operation = 'CREATE_COUPON'"):
        await asyncio.sleep(0.01)
    await shop.do("orderDiscount", order, discount={"amount": 2000})

    refusal = await starting

    assert refusal == ("CONFLICT", "input.order", "The order has changed at this moment. Try again.")
    assert (await start(shop, order))["session"]["amount_total"] == 8000


# What the page shows


async def test_the_page_shows_the_lines_at_their_prices(shop: Shop) -> None:
    products = [await shop.product(4900, name="Conseil"), await shop.product(1500, name="Dossier")]
    client = await shop.client("marie@example.com", firstName="Marie", lastName="Martin", phone="+33612345678")

    started = await start(shop, await shop.order(*products, client=client, quantity=2))

    session = started["session"]
    assert shown(session, shop) == [("Conseil", 2, 9800), ("Dossier", 2, 3000)]
    assert (session["locale"], session["payment_method_types"]) == ("fr", ["card", "sepa_debit"])
    assert (session["amount_total"], session["client_reference_id"]) == (12_800, str(started["order"]["number"]))
    customer = await shop.dashboard.v1.customers.retrieve_async(session["customer"])
    assert (customer.email, customer.name, customer.phone) == ("marie@example.com", "Marie Martin", "+33612345678")


async def test_a_discount_on_the_whole_is_shown_as_a_coupon_with_its_reason(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), discount={"percent": 1000, "reason": "Ancienne cliente"})

    session = (await start(shop, order))["session"]
    page = await shop.browse(session["url"])

    assert (session["amount_subtotal"], session["amount_total"]) == (10_000, 9000)
    (discount,) = session["discounts"]
    coupon = await shop.dashboard.v1.coupons.retrieve_async(discount["coupon"])
    assert (coupon.amount_off, coupon.name) == (1000, "Ancienne cliente")
    assert "Ancienne cliente" in page.text
    assert "90,00" in page.text


async def test_a_code_is_shown_by_its_name(shop: Shop) -> None:
    await shop.code("RENTREE", percent=2000, name="Rentrée")
    order = await shop.order(await shop.product(10_000), discountCode="rentree")

    (discount,) = (await start(shop, order))["session"]["discounts"]

    assert (await shop.dashboard.v1.coupons.retrieve_async(discount["coupon"])).name == "Rentrée"


async def test_a_line_with_a_discount_of_its_own_is_shown_at_what_it_comes_to(shop: Shop) -> None:
    plain, reduced = await shop.product(1000, name="Dossier"), await shop.product(5000, name="Conseil")
    lines = [
        {"product": plain, "quantity": 3},
        {"product": reduced, "quantity": 2, "discount": {"percent": 1000}},
        {"product": reduced, "quantity": 1, "discount": {"amount": 5000}},
    ]

    session = (await start(shop, order := await shop.order(plain, lines=lines)))["session"]

    assert shown(session, shop) == [
        ("Dossier", 3, 3000), ("2 × Conseil, remise déduite", 1, 9000), ("Conseil, remise déduite", 1, 0),
    ]  # fmt: skip
    assert session["amount_total"] == 12_000
    assert (await shop.pay(order))["paid"]["amount"] == 12_000


async def test_a_deposit_and_its_balance_are_a_page_each(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"percent": 3000}, discount={"amount": 1000})

    first = await start(shop, order)
    assert first["amount"]["amount"] == 2700
    assert shown(first["session"], shop) == [(f"Acompte de la commande n° {order['number']}", 1, 2700)]
    assert first["session"]["discounts"] == []
    seen = await shop.pay(order)
    assert (seen["status"], seen["paid"]["amount"], seen["balance"]["amount"]) == ("OPEN", 2700, 6300)

    second = await start(shop, order)
    assert shown(second["session"], shop) == [(f"Solde de la commande n° {order['number']}", 1, 6300)]
    seen = await shop.pay(order)
    assert (seen["status"], seen["conflicts"]) == ("PAID", [])


async def test_no_coupon_is_made_where_none_is_shown(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"percent": 3000}, discount={"amount": 1000})

    await shop.checkout(order)
    await shop.intent(order)

    assert await shop.count("attempts", "operation = 'CREATE_COUPON'") == 0


async def test_orders_in_another_currency_than_euros_take_cards_only(shop: Shop) -> None:
    await shop.charges_no_vat()
    order = await shop.order(await shop.product(5000, currency="USD", vatRate=0))

    started = await start(shop, order)

    assert started["amount"] == {"amount": 5000, "currency": "USD"}
    assert started["session"]["payment_method_types"] == ["card"]


async def start(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    """What starting a checkout gives, with the `session` that Stripe opened."""
    started: dict[str, Any] = await shop(CHECKOUT, input=shop.checkout_input(order))
    return started | {"session": shop.sandbox.stripe.session(started["url"].rpartition("/")[2])}


def shown(session: dict[str, Any], shop: Shop) -> list[tuple[str, int, int]]:
    """(description, quantity, amount before a discount on the whole) of each line of a page."""
    lines = shop.sandbox.stripe.books.plan(session)["line_items"]
    return [(line["description"], line["quantity"], line["amount_subtotal"]) for line in lines]
