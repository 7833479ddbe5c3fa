"""What happens to an open Checkout Session: a card pays it or is declined, or its time runs out."""

from sandbox import stripe_cards as cards
from sandbox import stripe_objects as objects
from sandbox.store import Condition
from sandbox.stripe_books import Books, Call
from sandbox.stripe_cards import Payer
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object
from sandbox.stripe_session import customer_details


class NotOpen(ValueError):
    """The session is complete or expired."""


def pay(books: Books, session: Object, payer: Payer) -> list[Object]:
    """Try the payer's card on an open session. Gives the events made, in Stripe's order. Raises NotOpen."""
    if session["status"] != "open":
        raise NotOpen(f"The Checkout Session is {session['status']}.")
    with books.store.transaction():
        events, intent = _intent(books, session)
        method = books.keep(cards.payment_method(payer, books.now))
        charge = books.keep(cards.charge(intent, method, books.now, f"{books.url}/stripe"))
        intent["latest_charge"] = charge["id"]
        if charge["paid"]:
            events += _paid(books, session, intent, charge, payer)
        else:
            events += _declined(books, intent, charge, method)
    return events


def expire(books: Books, session: Object, call: Call | None = None) -> Object:
    """End an open session. Gives its event. Raises StripeError when it is not open."""
    if session["status"] != "open":
        raise StripeError(f"Only open Checkout Sessions can be expired. This one is {session['status']}.")
    session |= {"status": "expired", "url": None}
    with books.store.transaction():
        books.keep(session)
        return books.event("checkout.session.expired", session, call)


def expire_due(books: Books, id: str | None = None) -> list[Object]:
    """End every session whose time has come, or look at that one only."""
    conditions: list[Condition] = [("status", "=", "open"), ("expires_at", "<=", books.now)]
    if id:
        conditions.append(("id", "=", id))
    return [expire(books, session) for session in books.store.all("checkout.session", conditions)]


def _intent(books: Books, session: Object) -> tuple[list[Object], Object]:
    """The session's PaymentIntent: Stripe makes it at the first attempt, not before."""
    if session["payment_intent"]:
        return [], books.find("payment_intent", session["payment_intent"])
    given = books.find("checkout.plan", session["id"])["payment_intent_data"]
    intent = books.keep(objects.payment_intent(session, given, books.now))
    session["payment_intent"] = intent["id"]
    books.keep(session)
    return [books.event("payment_intent.created", intent)], intent


def _paid(books: Books, session: Object, intent: Object, charge: Object, payer: Payer) -> list[Object]:
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "payment_method": charge["payment_method"],
    }
    session |= {
        "status": "complete",
        "payment_status": "paid",
        "url": None,
        "customer": session["customer"] or _new_customer(books, session, payer),
        "customer_details": customer_details(payer.email, name=payer.name, phone=payer.phone, address=payer.address),
    }
    _update_customer(books, session, payer)
    books.keep(intent)
    books.keep(session)
    return [
        books.event("charge.succeeded", charge),
        books.event("payment_intent.succeeded", intent),
        books.event("checkout.session.completed", session),
    ]


def _declined(books: Books, intent: Object, charge: Object, method: Object) -> list[Object]:
    intent |= {"status": "requires_payment_method", "last_payment_error": cards.payment_error(charge, method)}
    books.keep(intent)
    return [books.event("charge.failed", charge), books.event("payment_intent.payment_failed", intent)]


def _new_customer(books: Books, session: Object, payer: Payer) -> str | None:
    if session["customer_creation"] != "always":
        return None
    given = {"name": payer.name, "email": payer.email, "phone": payer.phone, "address": payer.address}
    return str(books.keep(objects.customer(given, books.now))["id"])


def _update_customer(books: Books, session: Object, payer: Payer) -> None:
    asked = books.find("checkout.plan", session["id"])["customer_update"]
    changes: Object = {}
    if asked.get("name") == "auto":
        changes["name"] = payer.name
    if asked.get("address") == "auto":
        changes["address"] = payer.address
    if changes:
        books.keep(books.find("customer", session["customer"]) | changes)
