"""A charge: what one attempt to pay left, by card at once, by SEPA debit once the bank has answered."""

from sandbox import stripe_cards as cards
from sandbox import stripe_sepa as sepa
from sandbox.stripe_objects import Object, new_id


def by_card(
    intent: Object,
    method: Object,
    created: int,
    receipt_url: str,
    *,
    error: Object | None = None,
    authenticated: bool = False,
) -> Object:
    """Paid, or declined with the error. `receipt_url` is where a paid one can be looked up."""
    details = {"card": cards.charged(method["card"], intent["amount"], authenticated=authenticated), "type": "card"}
    charge = _charge(new_id("ch_3"), intent, method, created) | {"payment_method_details": details}
    return charge | (_failed(error) if error else paid(charge, receipt_url))


def by_debit(intent: Object, method: Object, created: int) -> Object:
    """Asked of the customer's bank, which answers days later: `paid`, `rejected`."""
    details = {"sepa_debit": sepa.charged(method["sepa_debit"], new_id("mandate_1")), "type": "sepa_debit"}
    return _charge(new_id("py_3"), intent, method, created) | {
        "amount_captured": intent["amount"],
        "captured": True,
        "payment_method_details": details,
        "status": "pending",
    }


def paid(charge: Object, receipt_url: str) -> Object:
    """What changes in a charge once it is paid."""
    return {
        "amount_captured": charge["amount"],
        "balance_transaction": new_id("txn_3"),
        "captured": True,
        "paid": True,
        "receipt_url": receipt_url,
        "status": "succeeded",
    }


def rejected() -> Object:
    """What changes in a debit that the bank gave back."""
    return {
        "captured": False,
        "amount_captured": 0,
        "failure_code": sepa.REJECTION["code"],
        "failure_message": sepa.REJECTION["message"],
        "status": "failed",
    }


def _charge(id: str, intent: Object, method: Object, created: int) -> Object:
    return {
        "id": id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX",
        "captured": False,
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "invoice": intent["invoice"],
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": ACCEPTED,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": None,
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": None,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }


ACCEPTED = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "seller_message": "Payment complete.",
    "type": "authorized",
}


def _failed(error: Object) -> Object:
    return {
        "failure_code": error["code"],
        "failure_message": error["message"],
        "outcome": {
            "advice_code": "try_again_later",
            "network_advice_code": None,
            "network_decline_code": "01",
            "network_status": "declined_by_network",
            "reason": error["decline_code"],
            "risk_level": "normal",
            "seller_message": f"The bank returned the decline code `{error['decline_code']}`.",
            "type": "issuer_declined",
        },
        "status": "failed",
    }
