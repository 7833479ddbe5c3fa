"""Refunds: asked for by the API or in the dashboard, at once by card, days later by bank.

https://docs.stripe.com/api/refunds, https://docs.stripe.com/refunds
"""

from typing import Any

from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError, missing
from sandbox.stripe_objects import Object, new_id
from sandbox.stripe_params import choice, integer, metadata, text

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
REFUND: dict[str, Any] = {
    "amount": integer,
    "charge": text,
    "expand": [text],
    "metadata": metadata,
    "payment_intent": text,
    "reason": choice(*REASONS),
}


def create(
    books: Books, params: Object, call: Call | None = None, *, pending: bool = False
) -> tuple[Object, list[Object]]:
    """Give money back, what is left of the charge unless told. Of a SEPA debit it takes days, and is pending until."""
    charge = _charge(books, params)
    amount = _amount(charge, params)
    waits = pending or charge["payment_method_details"]["type"] == "sepa_debit"
    refund = _refund(charge, params | {"amount": amount}, books.now, "pending" if waits else "succeeded")
    _count(charge, amount)
    with books.store.transaction():
        books.keep(charge)
        books.keep(refund)
        return refund, [
            books.event("refund.created", refund, call),
            books.event("charge.refunded", charge, call),
            *_updated(books, refund, call),
        ]


def end(books: Books, id: str, status: str) -> list[Object]:
    """One that was pending is `succeeded`, `failed` or `canceled`; one that succeeded may still be given back by the
    bank, and `failed`. Gives the events made. Raises StripeError."""
    refund = books.find("refund", id, "refund")
    if refund["status"] != "pending" and (refund["status"], status) != ("succeeded", "failed"):
        raise StripeError(f"This refund has a status of {refund['status']}.")
    before = dict(refund)
    refund["status"] = status
    events = []
    with books.store.transaction():
        if status != "succeeded":
            refund["failure_balance_transaction"] = new_id("txn_1")
            charge = books.find("charge", refund["charge"])
            _count(charge, -refund["amount"])
            books.keep(charge)
        if status == "failed":
            refund["failure_reason"] = "lost_or_stolen_card" if refund["charge"].startswith("ch_") else "declined"
        books.keep(refund)
        if status == "failed":
            events.append(books.event("refund.failed", refund))
        return [*events, books.event("refund.updated", refund, before=before), *_updated(books, refund, None)]


def unanswered(books: Books) -> list[Object]:
    """Those that the bank has not answered yet, oldest first."""
    return books.store.all("refund", [("status", "=", "pending")])


def _charge(books: Books, params: Object) -> Object:
    if ("charge" in params) == ("payment_intent" in params):
        raise missing("payment_intent")
    if "charge" in params:
        return books.find("charge", params["charge"], "charge")
    intent = books.find("payment_intent", params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise StripeError(
            "This PaymentIntent does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return books.find("charge", intent["latest_charge"])


def _amount(charge: Object, params: Object) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount", left)
    if charge["disputed"]:
        raise StripeError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if not left:
        raise StripeError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount < 1:
        raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise StripeError(message, param="amount")
    return int(amount)


def _count(charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def _updated(books: Books, refund: Object, call: Call | None) -> list[Object]:
    """The event of old, beside those of `refund.*`."""
    return [] if refund["status"] == "pending" else [books.event("charge.refund.updated", refund, call)]


def _refund(charge: Object, given: Object, created: int, status: str) -> Object:
    kind = charge["payment_method_details"]["type"]
    return {
        "id": new_id("re_3" if kind == "card" else "pyr_1"),
        "object": "refund",
        "amount": given["amount"],
        "balance_transaction": new_id("txn_3"),
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "destination_details": {kind: {"type": "refund"} if kind == "card" else {}, "type": kind},
        "metadata": given.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": given.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
