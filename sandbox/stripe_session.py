"""Checkout Sessions: what may be asked, and the session opened."""

import re
from typing import Any
from urllib.parse import urlsplit

from sandbox import stripe_coupons as coupons
from sandbox import stripe_objects as objects
from sandbox.stripe_books import Books
from sandbox.stripe_catalog import AMOUNT, PRODUCT_DATA, create_price
from sandbox.stripe_errors import StripeError, missing
from sandbox.stripe_objects import Object
from sandbox.stripe_params import boolean, choice, email, integer, metadata, required, text, url

MINIMUM = 50
TYPES = ("card", "sepa_debit")
SHORTEST, LONGEST = 30 * 60, 24 * 3600
NEVER_OR_AUTO = choice("auto", "never")

SESSION: dict[str, Any] = {
    "mode": required(choice("payment", "subscription", "setup")),
    "line_items": required(
        [{"price": text, "price_data": AMOUNT | {"product": text, "product_data": PRODUCT_DATA}, "quantity": integer}]
    ),
    "success_url": required(url),
    "billing_address_collection": choice("auto", "required"),
    "cancel_url": url,
    "client_reference_id": text,
    "customer": text,
    "customer_creation": choice("always", "if_required"),
    "customer_email": email,
    "customer_update": {"address": NEVER_OR_AUTO, "name": NEVER_OR_AUTO, "shipping": NEVER_OR_AUTO},
    "discounts": [{"coupon": required(text)}],
    "expand": [text],
    "expires_at": integer,
    "locale": text,
    "metadata": metadata,
    "payment_intent_data": {
        "description": text,
        "metadata": metadata,
        "receipt_email": email,
        "statement_descriptor": text,
    },
    "payment_method_types": [text],
    "phone_number_collection": {"enabled": required(boolean)},
    "submit_type": choice("auto", "book", "donate", "pay"),
    "subscription_data": {"description": text, "metadata": metadata},
}
OF_MODE = {
    "payment": ("customer_creation", "payment_intent_data", "submit_type"),
    "subscription": ("subscription_data",),
}
"""What may be asked in one mode alone."""


def open_session(books: Books, params: Object) -> Object:
    """A new session, its line items priced; what is only needed at payment is put aside (its plan)."""
    with books.store.transaction():
        return _open(books, params)


def check_types(types: list[str], currency: str) -> None:
    """Raises StripeError for means of payment that are not taken here, or not in this currency."""
    if not types or not set(types) <= set(TYPES):
        raise StripeError(f"This sandbox takes {' and '.join(TYPES)} only.", param="payment_method_types")
    if "sepa_debit" in types and currency != "eur":
        raise StripeError(f"sepa_debit is in eur only, not in {currency}.", param="payment_method_types")


def line_item(books: Books, item: Object, param: str) -> Object:
    """The item of a sale, priced, with its description. `param`: where it was given."""
    if "quantity" not in item:
        raise missing(f"{param}[quantity]")
    if item["quantity"] < 1:
        message = f"Invalid positive integer: {item['quantity']}"
        raise StripeError(message, code="parameter_invalid_integer", param=f"{param}[quantity]")
    if "price" in item:
        price = books.find("price", item["price"], f"{param}[price]")
        if not price["active"]:
            raise StripeError(f"The price '{price['id']}' is inactive.", param=f"{param}[price]")
    elif "price_data" in item:
        price = create_price(books, _for_once(item["price_data"]), f"{param}[price_data]")
    else:
        raise missing(f"{param}[price]")
    product = books.find("product", price["product"])
    return objects.line_item(price, item["quantity"], product["name"])


def _for_once(price_data: Object) -> Object:
    """A price made for one session can be sold no more, nor a product made with it."""
    once: Object = {"active": False}
    if "product_data" in price_data:
        once["product_data"] = price_data["product_data"] | once
    return price_data | once


def _open(books: Books, params: Object) -> Object:
    _check(books, params)
    items = [line_item(books, item, f"line_items[{index}]") for index, item in enumerate(params["line_items"])]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise StripeError("All line items must have the same currency.", param="line_items")
    check_types(params.get("payment_method_types", ["card"]), currency := currencies.pop())
    _check_mode(params, items)
    coupon = _coupon(books, params, currency)
    reduction = coupons.apply(coupon, items) if coupon else 0
    total = sum(item["amount_total"] for item in items)
    if total < MINIMUM:
        message = f"The Checkout Session's total amount must be at least {MINIMUM} in its currency's smallest unit."
        raise StripeError(message, code="amount_too_small")

    session = _session(params, total + reduction, currency, books)
    plan = {
        "line_items": items,
        "payment_intent_data": params.get("payment_intent_data", {}),
        "subscription_data": params.get("subscription_data", {}),
        "customer_update": params.get("customer_update", {}),
        "discounts": [],
    }
    if coupon:
        session["amount_total"] = total
        session["discounts"] = [{"coupon": coupon["id"], "promotion_code": None}]
        session["total_details"]["amount_discount"] = reduction
        plan["discounts"] = [{"amount": reduction, "discount": objects.discount(coupon, session)}]
    books.store.put("checkout.plan", session["id"], plan)
    return books.keep(session)


def _coupon(books: Books, params: Object, currency: str) -> Object | None:
    given = params.get("discounts", [])
    if len(given) > 1:
        raise StripeError("A Checkout Session takes one discount at most.", param="discounts")
    return coupons.find(books, given[0]["coupon"], currency, "discounts[0][coupon]") if given else None


def _check(books: Books, params: Object) -> None:
    if params["mode"] not in OF_MODE:
        raise StripeError(f"This sandbox does not speak `{params['mode']}` mode.", param="mode")
    if not 1 <= len(params["line_items"]) <= 100:
        raise StripeError("A Checkout Session has 1 to 100 line items.", param="line_items")
    if "customer" in params and "customer_email" in params:
        raise StripeError("You may only specify one of these parameters: customer, customer_email.", param="customer")
    if "customer" in params:
        books.find("customer", params["customer"], "customer")
    elif "customer_update" in params:
        raise StripeError("`customer_update` can only be used with `customer`.", param="customer_update")
    if not re.fullmatch(r"[\w-]{1,200}", params.get("client_reference_id", "none"), re.ASCII):
        message = "client_reference_id takes up to 200 letters, digits, dashes and underscores."
        raise StripeError(message, param="client_reference_id")
    for name in ("success_url", "cancel_url"):
        # Stripe refuses a bare host too: an address is where a browser is sent.
        if name in params and not urlsplit(params[name]).hostname:
            raise StripeError("Not a valid URL", code="url_invalid", param=name)
    wait = params.get("expires_at", books.now + LONGEST) - books.now
    if not SHORTEST - 60 <= wait <= LONGEST:  # a minute's grace, for the time the request took
        raise StripeError("expires_at must be 30 minutes to 24 hours after creation.", param="expires_at")


def _check_mode(params: Object, items: list[Object]) -> None:
    """Raises StripeError for prices, or for what is asked, of another mode."""
    mode = params["mode"]
    for other, names in OF_MODE.items():
        for name in names:
            if other != mode and name in params:
                raise StripeError(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    recurring = [item["price"]["recurring"] for item in items if item["price"]["recurring"]]
    if mode == "payment" and recurring:
        raise StripeError(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use"
            " only one-time prices.",
            param="line_items",
        )
    if mode == "subscription" and not recurring:
        raise StripeError(
            "You must provide at least one recurring price in `subscription` mode when using prices.",
            param="line_items",
        )
    if mode == "subscription" and "sepa_debit" in params.get("payment_method_types", []):
        raise StripeError("This sandbox takes subscriptions by card only.", param="payment_method_types")
    if any(each != recurring[0] for each in recurring):
        message = "Checkout does not support multiple prices with different billing intervals."
        raise StripeError(message, param="line_items")


def _session(params: Object, subtotal: int, currency: str, books: Books) -> Object:
    id = objects.new_id("cs_test_a1", 58)
    known = books.find("customer", params["customer"]) if "customer" in params else {}
    known_email = params.get("customer_email") or known.get("email")
    return {
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": subtotal,
        "amount_total": subtotal,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": books.now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": params.get("customer"),
        "customer_account": None,
        "customer_creation": None if "customer" in params else _customer_creation(params),
        "customer_details": customer_details(known_email) if known_email else None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": params.get("expires_at", books.now + LONGEST),
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": INVOICE_CREATION if params["mode"] == "payment" else None,
        "livemode": False,
        "locale": params.get("locale"),
        "managed_payments": {"enabled": False},
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required" if params["mode"] == "payment" else "always",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": params.get("phone_number_collection", {"enabled": False}),
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": f"{books.url}/pay/{id}",
        "wallet_options": None,
    }


INVOICE_CREATION: Object = {
    "enabled": False,
    "invoice_data": {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": None,
        "metadata": {},
        "rendering_options": None,
    },
}


def _customer_creation(params: Object) -> str:
    return "always" if params["mode"] == "subscription" else str(params.get("customer_creation", "if_required"))


def customer_details(
    email: str | None, *, name: str | None = None, phone: str | None = None, address: Object | None = None
) -> Object:
    """What the session knows of its customer: the e-mail from the start, the rest once paid."""
    return {
        "address": address,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": phone,
        "tax_exempt": "none",
        "tax_ids": [],
    }
