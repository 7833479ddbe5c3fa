"""What is said here against the vendor's own descriptions, where they are at hand."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
import stripe

from sandbox import Sandbox
from sandbox.stripe_cards import ASKED, DECLINED
from sandbox.stripe_sepa import FAILS, SETTLES

SPECS = Path(os.environ.get("COMPTOIR_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendor's descriptions are not at hand (COMPTOIR_SPECS)")

# In the vendor's samples only: old, or there only when expanded.
LEFT_OUT = {
    "charge": {"refunds", "source"},
    "refund": {"customer", "customer_account", "payment_method"},
    "subscription": {"billing_mode", "billing_schedules", "customer_account", "managed_payments"},
    "subscription_item": {"current_period_end", "current_period_start"},
    "invoice": {
        "amount_overpaid",
        "customer_account",
        "parent",
        "total_pretax_credit_amounts",
        "total_taxes",
    },
    "line_item": {"parent", "pretax_credit_amounts", "pricing", "quantity_decimal", "subtotal", "taxes"},
}
# Of our API version; the samples are newer.
ADDED = {
    "charge": {"invoice"},
    "discount": {"coupon"},
    "payment_intent": {"invoice"},
    "subscription": {"current_period_end", "current_period_start", "discount", "plan", "quantity"},
    "invoice": {
        "application_fee_amount",
        "charge",
        "discount",
        "paid",
        "paid_out_of_band",
        "payment_intent",
        "quote",
        "subscription_details",
        "tax",
        "total_tax_amounts",
        "transfer_data",
    },
    "line_item": {
        "amount_excluding_tax",
        "plan",
        "price",
        "proration",
        "proration_details",
        "subscription_item",
        "tax_amounts",
        "tax_rates",
        "type",
        "unit_amount_excluding_tax",
    },
}
STATUSES = ("requires_payment_method", "requires_action", "processing", "succeeded", "canceled")


@pytest.fixture(scope="module")
async def sale():
    """One sale by the real client, a declined card first: the sandbox after it."""
    async with Sandbox() as sandbox:
        client = connect(sandbox)
        customer = await client.v1.customers.create_async({"email": "marie@example.com", "metadata": {"client": "7"}})
        await client.v1.customers.update_async(customer.id, {"name": "Marie Martin"})
        product = await client.v1.products.create_async(
            {"name": "Bilan", "default_price_data": {"currency": "eur", "unit_amount": 120000}}
        )
        price = await client.v1.prices.create_async({"currency": "eur", "unit_amount": 9999, "product": product.id})
        coupon = await client.v1.coupons.create_async(
            {"amount_off": 1000, "currency": "eur", "duration": "once", "name": "Bienvenue", "max_redemptions": 1}
        )
        session = await client.v1.checkout.sessions.create_async(
            {
                "mode": "payment",
                "line_items": [
                    {"price": price.id, "quantity": 2},
                    {
                        "price_data": {"currency": "eur", "unit_amount": 100, "product_data": {"name": "Option"}},
                        "quantity": 1,
                    },
                ],
                "customer": customer.id,
                "customer_update": {"name": "auto", "address": "auto"},
                "phone_number_collection": {"enabled": True},
                "success_url": "https://shop.example/merci",
                "cancel_url": "https://shop.example/panier",
                "client_reference_id": "42",
                "discounts": [{"coupon": coupon.id}],
                "metadata": {"order": "42"},
                "payment_intent_data": {"metadata": {"order": "42"}},
                "expires_at": int(sandbox.stripe.books.clock()) + 3600,
                "locale": "fr",
                "payment_method_types": ["card"],
            }
        )
        await sandbox.stripe.pay(session.id, card=DECLINED)
        await sandbox.stripe.pay(session.id)
        intent = sandbox.stripe.session(session.id)["payment_intent"]
        await client.v1.refunds.create_async(
            {
                "payment_intent": intent,
                "amount": 100,
                "reason": "requested_by_customer",
                "metadata": {"order": "42", "refund": "7"},
            }
        )
        sandbox.stripe.dispute(intent)
        yield sandbox


@pytest.fixture(scope="module")
async def payments():
    """PaymentIntents in every status, a SEPA debit on a Checkout Session, a payment link: the sandbox after them."""
    async with Sandbox() as sandbox:
        client = connect(sandbox)
        product = await client.v1.products.create_async(
            {"name": "Bilan", "default_price_data": {"currency": "eur", "unit_amount": 120000}}
        )
        await client.v1.products.update_async(product.id, {"metadata": {"partners": "fqca"}})
        await client.v1.payment_links.create_async(
            {
                "line_items": [{"price": product.default_price, "quantity": 1}],
                "metadata": {"campaign": "7"},
                "payment_method_types": ["card", "sepa_debit"],
                "after_completion": {"type": "redirect", "redirect": {"url": "https://shop.example/merci"}},
            }
        )
        opened = [await open_intent(client) for _ in STATUSES]
        _, asked, debited, paid, canceled = opened
        await client.v1.payment_intents.confirm_async(
            asked.id, {"payment_method": "pm_card_threeDSecure2Required", "return_url": "https://shop.example/merci"}
        )
        debit = {
            "type": "sepa_debit",
            "billing_details": {"name": "Marie Martin", "email": "marie@example.com"},
            "sepa_debit": {"iban": SETTLES},
        }
        acceptance = {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "a browser"}}
        await client.v1.payment_intents.confirm_async(
            debited.id, {"payment_method_data": debit, "mandate_data": {"customer_acceptance": acceptance}}
        )
        await sandbox.stripe.confirm(paid.id, ASKED)
        await client.v1.payment_intents.cancel_async(canceled.id, {"cancellation_reason": "abandoned"})
        session = await client.v1.checkout.sessions.create_async(
            {
                "mode": "payment",
                "line_items": [{"price": product.default_price, "quantity": 1}],
                "customer_email": "marie@example.com",
                "success_url": "https://shop.example/merci",
                "payment_method_types": ["card", "sepa_debit"],
            }
        )
        await sandbox.stripe.pay(session.id, iban=FAILS)
        yield sandbox


@pytest.fixture(scope="module")
async def subscribed():
    """A subscription by Checkout, renewed, looked after and ended; one by the API: the sandbox after them."""
    async with Sandbox() as sandbox:
        client = connect(sandbox)
        customer = await client.v1.customers.create_async({"email": "marie@example.com"})
        product = await client.v1.products.create_async({"name": "Suivi"})
        monthly = {"interval": "month", "interval_count": 1}
        price = await client.v1.prices.create_async(
            {"currency": "eur", "unit_amount": 1900, "product": product.id, "recurring": monthly}
        )
        session = await client.v1.checkout.sessions.create_async(
            {
                "mode": "subscription",
                "line_items": [{"price": price.id, "quantity": 1}],
                "customer": customer.id,
                "success_url": "https://shop.example/merci",
                "metadata": {"order": "42"},
                "subscription_data": {"metadata": {"order": "42"}},
            }
        )
        await sandbox.stripe.pay(session.id)
        sandbox.stripe.advance(months=1)
        (subscription,) = (await client.v1.subscriptions.list_async({"customer": customer.id})).data
        await client.v1.billing_portal.sessions.create_async(
            {"customer": customer.id, "return_url": "https://shop.example/compte"}
        )
        await client.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
        await client.v1.subscriptions.cancel_async(subscription.id)
        await client.v1.subscriptions.create_async(
            {
                "customer": customer.id,
                "items": [{"price": price.id}],
                "default_payment_method": subscription.default_payment_method,
            }
        )
        await client.v1.prices.update_async(price.id, {"active": False})
        yield sandbox


def connect(sandbox):
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


async def open_intent(client):
    return await client.v1.payment_intents.create_async(
        {
            "amount": 120000,
            "currency": "eur",
            "description": "Bilan",
            "metadata": {"order": "42"},
            "receipt_email": "marie@example.com",
            "automatic_payment_methods": {"enabled": True},
        }
    )


def samples():
    return json.loads((SPECS / "stripe_fixtures3.json").read_text())["resources"]


def check_shape(kind, ours):
    expected = set(samples()[kind]) - LEFT_OUT.get(kind, set()) | ADDED.get(kind, set())
    assert expected == set(ours)


def check_forms(sandbox, count):
    specification = importlib.util.spec_from_file_location("check_stripe_form", SPECS / "check_stripe_form.py")
    checker = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(checker)

    posted = [request for request in sandbox.stripe.requests if request.method == "POST"]

    assert len(posted) == count
    assert {request.form: checker.check("POST", request.path, request.form) for request in posted} == {
        request.form: [] for request in posted
    }


def test_the_forms_of_the_real_client_fit_the_vendors_schema(sale):
    check_forms(sale, 7)


def test_the_forms_of_intents_and_links_fit_it_too(payments):
    check_forms(payments, 12)


def test_the_forms_of_subscriptions_fit_it_too(subscribed):
    check_forms(subscribed, 8)


@pytest.mark.parametrize(
    "kind", ["price", "customer", "checkout.session", "subscription", "invoice", "payment_intent", "charge", "event"]
)
def test_what_is_billed_has_the_keys_of_the_vendors(subscribed, kind):
    for object in subscribed.stripe.books.store.all(kind):
        check_shape(kind, object)


def test_what_an_invoice_and_a_subscription_hold_has_the_keys_of_the_vendors(subscribed):
    store = subscribed.stripe.books.store
    (invoice, *_), (subscription, *_) = store.all("invoice"), store.all("subscription")

    check_shape("line_item", invoice["lines"]["data"][0])
    check_shape("subscription_item", subscription["items"]["data"][0])
    check_shape("billing_portal.session", store.all("billing_portal.session")[0])
    check_shape("payment_method", store.all("payment_method")[0])


@pytest.mark.parametrize(
    "kind",
    [
        "customer",
        "product",
        "price",
        "coupon",
        "checkout.session",
        "payment_intent",
        "charge",
        "payment_method",
        "refund",
        "dispute",
        "event",
    ],
)
def test_objects_have_the_keys_of_the_vendors(sale, kind):
    check_shape(kind, sale.stripe.books.store.all(kind)[-1])


def test_line_items_have_the_keys_of_the_vendors(sale):
    session = sale.stripe.books.store.all("checkout.session")[-1]
    items = sale.stripe.books.expand(session, ["line_items"])["line_items"]["data"]

    check_shape("item", items[0])


def test_discounts_have_the_keys_of_the_vendors(sale):
    session = sale.stripe.books.store.all("checkout.session")[-1]
    breakdown = sale.stripe.books.expand(session, ["total_details.breakdown"])["total_details"]["breakdown"]

    assert set(breakdown) == {"discounts", "taxes"}
    check_shape("discount", breakdown["discounts"][0]["discount"])


@pytest.mark.parametrize("status", STATUSES)
def test_an_intent_has_the_keys_of_the_vendors_in_every_status(payments, status):
    for intent in payments.stripe.books.store.all("payment_intent", [("status", "=", status)]):
        check_shape("payment_intent", intent)


@pytest.mark.parametrize("kind", ["payment_link", "checkout.session", "charge", "event"])
def test_what_debits_and_links_leave_has_the_keys_of_the_vendors(payments, kind):
    check_shape(kind, payments.stripe.books.store.all(kind)[-1])


def test_a_debit_is_a_payment_method_like_the_vendors_but_for_its_kind(payments):
    (method, *_) = payments.stripe.books.store.all("payment_method", [("type", "=", "sepa_debit")])

    assert set(samples()["payment_method"]) - {"card"} == set(method) - {"sepa_debit"}
