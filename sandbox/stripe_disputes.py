"""Disputes: a client asks their bank for the money back; it is gone at once, and comes back if we win.

https://docs.stripe.com/api/disputes, https://docs.stripe.com/disputes/how-disputes-work
"""

from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object, new_id

TO_ANSWER = 7 * 86_400  # seconds
_EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal"
    " customer_communication customer_email_address customer_name customer_purchase_ip customer_signature"
    " duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt"
    " refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation"
    " shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number"
    " uncategorized_file uncategorized_text"
)


def open_dispute(books: Books, charge: Object, reason: str = "fraudulent") -> list[Object]:
    """What is left of a charge is asked back by the client's bank. Gives the events made. Raises StripeError."""
    left = charge["amount"] - charge["amount_refunded"]
    if not charge["paid"] or charge["disputed"] or not left:
        raise StripeError(f"Charge {charge['id']} cannot be disputed.")
    charge["disputed"] = True
    dispute = _dispute(charge, left, reason, books.now)
    with books.store.transaction():
        books.keep(charge)
        books.keep(dispute)
        return [
            books.event("charge.dispute.created", dispute),
            books.event("charge.dispute.funds_withdrawn", dispute),
        ]


def close(books: Books, id: str, *, won: bool, call: Call | None = None) -> tuple[Object, list[Object]]:
    """The bank decides; or we accept that it is lost. Raises StripeError where it has decided."""
    dispute = books.find("dispute", id, "dispute")
    if dispute["status"] in ("won", "lost"):
        raise StripeError("This dispute is already closed.", code="resource_already_closed")
    before = dict(dispute)
    dispute |= {"status": "won" if won else "lost", "is_charge_refundable": False}
    dispute["evidence_details"] |= {"past_due": True}
    with books.store.transaction():
        books.keep(dispute)
        events = [
            books.event("charge.dispute.updated", dispute, call, before=before),
            books.event("charge.dispute.closed", dispute, call),
        ]
        if won:
            dispute["balance_transactions"].append(_moved(dispute, dispute["amount"], books.now))
            events.append(books.event("charge.dispute.funds_reinstated", books.keep(dispute), call))
        return dispute, events


def undecided(books: Books) -> list[Object]:
    """Those of which the bank has not said yet who is right, oldest first."""
    return books.store.all("dispute", [("status", "=", "needs_response")])


def _dispute(charge: Object, amount: int, reason: str, created: int) -> Object:
    dispute = {
        "id": new_id("du_1"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE.split()) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": created + TO_ANSWER,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _method(charge["payment_method_details"]),
        "reason": reason,
        "status": "needs_response",
    }
    dispute["balance_transactions"] = [_moved(dispute, -amount, created)]
    return dispute


def _method(details: Object) -> Object:
    if details["type"] != "card":
        return {"type": details["type"], details["type"]: {}}
    brand = details["card"]["brand"]
    told = {"brand": brand, "case_type": "chargeback", "network_reason_code": "10.4", "network": brand}
    return {"type": "card", "card": told}


def _moved(dispute: Object, amount: int, created: int) -> Object:
    """What it does to the balance, the bank's fee left out."""
    return {
        "id": new_id("txn_1"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created,
        "created": created,
        "currency": dispute["currency"],
        "description": f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}",
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }
