"""Customers, products and prices: made, changed. (Found and listed like everything else: `stripe_books`.)"""

from typing import Any

from sandbox import stripe_objects as objects
from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError, missing
from sandbox.stripe_objects import Object
from sandbox.stripe_params import boolean, choice, currency, email, integer, metadata, required, text
from sandbox.stripe_periods import INTERVALS

MAX_AMOUNT = 99_999_999
COUNT_MOST = 36
TAX_BEHAVIOR = choice("exclusive", "inclusive", "unspecified")
ADDRESS = dict.fromkeys(objects.NO_ADDRESS, text)

CUSTOMER: dict[str, Any] = {
    "address": ADDRESS,
    "description": text,
    "email": email,
    "expand": [text],
    "invoice_settings": {"default_payment_method": text},
    "metadata": metadata,
    "name": text,
    "phone": text,
    "preferred_locales": [text],
    "tax_exempt": choice("none", "exempt", "reverse"),
}

AMOUNT: dict[str, Any] = {
    "currency": required(currency),
    "unit_amount": required(integer),
    "tax_behavior": TAX_BEHAVIOR,
    "recurring": {"interval": required(choice(*INTERVALS)), "interval_count": integer},
}
PRODUCT_DATA: dict[str, Any] = {
    "name": required(text),
    "active": boolean,
    "description": text,
    "images": [text],
    "metadata": metadata,
    "statement_descriptor": text,
    "tax_code": text,
    "unit_label": text,
}
PRODUCT: dict[str, Any] = PRODUCT_DATA | {
    "id": text,
    "default_price_data": AMOUNT | {"metadata": metadata},
    "expand": [text],
    "shippable": boolean,
    "url": text,
}
PRODUCT_UPDATE: dict[str, Any] = {
    key: shape for key, shape in PRODUCT.items() if key not in ("id", "default_price_data")
}
PRODUCT_UPDATE |= {"name": text, "default_price": text}
PRICE: dict[str, Any] = AMOUNT | {
    "active": boolean,
    "expand": [text],
    "lookup_key": text,
    "metadata": metadata,
    "nickname": text,
    "product": text,
    "product_data": PRODUCT_DATA,
}


PRICE_UPDATE: dict[str, Any] = {
    "active": boolean,
    "expand": [text],
    "lookup_key": text,
    "metadata": metadata,
    "nickname": text,
}


def create_customer(books: Books, params: Object, call: Call | None = None) -> tuple[Object, list[Object]]:
    customer = books.keep(objects.customer(_filled(params), books.now))
    return customer, [books.event("customer.created", customer, call)]


def update_customer(books: Books, params: Object, id: str, call: Call | None = None) -> tuple[Object, list[Object]]:
    before = books.find("customer", id)
    return _updated(books, before, _changed(before, params), call)


def delete_customer(books: Books, id: str, call: Call | None = None) -> tuple[Object, list[Object]]:
    """Payments stay; what was saved goes along."""
    before = books.find("customer", id)
    books.store.drop("customer", id)
    event = books.event("customer.deleted", before, call)
    return {"id": id, "object": "customer", "deleted": True}, [event]


def create_product(books: Books, params: Object, call: Call | None = None) -> tuple[Object, list[Object]]:
    if "id" in params and books.store.get("product", params["id"]):
        message = f"Product already exists with id '{params['id']}'"
        raise StripeError(message, code="resource_already_exists", param="id")
    product = objects.product(_filled(params), books.now)
    if data := params.get("default_price_data"):
        check_amount(data, "default_price_data")
        product["default_price"] = books.keep(objects.price(data, product["id"], books.now))["id"]
    return books.keep(product), [books.event("product.created", product, call)]


def update_product(books: Books, params: Object, id: str, call: Call | None = None) -> tuple[Object, list[Object]]:
    before = books.find("product", id)
    if "default_price" in params:
        books.find("price", params["default_price"], "default_price")
    return _updated(books, before, _changed(before, params) | {"updated": books.now}, call)


def create_price(books: Books, params: Object, param: str = "") -> Object:
    """A price of a product that exists, or of one made with it (`product_data`). `param`: where `params` were given."""
    check_amount(params, param)
    if "product" in params:
        product = books.find("product", params["product"], _within(param, "product"))
    elif "product_data" in params:
        product = books.keep(objects.product(_filled(params["product_data"]), books.now))
    else:
        raise missing(_within(param, "product"))
    return books.keep(objects.price(_filled(params), product["id"], books.now))


def update_price(books: Books, params: Object, id: str, call: Call | None = None) -> tuple[Object, list[Object]]:
    before = books.find("price", id)
    return _updated(books, before, _changed(before, params), call)


def check_amount(params: Object, param: str) -> None:
    """Raises StripeError for an amount or a kind of price that cannot be sold here."""
    count = params.get("recurring", {}).get("interval_count", 1)
    if not 1 <= count <= COUNT_MOST:
        where = _within(_within(param, "recurring"), "interval_count") if param else "recurring[interval_count]"
        raise StripeError(f"interval_count must be 1 to {COUNT_MOST}.", param=where)
    if not 0 <= params["unit_amount"] <= MAX_AMOUNT:
        where = _within(param, "unit_amount")
        message = f"Invalid non-negative integer: must be at most {MAX_AMOUNT}"
        raise StripeError(message, code="parameter_invalid_integer", param=where)


def _updated(books: Books, before: Object, after: Object, call: Call | None) -> tuple[Object, list[Object]]:
    """Keep a changed object, and tell of it where something but the time changed."""
    if after | {"updated": None} == before | {"updated": None}:
        return books.keep(after), []
    return books.keep(after), [books.event(f"{after['object']}.updated", after, call, before=before)]


def _filled(params: Object) -> Object:
    """Without what was given empty."""
    given = {key: value for key, value in params.items() if value != ""}
    return given | {"metadata": {key: value for key, value in params.get("metadata", {}).items() if value}}


def _changed(object: Object, params: Object) -> Object:
    """An empty value unsets its field; metadata is merged key by key, and all of it unset by an empty one."""
    changes = {key: None if value == "" else value for key, value in params.items() if key != "expand"}
    if "invoice_settings" in changes:
        changes["invoice_settings"] = object["invoice_settings"] | changes["invoice_settings"]
    if "address" in changes:
        changes["address"] = objects.address(changes["address"])
    if given := changes.get("metadata"):
        merged = object["metadata"] | given
        changes["metadata"] = {key: value for key, value in merged.items() if value}
    return object | changes


def _within(param: str, name: str) -> str:
    return f"{param}[{name}]" if param else name
