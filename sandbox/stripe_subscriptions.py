"""Subscriptions: begun by a Checkout Session or by the API, renewed, canceled, resumed.

Each step gives the events made, in Stripe's order. https://docs.stripe.com/api/subscriptions
"""

from typing import Any

from sandbox import stripe_billing_objects as shapes
from sandbox import stripe_invoices as invoices
from sandbox import stripe_methods as methods
from sandbox import stripe_objects as objects
from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object
from sandbox.stripe_params import boolean, choice, integer, metadata, required, text
from sandbox.stripe_periods import after

SUBSCRIPTION: dict[str, Any] = {
    "customer": required(text),
    "items": required([{"price": required(text), "quantity": integer}]),
    "default_payment_method": text,
    "description": text,
    "expand": [text],
    "metadata": metadata,
}
UPDATE: dict[str, Any] = {
    "cancel_at_period_end": boolean,
    "default_payment_method": text,
    "description": text,
    "expand": [text],
    "metadata": metadata,
}
CANCEL: dict[str, Any] = {
    "cancellation_details": {"comment": text, "feedback": text},
    "expand": [text],
    "invoice_now": boolean,
    "prorate": boolean,
}
FILTERS: dict[str, Any] = {
    "customer": text,
    "status": choice("active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "unpaid"),
}
ENDED = ("canceled", "incomplete_expired")
RENEWED = ("active", "past_due")


def begin(books: Books, session: Object) -> tuple[list[Object], Object]:
    """The intent by which a session's subscription is first paid: Stripe makes both at the first attempt."""
    plan = books.plan(session)
    if "subscription" in plan:
        subscription = books.find("subscription", plan["subscription"])
        invoice = books.find("invoice", subscription["latest_invoice"])
        return [], books.find("payment_intent", invoice["payment_intent"])
    events = _with_customer(books, session)
    lines = plan["line_items"]
    coupon = next((each["discount"]["coupon"] for each in plan["discounts"]), None)
    given = plan["subscription_data"] | {"customer": session["customer"], "currency": session["currency"]}
    subscription = _new(books, given, [line for line in lines if line["price"]["recurring"]], session["id"])
    once = [line for line in lines if not line["price"]["recurring"]]
    invoice = invoices.draft(books, subscription, "subscription_create", once=once, coupon=coupon)
    books.store.put("checkout.plan", session["id"], plan | {"subscription": subscription["id"]})
    subscription["latest_invoice"] = invoice["id"]
    events += [
        books.event("customer.subscription.created", books.keep(subscription)),
        books.event("invoice.created", invoice),
    ]
    intent, finalized = invoices.finalize(books, invoice, session["payment_method_types"])
    return events + finalized, intent


def create(books: Books, params: Object, call: Call | None = None) -> tuple[Object, list[Object]]:
    """A subscription by the API: its first period is charged to a saved payment method at once."""
    customer = books.find("customer", params["customer"], "customer")
    lines = []
    for index, item in enumerate(params["items"]):
        price = books.find("price", item["price"], f"items[{index}][price]")
        if not price["recurring"]:
            message = f"The price {price['id']} is `type=one_time`, and this field takes `type=recurring` only."
            raise StripeError(message, param=f"items[{index}][price]")
        lines.append({"price": price, "quantity": item.get("quantity", 1)})
    method = methods.chosen(books, params.get("default_payment_method"), customer)
    with books.store.transaction():
        given = params | {"currency": lines[0]["price"]["currency"]}
        subscription = _new(books, given, lines, None)
        invoice = invoices.draft(books, subscription, "subscription_create")
        subscription["latest_invoice"] = invoice["id"]
        events = [
            books.event("customer.subscription.created", books.keep(subscription), call),
            books.event("invoice.created", invoice, call),
        ]
        _, finalized = invoices.finalize(books, invoice, ["card"])
        events += finalized + invoices.charge(books, invoice, method) + follow(books, invoice["id"])
        return books.find("subscription", subscription["id"]), events


def update(books: Books, params: Object, id: str, call: Call | None = None) -> tuple[Object, list[Object]]:
    """To end with its period, or not after all; another payment method."""
    before = books.find("subscription", id)
    must_go_on(before)
    changes = {key: value for key, value in params.items() if key != "expand"}
    if "default_payment_method" in changes:
        customer = books.find("customer", before["customer"])
        methods.chosen(books, changes["default_payment_method"] or None, customer)
    if "metadata" in changes:
        merged = before["metadata"] | changes["metadata"]
        changes["metadata"] = {key: value for key, value in merged.items() if value}
    match params.get("cancel_at_period_end"):
        case True:
            details = before["cancellation_details"] | {"reason": "cancellation_requested"}
            at = before["current_period_end"]
            changes |= {"cancel_at": at, "canceled_at": books.now, "cancellation_details": details}
        case False:
            details = before["cancellation_details"] | {"reason": None}
            changes |= {"cancel_at": None, "canceled_at": None, "cancellation_details": details}
    return _changed(books, before, changes, call)


def cancel(
    books: Books, id: str, call: Call | None = None, *, reason: str = "cancellation_requested"
) -> tuple[Object, list[Object]]:
    """End it now. Raises StripeError for one that has ended."""
    before = books.find("subscription", id)
    must_go_on(before)
    ended = before | {
        "status": "canceled",
        "canceled_at": before["canceled_at"] or books.now,
        "cancellation_details": before["cancellation_details"] | {"reason": reason},
        "ended_at": books.now,
    }
    invoices.let_be(books, ended)
    return books.keep(ended), [books.event("customer.subscription.deleted", ended, call)]


def must_go_on(subscription: Object) -> None:
    """Raises Stripe's refusal for one that has ended."""
    if subscription["status"] in ENDED:
        message = f"No such subscription: '{subscription['id']}'"
        raise StripeError(message, status=404, code="resource_missing", param="id")


def renew(books: Books, subscription: Object) -> list[Object]:
    """Its period is over: it ends there where that was asked for, else the next begins, with an invoice to pay."""
    if subscription["cancel_at_period_end"]:
        return cancel(books, subscription["id"])[1]
    plan = books.find("subscription.plan", subscription["id"])
    plan["periods"] += 1
    books.store.put("subscription.plan", subscription["id"], plan)
    period = {
        "current_period_start": subscription["current_period_end"],
        "current_period_end": _end(subscription, plan["periods"]),
    }
    invoice = invoices.draft(books, subscription | period, "subscription_cycle")
    _, events = _changed(books, subscription, period | {"latest_invoice": invoice["id"]}, None)
    return [books.event("invoice.created", invoice), *events]


def finalize(books: Books, invoice: Object) -> list[Object]:
    """A renewal's invoice has waited its hour: it is charged."""
    subscription = books.find("subscription", invoice["subscription"])
    _, events = invoices.finalize(books, invoice, ["card"])
    return events + retry(books, invoice, subscription)


def retry(books: Books, invoice: Object, subscription: Object | None = None) -> list[Object]:
    """Charge what is open once more; the last failure ends the subscription."""
    subscription = subscription or books.find("subscription", invoice["subscription"])
    customer = books.find("customer", subscription["customer"])
    method = methods.of(books, subscription, customer)
    events = invoices.charge(books, invoice, method) + follow(books, invoice["id"])
    tried = books.find("invoice", invoice["id"])
    if tried["status"] == "open" and tried["next_payment_attempt"] is None:
        events += cancel(books, subscription["id"], reason="payment_failed")[1]
    return events


def follow(books: Books, invoice_id: str) -> list[Object]:
    """What came of an invoice, for its subscription."""
    invoice = books.find("invoice", invoice_id)
    subscription = books.find("subscription", invoice["subscription"])
    if subscription["status"] in ENDED or subscription["latest_invoice"] != invoice_id:
        return []
    changes: Object = {}
    if invoice["status"] == "paid":
        changes["status"] = "active"
        intent = books.find("payment_intent", invoice["payment_intent"])
        changes["default_payment_method"] = intent["payment_method"]
    elif invoice["attempted"] and subscription["status"] != "incomplete":
        changes["status"] = "past_due"
    return _changed(books, subscription, changes, None)[1]


def give_up(books: Books, session: Object) -> list[Object]:
    """A session ran out whose first payment had failed."""
    id = books.plan(session).get("subscription")
    subscription = books.find("subscription", id) if id else None
    if subscription is None or subscription["status"] != "incomplete":
        return []
    changes = {"status": "incomplete_expired", "ended_at": books.now}
    _, events = _changed(books, subscription, changes, None)
    return events + invoices.void(books, books.find("invoice", subscription["latest_invoice"]))


def session_of(books: Books, invoice_id: str) -> Object | None:
    """The Checkout Session that an invoice's subscription was begun by, of its first invoice alone."""
    invoice = books.find("invoice", invoice_id)
    plan = books.find("subscription.plan", invoice["subscription"])
    if plan["session"] is None or invoice["billing_reason"] != "subscription_create":
        return None
    return books.find("checkout.session", plan["session"])


def listed(books: Books, params: Object) -> Object:
    """Those of a customer, of a status; canceled ones where that is asked for."""
    status = params.get("status")
    where: list[Any] = [("customer", "=", params["customer"])] if "customer" in params else []
    if status is None:
        where.append(("status", "!=", "canceled"))
    elif status == "ended":
        where.append(("status", "IN", list(ENDED)))
    elif status != "all":
        where.append(("status", "=", status))
    return books.page("subscription", "/v1/subscriptions", params, where)


def _new(books: Books, given: Object, lines: list[Object], session_id: str | None) -> Object:
    """`lines`: price and quantity of each item."""
    recurring = lines[0]["price"]["recurring"]
    end = after(books.now, recurring["interval"], recurring["interval_count"])
    subscription = shapes.subscription(given, books.now, end)
    made = [shapes.item(subscription["id"], line["price"], line["quantity"], books.now) for line in lines]
    subscription["items"] = shapes.items(subscription["id"], made)
    if len(made) == 1:
        subscription |= {"plan": made[0]["plan"], "quantity": made[0]["quantity"]}
    books.store.put("subscription.plan", subscription["id"], {"periods": 1, "session": session_id})
    return subscription


def _end(subscription: Object, periods: int) -> int:
    recurring = invoices.items_of(subscription)[0]["price"]["recurring"]
    count = recurring["interval_count"] * periods
    return after(subscription["billing_cycle_anchor"], recurring["interval"], count)


def _with_customer(books: Books, session: Object) -> list[Object]:
    """A subscription has a customer: one is made where the session knows none."""
    if session["customer"]:
        return []
    known = {"email": (session["customer_details"] or {}).get("email")}
    customer = books.keep(objects.customer(known, books.now))
    session["customer"] = customer["id"]
    books.keep(session)
    return [books.event("customer.created", customer)]


def _changed(books: Books, before: Object, changes: Object, call: Call | None) -> tuple[Object, list[Object]]:
    after_it = before | changes
    if after_it == before:
        return before, []
    return books.keep(after_it), [books.event("customer.subscription.updated", after_it, call, before=before)]
