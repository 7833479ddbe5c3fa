"""One attempt to pay a PaymentIntent: by card at once, by card once the bank has asked its customer, by SEPA debit.

Each step changes the intent given, keeps it, and gives the events made, in Stripe's order.
https://docs.stripe.com/payments/paymentintents/lifecycle
"""

from sandbox import stripe_cards as cards
from sandbox import stripe_charge as charges
from sandbox import stripe_methods as methods
from sandbox import stripe_sepa as sepa
from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object, new_id
from sandbox.stripe_payer import Payer, payment_method
from sandbox.stripe_sepa import Iban

PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def begin(
    books: Books, intent: Object, payer: Payer, *, return_url: str | None = None, call: Call | None = None
) -> list[Object]:
    """Try the payer's card or bank account. `return_url`: where the bank sends its customer back to.

    Raises StripeError for an intent that cannot be paid any more, or not by these means.
    """
    must_be(intent, PAYABLE, "confirm")
    method = payment_method(payer, books.now)
    if method["type"] not in intent["payment_method_types"]:
        message = f"This PaymentIntent takes {', '.join(intent['payment_method_types'])}, not {method['type']}."
        raise StripeError(message, code="payment_intent_incompatible_payment_method", param="payment_method")
    books.keep(method)
    intent |= {"last_payment_error": None, "next_action": None}
    if isinstance(payer.means, Iban):
        return _debit(books, intent, method, call)
    if payer.means.number in cards.AUTHENTICATED:
        return _ask(books, intent, method, return_url, call)
    return _charge(books, intent, method, call, error=cards.DECLINE if payer.means.number == cards.DECLINED else None)


def begin_off_session(books: Books, intent: Object, method: Object | None) -> list[Object]:
    """Try a saved payment method, its owner being away; none fails too."""
    must_be(intent, PAYABLE, "confirm")
    error = cards.decline_off_session(method)
    if method is None:
        return [_failed(books, intent, (error or {}) | {"charge": None, "payment_method": None}, None)]
    return _charge(books, intent, method, None, error=error)


def authenticate(books: Books, intent: Object, *, agreed: bool) -> list[Object]:
    """The bank's customer confirms the payment, or refuses it. Raises StripeError when nothing was asked."""
    must_be(intent, ("requires_action",), "authenticate")
    method = books.find("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if agreed:
        return _charge(books, intent, method, None, authenticated=True)
    return [_failed(books, intent, cards.AUTHENTICATION_FAILURE | {"payment_method": method}, None)]


def settle(books: Books, intent: Object, *, paid: bool) -> list[Object]:
    """The bank pays the debit under way, or gives it back. Raises StripeError when there is none."""
    must_be(intent, ("processing",), "settle")
    charge = books.find("charge", intent["latest_charge"])
    if paid:
        return _succeeded(books, intent, books.keep(charge | charges.paid(charge, _receipt_url(books))), None)
    books.keep(charge := charge | charges.rejected())
    method = books.find("payment_method", intent["payment_method"])
    error = sepa.REJECTION | {"charge": charge["id"], "payment_method": method}
    return [books.event("charge.failed", charge), _failed(books, intent, error, None)]


def must_be(intent: Object, statuses: tuple[str, ...], verb: str) -> None:
    """Raises Stripe's refusal unless the intent has one of the statuses."""
    if intent["status"] in statuses:
        return
    message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    if intent["status"] == "succeeded" and verb == "confirm":
        message = "You cannot confirm this PaymentIntent because it has already succeeded after being confirmed before."
    elif verb == "cancel":
        message += f" Only a PaymentIntent with one of these statuses may be canceled: {', '.join(statuses)}."
    raise StripeError(message, code="payment_intent_unexpected_state", more={"payment_intent": intent})


def bank_page(books: Books, intent: Object) -> str:
    """Where the bank asks its customer."""
    return f"{books.url}/bank/{intent['id']}"


def _debit(books: Books, intent: Object, method: Object, call: Call | None) -> list[Object]:
    charge = books.keep(charges.by_debit(intent, method, books.now))
    intent |= {"status": "processing", "latest_charge": charge["id"], "payment_method": method["id"]}
    books.keep(intent)
    return [
        books.event("charge.pending", charge, call),
        books.event("payment_intent.processing", intent, call),
    ]


def _ask(books: Books, intent: Object, method: Object, return_url: str | None, call: Call | None) -> list[Object]:
    page = bank_page(books, intent)
    if return_url:
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    else:
        sdk = {"type": "three_d_secure_redirect", "stripe_js": page, "source": new_id("src_1")}
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    intent |= {"status": "requires_action", "next_action": action, "payment_method": method["id"]}
    books.keep(intent)
    return [books.event("payment_intent.requires_action", intent, call)]


def _charge(
    books: Books,
    intent: Object,
    method: Object,
    call: Call | None,
    *,
    error: Object | None = None,
    authenticated: bool = False,
) -> list[Object]:
    charge = books.keep(
        charges.by_card(intent, method, books.now, _receipt_url(books), error=error, authenticated=authenticated)
    )
    intent["latest_charge"] = charge["id"]
    if error is None:
        return _succeeded(books, intent, charge, call)
    told = error | {"charge": charge["id"], "payment_method": method}
    return [books.event("charge.failed", charge, call), _failed(books, intent, told, call)]


def _succeeded(books: Books, intent: Object, charge: Object, call: Call | None) -> list[Object]:
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "payment_method": charge["payment_method"],
    }
    books.keep(intent)
    events = [books.event("charge.succeeded", charge, call), books.event("payment_intent.succeeded", intent, call)]
    if intent["setup_future_usage"] and intent["customer"]:
        events += methods.attach(
            books, books.find("payment_method", intent["payment_method"]), intent["customer"], call
        )
    return events


def _failed(books: Books, intent: Object, error: Object, call: Call | None) -> Object:
    intent |= {"status": "requires_payment_method", "last_payment_error": error, "payment_method": None}
    books.keep(intent)
    return books.event("payment_intent.payment_failed", intent, call)


def _receipt_url(books: Books) -> str:
    return f"{books.url}/stripe"
