"""PaymentIntents by the API, as a front end's own form pays them: with the secret key, the publishable one, by hand."""

import httpx
import pytest
import stripe

from sandbox.stripe_cards import ASKED, DECLINED
from sandbox.stripe_errors import StripeError
from sandbox.stripe_sepa import SETTLES
from tests.sandbox.checkouts import open_session, types

PAGE = {"card": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Marie Martin"}
DEBIT = {
    "type": "sepa_debit",
    "billing_details": {"name": "Marie Martin", "email": "marie@example.com"},
    "sepa_debit": {"iban": SETTLES},
}


async def open_intent(client, **more):
    params = {"amount": 19998, "currency": "eur", "receipt_email": "marie@example.com", "metadata": {"order": "42"}}
    return await client.v1.payment_intents.create_async({**params, **more})


async def test_an_intent_is_made_with_the_means_that_suit_its_currency(sandbox, client):
    customer = await client.v1.customers.create_async({"email": "marie@example.com"})

    euros = await open_intent(client, customer=customer.id, description="Bilan")
    dollars = await open_intent(client, currency="usd")
    chosen = await open_intent(client, payment_method_types=["card"])

    assert (euros.status, euros.amount, euros.amount_received) == ("requires_payment_method", 19998, 0)
    assert euros.client_secret.startswith(f"{euros.id}_secret_")
    assert (euros.customer, euros.description, euros.metadata["order"]) == (customer.id, "Bilan", "42")
    assert (euros.payment_method_types, dollars.payment_method_types) == (["card", "sepa_debit"], ["card"])
    assert euros.automatic_payment_methods.to_dict() == {"enabled": True, "allow_redirects": "always"}
    assert (chosen.payment_method_types, chosen.automatic_payment_methods) == (["card"], None)
    (event, *_) = sandbox.stripe.events("payment_intent.created")
    assert event["request"]["id"] == euros.last_response.request_id


async def test_intents_are_listed_by_customer(client):
    customer = await client.v1.customers.create_async({"email": "marie@example.com"})
    mine = await open_intent(client, customer=customer.id)
    other = await open_intent(client)

    everyone = (await client.v1.payment_intents.list_async()).data
    found = (await client.v1.payment_intents.list_async({"customer": customer.id})).data

    assert [intent.id for intent in everyone] == [other.id, mine.id]
    assert [intent.id for intent in found] == [mine.id]


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"customer": "cus_nobody"}, "resource_missing", "customer"),
        ({"payment_method_types": ["sofort"]}, None, "payment_method_types"),
        ({"payment_method_types": ["sepa_debit"], "currency": "usd"}, None, "payment_method_types"),
        (
            {"payment_method_types": ["card"], "automatic_payment_methods": {"enabled": True}},
            None,
            "payment_method_types",
        ),
    ],
)
async def test_an_intent_that_stripe_would_not_make_is_refused(client, wrong, code, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await open_intent(client, **wrong)

    assert (refused.value.code, refused.value.param) == (code, param)


@pytest.mark.parametrize(
    ("confirmed", "status", "told"),
    [
        ({"payment_method": "pm_card_visa"}, "succeeded", ["charge.succeeded", "payment_intent.succeeded"]),
        (
            {"payment_method_data": {"type": "card", "card": {"number": "4242424242424242", "exp_month": 1}}},
            "succeeded",
            ["charge.succeeded", "payment_intent.succeeded"],
        ),
        (
            {"payment_method": "pm_card_threeDSecure2Required", "return_url": "https://shop.example/merci"},
            "requires_action",
            ["payment_intent.requires_action"],
        ),
        (
            {"payment_method": "pm_sepaDebit_success_fr"},
            "processing",
            ["charge.pending", "payment_intent.processing"],
        ),
        ({"payment_method_data": DEBIT}, "processing", ["charge.pending", "payment_intent.processing"]),
    ],
)
async def test_an_intent_is_confirmed_by_the_api(sandbox, client, confirmed, status, told):
    intent = await open_intent(client)

    answered = await client.v1.payment_intents.confirm_async(intent.id, confirmed)

    assert answered.status == status
    assert types(sandbox.stripe.events()[1:]) == told
    assert sandbox.stripe.events()[-1]["request"]["id"] == answered.last_response.request_id


async def test_a_declined_card_is_an_error_that_tells_all_of_it_and_can_be_followed_by_another(sandbox, client):
    intent = await open_intent(client)

    with pytest.raises(stripe.CardError) as declined:
        await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    after = await client.v1.payment_intents.retrieve_async(intent.id)
    paid = await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})

    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    told = declined.value.json_body["error"]
    assert (told["decline_code"], told["payment_intent"]["id"]) == ("generic_decline", intent.id)
    assert (after.status, after.payment_method, after.latest_charge) == (
        "requires_payment_method",
        None,
        told["charge"],
    )
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    assert types(sandbox.stripe.events()[1:3]) == ["charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({}, "payment_intent_unexpected_state", "payment_method"),
        ({"payment_method": "pm_nobody"}, "resource_missing", "payment_method"),
        ({"payment_method_data": {"type": "card"}}, "parameter_missing", "payment_method_data[card]"),
        (
            {"payment_method_data": {"type": "card", "card": {"number": "5555555555554444"}}},
            "incorrect_number",
            "payment_method_data[card][number]",
        ),
        (
            {"payment_method_data": DEBIT | {"sepa_debit": {"iban": "FR76"}}},
            "invalid_bank_account_iban",
            "payment_method_data[sepa_debit][iban]",
        ),
        (
            {"payment_method_data": DEBIT | {"billing_details": {"name": "Marie"}}},
            "parameter_missing",
            "payment_method_data[billing_details][email]",
        ),
    ],
)
async def test_what_cannot_pay_is_refused_and_leaves_the_intent_as_it_was(sandbox, client, wrong, code, param):
    intent = await open_intent(client)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payment_intents.confirm_async(intent.id, wrong)

    assert (refused.value.code, refused.value.param) == (code, param)
    assert sandbox.stripe.intent(intent.id) == dict(intent.to_dict())


async def test_an_intent_for_cards_takes_no_debit(client):
    intent = await open_intent(client, payment_method_types=["card"])

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.payment_intents.confirm_async(intent.id, {"payment_method_data": DEBIT})

    assert refused.value.code == "payment_intent_incompatible_payment_method"


async def test_what_is_paid_or_canceled_is_confirmed_no_more(client):
    paid, canceled = await open_intent(client), await open_intent(client)
    await client.v1.payment_intents.confirm_async(paid.id, {"payment_method": "pm_card_visa"})
    await client.v1.payment_intents.cancel_async(canceled.id)

    for intent, said in ((paid, "already succeeded"), (canceled, "status of canceled")):
        with pytest.raises(stripe.InvalidRequestError, match=said) as refused:
            await client.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
        assert refused.value.code == "payment_intent_unexpected_state"


async def test_an_intent_is_canceled_while_nothing_was_paid(sandbox, client, clock):
    untouched, asked = await open_intent(client), await open_intent(client)
    await sandbox.stripe.confirm(asked.id, ASKED, authenticate=None)

    canceled = await client.v1.payment_intents.cancel_async(
        untouched.id, {"cancellation_reason": "requested_by_customer"}
    )
    stopped = await client.v1.payment_intents.cancel_async(asked.id)

    assert (canceled.status, canceled.canceled_at) == ("canceled", int(clock.now))
    assert canceled.cancellation_reason == "requested_by_customer"
    assert (stopped.status, stopped.next_action) == ("canceled", None)
    events = sandbox.stripe.events("payment_intent.canceled")
    assert [event["data"]["object"]["id"] for event in events] == [untouched.id, asked.id]


@pytest.mark.parametrize(
    ("means", "status"), [({"card": "4242424242424242"}, "succeeded"), ({"iban": SETTLES}, "processing")]
)
async def test_what_was_paid_or_is_being_debited_is_not_canceled(sandbox, client, means, status):
    intent = await open_intent(client)
    await sandbox.stripe.confirm(intent.id, **means)

    with pytest.raises(stripe.InvalidRequestError, match=f"status of {status}") as refused:
        await client.v1.payment_intents.cancel_async(intent.id)

    assert (refused.value.http_status, refused.value.code) == (400, "payment_intent_unexpected_state")
    assert refused.value.json_body["error"]["payment_intent"]["status"] == status


async def test_the_intent_of_a_checkout_session_is_the_sessions_business(sandbox, client):
    session = await open_session(client)
    await sandbox.stripe.pay(session.id, DECLINED)
    intent = sandbox.stripe.session(session.id)["payment_intent"]

    for refused in (
        client.v1.payment_intents.cancel_async(intent),
        client.v1.payment_intents.confirm_async(intent, {"payment_method": "pm_card_visa"}),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="created by Checkout"):
            await refused


async def test_a_publishable_key_reaches_what_its_client_secret_opens_and_nothing_else(sandbox, client):
    intent = await open_intent(client)
    headers = {"Authorization": "Bearer pk_test_sandbox"}
    secret = {"client_secret": intent.client_secret}
    wrong = {"client_secret": f"{intent.id}_secret_wrong"}
    path = f"/v1/payment_intents/{intent.id}"
    async with httpx.AsyncClient(base_url=sandbox.url, headers=headers) as front_end:
        refused = [
            await front_end.get(path),
            await front_end.get(path, params=wrong),
            await front_end.post(f"{path}/confirm", data=wrong | {"payment_method": "pm_card_visa"}),
            await front_end.post(f"{path}/cancel", data=secret),
            await front_end.get("/v1/payment_intents"),
        ]
        seen = await front_end.get(path, params=secret)
        paid = await front_end.post(f"{path}/confirm", data=secret | {"payment_method": "pm_card_visa"})

    assert [answer.status_code for answer in refused] == [400, 400, 400, 401, 401]
    assert (seen.json()["status"], paid.json()["status"]) == ("requires_payment_method", "succeeded")


async def test_an_intent_is_paid_in_process_as_a_front_end_would(sandbox, client):
    paid, asked, refused, debited = [await open_intent(client) for _ in range(4)]

    events = [
        types(await sandbox.stripe.confirm(paid.id)),
        types(await sandbox.stripe.confirm(asked.id, ASKED)),
        types(await sandbox.stripe.confirm(refused.id, ASKED, authenticate=False)),
        types(await sandbox.stripe.confirm(debited.id, iban=SETTLES)),
        types(sandbox.stripe.settle_debit(debited.id)),
    ]

    assert events == [
        ["charge.succeeded", "payment_intent.succeeded"],
        ["payment_intent.requires_action", "charge.succeeded", "payment_intent.succeeded"],
        ["payment_intent.requires_action", "payment_intent.payment_failed"],
        ["charge.pending", "payment_intent.processing"],
        ["charge.succeeded", "payment_intent.succeeded"],
    ]
    with pytest.raises(StripeError, match="succeeded"):
        sandbox.stripe.settle_debit(paid.id)


async def test_the_page_pays_an_intent_by_its_client_secret(client, browser, sandbox):
    intent = await open_intent(client, description="Acompte du bilan")
    place = f"/pay-intent/{intent.client_secret}"

    page = await browser.get(place)
    declined = await browser.post(place, data=PAGE | {"card": "4000 0000 0000 0002"})
    paid = await browser.post(place, data=PAGE)
    after = await browser.get(paid.headers["location"])
    unknown = [await browser.get(f"/pay-intent/{intent.id}_secret_wrong"), await browser.get("/pay-intent/pi_none")]

    for shown in ("Acompte du bilan", "199,98", "marie@example.com", "Prélèvement SEPA"):
        assert shown in page.text
    assert (declined.status_code, "Votre carte a été refusée" in declined.text) == (402, True)
    assert "Paiement accepté" in after.text
    assert sandbox.stripe.intent(intent.id)["status"] == "succeeded"
    assert [answer.status_code for answer in unknown] == [404, 404]


async def test_the_page_gives_the_customer_back_to_the_front_end(client, browser):
    intent = await open_intent(client)

    paid = await browser.post(
        f"/pay-intent/{intent.client_secret}", params={"return_url": "https://shop.example/merci?order=42"}, data=PAGE
    )

    assert paid.headers["location"] == (
        f"https://shop.example/merci?order=42&payment_intent={intent.id}"
        f"&payment_intent_client_secret={intent.client_secret}&redirect_status=succeeded"
    )


async def test_the_page_asks_the_bank_and_comes_back(client, browser):
    agreed, refused = await open_intent(client), await open_intent(client)
    card = PAGE | {"card": "4000 0025 0000 3155"}
    answers = {}
    for intent, answer in ((agreed, "confirm"), (refused, "refuse")):
        asked = await browser.post(f"/pay-intent/{intent.client_secret}", data=card)
        assert asked.headers["location"].endswith(f"/bank/{intent.id}")
        answered = await browser.post(asked.headers["location"], data={"answer": answer})
        answers[answer] = await browser.get(answered.headers["location"])

    assert "Paiement accepté" in answers["confirm"].text
    assert "Votre banque n’a pas confirmé ce paiement." in answers["refuse"].text
