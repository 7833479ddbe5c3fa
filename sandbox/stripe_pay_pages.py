"""Where a customer pays: Checkout's hosted page, a front end's own form for a PaymentIntent, the bank's question."""

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import stripe_cards as cards
from sandbox import stripe_form as form
from sandbox import stripe_sepa as sepa
from sandbox.render import every, page
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_attempt import PAYABLE, bank_page
from sandbox.stripe_errors import StripeError
from sandbox.stripe_form import Asked
from sandbox.stripe_links import STRIPE
from sandbox.stripe_objects import Object
from sandbox.stripe_params import url
from sandbox.stripe_payment import NotOpen, session_of

REFUSALS = {
    "card_declined": ("card", "Votre carte a été refusée. Essayez une autre carte."),
    "payment_intent_authentication_failure": (
        "card",
        "Votre banque n’a pas confirmé ce paiement. Réessayez, ou essayez une autre carte.",
    ),
    "debit_not_authorized": ("iban", "Votre banque a rejeté le prélèvement. Essayez un autre compte."),
}
"""An intent's last error: the field to blame, and what is said."""

NAMES = {"card": "Carte", "sepa_debit": "Prélèvement SEPA"}
NUMBERS = {"card": cards.CARDS, "sepa_debit": sepa.IBANS}
"""What a page shows of each means of payment."""


class PayPages:
    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self.routes = [
            Route("/buy/{id}", self._open_link),
            Route("/pay/{id}", self._show_session, methods=["GET"]),
            Route("/pay/{id}", self._pay_session, methods=["POST"]),
            Route("/pay-intent/{id}", self._show_intent, methods=["GET"]),
            Route("/pay-intent/{id}", self._pay_intent, methods=["POST"]),
            Route("/bank/{id}", self._ask, methods=["GET"]),
            Route("/bank/{id}", self._answer, methods=["POST"]),
        ]

    async def _open_link(self, request: Request) -> Response:
        try:
            session = self._account.open_link(request.path_params["id"])
        except StripeError:  # no such link, or its price was withdrawn
            return self._closed(None)
        return RedirectResponse(f"/pay/{session['id']}", 303)

    async def _show_session(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session["status"] != "open":
            return self._closed(session)
        tried = session["payment_intent"] or "subscription" in self._account.books.plan(session)
        return self._session_form(session, {}, self._refusal(self._account.intent_of(session) if tried else None))

    async def _pay_session(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session["status"] != "open":
            return self._closed(session)
        asked = form.asked_by_session(session)
        typed, fill = await typed_in(request)
        if fill:
            return self._session_form(session, form.filled(typed, fill))
        if problems := form.problems(typed, asked, self._account.books.now):
            return self._session_form(session, typed, problems, 402)
        self._account.take(session, form.payer(typed, asked))
        intent_id = self._account.intent_of(session)
        return self._after(intent_id) or self._session_form(session, typed, self._refusal(intent_id), 402)

    async def _show_intent(self, request: Request) -> Response:
        intent = self._intent(request)
        if intent is None or intent["status"] not in PAYABLE:
            return _intent_closed(intent)
        return self._intent_form(intent, {}, self._refusal(intent["id"]))

    async def _pay_intent(self, request: Request) -> Response:
        intent = self._intent(request)
        if intent is None or intent["status"] not in PAYABLE:
            return _intent_closed(intent)
        asked = self._asked_by_intent(intent)
        typed, fill = await typed_in(request)
        if fill:
            return self._intent_form(intent, form.filled(typed, fill))
        if problems := form.problems(typed, asked, self._account.books.now):
            return self._intent_form(intent, typed, problems, 402)
        back = _return_url(request) or str(request.url)
        self._account.take_intent(intent, form.payer(typed, asked), back)
        return self._after(intent["id"], back) or self._intent_form(intent, typed, self._refusal(intent["id"]), 402)

    async def _ask(self, request: Request) -> Response:
        intent = self._intent(request)
        if intent is None or intent["status"] != "requires_action":
            return page("bank_done", status=404 if intent is None else 410)
        method = self._account.books.find("payment_method", intent["payment_method"])
        return page("bank", intent=intent, last4=method["card"]["last4"], now=self._account.books.now)

    async def _answer(self, request: Request) -> Response:
        intent = self._intent(request)
        if intent is None or intent["status"] != "requires_action":
            return page("bank_done", status=404 if intent is None else 410)
        agreed = (await request.form()).get("answer") == "confirm"
        action = intent["next_action"]
        back = action["redirect_to_url"]["return_url"] if "redirect_to_url" in action else None
        try:
            self._account.answer_the_bank(intent["id"], agreed)
        except NotOpen:
            return page("bank_done", status=410)
        return self._after(intent["id"], back) or RedirectResponse(back or f"/pay-intent/{intent['id']}", 303)

    def _closed(self, session: Object | None) -> Response:
        """What an address says that takes no payment; after a sale by a link, the seller's thanks."""
        if session is None:
            return page("closed", status=404, session=None, rejected=False, back=None)
        complete = session["status"] == "complete"
        rejected = complete and self._account.intent(self._account.intent_of(session))["last_payment_error"] is not None
        return page(
            "closed",
            status=200 if complete and session["payment_link"] else 410,
            session=session,
            rejected=rejected,
            back=_success(session) if complete else session["cancel_url"],
        )

    def _after(self, intent_id: str, back: str | None = None) -> Response | None:
        """Where the browser goes after an attempt; None: back to the form, since it failed."""
        intent = self._account.intent(intent_id)
        if intent["status"] == "requires_action":
            return RedirectResponse(bank_page(self._account.books, intent), 303)
        session = session_of(self._account.books, intent)
        if session and session["status"] == "complete":
            return RedirectResponse(_success(session), 303)
        if intent["invoice"] and intent["status"] == "succeeded":
            return RedirectResponse(f"/invoice/{intent['invoice']}", 303)
        if session is None and intent["status"] in ("succeeded", "processing"):
            return RedirectResponse(_with_outcome(back, intent) if back else f"/pay-intent/{intent['id']}", 303)
        return None

    def _refusal(self, intent_id: str | None) -> dict[str, str]:
        """What the last attempt failed with, by field."""
        error = self._account.intent(intent_id)["last_payment_error"] if intent_id else None
        return dict([REFUSALS[error["code"]]]) if error else {}

    def _session(self, request: Request) -> Object | None:
        try:
            return self._account.session(request.path_params["id"])
        except StripeError:
            return None

    def _intent(self, request: Request) -> Object | None:
        """By its id, or by the client secret that a front end holds."""
        id, _, secret = request.path_params["id"].partition("_secret_")
        try:
            intent = self._account.intent(id)
        except StripeError:
            return None
        return intent if not secret or intent["client_secret"] == request.path_params["id"] else None

    def _asked_by_intent(self, intent: Object) -> Asked:
        customer = self._account.books.store.get("customer", intent["customer"]) if intent["customer"] else None
        return Asked(
            types=intent["payment_method_types"], email=intent["receipt_email"] or (customer or {}).get("email")
        )

    def _session_form(
        self, session: Object, typed: dict[str, str], problems: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        books = self._account.books
        lines = books.plan(session)["line_items"]
        bill = {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "lines": [
                {
                    "description": line["description"],
                    "detail": books.find("product", line["price"]["product"])["description"],
                    "quantity": line["quantity"],
                    "unit_amount": line["price"]["unit_amount"],
                    "amount": line["amount_subtotal"],
                    "every": every(line["price"]["recurring"]),
                }
                for line in lines
            ],
            "discount": self._discount(session),
            "every": next((each for line in lines if (each := every(line["price"]["recurring"]))), None),
            "back": None if session["payment_link"] else session["cancel_url"],
        }
        return show_form(bill, form.asked_by_session(session), typed, problems, status)

    def _discount(self, session: Object) -> Object | None:
        """The coupon's name, where it has one, and what it takes off."""
        for discount in self._account.books.plan(session).get("discounts", []):
            return {"name": discount["discount"]["coupon"]["name"], "amount": discount["amount"]}
        return None

    def _intent_form(
        self, intent: Object, typed: dict[str, str], problems: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        line = {
            "description": intent["description"] or "Paiement",
            "detail": None,
            "quantity": 1,
            "amount": intent["amount"],
        }
        line["every"] = line["detail"] = None
        bill = {
            "amount": intent["amount"],
            "currency": intent["currency"],
            "lines": [line],
            "discount": None,
            "every": None,
            "back": None,
        }
        return show_form(bill, self._asked_by_intent(intent), typed, problems, status)


def show_form(
    bill: dict[str, Any], asked: Asked, typed: dict[str, str], problems: dict[str, str] | None, status: int
) -> Response:
    return page(
        "pay",
        status=status,
        bill=bill,
        asked=asked,
        typed=dict.fromkeys(form.FIELDS, "") | typed,
        means=form.chosen(typed, asked),
        countries=form.COUNTRIES,
        problems=problems or {},
        names=NAMES,
        numbers=[(type, spaced(number), word) for type in asked.types for number, word in NUMBERS[type].items()],
    )


async def typed_in(request: Request) -> tuple[dict[str, str], str]:
    """The form's fields, and the test number that a button « Remplir » stands for."""
    posted = await request.form()
    return {name: str(posted.get(name, "")).strip() for name in form.FIELDS}, str(posted.get("fill", ""))


def _return_url(request: Request) -> str | None:
    """Where a front end wants its customer back, as Stripe's own `return_url`; None for what is no address."""
    try:
        return str(url(request.query_params.get("return_url", ""), "return_url"))
    except StripeError:
        return None


def _success(session: Object) -> str:
    """Where the seller wants its customer back; a link without such an address confirms here."""
    if session["success_url"] == STRIPE:
        return f"/pay/{session['id']}"
    return str(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _with_outcome(back: str, intent: Object) -> str:
    """The return address with what Stripe appends to it."""
    outcome = urlencode(
        {
            "payment_intent": intent["id"],
            "payment_intent_client_secret": intent["client_secret"],
            "redirect_status": "pending" if intent["status"] == "processing" else "succeeded",
        }
    )
    return f"{back}{'&' if '?' in back else '?'}{outcome}"


def _intent_closed(intent: Object | None) -> Response:
    return page("intent_closed", status=404 if intent is None else 200, intent=intent)


def spaced(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
