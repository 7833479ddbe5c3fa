"""PaymentIntents by the API: made, looked up, confirmed, canceled. (Those of Checkout are made by `stripe_payment`.)

https://docs.stripe.com/api/payment_intents
"""

from collections.abc import Callable
from typing import Any

from sandbox import stripe_cards as cards
from sandbox import stripe_objects as objects
from sandbox import stripe_payment as payment
from sandbox import stripe_sepa as sepa
from sandbox.stripe_attempt import must_be
from sandbox.stripe_books import Books, Call
from sandbox.stripe_cards import Card, UnknownCard
from sandbox.stripe_catalog import ADDRESS, MAX_AMOUNT
from sandbox.stripe_errors import StripeError, missing
from sandbox.stripe_objects import NO_ADDRESS, Object
from sandbox.stripe_params import boolean, choice, currency, email, integer, metadata, required, text, url
from sandbox.stripe_payer import COUNTRY_ALONE, Payer
from sandbox.stripe_sepa import Iban, UnknownIban
from sandbox.stripe_session import MINIMUM, check_types

CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
TEST_METHODS: dict[str, Card | Iban] = {
    "pm_card_visa": Card(cards.GOOD),
    "pm_card_chargeDeclined": Card(cards.DECLINED),
    "pm_card_visa_chargeDeclined": Card(cards.DECLINED),
    "pm_card_threeDSecure2Required": Card(cards.ASKED),
    "pm_card_authenticationRequired": Card(cards.ALWAYS_ASKED),
    "pm_sepaDebit_success_fr": Iban(sepa.SETTLES),
    "pm_sepaDebit_failed_fr": Iban(sepa.FAILS),
}
"""The vendor's ready-made payment methods, and what they stand for."""

OPTIONS: dict[str, Any] = {
    "card": {"request_three_d_secure": choice("any", "automatic", "challenge"), "setup_future_usage": text},
    "sepa_debit": {"mandate_options": {"reference_prefix": text}, "setup_future_usage": text},
}
INTENT: dict[str, Any] = {
    "amount": required(integer),
    "currency": required(currency),
    "automatic_payment_methods": {"enabled": required(boolean), "allow_redirects": choice("always", "never")},
    "customer": text,
    "description": text,
    "expand": [text],
    "metadata": metadata,
    "payment_method_options": OPTIONS,
    "payment_method_types": [text],
    "receipt_email": email,
    "statement_descriptor": text,
}
RETRIEVE: dict[str, Any] = {"client_secret": text, "expand": [text]}
CANCEL: dict[str, Any] = {
    "cancellation_reason": choice("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
    "expand": [text],
}
CONFIRM: dict[str, Any] = {
    "client_secret": text,
    "expand": [text],
    "mandate_data": {
        "customer_acceptance": {
            "type": required(choice("online", "offline")),
            "accepted_at": integer,
            "online": {"infer_from_client": boolean, "ip_address": text, "user_agent": text},
        }
    },
    "payment_method": text,
    "payment_method_data": {
        "type": required(choice("card", "sepa_debit")),
        "billing_details": {"address": ADDRESS, "email": email, "name": text, "phone": text},
        "card": {"number": required(text), "exp_month": integer, "exp_year": integer, "cvc": text},
        "sepa_debit": {"iban": required(text)},
    },
    "payment_method_options": OPTIONS,
    "receipt_email": email,
    "return_url": url,
    "use_stripe_sdk": boolean,
}


def create(books: Books, params: Object, call: Call) -> tuple[Object, list[Object]]:
    """A new intent, and its event. Which means it takes is the account's choice unless the caller names them."""
    automatic = params.get("automatic_payment_methods", {"enabled": "payment_method_types" not in params})
    if automatic["enabled"] and "payment_method_types" in params:
        raise StripeError(
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
            param="payment_method_types",
        )
    if params["amount"] < MINIMUM:
        message = f"Amount must be at least {MINIMUM} in the currency's smallest unit."
        raise StripeError(message, code="amount_too_small", param="amount")
    if params["amount"] > MAX_AMOUNT:
        raise StripeError(f"Amount must be no more than {MAX_AMOUNT}.", code="amount_too_large", param="amount")
    if "customer" in params:
        books.find("customer", params["customer"], "customer")
    every = ["card", "sepa_debit"] if params["currency"] == "eur" else ["card"]
    types = every if automatic["enabled"] else params.get("payment_method_types", ["card"])
    check_types(types, params["currency"])
    given = params | {
        "automatic_payment_methods": {"allow_redirects": "always"} | automatic if automatic["enabled"] else None,
        "payment_method_types": types,
    }
    intent = books.keep(objects.payment_intent(given, books.now))
    return intent, [books.event("payment_intent.created", intent, call)]


def retrieve(books: Books, params: Object, call: Call, id: str) -> Object:
    """The intent; to a publishable key with its client secret only."""
    intent = books.find("payment_intent", id, "intent")
    if call.public and "client_secret" not in params:
        raise missing("client_secret")
    if params.get("client_secret", intent["client_secret"]) != intent["client_secret"]:
        message = "The client_secret provided does not match the PaymentIntent."
        raise StripeError(message, code="payment_intent_invalid_parameter", param="client_secret")
    return intent


def cancel(books: Books, params: Object, call: Call, id: str) -> tuple[Object, list[Object]]:
    intent = books.find("payment_intent", id, "intent")
    payment.must_be_ours(books, intent)
    must_be(intent, CANCELABLE, "cancel")
    intent |= {
        "status": "canceled",
        "canceled_at": books.now,
        "cancellation_reason": params.get("cancellation_reason"),
        "next_action": None,
    }
    books.keep(intent)
    return intent, [books.event("payment_intent.canceled", intent, call)]


def confirm(books: Books, announce: Callable[[list[Object]], None], params: Object, call: Call, id: str) -> Object:
    """The intent after the attempt. Raises StripeError (402) for a declined card, its events sent all the same."""
    intent = retrieve(books, params, call, id)
    if "receipt_email" in params:
        intent["receipt_email"] = params["receipt_email"]
    payer = _payer(books, params)
    announce(payment.confirm(books, intent, payer, return_url=params.get("return_url"), call=call))
    if error := intent["last_payment_error"]:
        more = {key: error[key] for key in ("charge", "decline_code", "payment_method")}
        raise StripeError(
            error["message"],
            status=402,
            type=error["type"],
            code=error["code"],
            more=more | {"payment_intent": intent},
        )
    return intent


def _payer(books: Books, params: Object) -> Payer:
    if data := params.get("payment_method_data"):
        return _new_payer(data)
    if "payment_method" not in params:
        raise StripeError(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
            param="payment_method",
        )
    means = TEST_METHODS.get(params["payment_method"])
    if means is None:
        books.find("payment_method", params["payment_method"], "payment_method")
        raise StripeError("This sandbox takes each payment method once: send payment_method_data again.")
    return Payer(means, name="Marie Martin", email="marie.martin@example.com")


def _new_payer(data: Object) -> Payer:
    details = data.get("billing_details", {})
    known = {key: details.get(key) or None for key in ("name", "email", "phone")}
    address = NO_ADDRESS | details["address"] if "address" in details else COUNTRY_ALONE
    if data["type"] == "sepa_debit":
        for name in ("name", "email"):
            if not known[name]:
                raise missing(f"payment_method_data[billing_details][{name}]")
    return Payer(_means(data), address=address, **known)


def _means(data: Object) -> Card | Iban:
    kind = data["type"]
    if kind not in data:
        raise missing(f"payment_method_data[{kind}]")
    try:
        if kind == "sepa_debit":
            return Iban(sepa.number(data["sepa_debit"]["iban"]))
        expiry = {key: data["card"][key] for key in ("exp_month", "exp_year") if key in data["card"]}
        return Card(cards.number(data["card"]["number"]), **expiry)
    except UnknownIban as error:
        param = "payment_method_data[sepa_debit][iban]"
        raise StripeError(
            "The IBAN is none of the test ones.", code="invalid_bank_account_iban", param=param
        ) from error
    except UnknownCard as error:
        param = "payment_method_data[card][number]"
        raise StripeError("The number is no test card's.", code="incorrect_number", param=param) from error
