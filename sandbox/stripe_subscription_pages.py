"""Stripe's dashboard, as far as subscriptions go: what they are, ended or resumed; and the clock, to be advanced."""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.render import page
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object
from sandbox.stripe_subscriptions import ENDED

HERE = "/stripe/subscriptions"
SHOWN = 50
STEPS = {"day": {"days": 1}, "week": {"days": 7}, "month": {"months": 1}, "year": {"months": 12}}


class SubscriptionPages:
    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self.routes = [
            Route(HERE, self._show, methods=["GET"]),
            Route("/stripe/clock", self._advance, methods=["POST"]),
            Route(f"{HERE}/{{id}}", self._change, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        books = self._account.books
        found = books.store.older("subscription", None, SHOWN)
        return page(
            "subscriptions", shown=[self._shown(each) for each in found], now=books.now, steps=STEPS, ended=ENDED
        )

    async def _advance(self, request: Request) -> Response:
        step = STEPS.get(str((await request.form()).get("by", "")))
        if step:
            self._account.advance(**step)
        return RedirectResponse(HERE, 303)

    async def _change(self, request: Request) -> Response:
        id, action = request.path_params["id"], (await request.form()).get("do")
        with suppress(StripeError):  # it has ended meanwhile
            if action == "resume":
                self._account.resume_subscription(id)
            elif action in ("cancel", "cancel_now"):
                self._account.cancel_subscription(id, at_period_end=action == "cancel")
        return RedirectResponse(f"{HERE}#{id}", 303)

    def _shown(self, subscription: Object) -> Object:
        books = self._account.books
        (item, *_) = subscription["items"]["data"]
        return {
            "subscription": subscription,
            "item": item,
            "name": books.find("product", item["price"]["product"])["name"],
            "customer": books.find("customer", subscription["customer"]),
            "invoices": books.store.older("invoice", None, SHOWN, [("subscription", "=", subscription["id"])]),
        }
