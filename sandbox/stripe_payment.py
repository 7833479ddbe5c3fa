"""What happens to payments begun: they are paid, refused, confirmed to the bank, settled, or their time runs out.

A Checkout Session follows its PaymentIntent. Each function gives the events made, in Stripe's order.
"""

from sandbox import stripe_attempt as attempt
from sandbox import stripe_coupons as coupons
from sandbox import stripe_invoices as invoices
from sandbox import stripe_objects as objects
from sandbox import stripe_sepa as sepa
from sandbox import stripe_subscriptions as subscriptions
from sandbox.store import Condition
from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object
from sandbox.stripe_payer import Payer
from sandbox.stripe_session import customer_details


class NotOpen(ValueError):
    """The session is complete or expired."""


def pay(books: Books, session: Object, payer: Payer) -> list[Object]:
    """Try the payer's card or bank account on an open session. Raises NotOpen."""
    if session["status"] != "open":
        raise NotOpen(f"The Checkout Session is {session['status']}.")
    with books.store.transaction():
        of_mode = subscriptions.begin if session["mode"] == "subscription" else _intent
        events, intent = of_mode(books, session)
        events += attempt.begin(books, intent, payer, return_url=f"{books.url}/pay/{session['id']}")
        return events + _followed(books, session, intent)


def pay_invoice(books: Books, invoice: Object, payer: Payer) -> list[Object]:
    """Try the payer's card on an invoice that is open. Raises NotOpen."""
    if invoice["status"] != "open":
        raise NotOpen(f"The invoice is {invoice['status']}.")
    intent = books.find("payment_intent", invoice["payment_intent"])
    with books.store.transaction():
        events = attempt.begin(books, intent, payer, return_url=f"{books.url}/invoice/{invoice['id']}")
        return events + _followed(books, session_of(books, intent), intent)


def confirm(
    books: Books, intent: Object, payer: Payer, *, return_url: str | None = None, call: Call | None = None
) -> list[Object]:
    """Try the payer's card or bank account on an intent of the API's. Raises StripeError when it cannot be paid."""
    must_be_ours(books, intent)
    with books.store.transaction():
        return attempt.begin(books, intent, payer, return_url=return_url, call=call)


def authenticate(books: Books, intent: Object, *, agreed: bool) -> list[Object]:
    """The bank's customer confirms, or refuses. Raises StripeError when nothing was asked, NotOpen when too late."""
    session = session_of(books, intent)
    if session and session["status"] == "expired":
        raise NotOpen("The Checkout Session is expired.")
    with books.store.transaction():
        events = attempt.authenticate(books, intent, agreed=agreed)
        return events + _followed(books, session, intent)


def settle(books: Books, intent: Object, *, paid: bool) -> list[Object]:
    """The bank pays the SEPA debit under way, or gives it back. Raises StripeError when there is none."""
    session = session_of(books, intent)
    with books.store.transaction():
        events = attempt.settle(books, intent, paid=paid)
        return events + _followed(books, session, intent)


def settle_due(books: Books, after: float) -> list[Object]:
    """Every debit under way since `after` seconds or longer ends as its IBAN says."""
    events = []
    for intent in debits(books):
        charge = books.find("charge", intent["latest_charge"])
        if charge["created"] + after <= books.clock():
            account = books.find("payment_method", intent["payment_method"])["sepa_debit"]
            events += settle(books, intent, paid=sepa.settles(account))
    return events


def debits(books: Books) -> list[Object]:
    """The intents whose SEPA debit is under way, oldest first."""
    return books.store.all("payment_intent", [("status", "=", "processing")])


def expire(books: Books, session: Object, call: Call | None = None) -> Object:
    """End an open session. Gives its event. Raises StripeError when it is not open."""
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session['status']}`."
        )
    session |= {"status": "expired", "url": None}
    with books.store.transaction():
        books.keep(session)
        return books.event("checkout.session.expired", session, call)


def end(books: Books, session: Object, call: Call | None = None) -> list[Object]:
    """End an open session, and the subscription that it began and nobody paid; gives the events made."""
    event = expire(books, session, call)
    return [event, *subscriptions.give_up(books, session)]


def expire_due(books: Books, id: str | None = None) -> list[Object]:
    """End every session whose time has come, or look at that one only."""
    conditions: list[Condition] = [("status", "=", "open"), ("expires_at", "<=", books.now)]
    if id:
        conditions.append(("id", "=", id))
    events = []
    for session in books.store.all("checkout.session", conditions):
        events += end(books, session)
    return events


def session_of(books: Books, intent: Object) -> Object | None:
    """The Checkout Session that an intent was made for, if any."""
    if intent["invoice"]:
        return subscriptions.session_of(books, intent["invoice"])
    return next(iter(books.store.all("checkout.session", [("payment_intent", "=", intent["id"])])), None)


def must_be_ours(books: Books, intent: Object) -> None:
    """Raises Stripe's refusal for an intent that belongs to a Checkout Session, or to an invoice."""
    if intent["invoice"] or session_of(books, intent):
        raise StripeError("You cannot perform this action on PaymentIntents created by Checkout.")


def _intent(books: Books, session: Object) -> tuple[list[Object], Object]:
    """The session's PaymentIntent: Stripe makes it at the first attempt, not before."""
    if session["payment_intent"]:
        return [], books.find("payment_intent", session["payment_intent"])
    given = books.plan(session)["payment_intent_data"] | {
        "amount": session["amount_total"],
        "currency": session["currency"],
        "customer": session["customer"],
        "payment_method_types": session["payment_method_types"],
    }
    intent = books.keep(objects.payment_intent(given, books.now))
    session["payment_intent"] = intent["id"]
    books.keep(session)
    return [books.event("payment_intent.created", intent)], intent


def _followed(books: Books, session: Object | None, intent: Object) -> list[Object]:
    """What the intent's new status means for its invoice and subscription, and for its session."""
    events = []
    if intent["invoice"]:
        events += invoices.follow(books, intent) + subscriptions.follow(books, intent["invoice"])
    return events + (_completion(books, session, intent) if session else [])


def _completion(books: Books, session: Object, intent: Object) -> list[Object]:
    if session["status"] == "open" and intent["status"] in ("succeeded", "processing"):
        return [_completed(books, session, intent)]
    if session["status"] == "complete" and intent["status"] == "succeeded":
        session["payment_status"] = "paid"
        return [books.event("checkout.session.async_payment_succeeded", books.keep(session))]
    if session["status"] == "complete":
        return [books.event("checkout.session.async_payment_failed", session)]
    return []


def _completed(books: Books, session: Object, intent: Object) -> Object:
    given = books.find("payment_method", intent["payment_method"])["billing_details"]
    known = {key: given[key] for key in ("email", "name", "phone", "address")}
    if intent["invoice"]:
        invoice = books.find("invoice", intent["invoice"])
        session |= {"invoice": invoice["id"], "subscription": invoice["subscription"]}
    session |= {
        "status": "complete",
        "payment_status": "paid" if intent["status"] == "succeeded" else "unpaid",
        "url": None,
        "customer": session["customer"] or _new_customer(books, session, known),
        "customer_details": customer_details(**known),
    }
    _update_customer(books, session, known)
    for discount in session["discounts"]:
        coupons.redeem(books, discount["coupon"])
    return books.event("checkout.session.completed", books.keep(session))


def _new_customer(books: Books, session: Object, known: Object) -> str | None:
    if session["customer_creation"] != "always":
        return None
    return str(books.keep(objects.customer(known, books.now))["id"])


def _update_customer(books: Books, session: Object, known: Object) -> None:
    asked = books.plan(session)["customer_update"]
    changes = {name: known[name] for name in ("name", "address") if asked.get(name) == "auto"}
    if changes:
        books.keep(books.find("customer", session["customer"]) | changes)
