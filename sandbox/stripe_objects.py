"""The shapes of Stripe's objects, as its API writes them. Amounts in minor units, times in unix seconds."""

import secrets
from typing import Any

Object = dict[str, Any]

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NO_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def new_id(prefix: str, length: int = 24) -> str:
    """`new_id("cus_", 14)` → `cus_Qx…`"""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def address(given: Object | None) -> Object | None:
    """An address with all its keys; the vendor gives null for what is empty."""
    return NO_ADDRESS | {key: value or None for key, value in given.items()} if given else None


def customer(given: Object, created: int) -> Object:
    return {
        "id": new_id("cus_", 14),
        "object": "customer",
        "address": address(given.get("address")),
        "balance": 0,
        "created": created,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": given.get("description"),
        "discount": None,
        "email": given.get("email"),
        "invoice_prefix": new_id("", 8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "name": given.get("name"),
        "next_invoice_sequence": 1,
        "phone": given.get("phone"),
        "preferred_locales": given.get("preferred_locales", []),
        "shipping": None,
        "tax_exempt": given.get("tax_exempt", "none"),
        "test_clock": None,
    }


def product(given: Object, created: int) -> Object:
    return {
        "id": given.get("id") or new_id("prod_", 14),
        "object": "product",
        "active": given.get("active", True),
        "created": created,
        "default_price": None,
        "description": given.get("description"),
        "images": given.get("images", []),
        "livemode": False,
        "marketing_features": [],
        "metadata": given.get("metadata", {}),
        "name": given["name"],
        "package_dimensions": None,
        "shippable": given.get("shippable"),
        "statement_descriptor": given.get("statement_descriptor"),
        "tax_code": given.get("tax_code"),
        "type": "service",
        "unit_label": given.get("unit_label"),
        "updated": created,
        "url": given.get("url"),
    }


def price(given: Object, product_id: str, created: int) -> Object:
    return {
        "id": new_id("price_1"),
        "object": "price",
        "active": given.get("active", True),
        "billing_scheme": "per_unit",
        "created": created,
        "currency": given["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": given.get("lookup_key"),
        "metadata": given.get("metadata", {}),
        "nickname": given.get("nickname"),
        "product": product_id,
        "recurring": _recurring(given["recurring"]) if given.get("recurring") else None,
        "tax_behavior": given.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if given.get("recurring") else "one_time",
        "unit_amount": given["unit_amount"],
        "unit_amount_decimal": str(given["unit_amount"]),
    }


def _recurring(given: Object) -> Object:
    return {
        "aggregate_usage": None,
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def line_item(price: Object, quantity: int, description: str) -> Object:
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": description,
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def coupon(given: Object, created: int) -> Object:
    return {
        "id": given.get("id") or new_id("", 8),
        "object": "coupon",
        "amount_off": given.get("amount_off"),
        "created": created,
        "currency": given.get("currency"),
        "duration": given.get("duration", "once"),
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": given.get("max_redemptions"),
        "metadata": given.get("metadata", {}),
        "name": given.get("name"),
        "percent_off": given.get("percent_off"),
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }


def discount(coupon: Object, session: Object) -> Object:
    """A coupon applied to a Checkout Session."""
    return {
        "id": new_id("di_1"),
        "object": "discount",
        "checkout_session": session["id"],
        "coupon": coupon,
        "customer": session["customer"],
        "customer_account": None,
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": session["created"],
        "subscription": None,
        "subscription_item": None,
    }


def payment_intent(given: Object, created: int) -> Object:
    """`given`: amount, currency and payment_method_types, and what else the caller knows."""
    id = new_id("pi_3")
    return {
        "id": id,
        "object": "payment_intent",
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": given.get("automatic_payment_methods"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{id}_secret_{new_id('', 25)}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": given["currency"],
        "customer": given.get("customer"),
        "customer_account": None,
        "description": given.get("description"),
        "excluded_payment_method_types": None,
        "invoice": given.get("invoice"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": given.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": given.get("payment_method_options", {}),
        "payment_method_types": given["payment_method_types"],
        "processing": None,
        "receipt_email": given.get("receipt_email"),
        "review": None,
        "setup_future_usage": given.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": given.get("statement_descriptor"),
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def payment_link(given: Object, currency: str) -> Object:
    """A link without its address yet."""
    return {
        "id": new_id("plink_1"),
        "object": "payment_link",
        "active": True,
        "after_completion": given.get("after_completion")
        or {"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"},
        "allow_promotion_codes": False,
        "application": None,
        "application_fee_amount": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_address_collection": given.get("billing_address_collection", "auto"),
        "consent_collection": None,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer_creation": given.get("customer_creation", "if_required"),
        "inactive_message": None,
        "invoice_creation": {"enabled": False, "invoice_data": None},
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": given.get("metadata", {}),
        "on_behalf_of": None,
        "payment_intent_data": given.get("payment_intent_data"),
        "payment_method_collection": "if_required",
        "payment_method_options": None,
        "payment_method_types": given.get("payment_method_types"),
        "phone_number_collection": given.get("phone_number_collection", {"enabled": False}),
        "restrictions": None,
        "shipping_address_collection": None,
        "shipping_options": [],
        "submit_type": given.get("submit_type", "auto"),
        "subscription_data": None,
        "tax_id_collection": {"enabled": False, "required": "never"},
        "transfer_data": None,
        "url": None,
    }


def event(
    type: str, object: Object, *, created: int, api_version: str, request: Object, previous: Object | None
) -> Object:
    """A snapshot event. `request` is the API call behind it, `{id, idempotency_key}`: nulls for the hosted page.
    `previous`: of an update, what the fields changed were before."""
    return {
        "id": new_id("evt_1"),
        "object": "event",
        "api_version": api_version,
        "created": created,
        "data": {"object": object} | ({"previous_attributes": previous} if previous else {}),
        "livemode": False,
        "pending_webhooks": 1,
        "request": request,
        "type": type,
    }


def account(id: str, name: str) -> Object:
    return {
        "id": id,
        "object": "account",
        "business_profile": {"mcc": None, "name": name, "support_email": None, "url": None},
        "business_type": "company",
        "charges_enabled": True,
        "country": "FR",
        "default_currency": "eur",
        "details_submitted": True,
        "email": None,
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": name, "timezone": "Europe/Paris"}},
        "type": "standard",
    }


def balance() -> Object:
    def nothing() -> list[Object]:
        return [{"amount": 0, "currency": "eur", "source_types": {"card": 0}}]

    return {
        "object": "balance",
        "available": nothing(),
        "connect_reserved": [{"amount": 0, "currency": "eur"}],
        "livemode": False,
        "pending": nothing(),
    }
