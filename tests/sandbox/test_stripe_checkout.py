"""A Checkout Session, from its opening to its end: by the API, by the hosted page, by the clock."""

import pytest
import stripe

from sandbox.stripe_cards import DECLINED, UnknownCard
from sandbox.stripe_payment import NotOpen
from tests.sandbox.checkouts import open_session

PAGE = {"card": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Marie Martin"}
ADDRESS = {"line1": "3 place Bellecour", "postal_code": "69002", "city": "Lyon", "country": "FR"}


async def test_a_session_is_priced_and_has_a_page(sandbox, client, browser):
    session = await open_session(client)

    page = await browser.get(session.url)

    assert (session.amount_total, session.currency, session.status, session.payment_status) == (
        19998,
        "eur",
        "open",
        "unpaid",
    )
    assert session.url == f"{sandbox.url}/pay/{session.id}"
    assert session.payment_intent is None
    assert page.status_code == 200
    for shown in ("Déclaration d&#39;impôts", "199,98", "marie@example.com", "https://shop.example/panier"):
        assert shown in page.text
    assert "script" not in page.text


async def test_a_good_card_completes_the_session(sandbox, client):
    customer = await client.v1.customers.create_async({"email": "marie@example.com"})
    opened = await open_session(
        client,
        customer=customer.id,
        customer_email=None,
        customer_update={"name": "auto"},
        phone_number_collection={"enabled": True},
    )

    events = await sandbox.stripe.pay(opened.id, name="Marie Martin", phone="+33687654321")

    session = await client.v1.checkout.sessions.retrieve_async(
        opened.id, {"expand": ["payment_intent.latest_charge", "customer", "line_items"]}
    )
    assert [event["type"] for event in events] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    details = session.customer_details
    assert (details.name, details.email, details.phone) == ("Marie Martin", "marie@example.com", "+33687654321")
    intent = session.payment_intent
    assert (intent.status, intent.amount_received, intent.metadata["order"]) == ("succeeded", 19998, "42")
    assert (intent.latest_charge.paid, intent.latest_charge.billing_details.name) == (True, "Marie Martin")
    assert session.customer.name == "Marie Martin"
    assert session.line_items.data[0].quantity == 2
    completed = events[-1]["data"]["object"]
    assert (completed["payment_intent"], completed["metadata"]) == (intent.id, {"order": "42"})


async def test_a_declined_card_leaves_the_session_open_for_another(sandbox, client):
    opened = await open_session(client)

    declined = await sandbox.stripe.pay(opened.id, card=DECLINED)
    session = await client.v1.checkout.sessions.retrieve_async(opened.id)
    failed = await client.v1.payment_intents.retrieve_async(session.payment_intent)
    paid = await sandbox.stripe.pay(opened.id)

    assert declined[-1]["type"] == "payment_intent.payment_failed"
    assert (session.status, failed.status) == ("open", "requires_payment_method")
    assert (failed.last_payment_error.code, failed.last_payment_error.decline_code) == (
        "card_declined",
        "generic_decline",
    )
    assert [event["type"] for event in paid][-1] == "checkout.session.completed"
    assert paid[-1]["data"]["object"]["payment_intent"] == failed.id
    again = await client.v1.payment_intents.retrieve_async(failed.id)
    assert (again.status, again.last_payment_error) == ("succeeded", None)


async def test_the_page_takes_the_card_and_sends_the_client_back(client, browser, sandbox):
    session = await open_session(client)

    done = await browser.post(session.url, data=PAGE)
    again = await browser.get(session.url)

    assert done.status_code == 303
    assert done.headers["location"] == f"https://shop.example/merci?session={session.id}"
    assert again.status_code == 410
    assert "Déjà payé" in again.text
    assert len(sandbox.stripe.events("checkout.session.completed")) == 1


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ({"card": "4000 0000 0000 0002"}, "Votre carte a été refusée"),
        ({"card": "5555 5555 5555 4444"}, "Carte inconnue de ce bac à sable"),
        ({"card": ""}, "Indiquez le numéro de carte."),
        ({"expiry": "13/34"}, "MM / AA"),
        ({"expiry": "12/26"}, "La date d’expiration de votre carte est passée."),
        ({"cvc": "1"}, "Trois chiffres"),
        ({"name": ""}, "Indiquez le nom"),
    ],
)
async def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(client, browser, sandbox, typed, shown):
    session = await open_session(client)

    page = await browser.post(session.url, data=PAGE | typed)

    assert page.status_code == 402
    assert shown in page.text
    assert (PAGE | typed)["name"] in page.text
    assert sandbox.stripe.session(session.id)["status"] == "open"


async def test_a_card_is_good_to_the_end_of_its_month(client, browser):
    session = await open_session(client)

    assert (await browser.post(session.url, data=PAGE | {"expiry": "01/27"})).status_code == 303


async def test_a_required_address_is_asked_and_told(client, browser, sandbox):
    session = await open_session(client, billing_address_collection="required")

    filled = await browser.post(session.url, data={"fill": "4242 4242 4242 4242"})
    refused = await browser.post(session.url, data=PAGE | {"city": "Lyon"})
    paid = await browser.post(session.url, data=PAGE | ADDRESS)

    assert 'value="3 place Bellecour"' in filled.text
    assert '<option value="FR" selected>France</option>' in filled.text
    assert refused.status_code == 402
    for shown in ("Indiquez votre adresse.", "Indiquez le code postal.", "Choisissez un pays.", 'value="Lyon"'):
        assert shown in refused.text
    assert paid.status_code == 303
    told = sandbox.stripe.session(session.id)["customer_details"]["address"]
    assert told == ADDRESS | {"line2": None, "state": None}
    (charge,) = sandbox.stripe.events("charge.succeeded")
    assert charge["data"]["object"]["billing_details"]["address"] == told


async def test_an_address_that_is_not_required_is_not_asked(client, browser, sandbox):
    session = await open_session(client)

    page = await browser.get(session.url)
    await sandbox.stripe.pay(session.id)

    assert "Code postal" not in page.text
    address = sandbox.stripe.session(session.id)["customer_details"]["address"]
    assert (address["line1"], address["country"]) == (None, "FR")


async def test_who_pays_in_process_may_give_an_address_where_one_is_required(sandbox, client):
    required = {"billing_address_collection": "required"}
    by_default, given, refused = [await open_session(client, **more) for more in (required, required, {})]

    await sandbox.stripe.pay(by_default.id)
    await sandbox.stripe.pay(given.id, address=ADDRESS | {"city": "Bruxelles", "country": "BE"})

    assert sandbox.stripe.session(by_default.id)["customer_details"]["address"]["city"] == "Lyon"
    assert sandbox.stripe.session(given.id)["customer_details"]["address"]["country"] == "BE"
    with pytest.raises(ValueError, match="billing_address_collection"):
        await sandbox.stripe.pay(refused.id, address=ADDRESS)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("+32 470 12 34 56", "+32470123456"),
        ("0033612345678", "+33612345678"),
    ],
)
async def test_a_phone_number_is_kept_in_international_form(client, browser, sandbox, typed, kept):
    session = await open_session(client, phone_number_collection={"enabled": True})

    await browser.post(session.url, data=PAGE | {"phone": typed})

    assert sandbox.stripe.session(session.id)["customer_details"]["phone"] == kept


@pytest.mark.parametrize("typed", ["", "0612", "appelez-moi", "1" * 300])
async def test_what_is_no_phone_number_is_refused(client, browser, sandbox, typed):
    session = await open_session(client, phone_number_collection={"enabled": True})

    page = await browser.post(session.url, data=PAGE | {"phone": typed})

    assert page.status_code == 402
    assert "Indiquez un numéro de téléphone valable." in page.text


async def test_the_page_fills_a_test_card_in(client, browser):
    session = await open_session(client)

    page = await browser.post(session.url, data={"fill": "4000 0000 0000 0002", "name": "Marie"})

    assert 'name="card" value="4000 0000 0000 0002"' in page.text
    assert 'name="name" value="Marie"' in page.text


async def test_the_page_asks_for_an_address_where_none_is_known(client, browser, sandbox):
    session = await open_session(client, customer_email=None)

    refused = await browser.post(session.url, data=PAGE | {"email": "nowhere"})
    await browser.post(session.url, data=PAGE | {"email": "paul@example.com"})

    assert "adresse e-mail valable" in refused.text
    assert sandbox.stripe.session(session.id)["customer_details"]["email"] == "paul@example.com"


async def test_a_session_is_expired_on_request_and_only_once(sandbox, client, browser):
    session = await open_session(client)

    expired = await client.v1.checkout.sessions.expire_async(session.id)
    page = await browser.get(session.url)

    assert (expired.status, expired.url) == ("expired", None)
    assert (page.status_code, "expirée" in page.text) == (410, True)
    event = sandbox.stripe.events("checkout.session.expired")[0]
    assert event["request"]["id"] == expired.last_response.request_id
    with pytest.raises(stripe.InvalidRequestError, match="has a status of `expired`"):
        await client.v1.checkout.sessions.expire_async(session.id)
    with pytest.raises(NotOpen):
        await sandbox.stripe.pay(session.id)


async def test_a_session_expires_when_its_time_has_come(sandbox, client, clock):
    session = await open_session(client, expires_at=int(clock.now) + 1800)
    clock.now += 1801

    assert (await client.v1.checkout.sessions.retrieve_async(session.id)).status == "expired"
    assert len(sandbox.stripe.events("checkout.session.expired")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "subscription"},
        {"expires_at": 1_800_000_060},
        {"expires_at": 1_800_000_000 + 25 * 3600},
        {"customer": "cus_0", "customer_email": "marie@example.com"},
        {"customer_update": {"name": "auto"}},
        {"payment_method_types": ["sofort"]},
        {"success_url": "nowhere"},
        {"line_items": [{"price": "price_unknown", "quantity": 1}]},
        {
            "line_items": [
                {"price_data": {"currency": "eur", "unit_amount": 49, "product_data": {"name": "x"}}, "quantity": 1}
            ]
        },
        {
            "line_items": [
                {"price_data": {"currency": "eur", "unit_amount": 99, "product_data": {"name": "x"}}, "quantity": 0}
            ]
        },
    ],
)
async def test_a_session_that_stripe_would_not_open_is_refused_and_leaves_nothing(client, wrong):
    with pytest.raises(stripe.InvalidRequestError):
        await open_session(client, **wrong)

    assert (await client.v1.products.list_async()).data == []


async def test_an_unknown_card_pays_nothing(sandbox, client):
    session = await open_session(client)

    with pytest.raises(UnknownCard):
        await sandbox.stripe.pay(session.id, card="5555555555554444")

    assert sandbox.stripe.events() == []


async def test_a_guest_becomes_a_customer_where_asked(sandbox, client):
    session = await open_session(client, customer_creation="always")

    await sandbox.stripe.pay(session.id, name="Marie Martin")

    customer = await client.v1.customers.retrieve_async(sandbox.stripe.session(session.id)["customer"])
    assert (customer.name, customer.email) == ("Marie Martin", "marie@example.com")


async def test_a_page_that_never_was_is_a_404(sandbox, browser):
    assert (await browser.get(f"{sandbox.url}/pay/cs_test_none")).status_code == 404
