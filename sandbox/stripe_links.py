"""Payment links: sales begun at Stripe, with no order of ours behind them.

https://docs.stripe.com/api/payment-link
"""

from typing import Any

from sandbox import stripe_objects as objects
from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object
from sandbox.stripe_params import boolean, choice, integer, metadata, required, text, url
from sandbox.stripe_session import check_types, line_item, open_session

STRIPE = "https://stripe.com"
"""What stands for a return address in sessions opened by a link that has none."""

LINK: dict[str, Any] = {
    "line_items": required([{"price": required(text), "quantity": required(integer)}]),
    "after_completion": {
        "type": required(choice("hosted_confirmation", "redirect")),
        "hosted_confirmation": {"custom_message": text},
        "redirect": {"url": required(url)},
    },
    "billing_address_collection": choice("auto", "required"),
    "customer_creation": choice("always", "if_required"),
    "expand": [text],
    "metadata": metadata,
    "payment_intent_data": {"description": text, "metadata": metadata, "statement_descriptor": text},
    "payment_method_types": [text],
    "phone_number_collection": {"enabled": required(boolean)},
    "submit_type": choice("auto", "book", "donate", "pay"),
}


def create(books: Books, params: Object, call: Call | None = None) -> tuple[Object, list[Object]]:
    items = [line_item(books, item, f"line_items[{index}]") for index, item in enumerate(params["line_items"])]
    currencies = {item["currency"] for item in items}
    if len(currencies) != 1:
        raise StripeError("A payment link has line items, all in the same currency.", param="line_items")
    currency = currencies.pop()
    check_types(params.get("payment_method_types", ["card"]), currency)
    link = objects.payment_link(params, currency)
    link["url"] = f"{books.url}/buy/{link['id']}"
    with books.store.transaction():
        books.store.put("payment_link.plan", link["id"], {"line_items": items})
        return books.keep(link), [books.event("payment_link.created", link, call)]


def open_link(books: Books, link: Object) -> Object:
    """The Checkout Session that opening the link's address makes."""
    items = books.plan(link)["line_items"]
    recurring = any(item["price"]["recurring"] for item in items)
    shared = ["billing_address_collection", "metadata", "payment_method_types", "phone_number_collection"]
    if not recurring:
        shared += ["customer_creation", "payment_intent_data", "submit_type"]
    params = {name: link[name] for name in shared if link[name] is not None} | {
        "mode": "subscription" if recurring else "payment",
        "line_items": [{"price": item["price"]["id"], "quantity": item["quantity"]} for item in items],
        "success_url": link["after_completion"].get("redirect", {}).get("url", STRIPE),
        "cancel_url": STRIPE,
        "locale": "auto",
    }
    return books.keep(open_session(books, params) | {"payment_link": link["id"]})


def links_of(books: Books, product_id: str) -> list[Object]:
    """The links that sell a product, oldest first."""
    return [
        link
        for link in books.store.all("payment_link")
        if any(item["price"]["product"] == product_id for item in books.plan(link)["line_items"])
    ]
