"""Payment methods that a customer saved: attached, listed, the one that is charged.

https://docs.stripe.com/api/payment_methods
"""

from typing import Any

from sandbox import stripe_payer as payers
from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object
from sandbox.stripe_params import choice, required, text
from sandbox.stripe_payer import Payer

ATTACH: dict[str, Any] = {"customer": required(text), "expand": [text]}
DETACH: dict[str, Any] = {"expand": [text]}
FILTERS: dict[str, Any] = {"type": choice("card", "sepa_debit")}


def attach(books: Books, method: Object, customer_id: str, call: Call | None = None) -> list[Object]:
    """Save it with a customer, for payments while they are away."""
    if method["customer"] == customer_id:
        return []
    if method["customer"]:
        raise StripeError("The payment method you provided has already been attached to a customer.")
    books.find("customer", customer_id, "customer")
    method["customer"] = customer_id
    return [books.event("payment_method.attached", books.keep(method), call)]


def detach(books: Books, id: str, call: Call | None = None) -> tuple[Object, list[Object]]:
    before = books.find("payment_method", id)
    if not before["customer"]:
        raise StripeError("The payment method you provided is not attached to a customer so detachment is impossible.")
    method = books.keep(before | {"customer": None})
    return method, [books.event("payment_method.detached", method, call, before=before)]


def of_customer(books: Books, id: str, params: Object) -> Object:
    """A customer's, newest first."""
    books.find("customer", id)
    where: list[Any] = [("customer", "=", id)] + ([("type", "=", params["type"])] if "type" in params else [])
    return books.page("payment_method", f"/v1/customers/{id}/payment_methods", params, where)


def chosen(books: Books, id: str | None, customer: Object) -> Object:
    """The one named, else the customer's own choice. Raises StripeError where there is none."""
    known = id or customer["invoice_settings"]["default_payment_method"]
    if known is None:
        raise StripeError(
            "This customer has no attached payment source or default payment method.", code="resource_missing"
        )
    method = books.find("payment_method", known, "default_payment_method")
    if method["customer"] != customer["id"]:
        message = f"The customer does not have a payment method with the ID {known}."
        raise StripeError(message, code="resource_missing", param="default_payment_method")
    return method


def of(books: Books, subscription: Object, customer: Object) -> Object | None:
    """What a renewal is charged to; None where the customer took all away."""
    named = (subscription["default_payment_method"], customer["invoice_settings"]["default_payment_method"])
    found = (books.store.get("payment_method", id) for id in named if id)
    return next((method for method in found if method and method["customer"] == customer["id"]), None)


def replace(books: Books, customer_id: str, payer: Payer) -> list[Object]:
    """The customer gives another card, for all that is charged from now on."""
    method = books.keep(payers.payment_method(payer, books.now))
    events = attach(books, method, customer_id)
    before = books.find("customer", customer_id)
    settings = before["invoice_settings"] | {"default_payment_method": method["id"]}
    events.append(books.event("customer.updated", books.keep(before | {"invoice_settings": settings}), before=before))
    for old in books.store.all("subscription", [("customer", "=", customer_id)]):
        if old["status"] not in ("canceled", "incomplete_expired"):
            new = books.keep(old | {"default_payment_method": method["id"]})
            events.append(books.event("customer.subscription.updated", new, before=old))
    return events
