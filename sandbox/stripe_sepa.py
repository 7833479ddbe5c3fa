"""SEPA direct debits: the test IBANs, and what Stripe shows of a bank account.

https://docs.stripe.com/payments/sepa-debit/accept-a-payment#test-integration
"""

from typing import Any, NamedTuple

Object = dict[str, Any]

SETTLES = "FR1420041010050500013M02606"
FAILS = "FR8420041010050500013M02607"
IBANS = {SETTLES: "prélevé", FAILS: "rejeté"}
"""Each IBAN, and in a French word what becomes of the debit."""

REJECTION = {
    "type": "invalid_request_error",
    "code": "debit_not_authorized",
    "doc_url": "https://stripe.com/docs/error-codes/debit-not-authorized",
    "message": "The customer has not authorized their bank to accept the debit.",
}


class UnknownIban(ValueError):
    """An IBAN that is none of the test ones."""


class Iban(NamedTuple):
    """A test IBAN without spaces."""

    number: str = SETTLES


def number(typed: str) -> str:
    """An IBAN as people type it, without spaces and in capitals. Raises UnknownIban."""
    compact = typed.replace(" ", "").upper()
    if compact not in IBANS:
        raise UnknownIban(typed)
    return compact


def details(iban: Iban) -> Object:
    """`sepa_debit` of a payment method."""
    return {
        "bank_code": iban.number[4:9],
        "branch_code": iban.number[9:14],
        "country": iban.number[:2],
        "fingerprint": f"sandbox{iban.number[-4:]}",
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban.number[-4:],
    }


def charged(account: Object, mandate: str) -> Object:
    """`sepa_debit` of a charge's `payment_method_details`. `account` is that of the payment method."""
    shown = ("bank_code", "branch_code", "country", "fingerprint", "last4")
    return {key: account[key] for key in shown} | {"mandate": mandate}


def settles(account: Object) -> bool:
    """Whether the bank pays a debit of the account, whose details are given."""
    return bool(account["last4"] == SETTLES[-4:])
