"""Where a bank has its say: 3-D Secure at once, a SEPA debit days later, on Checkout's page and in process."""

import pytest
import stripe

from sandbox import Sandbox
from sandbox.stripe_cards import ALWAYS_ASKED, ASKED, DECLINED
from sandbox.stripe_errors import StripeError
from sandbox.stripe_payment import NotOpen
from sandbox.stripe_sepa import FAILS, SETTLES, UnknownIban
from tests.sandbox.checkouts import open_session, types

BOTH = {"payment_method_types": ["card", "sepa_debit"]}
CARD = {"card": "4000 0025 0000 3155", "expiry": "12 / 34", "cvc": "123", "name": "Marie Martin"}
DEBIT = {"means": "sepa_debit", "iban": "fr14 2004 1010 0505 0001 3M02 606", "name": "Marie Martin"}


@pytest.mark.parametrize("card", [ASKED, ALWAYS_ASKED])
async def test_a_card_that_the_bank_asks_about_pays_once_it_is_confirmed(sandbox, client, card):
    opened = await open_session(client)

    events = await sandbox.stripe.pay(opened.id, card)

    session = await client.v1.checkout.sessions.retrieve_async(
        opened.id, {"expand": ["payment_intent.latest_charge.payment_method"]}
    )
    assert types(events) == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    asked = events[1]["data"]["object"]
    assert (asked["status"], asked["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    assert (session.payment_status, session.payment_intent.next_action) == ("paid", None)
    details = session.payment_intent.latest_charge.payment_method_details.card
    assert (details.last4, details.three_d_secure.result) == (card[-4:], "authenticated")


async def test_a_card_that_its_owner_refuses_to_the_bank_is_not_charged(sandbox, client):
    opened = await open_session(client)

    refused = await sandbox.stripe.pay(opened.id, ASKED, authenticate=False)
    intent = sandbox.stripe.intent(sandbox.stripe.session(opened.id)["payment_intent"])
    paid = await sandbox.stripe.pay(opened.id)

    assert types(refused) == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
    ]
    assert intent["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert (intent["status"], intent["latest_charge"]) == ("requires_payment_method", None)
    assert types(paid) == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


async def test_the_bank_can_be_left_waiting_and_answered_later(sandbox, client):
    opened = await open_session(client)
    waiting = await sandbox.stripe.pay(opened.id, ASKED, authenticate=None)
    intent = sandbox.stripe.session(opened.id)["payment_intent"]

    answered = sandbox.stripe.answer_the_bank(intent, agreed=True)

    assert types(waiting)[-1] == "payment_intent.requires_action"
    assert types(answered)[-1] == "checkout.session.completed"
    with pytest.raises(StripeError):
        sandbox.stripe.answer_the_bank(intent, agreed=True)


async def test_the_bank_is_too_late_for_a_session_that_expired(sandbox, client, browser):
    opened = await open_session(client)
    await sandbox.stripe.pay(opened.id, ASKED, authenticate=None)
    sandbox.stripe.expire(opened.id)
    intent = sandbox.stripe.session(opened.id)["payment_intent"]

    with pytest.raises(NotOpen):
        sandbox.stripe.answer_the_bank(intent, agreed=True)
    answered = await browser.post(f"/bank/{intent}", data={"answer": "confirm"})

    assert (answered.status_code, "Rien à confirmer" in answered.text) == (410, True)


async def test_the_page_leads_to_the_bank_and_on_to_the_seller(client, browser, sandbox):
    session = await open_session(client)

    sent = await browser.post(session.url, data=CARD)
    bank = await browser.get(sent.headers["location"])
    answered = await browser.post(sent.headers["location"], data={"answer": "confirm"})
    again = await browser.post(sent.headers["location"], data={"answer": "confirm"})

    assert sent.status_code == 303
    for shown in ("Ma banque", "Confirmer le paiement", "199,98", "•••• 3155"):
        assert shown in bank.text
    assert answered.headers["location"] == f"https://shop.example/merci?session={session.id}"
    assert again.status_code == 410
    assert sandbox.stripe.session(session.id)["customer_details"]["name"] == "Marie Martin"


async def test_who_refuses_at_the_bank_is_told_so_and_may_try_another_card(client, browser):
    session = await open_session(client)
    sent = await browser.post(session.url, data=CARD)

    answered = await browser.post(sent.headers["location"], data={"answer": "refuse"})
    page = await browser.get(answered.headers["location"])
    paid = await browser.post(session.url, data=CARD | {"card": "4242 4242 4242 4242"})

    assert answered.headers["location"].endswith(f"/pay/{session.id}")
    assert "Votre banque n’a pas confirmé ce paiement." in page.text
    assert paid.headers["location"].startswith("https://shop.example/merci")


async def test_a_bank_page_that_never_was_is_a_404(browser):
    assert [(await browser.get("/bank/pi_none")).status_code, (await browser.post("/bank/pi_none")).status_code] == [
        404,
        404,
    ]


async def test_a_debit_completes_the_session_unpaid_and_is_paid_days_later(sandbox, client):
    opened = await open_session(client, **BOTH)

    events = await sandbox.stripe.pay(opened.id, iban=SETTLES)
    session = await client.v1.checkout.sessions.retrieve_async(opened.id, {"expand": ["payment_intent.latest_charge"]})
    settled = sandbox.stripe.settle_debit(session.payment_intent.id)
    after = await client.v1.checkout.sessions.retrieve_async(opened.id, {"expand": ["payment_intent.latest_charge"]})

    assert types(events) == [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "checkout.session.completed",
    ]
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    charge = session.payment_intent.latest_charge
    assert (session.payment_intent.status, charge.status, charge.paid) == ("processing", "pending", False)
    assert (charge.payment_method_details.type, charge.payment_method_details.sepa_debit.last4) == (
        "sepa_debit",
        "2606",
    )
    assert types(settled) == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]
    assert (after.payment_status, after.payment_intent.amount_received) == ("paid", 19998)
    assert (after.payment_intent.latest_charge.id, after.payment_intent.latest_charge.paid) == (charge.id, True)
    assert settled[-1]["data"]["object"]["payment_status"] == "paid"


async def test_a_debit_that_the_bank_gives_back_leaves_the_session_unpaid(sandbox, client, browser):
    opened = await open_session(client, **BOTH)
    await sandbox.stripe.pay(opened.id, iban=FAILS)
    intent_id = sandbox.stripe.session(opened.id)["payment_intent"]

    events = sandbox.stripe.fail_debit(intent_id)

    assert types(events) == ["charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"]
    session, intent = sandbox.stripe.session(opened.id), sandbox.stripe.intent(intent_id)
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert (intent["status"], intent["last_payment_error"]["code"]) == (
        "requires_payment_method",
        "debit_not_authorized",
    )
    assert "Prélèvement rejeté" in (await browser.get(opened.url)).text
    for end in (sandbox.stripe.settle_debit, sandbox.stripe.fail_debit):
        with pytest.raises(StripeError, match="requires_payment_method"):
            end(intent_id)


async def test_debits_wait_for_the_tester_unless_the_clock_may_end_them(clock):
    for after, left in ((None, 2), (20.0, 0)):
        async with Sandbox(clock=clock, debits_after=after) as sandbox:
            client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url})
            opened = [(await open_session(client, **BOTH)).id for _ in range(2)]
            for id, iban in zip(opened, (SETTLES, FAILS), strict=True):
                await sandbox.stripe.pay(id, iban=iban)
            clock.now += 19
            sandbox.stripe.look_at_the_clock()
            assert len(sandbox.stripe.debits()) == 2

            clock.now += 1
            sandbox.stripe.look_at_the_clock()

            assert len(sandbox.stripe.debits()) == left
            ends = types(sandbox.stripe.events())[-6:]
            if after:
                assert (ends[2], ends[5]) == (
                    "checkout.session.async_payment_succeeded",
                    "checkout.session.async_payment_failed",
                )


async def test_the_page_offers_both_means_and_takes_the_debit(client, browser, sandbox):
    session = await open_session(client, **BOTH, customer_email=None)

    page = await browser.get(session.url)
    filled = await browser.post(session.url, data={"fill": "FR14 2004 1010 0505 0001 3M02 606"})
    wrong = await browser.post(session.url, data=DEBIT | {"iban": "FR76", "email": "paul@example.com"})
    nothing = await browser.post(session.url, data={"means": "sepa_debit"})
    done = await browser.post(session.url, data=DEBIT | {"email": "paul@example.com"})
    again = await browser.get(session.url)

    for shown in ("Carte", "Prélèvement SEPA", "FR84 2004 1010 0505 0001 3M02 607", "vous autorisez le vendeur"):
        assert shown in page.text
    assert 'name="means" value="sepa_debit" checked' in filled.text
    assert 'value="FR14 2004 1010 0505 0001 3M02 606"' in filled.text
    assert "IBAN inconnu de ce bac à sable" in wrong.text
    for shown in ("Indiquez votre IBAN.", "Indiquez une adresse e-mail valable.", "Indiquez le nom du titulaire."):
        assert shown in nothing.text
    assert "Trois chiffres" not in nothing.text
    assert done.headers["location"] == f"https://shop.example/merci?session={session.id}"
    assert (again.status_code, "Prélèvement demandé" in again.text) == (410, True)
    assert sandbox.stripe.session(session.id)["customer_details"]["email"] == "paul@example.com"


async def test_a_page_for_cards_shows_no_iban_and_takes_none(client, browser):
    session = await open_session(client)

    page = await browser.get(session.url)
    refused = await browser.post(session.url, data=DEBIT)

    assert "IBAN" not in page.text
    assert "Indiquez le numéro de carte." in refused.text


async def test_a_session_may_take_debits_only(client, browser, sandbox):
    session = await open_session(client, payment_method_types=["sepa_debit"])

    page = await browser.get(session.url)
    done = await browser.post(session.url, data=DEBIT)

    assert "Numéro de carte" not in page.text
    assert done.status_code == 303
    with pytest.raises(ValueError, match="sepa_debit only"):
        await sandbox.stripe.pay((await open_session(client, payment_method_types=["sepa_debit"])).id)


async def test_who_pays_in_process_gives_an_iban_that_the_session_takes(sandbox, client):
    cards_only, both = await open_session(client), await open_session(client, **BOTH)

    with pytest.raises(ValueError, match="payment_method_types"):
        await sandbox.stripe.pay(cards_only.id, iban=SETTLES)
    with pytest.raises(UnknownIban):
        await sandbox.stripe.pay(both.id, iban="FR7630006000011234567890189")

    assert sandbox.stripe.events() == []


async def test_debits_are_in_euros(client):
    price = {"currency": "usd", "unit_amount": 9999, "product_data": {"name": "Bilan"}}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await open_session(client, **BOTH, line_items=[{"price_data": price, "quantity": 1}])

    assert refused.value.param == "payment_method_types"


async def test_the_page_of_events_ends_debits_once(sandbox, client, browser):
    paid, failed = [await open_session(client, **BOTH) for _ in range(2)]
    for session in (paid, failed):
        await sandbox.stripe.pay(session.id, iban=SETTLES)
    intents = [sandbox.stripe.session(session.id)["payment_intent"] for session in (paid, failed)]

    page = await browser.get("/stripe")
    for intent, end in zip(intents, ("settle", "fail"), strict=True):
        for _ in range(2):
            answer = await browser.post(f"/stripe/debits/{intent}", data={"end": end})
            assert answer.status_code == 303

    assert all(intent in page.text for intent in intents)
    assert [sandbox.stripe.intent(intent)["status"] for intent in intents] == ["succeeded", "requires_payment_method"]
    assert len(sandbox.stripe.events("checkout.session.async_payment_succeeded")) == 1
    assert "SEPA debits under way" not in (await browser.get("/stripe")).text


async def test_a_declined_card_comes_before_a_debit_on_the_same_page(sandbox, client):
    opened = await open_session(client, **BOTH)

    await sandbox.stripe.pay(opened.id, DECLINED)
    events = await sandbox.stripe.pay(opened.id, iban=SETTLES)

    assert types(events) == ["charge.pending", "payment_intent.processing", "checkout.session.completed"]
    assert events[1]["data"]["object"]["last_payment_error"] is None
