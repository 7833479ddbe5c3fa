"""The part of Stripe's API that is spoken here: each operation, what it accepts, what it does."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sandbox import stripe_catalog as catalog
from sandbox import stripe_coupons as coupons
from sandbox import stripe_disputes as disputes
from sandbox import stripe_endpoints as endpoints
from sandbox import stripe_intents as intents
from sandbox import stripe_links as links
from sandbox import stripe_methods as methods
from sandbox import stripe_portal as portal
from sandbox import stripe_refunds as refunds
from sandbox import stripe_subscriptions as subscriptions
from sandbox.stripe_books import LIST, Books, Call
from sandbox.stripe_errors import StripeError
from sandbox.stripe_events import EVENTS, list_events
from sandbox.stripe_objects import Object, account, balance
from sandbox.stripe_params import boolean, email, text
from sandbox.stripe_payment import end, expire_due
from sandbox.stripe_session import SESSION, open_session

RETRIEVE: dict[str, Any] = {"expand": [text]}


class Operation(NamedTuple):
    method: str
    path: str
    accepts: dict[str, Any]
    execute: Callable[[Object, Call, str], Object]
    """`(parameters, call, id in the path or "")`, giving the object answered."""
    public: bool = False
    """Whether a publishable key will do."""


def operations(books: Books, announce: Callable[[list[Object]], None]) -> list[Operation]:
    """All operations over these books. `announce` carries the events they make."""

    def told(changed: tuple[Object, list[Object]]) -> Object:
        object, events = changed
        announce(events)
        return object

    def expire_session(params: Object, call: Call, id: str) -> Object:
        session = books.find("checkout.session", id, "session")
        announce(end(books, session, call))
        return session

    def find_session(params: Object, call: Call, id: str) -> Object:
        announce(expire_due(books, id))
        return books.find("checkout.session", id, "session")

    return [
        Operation("GET", "/v1/balance", RETRIEVE, lambda params, call, id: balance()),
        Operation("GET", "/v1/account", RETRIEVE, lambda params, call, id: account(books.account, books.name)),
        _list(books, "/v1/customers", "customer", {"email": email}),
        _retrieve(books, "/v1/customers/{id}", "customer"),
        Operation(
            "POST",
            "/v1/customers",
            catalog.CUSTOMER,
            lambda params, call, id: told(catalog.create_customer(books, params, call)),
        ),
        Operation(
            "POST",
            "/v1/customers/{id}",
            catalog.CUSTOMER,
            lambda params, call, id: told(catalog.update_customer(books, params, id, call)),
        ),
        Operation(
            "DELETE",
            "/v1/customers/{id}",
            RETRIEVE,
            lambda params, call, id: told(catalog.delete_customer(books, id, call)),
        ),
        _list(books, "/v1/products", "product", {"active": boolean}),
        _retrieve(books, "/v1/products/{id}", "product"),
        Operation(
            "POST",
            "/v1/products",
            catalog.PRODUCT,
            lambda params, call, id: told(catalog.create_product(books, params, call)),
        ),
        Operation(
            "POST",
            "/v1/products/{id}",
            catalog.PRODUCT_UPDATE,
            lambda params, call, id: told(catalog.update_product(books, params, id, call)),
        ),
        _list(books, "/v1/prices", "price", {"active": boolean, "product": text}),
        _retrieve(books, "/v1/prices/{id}", "price"),
        Operation("POST", "/v1/prices", catalog.PRICE, lambda params, call, id: catalog.create_price(books, params)),
        Operation(
            "POST",
            "/v1/prices/{id}",
            catalog.PRICE_UPDATE,
            lambda params, call, id: told(catalog.update_price(books, params, id, call)),
        ),
        _list(
            books,
            "/v1/checkout/sessions",
            "checkout.session",
            {"customer": text, "payment_intent": text, "subscription": text},
        ),
        Operation("GET", "/v1/checkout/sessions/{id}", RETRIEVE, find_session),
        Operation("POST", "/v1/checkout/sessions", SESSION, lambda params, call, id: open_session(books, params)),
        Operation("POST", "/v1/checkout/sessions/{id}/expire", RETRIEVE, expire_session),
        Operation(
            "GET",
            "/v1/checkout/sessions/{id}/line_items",
            LIST,
            lambda params, call, id: books.items(books.find("checkout.session", id, "session"), params),
        ),
        _list(books, "/v1/coupons", "coupon", {}),
        _retrieve(books, "/v1/coupons/{id}", "coupon"),
        Operation("POST", "/v1/coupons", coupons.COUPON, lambda params, call, id: coupons.create(books, params)),
        _list(books, "/v1/payment_intents", "payment_intent", {"customer": text}),
        Operation(
            "GET",
            "/v1/payment_intents/{id}",
            intents.RETRIEVE,
            lambda params, call, id: intents.retrieve(books, params, call, id),
            public=True,
        ),
        Operation(
            "POST",
            "/v1/payment_intents",
            intents.INTENT,
            lambda params, call, id: told(intents.create(books, params, call)),
        ),
        Operation(
            "POST",
            "/v1/payment_intents/{id}/confirm",
            intents.CONFIRM,
            lambda params, call, id: intents.confirm(books, announce, params, call, id),
            public=True,
        ),
        Operation(
            "POST",
            "/v1/payment_intents/{id}/cancel",
            intents.CANCEL,
            lambda params, call, id: told(intents.cancel(books, params, call, id)),
        ),
        _list(books, "/v1/payment_links", "payment_link", {"active": boolean}),
        _retrieve(books, "/v1/payment_links/{id}", "payment_link"),
        Operation(
            "GET",
            "/v1/payment_links/{id}/line_items",
            LIST,
            lambda params, call, id: books.items(books.find("payment_link", id), params),
        ),
        Operation(
            "POST",
            "/v1/payment_links",
            links.LINK,
            lambda params, call, id: told(links.create(books, params, call)),
        ),
        _list(books, "/v1/webhook_endpoints", "webhook_endpoint", {}),
        _retrieve(books, "/v1/webhook_endpoints/{id}", "webhook_endpoint"),
        Operation(
            "POST",
            "/v1/webhook_endpoints",
            endpoints.ENDPOINT,
            lambda params, call, id: endpoints.create(books, params),
        ),
        Operation(
            "POST",
            "/v1/webhook_endpoints/{id}",
            endpoints.UPDATE,
            lambda params, call, id: endpoints.update(books, params, id),
        ),
        Operation(
            "DELETE",
            "/v1/webhook_endpoints/{id}",
            RETRIEVE,
            lambda params, call, id: endpoints.delete(books, id),
        ),
        Operation("GET", "/v1/events", EVENTS, lambda params, call, id: list_events(books, params)),
        _retrieve(books, "/v1/events/{id}", "event"),
        *money_back_operations(books, told),
        *billing_operations(books, told),
    ]


def money_back_operations(books: Books, told: Callable[[tuple[Object, list[Object]]], Object]) -> list[Operation]:
    """Those of refunds and disputes, and the charges that they are about."""
    return [
        _list(books, "/v1/charges", "charge", {"customer": text, "payment_intent": text}),
        _retrieve(books, "/v1/charges/{id}", "charge"),
        _list(books, "/v1/refunds", "refund", {"charge": text, "payment_intent": text}),
        _retrieve(books, "/v1/refunds/{id}", "refund"),
        Operation(
            "POST",
            "/v1/refunds",
            refunds.REFUND,
            lambda params, call, id: told(refunds.create(books, params, call)),
        ),
        _list(books, "/v1/disputes", "dispute", {"charge": text, "payment_intent": text}),
        _retrieve(books, "/v1/disputes/{id}", "dispute"),
        Operation(
            "POST",
            "/v1/disputes/{id}/close",
            RETRIEVE,
            lambda params, call, id: told(disputes.close(books, id, won=False, call=call)),
        ),
    ]


def billing_operations(books: Books, told: Callable[[tuple[Object, list[Object]]], Object]) -> list[Operation]:
    """Those of subscriptions, their invoices, and what customers saved."""

    def attach(params: Object, call: Call, id: str) -> Object:
        method = books.find("payment_method", id)
        return told((method, methods.attach(books, method, params["customer"], call)))

    def lines(params: Object, call: Call, id: str) -> Object:
        found: Object = books.find("invoice", id, "invoice")["lines"]
        return found

    return [
        Operation(
            "GET",
            "/v1/subscriptions",
            LIST | subscriptions.FILTERS,
            lambda params, call, id: subscriptions.listed(books, params),
        ),
        _retrieve(books, "/v1/subscriptions/{id}", "subscription"),
        Operation(
            "POST",
            "/v1/subscriptions",
            subscriptions.SUBSCRIPTION,
            lambda params, call, id: told(subscriptions.create(books, params, call)),
        ),
        Operation(
            "POST",
            "/v1/subscriptions/{id}",
            subscriptions.UPDATE,
            lambda params, call, id: told(subscriptions.update(books, params, id, call)),
        ),
        Operation(
            "DELETE",
            "/v1/subscriptions/{id}",
            subscriptions.CANCEL,
            lambda params, call, id: told(subscriptions.cancel(books, id, call)),
        ),
        _list(books, "/v1/invoices", "invoice", {"customer": text, "subscription": text, "status": text}),
        _retrieve(books, "/v1/invoices/{id}", "invoice"),
        Operation("GET", "/v1/invoices/{id}/lines", LIST, lines),
        Operation(
            "GET",
            "/v1/customers/{id}/payment_methods",
            LIST | methods.FILTERS,
            lambda params, call, id: methods.of_customer(books, id, params),
        ),
        _retrieve(books, "/v1/payment_methods/{id}", "payment_method"),
        Operation("POST", "/v1/payment_methods/{id}/attach", methods.ATTACH, attach),
        Operation(
            "POST",
            "/v1/payment_methods/{id}/detach",
            methods.DETACH,
            lambda params, call, id: told(methods.detach(books, id, call)),
        ),
        Operation(
            "POST",
            "/v1/billing_portal/sessions",
            portal.SESSION,
            lambda params, call, id: portal.open_session(books, params),
        ),
    ]


def _retrieve(books: Books, path: str, kind: str) -> Operation:
    return Operation("GET", path, RETRIEVE, lambda params, call, id: books.find(kind, id))


def _list(books: Books, path: str, kind: str, filters: dict[str, Any]) -> Operation:
    """A list, filtered by equality on some of its objects' fields."""

    def page(params: Object, call: Call, id: str) -> Object:
        where = [(name, "=", params[name]) for name in filters if name in params]
        return books.page(kind, path, params, where)

    return Operation("GET", path, LIST | filters, page)


def unknown_operation(method: str, path: str) -> StripeError:
    message = f"Unrecognized request URL ({method}: {path}): this sandbox does not speak it."
    return StripeError(message, status=404)
