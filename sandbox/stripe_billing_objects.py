"""The shapes of what is billed again and again: subscriptions, their items, invoices and the lines of these.

As of API version 2024-06-20. Amounts in minor units, times in unix seconds.
"""

from sandbox.stripe_objects import Object, new_id


def subscription(given: Object, created: int, period_end: int) -> Object:
    """`given`: customer, currency, metadata, default_payment_method and coupons known; without items yet."""
    return {
        "id": new_id("sub_1"),
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_cycle_anchor": created,
        "billing_cycle_anchor_config": None,
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": created,
        "currency": given["currency"],
        "current_period_end": period_end,
        "current_period_start": created,
        "customer": given["customer"],
        "days_until_due": None,
        "default_payment_method": given.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": [],
        "description": given.get("description"),
        "discount": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": None,
        "latest_invoice": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "plan": None,
        "quantity": None,
        "schedule": None,
        "start_date": created,
        "status": "incomplete",
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }


def items(subscription_id: str, made: list[Object]) -> Object:
    """A subscription's items, as the list that it holds."""
    url = f"/v1/subscription_items?subscription={subscription_id}"
    return {"object": "list", "data": made, "has_more": False, "total_count": len(made), "url": url}


def item(subscription_id: str, price: Object, quantity: int, created: int) -> Object:
    return {
        "id": new_id("si_", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": created,
        "discounts": [],
        "metadata": {},
        "plan": plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def plan(price: Object) -> Object:
    """A recurring price as it was called before there were prices."""
    shared = ("id", "active", "billing_scheme", "created", "livemode", "metadata", "nickname", "product", "tiers_mode")
    recurring = price["recurring"]
    return {key: price[key] for key in shared} | {
        "object": "plan",
        "aggregate_usage": None,
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "meter": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def invoice(subscription: Object, customer: Object, reason: str, created: int, number: str) -> Object:
    """A draft without lines yet. `reason`: its `billing_reason`."""
    return {
        "id": new_id("in_1"),
        "object": "invoice",
        "account_country": "FR",
        "account_name": "Sandbox",
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "application_fee_amount": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "automatically_finalizes_at": None,
        "billing_reason": reason,
        "charge": None,
        "collection_method": "charge_automatically",
        "created": created,
        "currency": subscription["currency"],
        "custom_fields": None,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discount": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": number,
        "on_behalf_of": None,
        "paid": False,
        "paid_out_of_band": False,
        "payment_intent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": created,
        "period_start": created,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "quote": None,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subscription": subscription["id"],
        "subscription_details": {"metadata": subscription["metadata"]},
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "tax": None,
        "test_clock": None,
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_tax_amounts": [],
        "transfer_data": None,
        "webhooks_delivered_at": None,
    }


def line(
    invoice: Object, price: Object, quantity: int, description: str, *, period: Object, item: Object | None, off: int
) -> Object:
    """What is billed of a price. `item`: the subscription's, none for what is bought once. `off`: what a coupon takes
    off it; `amount` is before that."""
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("il_1"),
        "object": "line_item",
        "amount": amount,
        "amount_excluding_tax": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [{"amount": off, "discount": new_id("di_1")}] if off else [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": invoice["subscription_details"]["metadata"],
        "period": period,
        "plan": plan(price) if item else None,
        "price": price,
        "proration": False,
        "proration_details": {"credited_items": None},
        "quantity": quantity,
        "subscription": invoice["subscription"],
        "subscription_item": item["id"] if item else None,
        "tax_amounts": [],
        "tax_rates": [],
        "type": "subscription" if item else "invoiceitem",
        "unit_amount_excluding_tax": str(price["unit_amount"]),
    }
