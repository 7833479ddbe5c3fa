"""Orders given up: what the client could still pay by is taken back, and nothing is given up that money hangs on."""

from typing import Any

import pytest

from sandbox.stripe_sepa import SETTLES
from tests.security.surroundings import nothing_changes
from tests.shop import CHECKOUT, Shop

pytestmark = pytest.mark.usefixtures("printer")


async def test_an_order_is_given_up_with_the_reason(shop: Shop) -> None:
    order = await shop.order()

    canceled = await shop.do("orderCancel", order, cancelReason="Erreur de formule")

    assert (canceled["status"], canceled["cancelReason"]) == ("CANCELED", "Erreur de formule")
    assert canceled["canceledAt"]
    assert canceled["payUrl"] is None


async def test_an_order_is_given_up_without_a_reason(shop: Shop) -> None:
    canceled = await shop.do("orderCancel", await shop.order(), cancelReason="")

    assert (canceled["status"], canceled["cancelReason"]) == ("CANCELED", None)


async def test_the_page_by_which_it_could_be_paid_is_closed_at_stripe(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    session = await shop.checkout(order)

    await shop.do("orderCancel", order)
    await shop.tell(shop.sandbox.stripe.events("checkout.session.expired")[-1:])

    assert shop.sandbox.stripe.session(session)["status"] == "expired"
    assert (await shop.see(order))["status"] == "CANCELED"
    assert shop.mails("marie@example.com") == []
    code, _, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    assert (code, message) == ("CONFLICT", f"Order {order['number']} was cancelled. Create a new order.")


async def test_the_intent_by_which_it_could_be_paid_is_cancelled_at_stripe(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    intent = await shop.intent(order)

    await shop.do("orderCancel", order)
    await shop.tell(shop.sandbox.stripe.events("payment_intent.canceled")[-1:])

    assert shop.sandbox.stripe.intent(intent)["status"] == "canceled"
    assert shop.mails("marie@example.com") == shop.mails("bonjour@comptappart.test") == []


async def test_the_code_that_it_used_can_be_used_by_another(shop: Shop) -> None:
    product = await shop.product()
    await shop.code("UNIQUE", percent=1000, redemptionsMost=1)
    order = await shop.order(product, discountCode="UNIQUE")

    canceled = await shop.do("orderCancel", order)

    assert canceled["discountCode"] == {"code": "UNIQUE", "redemptions": 0}
    await shop.order(product, discountCode="UNIQUE")


# Refused


async def test_what_is_paid_is_not_given_up(shop: Shop) -> None:
    await refuses(shop, await shop.sell(), "is already paid. Nothing was charged.")


async def test_what_is_paid_in_part_is_not_given_up_and_the_rest_can_still_be_paid(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 3000})
    await shop.pay(order)
    session = await shop.checkout(order)

    await refuses(shop, order, "is paid in part: refund it before it is cancelled.")

    assert shop.sandbox.stripe.session(session)["status"] == "open"


async def test_what_is_invoiced_is_not_given_up_and_can_still_be_paid(shop: Shop) -> None:
    order = await shop.order()
    await shop.do("orderInvoice", order)
    await shop.work_is_done()
    session = await shop.checkout(order)

    await refuses(shop, order, "is invoiced: credit its invoices first (creditNoteCreate).")

    assert shop.sandbox.stripe.session(session)["status"] == "open"


async def test_what_is_under_way_is_not_given_up(shop: Shop) -> None:
    order = await shop.order()
    await shop.pay(order, iban=SETTLES)

    await refuses(shop, order, "is under way: a SEPA debit takes some days.")


async def test_what_waits_for_a_person_is_not_given_up(shop: Shop) -> None:
    order, events = await shop.paid_events()
    for event in events:
        event["data"]["object"] |= {"amount_total": 9998}
    await shop.tell(events)

    await refuses(shop, order, "is looked at by a person: settle that first.")


async def test_what_is_given_up_is_not_given_up_again(shop: Shop) -> None:
    order = await shop.order()
    await shop.do("orderCancel", order)

    await refuses(shop, order, "was cancelled. Create a new order.")


@pytest.mark.parametrize("by_page", [True, False], ids=["by the page", "by a form"])
async def test_what_was_paid_a_moment_ago_is_not_given_up(shop: Shop, by_page: bool) -> None:
    order, stripe = await shop.order(), shop.sandbox.stripe
    events = await stripe.pay(await shop.checkout(order)) if by_page else await stripe.confirm(await shop.intent(order))

    await refuses(shop, order, "The client has just paid, or is paying: look again in a moment.")

    await shop.tell(events)
    assert (await shop.see(order))["status"] == "PAID"


async def test_while_stripe_is_away_nothing_is_given_up(shop: Shop) -> None:
    order = await shop.order()
    session = await shop.checkout(order)
    shop.sandbox.stripe.fail_next(503, path=f"/v1/checkout/sessions/{session}/expire")

    async with nothing_changes(shop):
        code, _, _ = await shop.cannot("orderCancel", order)

    assert code == "UNAVAILABLE"


async def refuses(shop: Shop, order: dict[str, Any], reason: str) -> None:
    """It is a conflict, told why, and nothing changes, here or at Stripe."""
    async with nothing_changes(shop):
        code, field, message = await shop.cannot("orderCancel", order, cancelReason="Erreur")
    assert (code, field) == ("CONFLICT", "input.order")
    assert reason in message
