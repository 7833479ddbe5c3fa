"""Where a customer looks after what they subscribed to: the billing portal, and an invoice's hosted page."""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import stripe_cards as cards
from sandbox import stripe_form as form
from sandbox import stripe_portal as portal
from sandbox.render import page
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_attempt import bank_page
from sandbox.stripe_errors import StripeError
from sandbox.stripe_form import Asked
from sandbox.stripe_objects import Object
from sandbox.stripe_pay_pages import REFUSALS, show_form, spaced, typed_in

SHOWN = 24


class BillingPages:
    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self.routes = [
            Route("/portal/{id}", self._show, methods=["GET"]),
            Route("/portal/{id}", self._change, methods=["POST"]),
            Route("/portal/{id}/card", self._replace_card, methods=["POST"]),
            Route("/invoice/{id}", self._show_invoice, methods=["GET"]),
            Route("/invoice/{id}", self._pay_invoice, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        session = portal.found(self._account.books, request.path_params["id"])
        return self._portal(session) if session else page("portal", status=410, session=None)

    async def _change(self, request: Request) -> Response:
        session = portal.found(self._account.books, request.path_params["id"])
        if session is None:
            return page("portal", status=410, session=None)
        posted = await request.form()
        subscription = self._account.books.store.get("subscription", str(posted.get("subscription", "")))
        if subscription and subscription["customer"] == session["customer"]:
            with suppress(StripeError):  # it has ended meanwhile
                if posted.get("do") == "resume":
                    self._account.resume_subscription(subscription["id"])
                else:
                    self._account.cancel_subscription(subscription["id"], at_period_end=True)
        return RedirectResponse(f"/portal/{session['id']}", 303)

    async def _replace_card(self, request: Request) -> Response:
        session = portal.found(self._account.books, request.path_params["id"])
        if session is None:
            return page("portal", status=410, session=None)
        asked = self._asked(session["customer"])
        typed, fill = await typed_in(request)
        if fill:
            return self._portal(session, form.filled(typed, fill))
        if problems := form.problems(typed, asked, self._account.books.now):
            return self._portal(session, typed, problems)
        self._account.save_card(session["customer"], form.payer(typed, asked))
        return RedirectResponse(f"/portal/{session['id']}", 303)

    async def _show_invoice(self, request: Request) -> Response:
        invoice = self._account.books.store.get("invoice", request.path_params["id"])
        if invoice is None or invoice["status"] != "open":
            return page("invoice", status=404 if invoice is None else 200, invoice=invoice)
        return self._invoice_form(invoice, {}, self._refusal(invoice))

    async def _pay_invoice(self, request: Request) -> Response:
        invoice = self._account.books.store.get("invoice", request.path_params["id"])
        if invoice is None or invoice["status"] != "open":
            return page("invoice", status=404 if invoice is None else 200, invoice=invoice)
        asked = self._asked(invoice["customer"])
        typed, fill = await typed_in(request)
        if fill:
            return self._invoice_form(invoice, form.filled(typed, fill))
        if problems := form.problems(typed, asked, self._account.books.now):
            return self._invoice_form(invoice, typed, problems, 402)
        self._account.take_invoice(invoice, form.payer(typed, asked))
        intent = self._account.intent(invoice["payment_intent"])
        if intent["status"] == "requires_action":
            return RedirectResponse(bank_page(self._account.books, intent), 303)
        if intent["status"] == "succeeded":
            return RedirectResponse(f"/invoice/{invoice['id']}", 303)
        return self._invoice_form(invoice, typed, self._refusal(invoice), 402)

    def _portal(
        self, session: Object, typed: dict[str, str] | None = None, problems: dict[str, str] | None = None
    ) -> Response:
        books, id = self._account.books, session["customer"]
        customer = books.find("customer", id)
        found = books.store.older("subscription", None, SHOWN, [("customer", "=", id)])
        return page(
            "portal",
            status=402 if problems else 200,
            session=session,
            customer=customer,
            subscriptions=[self._shown(each) for each in found],
            methods=books.store.older("payment_method", None, SHOWN, [("customer", "=", id)]),
            invoices=books.store.older("invoice", None, SHOWN, [("customer", "=", id)]),
            charged={each["default_payment_method"] for each in found}
            | {customer["invoice_settings"]["default_payment_method"]},
            typed=dict.fromkeys(form.FIELDS, "") | (typed or {}),
            problems=problems or {},
            numbers={spaced(number): word for number, word in cards.CARDS.items()},
        )

    def _shown(self, subscription: Object) -> Object:
        (item, *_) = subscription["items"]["data"]
        name = self._account.books.find("product", item["price"]["product"])["name"]
        return {"subscription": subscription, "item": item, "name": name}

    def _asked(self, customer_id: str) -> Asked:
        return Asked(types=["card"], email=self._account.books.find("customer", customer_id)["email"])

    def _invoice_form(
        self, invoice: Object, typed: dict[str, str], problems: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        lines = [
            {"description": line["description"], "quantity": 1, "amount": line["amount"], "every": None, "detail": None}
            for line in invoice["lines"]["data"]
        ]
        off = sum(each["amount"] for each in invoice["total_discount_amounts"])
        bill = {
            "amount": invoice["amount_due"],
            "currency": invoice["currency"],
            "lines": lines,
            "discount": {"name": None, "amount": off} if off else None,
            "every": None,
            "back": None,
        }
        return show_form(bill, self._asked(invoice["customer"]), typed, problems, status)

    def _refusal(self, invoice: Object) -> dict[str, str]:
        error = self._account.intent(invoice["payment_intent"])["last_payment_error"]
        return dict([REFUSALS[error["code"]]]) if error else {}
