"""The test cards: which pays, which is declined, for which the bank asks its customer; and what Stripe shows of a card.

https://docs.stripe.com/testing
"""

from typing import Any, NamedTuple

Object = dict[str, Any]

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
ASKED = "4000002500003155"
ALWAYS_ASKED = "4000002760003184"
ONCE = "4000000000000341"
CARDS = {
    GOOD: "paie",
    DECLINED: "refusée",
    ASKED: "3-D Secure",
    ALWAYS_ASKED: "3-D Secure",
    ONCE: "paie, puis refusée",
}
"""Each number, and in a French word what it does."""
AUTHENTICATED = (ASKED, ALWAYS_ASKED)
"""The cards that pay once the bank's customer has confirmed (3-D Secure)."""
REFUSED_LATER = (DECLINED, ONCE, ALWAYS_ASKED)
"""The cards that pay nothing while their owner is away. (Stripe's own of this number, ONCE, never pays.)"""

DECLINE = {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "doc_url": "https://stripe.com/docs/error-codes/card-declined",
    "message": "Your card was declined.",
}
AUTHENTICATION_FAILURE = {
    "type": "invalid_request_error",
    "code": "payment_intent_authentication_failure",
    "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
    "message": "The payment method failed authentication. Confirm the PaymentIntent again, or with another one.",
}


class UnknownCard(ValueError):
    """A number that is none of the test cards."""


class Card(NamedTuple):
    """A test card, as digits, and the last month that it is good."""

    number: str = GOOD
    exp_month: int = 12
    exp_year: int = 2034


def number(typed: str) -> str:
    """The digits of a card number as people type it. Raises UnknownCard."""
    digits = typed.replace(" ", "").replace("-", "")
    if digits not in CARDS:
        raise UnknownCard(typed)
    return digits


def decline_off_session(method: Object | None) -> Object | None:
    """Why a saved payment method pays nothing while its owner is away; None where it pays. None of them is given."""
    if method is None:
        return DECLINE | {"decline_code": "no_account"}
    refused = method["type"] == "card" and method["card"]["fingerprint"] in map(_fingerprint, REFUSED_LATER)
    return DECLINE if refused else None


def details(card: Card) -> Object:
    """`card` of a payment method."""
    return {
        "brand": "visa",
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "FR",
        "display_brand": "visa",
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": _fingerprint(card.number),
        "funding": "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": ["visa"], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def charged(card: Object, amount: int, *, authenticated: bool) -> Object:
    """`card` of a charge's `payment_method_details`. `card` is that of the payment method."""
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
        "three_d_secure": _three_d_secure() if authenticated else None,
        "transaction_link_id": None,
    }


def _fingerprint(number: str) -> str:
    return f"sandbox{number[-4:]}"


def _three_d_secure() -> Object:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
