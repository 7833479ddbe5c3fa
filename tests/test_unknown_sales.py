"""Money at Stripe for what we do not know: left for a person of the organization, or flagged for an operator."""

import logging

import pytest

from sandbox.stripe_cards import DECLINED
from tests.begun_at_stripe import MARIE, foreign_product, open_conflicts, opened, orders, paid, session_of, twin
from tests.security.surroundings import neighbour
from tests.shop import Shop
from tests.test_failures_told import alerts

pytestmark = pytest.mark.usefixtures("printer")

RESOLVE = """mutation ($input: ConflictResolveInput!) { conflictResolve(input: $input) { conflict {
  resolvedAt resolution } } }"""


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

    await paid(shop, session, card=DECLINED)

    assert (await orders(shop), await open_conflicts(shop), shop.mails(MARIE)) == ([], [], [])
