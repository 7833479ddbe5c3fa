"""What is said here against the vendor's own descriptions, where they are at hand."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
import stripe

from sandbox import Sandbox
from sandbox.stripe_cards import DECLINED

SPECS = Path(os.environ.get("COMPTOIR_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendor's descriptions are not at hand (COMPTOIR_SPECS)")

# In the vendor's samples only: old, or there only when expanded.
LEFT_OUT = {"charge": {"refunds", "source"}}


@pytest.fixture(scope="module")
async def sale():
    """One sale by the real client, a declined card first: the sandbox after it."""
    async with Sandbox() as sandbox:
        client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)
        customer = await client.v1.customers.create_async({"email": "marie@example.com", "metadata": {"client": "7"}})
        await client.v1.customers.update_async(customer.id, {"name": "Marie Martin"})
        product = await client.v1.products.create_async(
            {"name": "Bilan", "default_price_data": {"currency": "eur", "unit_amount": 120000}}
        )
        price = await client.v1.prices.create_async({"currency": "eur", "unit_amount": 9999, "product": product.id})
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
                "metadata": {"order": "42"},
                "payment_intent_data": {"metadata": {"order": "42"}},
                "expires_at": int(sandbox.stripe.books.clock()) + 3600,
                "locale": "fr",
                "payment_method_types": ["card"],
            }
        )
        await sandbox.stripe.pay(session.id, card=DECLINED)
        await sandbox.stripe.pay(session.id)
        yield sandbox


def test_the_forms_of_the_real_client_fit_the_vendors_schema(sale):
    specification = importlib.util.spec_from_file_location("check_stripe_form", SPECS / "check_stripe_form.py")
    checker = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(checker)

    posted = [request for request in sale.stripe.requests if request.method == "POST"]

    assert len(posted) == 5
    assert {request.form: checker.check("POST", request.path, request.form) for request in posted} == {
        request.form: [] for request in posted
    }


@pytest.mark.parametrize(
    "kind",
    ["customer", "product", "price", "checkout.session", "payment_intent", "charge", "payment_method", "event"],
)
def test_objects_have_the_keys_of_the_vendors(sale, kind):
    sample = json.loads((SPECS / "stripe_fixtures3.json").read_text())["resources"][kind]

    ours = sale.stripe.books.store.all(kind)[-1]

    assert set(sample) - LEFT_OUT.get(kind, set()) == set(ours)


def test_line_items_have_the_keys_of_the_vendors(sale):
    samples = json.loads((SPECS / "stripe_fixtures3.json").read_text())["resources"]
    session = sale.stripe.books.store.all("checkout.session")[-1]
    items = sale.stripe.books.expand(session, ["line_items"])["line_items"]["data"]

    assert set(items[0]) == set(samples["item"])
