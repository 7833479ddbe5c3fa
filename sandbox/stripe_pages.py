"""The page where a developer sees the events and has them delivered again, and decides on SEPA debits."""

import json
import random
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.render import page
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_errors import StripeError

SHOWN = 50
AT_ONCE = 10


class StripePages:
    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self.routes = [
            Route("/stripe", self._events, methods=["GET"]),
            Route("/stripe/hold", self._hold, methods=["POST"]),
            Route("/stripe/shuffle", self._shuffle, methods=["POST"]),
            Route("/stripe/debits/{id}", self._end_debit, methods=["POST"]),
            Route("/stripe/events/{id}/deliver", self._deliver, methods=["POST"]),
        ]

    async def _events(self, request: Request) -> Response:
        events = self._account.events()[-SHOWN:][::-1]
        shown = [
            {
                "event": event,
                "delivery": self._account.courier.delivery(event["id"]),
                "json": json.dumps(event, indent=2, ensure_ascii=False),
            }
            for event in events
        ]
        return page(
            "stripe",
            events=shown,
            debits=self._account.debits(),
            debits_after=self._account.debits_after,
            requests=list(self._account.requests)[-SHOWN:][::-1],
            hold=self._account.hold,
            webhook_url=self._account.courier.url,
            at_once=AT_ONCE,
        )

    async def _hold(self, request: Request) -> Response:
        self._account.hold = (await request.form()).get("hold") == "yes"
        return RedirectResponse("/stripe", 303)

    async def _deliver(self, request: Request) -> Response:
        copies = AT_ONCE if (await request.form()).get("copies") else 1
        event = self._account.books.store.get("event", request.path_params["id"])
        if event and self._account.courier.url:
            await self._account.courier.deliver(event, copies)
        return RedirectResponse("/stripe", 303)

    async def _shuffle(self, request: Request) -> Response:
        """Deliver the newest events again, one after the other, in a random order."""
        events = self._account.events()[-AT_ONCE:]
        random.shuffle(events)
        for event in events if self._account.courier.url else []:
            await self._account.courier.deliver(event)
        return RedirectResponse("/stripe", 303)

    async def _end_debit(self, request: Request) -> Response:
        end = self._account.settle_debit if (await request.form()).get("end") == "settle" else self._account.fail_debit
        with suppress(StripeError):  # ended meanwhile, by the clock or in another tab
            end(request.path_params["id"])
        return RedirectResponse("/stripe", 303)
