"""Sales that began at Stripe itself, by a payment link or in its dashboard: orders of what we know, the rest for a
person."""

import logging
from typing import Any

import pytest

from models.base import parse_global_id
from sandbox.stripe_sepa import FAILS, SETTLES
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import Shop
from tests.test_failures_told import alerts

pytestmark = pytest.mark.usefixtures("printer")

MARIE = "marie@example.com"
RESOLVE = """mutation ($input: ConflictResolveInput!) { conflictResolve(input: $input) { conflict {
  resolvedAt resolution } } }"""


# Of what we know


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


# Of what we do not know


async def test_an_unknown_product_is_left_for_a_person_who_settles_it_with_a_word(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    session = await opened(shop, await foreign_product(shop, "Tombola"), 2500)

    with caplog.at_level(logging.ERROR):
        await shop.tell(await paid(shop, session))

    assert await orders(shop) == []
    (conflict,) = await open_conflicts(shop)
    assert (conflict["kind"], conflict["order"], conflict["proposal"]) == ("UNKNOWN_SALE", None, "LOOK")
    assert "Tombola, 25.00 EUR" in conflict["message"]
    assert len(alerts(caplog, "Tombola")) == 1

    resolved = await shop(RESOLVE, input={"conflict": conflict["id"], "resolution": "Remboursé le jour même"})
    assert resolved["conflict"]["resolution"] == "Remboursé le jour même"
    assert await open_conflicts(shop) == []
    again = await shop.refused(RESOLVE, input={"conflict": conflict["id"], "resolution": "Encore"})
    assert again == ("CONFLICT", "input.conflict", "This is settled already.")


async def test_a_sale_with_one_unknown_product_among_known_ones_is_left_for_a_person(shop: Shop) -> None:
    items = [
        {"price_data": {"currency": "eur", "unit_amount": 1000, "product": product}, "quantity": 1}
        for product in (await twin(shop, await shop.product(1000)), await foreign_product(shop, "Tombola"))
    ]

    await paid(shop, await session_of(shop, *items))

    assert await orders(shop) == []
    (conflict,) = await open_conflicts(shop)
    assert "20.00 EUR" in conflict["message"]


async def test_a_sale_that_names_no_address_is_left_for_a_person(shop: Shop) -> None:
    session = await opened(shop, await twin(shop, await shop.product(4900)), 4900)
    events = await shop.sandbox.stripe.pay(session["id"], email=MARIE)
    for event in events:
        event["data"]["object"] |= {"customer_details": None}

    await shop.tell(events)

    assert (await orders(shop), len(await open_conflicts(shop))) == ([], 1)


async def test_a_bare_payment_made_in_the_dashboard_is_left_for_a_person(shop: Shop) -> None:
    intent = await shop.dashboard.v1.payment_intents.create_async(
        {"amount": 5000, "currency": "eur", "description": "Par téléphone"}
    )

    await shop.tell(await shop.sandbox.stripe.confirm(intent.id))

    (conflict,) = await open_conflicts(shop)
    assert (conflict["kind"], "Par téléphone, 50.00 EUR" in conflict["message"]) == ("UNKNOWN_SALE", True)


async def test_a_bare_payment_of_a_client_whom_we_know_is_left_to_their_organization(shop: Shop) -> None:
    other = await neighbour(shop)
    await shop.checkout(await shop.order(client=await shop.client(MARIE)))
    (row,) = await shop.sql("SELECT stripe_id FROM clients")
    intent = await shop.dashboard.v1.payment_intents.create_async(
        {"amount": 5000, "currency": "eur", "customer": row["stripe_id"]}
    )

    await shop.tell(await shop.sandbox.stripe.confirm(intent.id))

    assert (len(await open_conflicts(shop)), await open_conflicts(other)) == (1, [])


async def test_what_is_nobodys_is_flagged_for_an_operator(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    other = await neighbour(shop)
    session = await opened(shop, await foreign_product(shop, "Tombola"), 2500)

    with caplog.at_level(logging.ERROR):
        await paid(shop, session)

    assert await open_conflicts(shop) == await open_conflicts(other) == []
    (row,) = await shop.sql("SELECT outcome, type FROM stripe_events WHERE flagged_at IS NOT NULL")
    assert row["type"] == "checkout.session.completed"
    assert "flagged for an operator" in row["outcome"]
    assert len(alerts(caplog, "Tombola, 25.00 EUR")) == 1


async def test_products_of_two_organizations_in_one_sale_are_left_for_a_person(shop: Shop) -> None:
    other = await neighbour(shop)
    items = [
        {"price_data": {"currency": "eur", "unit_amount": 1000, "product": product}, "quantity": 1}
        for product in (await twin(shop, await shop.product(1000)), await twin(other, await other.product(1000)))
    ]

    await paid(shop, await session_of(shop, *items))

    assert await orders(shop) == await orders(other) == []
    assert len(await open_conflicts(shop)) + len(await open_conflicts(other)) == 1


async def test_what_was_free_there_changes_nothing(shop: Shop) -> None:
    session = await opened(shop, await twin(shop, await shop.product(4900)), 4900)
    events = await shop.sandbox.stripe.pay(session["id"], email=MARIE)
    items = shop.sandbox.stripe.books.plan(session)["line_items"]
    shop.sandbox.stripe.books.store.put(
        "checkout.plan", session["id"],
        shop.sandbox.stripe.books.plan(session) | {"line_items": [items[0] | {"amount_total": 0}]},
    )  # fmt: skip
    for event in events:
        event["data"]["object"] |= {"amount_total": 0, "payment_intent": None}

    await shop.tell(event for event in events if event["type"].startswith("checkout."))

    assert (await orders(shop), await open_conflicts(shop)) == ([], [])


async def test_while_stripe_cannot_say_what_was_sold_the_event_waits(shop: Shop) -> None:
    session = await opened(shop, await twin(shop, await shop.product(4900)), 4900)
    shop.sandbox.stripe.fail_next(503, path=f"/v1/checkout/sessions/{session['id']}/line_items")
    await paid(shop, session)
    assert await orders(shop) == []

    await shop.time_passes(minutes=1)
    await shop.work_is_done()

    assert len(await orders(shop)) == 1


async def test_a_refused_card_at_a_link_is_nobodys_order_and_nothing_to_settle(shop: Shop) -> None:
    session = await opened(shop, await twin(shop, await shop.product(4900)), 4900)
    events = await shop.sandbox.stripe.pay(session["id"], "4000000000000002", email=MARIE)
    for event in events:
        await shop.deliver(event)
    await shop.work_is_done()

    async with nothing_changes(shop):
        await shop.work_is_done()
    assert (await orders(shop), await open_conflicts(shop), shop.mails(MARIE)) == ([], [], [])


async def twin(shop: Shop, product: str) -> str:
    """The product's id at Stripe, where it is made with the product."""
    await shop.work_is_done()
    (row,) = await shop.sql("SELECT stripe_id FROM products WHERE id = $1", str((parse_global_id(product) or "")[1]))
    return str(row["stripe_id"])


async def foreign_product(shop: Shop, name: str) -> str:
    """One that somebody made in the dashboard."""
    return str((await shop.dashboard.v1.products.create_async({"name": name})).id)


async def opened(shop: Shop, product: str, amount: int, quantity: int = 1, **link: Any) -> dict[str, Any]:
    """The Checkout Session that opening a payment link of a product makes."""
    price = await shop.dashboard.v1.prices.create_async({"currency": "eur", "unit_amount": amount, "product": product})
    items: Any = [{"price": price.id, "quantity": quantity}]
    made = await shop.dashboard.v1.payment_links.create_async({"line_items": items, **link})
    return dict(shop.sandbox.stripe.open_link(made.id))


async def session_of(shop: Shop, *items: Any, **more: Any) -> dict[str, Any]:
    """A Checkout Session that another program opens in the same account."""
    session = await shop.dashboard.v1.checkout.sessions.create_async(
        {"mode": "payment", "line_items": list(items), "success_url": "https://elsewhere.example/", **more}
    )
    return dict(shop.sandbox.stripe.session(session.id))


def with_tax(shop: Shop, session: dict[str, Any], tax: int) -> None:
    """As Stripe Tax does: added to the line and the total."""
    books = shop.sandbox.stripe.books
    plan = books.plan(session)
    (item,) = plan["line_items"]
    taxed = item | {"amount_tax": tax, "amount_total": item["amount_total"] + tax}
    books.store.put("checkout.plan", session["id"], plan | {"line_items": [taxed]})
    books.keep(session | {"amount_total": session["amount_total"] + tax})


async def paid(shop: Shop, session: dict[str, Any], **how: Any) -> list[dict[str, Any]]:
    """Paid by Marie, and told; the events."""
    events = await shop.sandbox.stripe.pay(session["id"], email=MARIE, **how)
    await shop.tell(events)
    return events


def intent_of(shop: Shop, session: dict[str, Any]) -> str:
    return str(shop.sandbox.stripe.session(session["id"])["payment_intent"])


async def orders(shop: Shop) -> list[dict[str, Any]]:
    found = await shop("{ orders { nodes { id } } }")
    return [await shop.see(order) for order in found["nodes"]]


async def open_conflicts(shop: Shop) -> list[dict[str, Any]]:
    found = await shop(
        "{ conflicts(filter: { resolved: false }) { nodes { id kind message proposal order { number } } } }"
    )
    return list(found["nodes"])
