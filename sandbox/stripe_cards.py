"""The test cards, and the objects of one attempt to pay with one: charge, payment method, error."""

from typing import Any, NamedTuple

from sandbox.stripe_objects import NO_ADDRESS, new_id

Object = dict[str, Any]

COUNTRY_ALONE = NO_ADDRESS | {"country": "FR"}
"""What Stripe knows of where a customer lives when the page asks for no address."""
GOOD = "4242424242424242"
DECLINED = "4000000000000002"
CARDS = {GOOD: "paie", DECLINED: "refusée"}
"""Each number, and in a French word what it does."""


class UnknownCard(ValueError):
    """A number that is none of the test cards."""


class Payer(NamedTuple):
    """What the customer typed on the hosted page. `phone` in E.164; `address` with all the keys of NO_ADDRESS."""

    name: str
    email: str
    phone: str | None
    card: str
    exp_month: int = 12
    exp_year: int = 2034
    address: Object = COUNTRY_ALONE

    @property
    def billing_details(self) -> Object:
        """As a charge and a payment method carry it."""
        return {
            "address": self.address,
            "email": self.email,
            "name": self.name,
            "phone": self.phone,
            "tax_id": None,
        }


def number(typed: str) -> str:
    """The digits of a card number as people type it. Raises UnknownCard."""
    digits = typed.replace(" ", "").replace("-", "")
    if digits not in CARDS:
        raise UnknownCard(typed)
    return digits


def payment_method(payer: Payer, created: int) -> Object:
    return {
        "id": new_id("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": payer.billing_details,
        "card": _card(payer)
        | {
            "display_brand": "visa",
            "generated_from": None,
            "networks": {"available": ["visa"], "preferred": None},
            "three_d_secure_usage": {"supported": True},
        },
        "created": created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def charge(intent: Object, method: Object, created: int, receipt_url: str) -> Object:
    """What one attempt left, paid or declined by the card used."""
    paid = method["card"]["last4"] == GOOD[-4:]
    return {
        "id": new_id("ch_3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": new_id("txn_3") if paid else None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX",
        "captured": paid,
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None if paid else "card_declined",
        "failure_message": None if paid else DECLINE["message"],
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": _outcome(paid),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _details(method["card"], intent["amount"]), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": receipt_url if paid else None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": None,
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


DECLINE = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "doc_url": "https://stripe.com/docs/error-codes/card-declined",
    "message": "Your card was declined.",
}


def payment_error(charge: Object, method: Object) -> Object:
    """`last_payment_error` of an intent whose card was declined."""
    return DECLINE | {"charge": charge["id"], "payment_method": method}


def _card(payer: Payer) -> Object:
    return {
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "FR",
        "exp_month": payer.exp_month,
        "exp_year": payer.exp_year,
        "fingerprint": f"sandbox{payer.card[-4:]}",
        "funding": "credit",
        "last4": payer.card[-4:],
        "regulated_status": "unregulated",
        "wallet": None,
    }


def _details(card: Object, amount: int) -> Object:
    shown = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return {key: card[key] for key in (*shown, "regulated_status", "wallet")} | {
        "amount_authorized": amount,
        "authorization_code": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": "visa",
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": None,
        "transaction_link_id": None,
    }


def _outcome(paid: bool) -> Object:
    return {
        "advice_code": None if paid else "try_again_later",
        "network_advice_code": None,
        "network_decline_code": None if paid else "01",
        "network_status": "approved_by_network" if paid else "declined_by_network",
        "reason": None if paid else "generic_decline",
        "risk_level": "normal",
        "seller_message": "Payment complete." if paid else "The bank returned the decline code `generic_decline`.",
        "type": "authorized" if paid else "issuer_declined",
    }
