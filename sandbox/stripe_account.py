"""The Stripe account that the sandbox plays: what tests hold in their hands."""

import asyncio
from collections import deque
from collections.abc import Callable

import httpx

from sandbox import stripe_cards as cards
from sandbox import stripe_form as form
from sandbox.store import Store, Thing
from sandbox.stripe_api import Api, ApiRequest
from sandbox.stripe_books import Books
from sandbox.stripe_cards import COUNTRY_ALONE, Payer
from sandbox.stripe_courier import Courier
from sandbox.stripe_faults import Fault, Faults
from sandbox.stripe_objects import NO_ADDRESS, Object
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
        address: dict[str, str] | None = None,
    ) -> list[Object]:
        """Do what the hosted page does; gives the events made, in Stripe's order, whether the card pays or is declined.

        email: by default the one the session knows. phone: as people type it, only where the session collects phone
        numbers. address: `{line1, postal_code, city, country}`, only where the session requires one. Both by default.
        Raises UnknownCard, NotOpen, and ValueError for what the page would not let a customer do.
        """
        session = self.session(session_id)
        mailbox = email or form.known_email(session)
        if not mailbox:
            raise ValueError("The session knows no e-mail address: give pay() one.")
        if phone and not form.asks_phone(session):
            raise ValueError("The session does not collect phone numbers: open it with phone_number_collection.")
        if phone and not form.e164(phone):
            raise ValueError(f"{phone!r} is no phone number.")
        if address and not form.asks_address(session):
            raise ValueError("The session requires no address: open it with billing_address_collection.")
        payer = Payer(
            name=name,
            email=mailbox,
            phone=form.e164(phone or DEFAULT_PHONE) if form.asks_phone(session) else None,
            card=cards.number(card),
            address=NO_ADDRESS | (address or form.ADDRESS) if form.asks_address(session) else COUNTRY_ALONE,
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
