"""The hosted payment page, and the page where a developer sees the events and has them delivered again."""

import json
import random
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import stripe_cards as cards
from sandbox.render import page
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_cards import Payer, UnknownCard
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object
from sandbox.stripe_params import email as read_email

SHOWN = 50
AT_ONCE = 10
FIELDS = ("email", "name", "phone", "card", "expiry", "cvc")
EXAMPLE = {"name": "Marie Martin", "phone": "+33 6 12 34 56 78", "expiry": "12 / 34", "cvc": "123"}


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
        form = await request.form()
        typed = {name: str(form.get(name, "")).strip() for name in FIELDS}
        if fill := form.get("fill"):
            given = {name: value for name, value in typed.items() if value}
            return self._form(session, EXAMPLE | given | {"card": str(fill)})
        problems = _problems(typed, session)
        if problems:
            return self._form(session, typed, problems)
        month, year = _expiry(typed["expiry"]) or (12, 2034)
        payer = Payer(
            name=typed["name"],
            email=_known_email(session) or typed["email"],
            phone=typed["phone"] if session["phone_number_collection"]["enabled"] else None,
            card=cards.number(typed["card"]),
            exp_month=month,
            exp_year=year,
        )
        self._account.take(session, payer)
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
            typed=dict.fromkeys(FIELDS, "") | typed,
            known_email=_known_email(session),
            problems=problems or {},
            cards={_spaced(number): effect for number, effect in cards.CARDS.items()},
        )


def _closed(session: Object | None) -> Response:
    return page("closed", status=404 if session is None else 410, session=session)


def _known_email(session: Object) -> str | None:
    details: dict[str, Any] = session["customer_details"] or {}
    return details.get("email")


def _problems(typed: dict[str, str], session: Object) -> dict[str, str]:
    """What stands in the way of paying, in French, by field."""
    problems = {}
    if not _known_email(session):
        try:
            read_email(typed["email"] or "?", "email")
        except StripeError:
            problems["email"] = "Indiquez une adresse e-mail valable."
    if not typed["name"]:
        problems["name"] = "Indiquez le nom inscrit sur la carte."
    if session["phone_number_collection"]["enabled"] and not re.fullmatch(r"\+?[\d .()-]{6,20}", typed["phone"]):
        problems["phone"] = "Indiquez un numéro de téléphone."
    try:
        cards.number(typed["card"])
    except UnknownCard:
        problems["card"] = "Carte inconnue de ce bac à sable. Utilisez une des cartes de test."
    if not _expiry(typed["expiry"]):
        problems["expiry"] = "Écrivez MM / AA."
    if not re.fullmatch(r"\d{3}", typed["cvc"]):
        problems["cvc"] = "Trois chiffres."
    return problems


def _expiry(typed: str) -> tuple[int, int] | None:
    """`12 / 34` → (12, 2034); None for what is no month. No card of the sandbox is ever too old."""
    match = re.fullmatch(r"(0[1-9]|1[0-2]) ?/? ?(?:20)?(\d{2})", typed)
    return (int(match[1]), 2000 + int(match[2])) if match else None


def _spaced(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
