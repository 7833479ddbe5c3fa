"""The hosted payment page, and the page where a developer sees the events and has them delivered again."""

import json
import random

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import stripe_cards as cards
from sandbox import stripe_form as form
from sandbox.render import page
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object

SHOWN = 50
AT_ONCE = 10


class StripePages:
    def __init__(self, account: StripeAccount) -> None:
        self._account = account
        self.routes = [
            Route("/pay/{id}", self._show, methods=["GET"]),
            Route("/pay/{id}", self._pay, methods=["POST"]),
            Route("/stripe", self._events, methods=["GET"]),
            Route("/stripe/hold", self._hold, methods=["POST"]),
            Route("/stripe/shuffle", self._shuffle, methods=["POST"]),
            Route("/stripe/events/{id}/deliver", self._deliver, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session["status"] != "open":
            return _closed(session)
        return self._form(session, {})

    async def _pay(self, request: Request) -> Response:
        session = self._session(request)
        if session is None or session["status"] != "open":
            return _closed(session)
        posted = await request.form()
        typed = {name: str(posted.get(name, "")).strip() for name in form.FIELDS}
        if fill := posted.get("fill"):
            given = {name: value for name, value in typed.items() if value}
            return self._form(session, form.EXAMPLE | given | {"card": str(fill)})
        if problems := form.problems(typed, session, self._account.books.now):
            return self._form(session, typed, problems)
        self._account.take(session, form.payer(typed, session))
        if session["status"] == "open":
            return self._form(session, typed, {"card": "Votre carte a été refusée. Essayez une autre carte."})
        return RedirectResponse(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), 303)

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

    def _session(self, request: Request) -> Object | None:
        try:
            return self._account.session(request.path_params["id"])
        except StripeError:
            return None

    def _form(self, session: Object, typed: dict[str, str], problems: dict[str, str] | None = None) -> Response:
        expanded = self._account.books.expand(dict(session), ["line_items"])
        return page(
            "pay",
            status=402 if problems else 200,
            session=expanded,
            typed=dict.fromkeys(form.FIELDS, "") | typed,
            known_email=form.known_email(session),
            asks_address=form.asks_address(session),
            asks_phone=form.asks_phone(session),
            countries=form.COUNTRIES,
            problems=problems or {},
            cards={_spaced(number): effect for number, effect in cards.CARDS.items()},
        )


def _closed(session: Object | None) -> Response:
    return page("closed", status=404 if session is None else 410, session=session)


def _spaced(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
