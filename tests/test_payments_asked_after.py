"""Asking Stripe what came of a payment, instead of waiting for its event: before it, after it, and again."""

from typing import Any

import pytest

from sandbox.stripe_cards import DECLINED
from sandbox.stripe_sepa import FAILS, SETTLES
from tests.security.surroundings import nothing_changes
from tests.shop import Shop
from tests.test_payment_intents import FAILED, at, canceled_at_stripe, summed_up

pytestmark = pytest.mark.usefixtures("printer")


async def test_asking_after_an_intent_that_nobody_used_changes_nothing(shop: Shop) -> None:
    order = await shop.order()
    await shop.intent(order)

    async with nothing_changes(shop):
        asked = await shop.do("paymentConfirm", order)

    assert (asked["status"], asked["payments"]) == ("OPEN", [])


async def test_asking_after_an_order_that_was_never_to_be_paid_yet_changes_nothing(shop: Shop) -> None:
    order = await shop.order()

    async with nothing_changes(shop):
        assert (await shop.do("paymentConfirm", order))["status"] == "OPEN"


@pytest.mark.parametrize("by_page", [True, False], ids=["by the page", "by a form"])
async def test_asking_before_the_event_came_makes_the_sale_and_the_event_then_changes_nothing(
    shop: Shop, by_page: bool
) -> None:
    product = await shop.product(partners=(await shop.partner(),))
    order = await shop.order(product, client=await shop.client("marie@example.com"))
    stripe = shop.sandbox.stripe
    events = await stripe.pay(await shop.checkout(order)) if by_page else await stripe.confirm(await shop.intent(order))

    asked = await shop.do("paymentConfirm", order)
    await shop.work_is_done()
    assert asked["status"] == "PAID"
    before = await shop.see(order)
    assert (len(before["invoices"]), len(shop.letters(before))) == (1, 1)
    (told,) = shop.told()
    assert told.json["event_id"].startswith("confirm_")

    await shop.tell(events)
    assert without_links(await shop.see(order)) == without_links(before)
    (notification,) = before["notifications"]
    await shop("mutation ($id: ID!) { notificationResend(input: { notification: $id }) { notification { id } } }",
               id=notification["id"])  # fmt: skip
    await shop.work_is_done()
    assert [each.json["event_id"] for each in shop.told()] == [told.json["event_id"]] * 2


async def test_asking_after_a_declined_card_tells_why(shop: Shop) -> None:
    order = await shop.order()
    await shop.sandbox.stripe.confirm(await shop.intent(order), DECLINED)

    asked = await shop.do("paymentConfirm", order)

    assert summed_up(asked) == [("FAILED", 9999, "generic_decline")]


@pytest.mark.parametrize("by_page", [True, False], ids=["by the page", "by a form"])
async def test_asking_after_a_debit_tells_each_of_its_states(shop: Shop, by_page: bool) -> None:
    order, stripe = await shop.order(client=await shop.client("marie@example.com")), shop.sandbox.stripe
    if by_page:
        session = await shop.checkout(order)
        await stripe.pay(session, iban=FAILS)
        intent = stripe.session(session)["payment_intent"]
    else:
        intent = await shop.intent(order)
        await stripe.confirm(intent, iban=FAILS)

    assert summed_up(await shop.do("paymentConfirm", order)) == [("PROCESSING", 9999, None)]

    stripe.fail_debit(intent)
    failed = await shop.do("paymentConfirm", order)
    assert [(payment["status"], payment["failureCode"]) for payment in failed["payments"]] == [
        ("FAILED", "debit_not_authorized")
    ]
    await shop.work_is_done()
    assert shop.subjects("marie@example.com") == [FAILED]
    await shop.pay(order)
    assert (await shop.see(order))["status"] == "PAID"


async def test_asking_after_an_intent_given_up_at_stripe_tells_so(shop: Shop) -> None:
    order = await shop.order()
    await canceled_at_stripe(shop, await shop.intent(order))

    asked = await shop.do("paymentConfirm", order)

    assert [payment["status"] for payment in asked["payments"]] == ["CANCELED"]


async def test_asking_after_a_page_whose_time_ran_out_frees_the_order_for_another(shop: Shop) -> None:
    order = await shop.order()
    session = await shop.checkout(order)
    shop.sandbox.stripe.expire(session)

    await shop.do("paymentConfirm", order)

    assert await shop.checkout(order) != session


async def test_asking_while_stripe_is_away_says_so_and_changes_nothing(shop: Shop) -> None:
    order = await shop.order()
    await shop.intent(order)
    shop.sandbox.stripe.fail_next(503, path="/v1/payment_intents/")

    async with nothing_changes(shop):
        code, _, message = await shop.cannot("paymentConfirm", order)

    assert (code, "Nothing is lost: try again in a moment." in message) == ("UNAVAILABLE", True)


async def test_a_refusal_told_late_does_not_undo_what_was_asked_after_since(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    intent = await shop.intent(order)
    refused = at(-60, await shop.sandbox.stripe.confirm(intent, DECLINED))
    await shop.sandbox.stripe.confirm(intent, iban=SETTLES)
    await shop.do("paymentConfirm", order)

    await shop.tell(refused)

    assert summed_up(await shop.see(order)) == [("PROCESSING", 9999, None)]
    assert shop.mails("marie@example.com") == []


def without_links(order: dict[str, Any]) -> dict[str, Any]:
    """Links are made at each look."""
    return order | {"invoices": [invoice | {"pdfUrl": None} for invoice in order["invoices"]]}
