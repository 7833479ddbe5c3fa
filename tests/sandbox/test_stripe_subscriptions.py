"""Subscriptions in Stripe's stand-in: begun at Checkout, renewed by the clock, failing, canceled, looked after."""

import pytest
import stripe

from sandbox.stripe_cards import ALWAYS_ASKED, ASKED, DECLINED, GOOD, ONCE
from sandbox.stripe_payment import NotOpen
from tests.sandbox.checkouts import types

DAY = 24 * 3600
CARD = {"card": GOOD, "expiry": "12 / 34", "cvc": "123", "name": "Marie Martin"}


@pytest.fixture
async def price(client):
    product = await client.v1.products.create_async({"name": "Suivi"})
    return await client.v1.prices.create_async(
        {"currency": "eur", "unit_amount": 1900, "product": product.id, "recurring": {"interval": "month"}}
    )


@pytest.fixture
async def customer(client):
    return await client.v1.customers.create_async({"email": "marie@example.com", "name": "Marie"})


async def opened(client, price, customer, **more):
    return await client.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "customer": customer.id,
            "success_url": "https://shop.example/merci",
            "subscription_data": {"metadata": {"order": "42"}},
            **more,
        }
    )


@pytest.fixture
async def subscribe(sandbox, client, price, customer):
    """Begins one by a card; gives the subscription as it is then."""

    async def begin(card=GOOD):
        session = await opened(client, price, customer)
        await sandbox.stripe.pay(session.id, card)
        return sandbox.stripe.subscription(sandbox.stripe.session(session.id)["subscription"])

    return begin


def invoices(sandbox, subscription):
    return sandbox.stripe.books.store.all("invoice", [("subscription", "=", subscription["id"])])


async def test_the_hosted_page_begins_a_subscription(sandbox, client, browser, price, customer):
    session = await opened(client, price, customer)

    page = await browser.get(session.url)
    done = await browser.post(session.url, data=CARD)

    assert "S’abonner" in page.text
    assert "chaque mois" in page.text
    assert done.headers["location"] == "https://shop.example/merci"
    after = await client.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription.latest_invoice"]})
    assert (after.status, after.payment_status, after.payment_intent) == ("complete", "paid", None)
    assert (after.subscription.status, after.subscription.metadata["order"]) == ("active", "42")
    invoice = after.subscription.latest_invoice
    assert (invoice.status, invoice.billing_reason, invoice.amount_paid) == ("paid", "subscription_create", 1900)
    (line,) = invoice.lines.data
    assert (line.period.end, line.price.id) == (after.subscription.current_period_end, price.id)


async def test_a_beginning_is_told_in_stripes_order(sandbox, client, price, customer):
    events = await sandbox.stripe.pay((await opened(client, price, customer)).id)

    assert types(events) == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "payment_method.attached",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]
    assert [event["data"]["object"]["status"] for event in events if "subscription" in event["type"]] == [
        "incomplete",
        "active",
    ]


@pytest.mark.parametrize("card", [ASKED, ALWAYS_ASKED])
async def test_the_bank_may_ask_first(sandbox, client, price, customer, card):
    session = await opened(client, price, customer)

    await sandbox.stripe.pay(session.id, card, authenticate=None)
    waiting = sandbox.stripe.session(session.id)
    sandbox.stripe.answer_the_bank(sandbox.stripe.intent_of(waiting), agreed=True)

    done = sandbox.stripe.session(session.id)
    assert (waiting["status"], done["status"]) == ("open", "complete")
    assert sandbox.stripe.subscription(done["subscription"])["status"] == "active"


async def test_a_declined_card_leaves_it_incomplete_for_another(sandbox, client, price, customer):
    session = await opened(client, price, customer)

    failed = await sandbox.stripe.pay(session.id, DECLINED)
    paid = await sandbox.stripe.pay(session.id)

    assert types(failed)[-2:] == ["payment_intent.payment_failed", "invoice.payment_failed"]
    assert "customer.subscription.created" not in types(paid)
    assert types(paid)[-1] == "checkout.session.completed"
    assert len(sandbox.stripe.books.store.all("subscription")) == 1


async def test_a_session_that_runs_out_takes_what_was_incomplete_along(sandbox, client, clock, price, customer):
    session = await opened(client, price, customer)
    await sandbox.stripe.pay(session.id, DECLINED)

    clock.now += 2 * DAY
    events = sandbox.stripe.look_at_the_clock()

    assert types(events) == ["checkout.session.expired", "customer.subscription.updated", "invoice.voided"]
    assert events[1]["data"]["object"]["status"] == "incomplete_expired"


async def test_a_session_that_is_taken_back_does_too(sandbox, client, price, customer):
    session = await opened(client, price, customer)
    await sandbox.stripe.pay(session.id, DECLINED)

    await client.v1.checkout.sessions.expire_async(session.id)

    (subscription,) = sandbox.stripe.books.store.all("subscription")
    assert subscription["status"] == "incomplete_expired"


async def test_a_month_later_it_renews(sandbox, subscribe):
    subscription = await subscribe()

    events = sandbox.stripe.advance(months=1)

    renewed = sandbox.stripe.subscription(subscription["id"])
    assert types(events) == [
        "invoice.created",
        "customer.subscription.updated",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    assert renewed["current_period_start"] == subscription["current_period_end"]
    paid = events[-1]["data"]["object"]
    assert (paid["billing_reason"], paid["status"], paid["total"]) == ("subscription_cycle", "paid", 1900)
    assert paid["subscription_details"] == {"metadata": {"order": "42"}}
    assert events[0]["created"] == subscription["current_period_end"]
    assert events[-1]["created"] == subscription["current_period_end"] + 3600


async def test_a_year_is_twelve_renewals_each_in_its_time(sandbox, subscribe):
    subscription = await subscribe()

    sandbox.stripe.advance(months=12)

    found = invoices(sandbox, subscription)
    assert [invoice["status"] for invoice in found] == ["paid"] * 13
    assert len({invoice["number"] for invoice in found}) == 13
    starts = [invoice["lines"]["data"][0]["period"]["start"] for invoice in found]
    assert starts == sorted(set(starts))


async def test_the_last_day_of_a_month_is_kept(sandbox, clock, subscribe):
    clock.now = 1_801_396_800.0  # 31 January 2027, noon
    subscription = await subscribe()

    sandbox.stripe.advance(months=3)

    ends = [invoice["lines"]["data"][0]["period"]["end"] for invoice in invoices(sandbox, subscription)]
    assert [int((end - clock.now) / DAY) for end in ends] == [28, 59, 89, 120]  # 28/2, 31/3, 30/4, 31/5


async def test_a_card_that_fails_is_tried_again_and_ends_it(sandbox, subscribe):
    subscription = await subscribe(ONCE)

    failed = sandbox.stripe.advance(months=1)
    late = sandbox.stripe.subscription(subscription["id"])
    then = sandbox.stripe.advance(days=16)

    assert types(failed)[-3:] == [
        "payment_intent.payment_failed",
        "invoice.payment_failed",
        "customer.subscription.updated",
    ]
    assert late["status"] == "past_due"
    assert types(then).count("invoice.payment_failed") == 3
    assert types(then)[-1] == "customer.subscription.deleted"
    ended = sandbox.stripe.subscription(subscription["id"])
    assert (ended["status"], ended["cancellation_details"]["reason"]) == ("canceled", "payment_failed")
    assert sandbox.stripe.advance(months=3) == []


async def test_an_open_invoice_is_paid_on_its_page(sandbox, browser, subscribe):
    subscription = await subscribe(ONCE)
    sandbox.stripe.advance(months=1)
    invoice = invoices(sandbox, subscription)[-1]

    page = await browser.get(invoice["hosted_invoice_url"])
    declined = await browser.post(invoice["hosted_invoice_url"], data=CARD | {"card": DECLINED})
    done = await browser.post(invoice["hosted_invoice_url"], data=CARD)
    after = await browser.get(invoice["hosted_invoice_url"])

    assert "19,00" in page.text
    assert (declined.status_code, done.status_code) == (402, 303)
    assert "Facture payée" in after.text
    recovered = sandbox.stripe.subscription(subscription["id"])
    assert recovered["status"] == "active"
    assert recovered["default_payment_method"] != subscription["default_payment_method"]
    with pytest.raises(NotOpen):
        sandbox.stripe.pay_invoice(invoice["id"])


async def test_another_card_recovers_it_at_the_next_try(sandbox, client, browser, subscribe):
    subscription = await subscribe(ONCE)
    sandbox.stripe.advance(months=1)
    session = await client.v1.billing_portal.sessions.create_async(
        {"customer": subscription["customer"], "return_url": "https://shop.example/compte"}
    )

    before = await browser.get(session.url)
    wrong = await browser.post(f"{session.url}/card", data=CARD | {"card": "1"})
    await browser.post(f"{session.url}/card", data=CARD)
    events = sandbox.stripe.advance(days=3)

    for shown in ("paiement en retard", "https://shop.example/compte", "à payer", "0341"):
        assert shown in before.text
    assert (wrong.status_code, "Carte inconnue" in wrong.text) == (402, True)
    assert "invoice.paid" in types(events)
    assert sandbox.stripe.subscription(subscription["id"])["status"] == "active"
    methods = await client.v1.customers.payment_methods.list_async(subscription["customer"])
    assert [method.card.last4 for method in methods.data] == ["4242", "0341"]
    customer = await client.v1.customers.retrieve_async(subscription["customer"])
    assert customer.invoice_settings.default_payment_method == methods.data[0].id


async def test_the_portal_ends_it_with_its_period_or_lets_it_go_on(sandbox, client, browser, subscribe):
    subscription = await subscribe()
    session = await client.v1.billing_portal.sessions.create_async({"customer": subscription["customer"]})

    await browser.post(session.url, data={"subscription": subscription["id"], "do": "cancel"})
    ending = sandbox.stripe.subscription(subscription["id"])
    shown = await browser.get(session.url)
    await browser.post(session.url, data={"subscription": subscription["id"], "do": "resume"})
    resumed = sandbox.stripe.subscription(subscription["id"])
    await browser.post(session.url, data={"subscription": subscription["id"], "do": "cancel"})
    events = sandbox.stripe.advance(months=1)

    assert (ending["status"], ending["cancel_at_period_end"]) == ("active", True)
    assert ending["cancel_at"] == ending["current_period_end"]
    assert "Reprendre" in shown.text
    assert (resumed["cancel_at_period_end"], resumed["canceled_at"]) == (False, None)
    assert types(events) == ["customer.subscription.deleted"]
    assert events[0]["data"]["object"]["ended_at"] == subscription["current_period_end"]


async def test_a_portal_is_good_for_an_hour(client, clock, browser, customer):
    session = await client.v1.billing_portal.sessions.create_async({"customer": customer.id})

    clock.now += 3601

    assert (await browser.get(session.url)).status_code == 410


async def test_the_dashboard_lists_them_and_turns_the_clock(sandbox, browser, subscribe):
    subscription = await subscribe()

    await browser.post("/stripe/clock", data={"by": "month"})
    page = await browser.get("/stripe/subscriptions")
    await browser.post(f"/stripe/subscriptions/{subscription['id']}", data={"do": "cancel_now"})
    await browser.post(f"/stripe/subscriptions/{subscription['id']}", data={"do": "cancel_now"})

    assert subscription["id"] in page.text
    assert page.text.count("/invoice/in_") == 2
    assert sandbox.stripe.subscription(subscription["id"])["status"] == "canceled"


async def test_one_is_canceled_at_once_and_only_once(sandbox, client, subscribe):
    subscription = await subscribe()

    canceled = await client.v1.subscriptions.cancel_async(subscription["id"])

    assert (canceled.status, canceled.ended_at is not None) == ("canceled", True)
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        await client.v1.subscriptions.cancel_async(subscription["id"])
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        await client.v1.subscriptions.update_async(subscription["id"], {"cancel_at_period_end": False})
    assert (await client.v1.subscriptions.list_async()).data == []
    assert len((await client.v1.subscriptions.list_async({"status": "all"})).data) == 1


async def test_one_begun_by_the_api_is_charged_at_once(sandbox, client, price, customer, subscribe):
    saved = (await subscribe())["default_payment_method"]
    request = {"customer": customer.id, "items": [{"price": price.id}]}

    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        await client.v1.subscriptions.create_async(request)
    begun = await client.v1.subscriptions.create_async(request | {"default_payment_method": saved})

    assert begun.status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="one_time"):
        once = await client.v1.prices.create_async({"currency": "eur", "unit_amount": 100, "product": price.product})
        await client.v1.subscriptions.create_async(request | {"items": [{"price": once.id}]})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"mode": "payment", "subscription_data": None}, "passed a recurring price"),
        ({"payment_intent_data": {"description": "x"}}, "can not pass `payment_intent_data`"),
        ({"mode": "payment"}, "can not pass `subscription_data`"),
        ({"payment_method_types": ["card", "sepa_debit"]}, "by card only"),
        ({"mode": "setup"}, "does not speak `setup`"),
    ],
)
async def test_modes_are_not_mixed_up(client, price, customer, more, said):
    with pytest.raises(stripe.InvalidRequestError, match=said):
        await opened(client, price, customer, **more)


async def test_prices_of_a_subscription_renew_together(client, price, customer):
    yearly = {"currency": "eur", "unit_amount": 100, "product": price.product, "recurring": {"interval": "year"}}

    with pytest.raises(stripe.InvalidRequestError, match="different billing intervals"):
        await opened(
            client,
            price,
            customer,
            line_items=[{"price": price.id, "quantity": 1}, {"price_data": yearly, "quantity": 1}],
        )
    once = {"currency": "eur", "unit_amount": 100, "product": price.product}
    with pytest.raises(stripe.InvalidRequestError, match="at least one recurring price"):
        await opened(client, price, customer, line_items=[{"price_data": once, "quantity": 1}])


async def test_what_is_bought_once_beside_is_on_the_first_invoice_alone(sandbox, client, price, customer):
    once = {"currency": "eur", "unit_amount": 100, "product": price.product}
    coupon = await client.v1.coupons.create_async({"amount_off": 500, "currency": "eur", "duration": "once"})
    session = await opened(
        client,
        price,
        customer,
        line_items=[{"price": price.id, "quantity": 1}, {"price_data": once, "quantity": 1}],
        discounts=[{"coupon": coupon.id}],
    )
    await sandbox.stripe.pay(session.id)
    sandbox.stripe.advance(months=1)

    totals = [invoice["total"] for invoice in sandbox.stripe.books.store.all("invoice")]
    assert totals == [1500, 1900]
