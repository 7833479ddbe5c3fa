"""What begins at Stripe: products changed in its dashboard, payment links and their sales; and what is told of it."""

import pytest
import stripe

from sandbox.stripe_sepa import SETTLES
from tests.sandbox.checkouts import open_session, types

PAGE = {
    "card": "4242 4242 4242 4242",
    "expiry": "12 / 34",
    "cvc": "123",
    "name": "Marie Martin",
    "email": "marie@example.com",
}


async def make_product(client, **more):
    price = {"currency": "eur", "unit_amount": 4990}
    return await client.v1.products.create_async({"name": "Bilan express", "default_price_data": price, **more})


async def make_link(client, **more):
    product = await make_product(client)
    lines = [{"price": product.default_price, "quantity": 2}]
    return await client.v1.payment_links.create_async({"line_items": lines, **more})


async def test_what_is_made_and_changed_is_told(client, sandbox):
    product = await make_product(client, metadata={"partners": "fqca", "product": "7"})
    changes = {"name": "Bilan", "metadata": {"partners": "fqca,autre", "new": "1"}}
    changed = await client.v1.products.update_async(product.id, changes)
    await client.v1.products.update_async(product.id, {"name": "Bilan"})
    customer = await client.v1.customers.create_async({"email": "marie@example.com"})
    await client.v1.customers.update_async(customer.id, {"name": "Marie"})

    events = sandbox.stripe.events()

    assert types(events) == ["product.created", "product.updated", "customer.created", "customer.updated"]
    updated = events[1]["data"]
    assert updated["object"]["metadata"] == {"partners": "fqca,autre", "product": "7", "new": "1"}
    assert updated["previous_attributes"] == {
        "name": "Bilan express",
        "metadata": {"partners": "fqca", "new": None},
    }
    assert events[1]["request"]["id"] == changed.last_response.request_id
    assert events[3]["data"]["previous_attributes"] == {"name": None}
    assert "previous_attributes" not in events[0]["data"]


async def test_a_product_is_changed_in_process_as_in_the_dashboard(client, sandbox):
    product = await make_product(client, metadata={"partners": "fqca"})

    (event,) = sandbox.stripe.edit_product(product.id, metadata={"partners": ""})

    assert (await client.v1.products.retrieve_async(product.id)).metadata.to_dict() == {}
    assert (event["type"], event["request"]["id"]) == ("product.updated", None)
    assert event["data"]["previous_attributes"]["metadata"] == {"partners": "fqca"}


async def test_a_link_opens_a_session_that_no_order_asked_for(client, browser, sandbox):
    link = await make_link(client)

    opened = await browser.get(link.url)
    page = await browser.get(opened.headers["location"])
    paid = await browser.post(opened.headers["location"], data=PAGE)
    thanks = await browser.get(paid.headers["location"])

    assert link.url == f"{sandbox.url}/buy/{link.id}"
    for shown in ("Bilan express", "99,80", "E-mail"):
        assert shown in page.text
    assert "stripe.com" not in page.text
    assert "Merci pour votre achat" in thanks.text
    session = sandbox.stripe.events("checkout.session.completed")[0]["data"]["object"]
    assert (session["payment_link"], session["metadata"], session["client_reference_id"]) == (link.id, {}, None)
    assert (session["customer"], session["customer_creation"]) == (None, "if_required")
    assert (session["customer_details"]["name"], session["customer_details"]["email"]) == (
        "Marie Martin",
        "marie@example.com",
    )
    assert (session["amount_total"], session["success_url"]) == (9980, "https://stripe.com")


async def test_each_opening_of_a_link_is_a_session_of_its_own(client, sandbox):
    link = await make_link(client, metadata={"campaign": "été"}, payment_method_types=["card", "sepa_debit"])

    first, second = sandbox.stripe.open_link(link.id), sandbox.stripe.open_link(link.id)
    events = await sandbox.stripe.pay(first["id"], email="marie@example.com", iban=SETTLES)

    assert first["id"] != second["id"]
    assert first["metadata"] == {"campaign": "été"}
    assert types(events)[-1] == "checkout.session.completed"
    assert sandbox.stripe.session(second["id"])["status"] == "open"


async def test_a_link_may_lead_back_to_the_sellers_own_page_and_make_a_customer(client, browser, sandbox):
    after = {"type": "redirect", "redirect": {"url": "https://shop.example/merci?session={CHECKOUT_SESSION_ID}"}}
    link = await make_link(client, after_completion=after, customer_creation="always")

    session = sandbox.stripe.open_link(link.id)
    paid = await browser.post(f"/pay/{session['id']}", data=PAGE)

    assert paid.headers["location"] == f"https://shop.example/merci?session={session['id']}"
    customer = await client.v1.customers.retrieve_async(sandbox.stripe.session(session["id"])["customer"])
    assert customer.email == "marie@example.com"


async def test_a_link_is_found_with_its_line_items(client):
    link = await make_link(client)

    found = await client.v1.payment_links.retrieve_async(link.id, {"expand": ["line_items"]})
    items = await client.v1.payment_links.line_items.list_async(link.id, {"expand": ["data.price.product"]})

    assert [link.id for link in (await client.v1.payment_links.list_async({"active": True})).data] == [link.id]
    assert found.line_items.data[0].amount_total == 9980
    assert items.data[0].price.product.name == "Bilan express"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "line_items[0][price]"),
        ({"line_items": [{"price": "price_none"}]}, "line_items[0][quantity]"),
        ({"payment_method_types": ["sofort"]}, "payment_method_types"),
        ({"customer": "cus_1"}, "customer"),
    ],
)
async def test_a_link_that_stripe_would_not_make_is_refused(client, wrong, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await make_link(client, **wrong)

    assert refused.value.param == param


async def test_a_link_that_never_was_is_a_404(browser):
    assert (await browser.get("/buy/plink_none")).status_code == 404


async def test_the_dashboard_makes_a_product_and_sells_it_by_a_link(browser, sandbox):
    refused = await browser.post("/stripe/products", data={"name": "Bilan", "price": "beaucoup"})
    made = await browser.post("/stripe/products", data={"name": "Bilan", "price": "49,90", "partners": "fqca"})
    id = made.headers["location"].partition("#")[2]
    await browser.post(f"/stripe/products/{id}/links")
    page = await browser.get("/stripe/products")

    assert (refused.status_code, 'value="Bilan"' in refused.text) == (400, True)
    (link,) = sandbox.stripe.books.store.all("payment_link")
    for shown in ("Bilan", "49,90", 'value="fqca"', link["url"]):
        assert shown in page.text
    assert sandbox.stripe.open_link(link["id"])["amount_total"] == 4990
    assert types(sandbox.stripe.events()) == ["product.created", "payment_link.created"]


async def test_the_dashboard_edits_the_partners_of_a_product(client, browser, sandbox):
    product = await make_product(client, metadata={"partners": "fqca", "product": "7"})

    await browser.post(f"/stripe/products/{product.id}", data={"partners": "autre"})
    unknown = await browser.post("/stripe/products/prod_none", data={"partners": "autre"})

    assert unknown.status_code == 303
    (event,) = sandbox.stripe.events("product.updated")
    assert event["data"]["object"]["metadata"] == {"partners": "autre", "product": "7"}
    assert "product: 7" in (await browser.get("/stripe/products")).text


async def test_a_product_made_for_one_session_is_not_for_sale(client, browser, sandbox):
    await open_session(client)

    page = await browser.get("/stripe/products")

    assert [product["active"] for product in sandbox.stripe.books.store.all("product")] == [False]
    assert "No product yet" in page.text


async def test_the_dashboard_prices_a_product_that_has_no_price_of_its_own(client, browser, sandbox):
    product = await client.v1.products.create_async({"name": "Bilan"})

    refused = await browser.post(f"/stripe/products/{product.id}/links", data={"price": "0,10"})
    for _ in range(2):
        await browser.post(f"/stripe/products/{product.id}/links", data={"price": "12"})
    unknown = await browser.post("/stripe/products/prod_none/links", data={"price": "12"})

    assert (refused.status_code, unknown.status_code) == (400, 303)
    links = sandbox.stripe.books.store.all("payment_link")
    assert [sandbox.stripe.open_link(link["id"])["amount_total"] for link in links] == [1200, 1200]
    assert len((await client.v1.prices.list_async({"product": product.id})).data) == 1
