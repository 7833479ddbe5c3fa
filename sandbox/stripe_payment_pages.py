"""Stripe's dashboard, as far as payments go: money given back, disputes, and what the bank says of both."""

import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import stripe_disputes as disputes
from sandbox import stripe_refunds as refunds
from sandbox.render import page
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object

SHOWN = 50


class PaymentPages:
    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self.routes = [
            Route("/stripe/payments", self._show, methods=["GET"]),
            Route("/stripe/payments/{id}/refund", self._refund, methods=["POST"]),
            Route("/stripe/payments/{id}/dispute", self._dispute, methods=["POST"]),
            Route("/stripe/refunds/{id}", self._end_refund, methods=["POST"]),
            Route("/stripe/disputes/{id}", self._close_dispute, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        return self._page()

    async def _refund(self, request: Request) -> Response:
        typed = str((await request.form()).get("amount", "")).strip()
        if typed and not re.fullmatch(r"\d{1,6}([.,]\d{1,2})?", typed):
            return self._page(problem="An amount in euros, like 49,90; nothing for all that is left.")
        amount = int(Decimal(typed.replace(",", ".")) * 100) if typed else None
        try:
            self._account.refund(request.path_params["id"], amount)
        except StripeError as error:
            return self._page(problem=str(error))
        return RedirectResponse("/stripe/payments", 303)

    async def _dispute(self, request: Request) -> Response:
        try:
            self._account.dispute(request.path_params["id"])
        except StripeError as error:
            return self._page(problem=str(error))
        return RedirectResponse("/stripe/payments", 303)

    async def _end_refund(self, request: Request) -> Response:
        status = "succeeded" if (await request.form()).get("end") == "settle" else "failed"
        with suppress(StripeError):  # ended meanwhile, in another tab
            self._account.end_refund(request.path_params["id"], status)
        return RedirectResponse("/stripe/payments", 303)

    async def _close_dispute(self, request: Request) -> Response:
        with suppress(StripeError):
            self._account.close_dispute(request.path_params["id"], won=(await request.form()).get("end") == "won")
        return RedirectResponse("/stripe/payments", 303)

    def _page(self, problem: str | None = None) -> Response:
        charges = self._account.books.store.older("charge", None, SHOWN, [("status", "=", "succeeded")])
        return page(
            "payments",
            status=400 if problem else 200,
            payments=[self._shown(charge) for charge in charges],
            pending=refunds.unanswered(self._account.books),
            disputes=disputes.undecided(self._account.books),
            problem=problem,
        )

    def _shown(self, charge: Object) -> dict[str, Any]:
        return {"charge": charge, "left": 0 if charge["disputed"] else charge["amount"] - charge["amount_refunded"]}
