"""Sessions of the billing portal, where a customer looks after cards and subscriptions.

https://docs.stripe.com/api/customer_portal/sessions
"""

from typing import Any

from sandbox.stripe_books import Books
from sandbox.stripe_objects import Object, new_id
from sandbox.stripe_params import required, text, url

SESSION: dict[str, Any] = {
    "customer": required(text),
    "configuration": text,
    "expand": [text],
    "locale": text,
    "return_url": url,
}
GOOD_FOR = 3600
"""How long its address may be used, in seconds."""


def open_session(books: Books, params: Object) -> Object:
    books.find("customer", params["customer"], "customer")
    id = new_id("bps_1")
    return books.keep(
        {
            "id": id,
            "object": "billing_portal.session",
            "configuration": params.get("configuration", "bpc_1sandbox"),
            "created": books.now,
            "customer": params["customer"],
            "customer_account": None,
            "flow": None,
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url"),
            "url": f"{books.url}/portal/{id}",
        }
    )


def found(books: Books, id: str) -> Object | None:
    """The session, while its address is good."""
    session = books.store.get("billing_portal.session", id)
    return session if session and session["created"] + GOOD_FOR > books.now else None
