"""The Stripe account that the sandbox plays: what tests hold in their hands."""

import asyncio
from collections import deque
from collections.abc import Callable

import httpx

from sandbox import stripe_cards as cards
from sandbox.store import Store, Thing
from sandbox.stripe_api import Api, ApiRequest
from sandbox.stripe_books import Books
from sandbox.stripe_cards import Payer
from sandbox.stripe_courier import Courier
from sandbox.stripe_faults import Fault, Faults
from sandbox.stripe_objects import Object
from sandbox.stripe_operations import operations
from sandbox.stripe_payment import expire, expire_due, pay

DEFAULT_PHONE = "+33612345678"


class StripeAccount:
    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        *,
        webhook_url: str | None,
        webhook_secret: str,
        transport: httpx.AsyncBaseTransport | None,
        first_retry: float,
    ) -> None:
        self.books = Books(store, clock)
        self.courier = Courier(
            store, clock, url=webhook_url, secret=webhook_secret, transport=transport, first_retry=first_retry
        )
        self._faults = Faults()
        self.api = Api(self.books, self._faults, operations(self.books, self.courier.send))

    @property
    def hold(self) -> bool:
        """Whether events are kept, and none delivered by itself: so from the start where no webhook_url was given."""
        return self.courier.hold

    @hold.setter
    def hold(self, hold: bool) -> None:
        self.courier.hold = hold

    @property
    def requests(self) -> deque[ApiRequest]:
        """The newest requests to the API, oldest first."""
        return self.api.requests

    async def pay(
        self,
        session_id: str,
        card: str = cards.GOOD,
        name: str = "Marie Martin",
        email: str | None = None,
        phone: str | None = None,
    ) -> list[Object]:
        """Do what the hosted page does; gives the events made, in Stripe's order, whether the card pays or is declined.

        email: by default the one the session knows. phone: taken only where the session collects phone numbers.
        Raises UnknownCard, NotOpen, and ValueError for what the page would not let a customer do.
        """
        session = self.session(session_id)
        address = email or (session["customer_details"] or {}).get("email")
        collects = session["phone_number_collection"]["enabled"]
        if not address:
            raise ValueError("The session knows no e-mail address: give pay() one.")
        if phone and not collects:
            raise ValueError("The session does not collect phone numbers: open it with phone_number_collection.")
        payer = Payer(
            name=name,
            email=address,
            phone=(phone or DEFAULT_PHONE) if collects else None,
            card=cards.number(card),
        )
        return self.take(session, payer)

    def take(self, session: Object, payer: Payer) -> list[Object]:
        """Try a card on a session, and send the events made."""
        events = pay(self.books, session, payer)
        self.courier.send(events)
        return events

    def session(self, id: str) -> Object:
        """The Checkout Session as it is now. Raises StripeError (404) when there is none."""
        self.courier.send(expire_due(self.books, id))
        return self.books.find("checkout.session", id, "session")

    def expire(self, session_id: str) -> Object:
        """End an open session before its time; gives the event made."""
        event = expire(self.books, self.session(session_id))
        self.courier.send([event])
        return event

    def events(self, type: str | None = None) -> list[Object]:
        """Every event, oldest first."""
        return self.books.store.all("event", [("type", "=", type)] if type else [])

    async def deliver(self, event: Object, copies: int = 1) -> list[httpx.Response]:
        """Post the event, signed, that many times at once. Raises httpx.HTTPError where there was no answer."""
        answers = []
        for answer in await self.courier.deliver(event, copies):
            if isinstance(answer, httpx.HTTPError):
                raise answer
            answers.append(answer)
        return answers

    async def settled(self) -> None:
        """Wait until each event sent by itself was taken (2xx) or given up."""
        await self.courier.settled()

    def attempts(self, event_id: str) -> list[Thing]:
        """The deliveries tried of an event, oldest first: `{at, status, error}`."""
        return list(self.courier.delivery(event_id)["attempts"])

    def sign(self, body: bytes, timestamp: int | None = None, secret: str | None = None) -> str:
        """The value of `Stripe-Signature` for a body."""
        return self.courier.sign(body, timestamp, secret)

    def fail_next(self, status: int | None = 500, times: int = 1, *, path: str = "/v1/", delay: float = 0.0) -> None:
        """Spoil the next requests whose path begins with `path`.

        status: 4xx refused before executing, 5xx kept for the idempotency key as Stripe does; None: executed, then the
        connection cut without an answer; 200: executed and answered. delay: seconds that executing takes.
        """
        self._faults.add(Fault(status=status, times=times, path=path, delay=delay))

    async def watch_the_clock(self, every: float) -> None:
        """Expire sessions on time, for ever."""
        while True:
            self.courier.send(expire_due(self.books))
            await asyncio.sleep(every)
