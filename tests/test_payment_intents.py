"""Paying by a front end's own form: a PaymentIntent started, paid, refused, given up, and asked after."""

from typing import Any

import pytest

from sandbox.stripe_cards import ASKED, DECLINED
from sandbox.stripe_sepa import FAILS, SETTLES
from tests.security.surroundings import installed_with, nothing_changes
from tests.shop import INTENT, Shop

pytestmark = pytest.mark.usefixtures("printer")

FAILED, FAILED_FOR_STAFF = "[TEST] Votre paiement n’a pas abouti", "[TEST] Un paiement n’a pas abouti : "
STAFF = "bonjour@comptappart.test"


# Started


async def test_a_form_is_given_the_secret_the_key_and_what_is_due(shop: Shop) -> None:
    order = await shop.order(await shop.product(4900), quantity=2)

    async with installed_with(shop, stripe_publishable_key="pk_test_comptoir") as installed:
        started = await installed(INTENT, input={"order": order["id"]})

    assert started["amount"] == {"amount": 9800, "currency": "EUR"}
    assert started["publishableKey"] == "pk_test_comptoir"
    assert started["order"] == {"id": order["id"], "number": order["number"]}
    intent = intents(shop)[-1]
    assert started["clientSecret"] == intent["client_secret"]
    assert (intent["amount"], intent["currency"], intent["payment_method_types"]) == (
        9800,
        "eur",
        ["card", "sepa_debit"],
    )
    assert intent["description"] == f"Commande n° {order['number']}"


async def test_an_order_has_one_intent_while_it_can_be_used(shop: Shop) -> None:
    order = await shop.order()

    first, second = await shop.intent(order), await shop.intent(order)

    assert first == second


async def test_a_free_order_is_complete_without_an_intent(shop: Shop) -> None:
    order = await shop.order(await shop.product(0))

    completed = await shop(INTENT, input={"order": order["id"]})

    assert completed == {"__typename": "OrderCompleted", "order": {"id": order["id"], "status": "PAID"}}


async def test_a_form_after_a_page_takes_the_pages_place_and_the_other_way_round(shop: Shop) -> None:
    order, stripe = await shop.order(), shop.sandbox.stripe

    session, intent = await shop.checkout(order), await shop.intent(order)
    assert stripe.session(session)["status"] == "expired"
    assert stripe.intent(intent)["status"] == "requires_payment_method"

    other = await shop.checkout(order)
    assert stripe.intent(intent)["status"] == "canceled"
    assert stripe.session(other)["status"] == "open"


async def test_no_form_is_given_for_what_is_paid_already(shop: Shop) -> None:
    order = await shop.sell()

    async with nothing_changes(shop):
        refusal = await shop.refused(INTENT, input={"order": order["id"]})

    assert refusal == ("CONFLICT", "input.order", f"Order {order['number']} is already paid. Nothing was charged.")


async def test_what_stripe_refuses_of_an_intent_is_told_and_the_next_try_has_a_new_key(shop: Shop) -> None:
    order = await shop.order()
    shop.sandbox.stripe.fail_next(400, path="/v1/payment_intents")

    code, _, message = await shop.refused(INTENT, input={"order": order["id"]})
    assert (code, message.startswith("Stripe: ")) == ("CONFLICT", True)

    await shop.intent(order)
    asked = [request for request in shop.sandbox.stripe.requests if request.path == "/v1/payment_intents"]
    assert [str(request.idempotency_key).rpartition(":")[2] for request in asked[-2:]] == ["1", "2"]


# Paid


async def test_a_card_pays_and_all_that_follows_a_sale_follows(shop: Shop) -> None:
    product = await shop.product(partners=(await shop.partner(),))
    order = await shop.order(product, client=await shop.client("marie@example.com"))

    events = await shop.sandbox.stripe.confirm(await shop.intent(order))
    await shop.tell(events)

    seen = await shop.see(order)
    assert (seen["status"], seen["balance"]["amount"], seen["payUrl"]) == ("PAID", 0, None)
    assert [(payment["status"], payment["applied"]["amount"]) for payment in seen["payments"]] == [("SUCCEEDED", 9999)]
    (invoice,) = seen["invoices"]
    assert len(shop.letters(seen)) == 1
    told = shop.told()[-1].json
    assert (told["event_id"], told["invoice"]["number"]) == (events[-1]["id"], invoice["number"])


async def test_a_declined_card_is_followed_by_another_on_the_same_form(shop: Shop) -> None:
    order = await shop.order()
    intent = await shop.intent(order)

    await shop.tell(await shop.sandbox.stripe.confirm(intent, DECLINED))
    declined = await shop.see(order)
    assert declined["status"] == "OPEN"
    assert summed_up(declined) == [("FAILED", 9999, "generic_decline")]
    assert await shop.intent(order) == intent

    await shop.tell(await shop.sandbox.stripe.confirm(intent))
    assert summed_up(await shop.see(order)) == [("SUCCEEDED", 9999, None)]


async def test_who_refuses_at_the_bank_may_confirm_the_next_time(shop: Shop) -> None:
    order = await shop.order()
    intent = await shop.intent(order)

    await shop.tell(await shop.sandbox.stripe.confirm(intent, ASKED, authenticate=False))
    assert summed_up(await shop.see(order)) == [("FAILED", 9999, "payment_intent_authentication_failure")]

    await shop.tell(await shop.sandbox.stripe.confirm(intent, ASKED))
    assert (await shop.see(order))["status"] == "PAID"


async def test_a_debit_is_under_way_until_the_bank_pays(shop: Shop) -> None:
    order = await shop.order()
    intent = await shop.intent(order)

    await shop.tell(await shop.sandbox.stripe.confirm(intent, iban=SETTLES))
    waiting = await shop.see(order)
    assert (waiting["status"], waiting["invoices"]) == ("OPEN", [])
    assert summed_up(waiting) == [("PROCESSING", 9999, None)]
    code, field, message = await shop.refused(INTENT, input={"order": order["id"]})
    assert (code, field) == ("CONFLICT", "input.order")
    assert "is under way: a SEPA debit takes some days" in message

    await shop.tell(shop.sandbox.stripe.settle_debit(intent))
    assert (await shop.see(order))["status"] == "PAID"


async def test_a_debit_that_fails_is_told_at_once_and_can_be_followed_at_once(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    intent = await shop.intent(order)
    await shop.tell(await shop.sandbox.stripe.confirm(intent, iban=FAILS))

    await shop.tell(shop.sandbox.stripe.fail_debit(intent))

    seen = await shop.see(order)
    assert (seen["status"], seen["invoices"]) == ("OPEN", [])
    assert summed_up(seen) == [("FAILED", 9999, "debit_not_authorized")]
    assert shop.subjects("marie@example.com") == [FAILED]
    (told,) = shop.subjects(STAFF)
    assert told == f"{FAILED_FOR_STAFF}marie@example.com, commande n° {order['number']}"
    assert await shop.intent(order) == intent
    await shop.tell(await shop.sandbox.stripe.confirm(intent))
    assert (await shop.see(order))["status"] == "PAID"


async def test_a_debit_that_fails_after_a_card_was_declined_is_told_all_the_same(shop: Shop) -> None:
    """By then the promise to tell of the card was kept, and there was nothing to tell: a debit was under way."""
    order = await shop.order(client=await shop.client("marie@example.com"))
    intent = await shop.intent(order)
    await shop.tell(at(0, await shop.sandbox.stripe.confirm(intent, DECLINED)))
    await shop.tell(at(60, await shop.sandbox.stripe.confirm(intent, iban=FAILS)))
    await shop.time_passes(minutes=16)
    await shop.work_is_done()
    assert shop.mails("marie@example.com") == []

    await shop.tell(at(90, shop.sandbox.stripe.fail_debit(intent)))

    assert shop.subjects("marie@example.com") == [FAILED]
    assert len(shop.subjects(STAFF)) == 1


# Given up


async def test_an_intent_given_up_at_stripe_is_told_to_the_client_and_the_organization(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    intent = await shop.intent(order)

    await shop.tell(await canceled_at_stripe(shop, intent))

    seen = await shop.see(order)
    assert seen["status"] == "OPEN"
    assert [payment["status"] for payment in seen["payments"]] == ["CANCELED"]
    (letter,) = shop.mails("marie@example.com")
    assert "a été annulé. Rien ne vous a été débité." in letter.body("plain")
    assert shop.subjects(STAFF) == [
        f"[TEST] Un paiement a été annulé : marie@example.com, commande n° {order['number']}"
    ]
    assert await shop.intent(order) != intent


async def test_an_intent_given_up_by_us_is_told_to_nobody(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    await shop.intent(order)
    await shop.checkout(order)

    await shop.tell(shop.sandbox.stripe.events("payment_intent.canceled")[-1:])

    assert shop.mails("marie@example.com") == shop.mails(STAFF) == []


async def test_an_intent_given_up_by_us_is_told_to_nobody_even_if_stripes_answer_was_lost(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    intent = await shop.intent(order)
    shop.sandbox.stripe.fail_next(None, times=3, path=f"/v1/payment_intents/{intent}/cancel")
    code, _, _ = await shop.cannot("orderCancel", order)
    assert code == "UNAVAILABLE"

    await shop.tell(shop.sandbox.stripe.events("payment_intent.canceled")[-1:])

    assert shop.mails("marie@example.com") == shop.mails(STAFF) == []
    assert (await shop.do("orderCancel", order))["status"] == "CANCELED"


def at(second: int, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events as Stripe made them so many seconds from now."""
    return [event | {"created": event["created"] + second} for event in events]


def summed_up(order: dict[str, Any]) -> list[tuple[str, int, str | None]]:
    """(status, amount, code of the failure) of each payment."""
    return [(each["status"], each["amount"]["amount"], each["failureCode"]) for each in order["payments"]]


def intents(shop: Shop) -> list[dict[str, Any]]:
    return list(shop.sandbox.stripe.books.store.all("payment_intent"))


async def canceled_at_stripe(shop: Shop, intent: str) -> list[dict[str, Any]]:
    """What the dashboard's button does; the events made."""
    await shop.dashboard.v1.payment_intents.cancel_async(intent)
    return list(shop.sandbox.stripe.events("payment_intent.canceled")[-1:])
