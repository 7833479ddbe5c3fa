"""Stripe's own invoices of subscriptions: drafted, finalized, charged, and charged again where that failed.

Each step keeps the invoice, and gives the events made, in Stripe's order.
https://docs.stripe.com/billing/subscriptions/overview#subscription-lifecycle
"""

from sandbox import stripe_attempt as attempt
from sandbox import stripe_billing_objects as shapes
from sandbox import stripe_coupons as coupons
from sandbox import stripe_objects as objects
from sandbox.stripe_books import Books, Call
from sandbox.stripe_objects import Object

HOUR = 3600
DAY = 24 * HOUR
RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)
"""After how long a renewal that failed is charged again, each time since the last: one of Stripe's schedules."""


def draft(
    books: Books, subscription: Object, reason: str, *, once: list[Object] | None = None, coupon: Object | None = None
) -> Object:
    """The invoice of the period that begins. `once`: line items that are bought beside, one time."""
    customer = books.find("customer", subscription["customer"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04}"
    books.keep(customer | {"next_invoice_sequence": customer["next_invoice_sequence"] + 1})
    invoice = shapes.invoice(subscription, customer, reason, books.now, number)
    sold = [{"price": each["price"], "quantity": each["quantity"], "item": each} for each in items_of(subscription)]
    sold += [{"price": each["price"], "quantity": each["quantity"], "item": None} for each in once or []]
    amounts = [{"amount_subtotal": each["price"]["unit_amount"] * each["quantity"]} for each in sold]
    off = coupons.apply(coupon, amounts) if coupon else 0
    period = {"start": subscription["current_period_start"], "end": subscription["current_period_end"]}
    lines = [
        shapes.line(
            invoice,
            each["price"],
            each["quantity"],
            _described(books, each),
            period=period if each["item"] else {"start": books.now, "end": books.now},
            item=each["item"],
            off=amount.get("amount_discount", 0),
        )
        for each, amount in zip(sold, amounts, strict=True)
    ]
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal - off
    return books.keep(
        invoice
        | {
            "lines": {
                "object": "list",
                "data": lines,
                "has_more": False,
                "total_count": len(lines),
                "url": f"/v1/invoices/{invoice['id']}/lines",
            },
            "subtotal": subtotal,
            "subtotal_excluding_tax": subtotal,
            "total": total,
            "total_excluding_tax": total,
            "total_discount_amounts": [{"amount": off, "discount": objects.new_id("di_1")}] if off else [],
            "amount_due": total,
            "amount_remaining": total,
            "automatically_finalizes_at": books.now + HOUR if reason == "subscription_cycle" else None,
        }
    )


def finalize(books: Books, invoice: Object, types: list[str]) -> tuple[Object, list[Object]]:
    """The PaymentIntent of an invoice that is a draft no more. `types`: the means of payment that it takes."""
    given = {
        "amount": invoice["total"],
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": "Subscription creation"
        if invoice["billing_reason"] == "subscription_create"
        else "Subscription update",
        "invoice": invoice["id"],
        "payment_method_types": types,
        "setup_future_usage": "off_session",
    }
    intent = books.keep(objects.payment_intent(given, books.now))
    invoice |= {
        "status": "open",
        "automatically_finalizes_at": None,
        "effective_at": books.now,
        "hosted_invoice_url": f"{books.url}/invoice/{invoice['id']}",
        "invoice_pdf": f"{books.url}/invoice/{invoice['id']}",
        "payment_intent": intent["id"],
        "status_transitions": invoice["status_transitions"] | {"finalized_at": books.now},
    }
    books.keep(invoice)
    return intent, [books.event("invoice.finalized", invoice), books.event("payment_intent.created", intent)]


def charge(books: Books, invoice: Object, method: Object | None) -> list[Object]:
    """Charge what is open to a saved payment method, its owner being absent; none fails like a card without money."""
    intent = books.find("payment_intent", invoice["payment_intent"])
    events = attempt.begin_off_session(books, intent, method)
    return events + follow(books, intent)


def follow(books: Books, intent: Object) -> list[Object]:
    """What the intent's new status means for its invoice."""
    invoice = books.find("invoice", intent["invoice"])
    if invoice["status"] != "open" or intent["status"] not in ("succeeded", "requires_payment_method"):
        return []
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + 1, "charge": intent["latest_charge"]}
    if intent["status"] == "succeeded":
        invoice |= {
            "status": "paid",
            "paid": True,
            "amount_paid": invoice["amount_due"],
            "amount_remaining": 0,
            "auto_advance": False,
            "next_payment_attempt": None,
            "status_transitions": invoice["status_transitions"] | {"paid_at": books.now},
        }
        books.keep(invoice)
        return [books.event("invoice.paid", invoice), books.event("invoice.payment_succeeded", invoice)]
    invoice["next_payment_attempt"] = _next_attempt(invoice, books.now)
    books.keep(invoice)
    return [books.event("invoice.payment_failed", invoice)]


def void(books: Books, invoice: Object, call: Call | None = None) -> list[Object]:
    """Ask for it no more."""
    invoice |= {
        "status": "void",
        "auto_advance": False,
        "next_payment_attempt": None,
        "status_transitions": invoice["status_transitions"] | {"voided_at": books.now},
    }
    return [books.event("invoice.voided", books.keep(invoice), call)]


def items_of(subscription: Object) -> list[Object]:
    items: list[Object] = subscription["items"]["data"]
    return items


def let_be(books: Books, subscription: Object) -> None:
    """Charge nothing more by itself of a subscription that has ended; what is open may still be paid."""
    unpaid = [("subscription", "=", subscription["id"]), ("status", "IN", ["draft", "open"])]
    for invoice in books.store.all("invoice", unpaid):
        resting = {"auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None}
        books.keep(invoice | resting)


def _next_attempt(invoice: Object, now: int) -> int | None:
    """When a renewal is charged again; a first payment is the customer's to try again."""
    tried = invoice["attempt_count"]
    if invoice["billing_reason"] != "subscription_cycle" or tried > len(RETRIES):
        return None
    return int(now + RETRIES[tried - 1])


def _described(books: Books, sold: Object) -> str:
    price, quantity = sold["price"], sold["quantity"]
    name = books.find("product", price["product"])["name"]
    if sold["item"] is None:
        return str(name)
    recurring = price["recurring"]
    each = (
        recurring["interval"]
        if recurring["interval_count"] == 1
        else "{interval_count} {interval}s".format(**recurring)
    )
    return f"{quantity} × {name} (at {price['unit_amount'] / 100:.2f} {price['currency'].upper()} / {each})"
