"""A Stripe account that the sandbox plays: what tests hold in their hands."""

from collections import deque
from collections.abc import Callable
from typing import Any

import httpx

from sandbox import stripe_calendar as calendar
from sandbox import stripe_cards as cards
from sandbox import stripe_catalog as catalog
from sandbox import stripe_disputes as disputes
from sandbox import stripe_endpoints as endpoints
from sandbox import stripe_form as form
from sandbox import stripe_invoices as invoices
from sandbox import stripe_links as links
from sandbox import stripe_methods as methods
from sandbox import stripe_payment as payment
from sandbox import stripe_refunds as refunds
from sandbox import stripe_sepa as sepa
from sandbox import stripe_subscriptions as subscriptions
from sandbox.store import Store, Thing
from sandbox.stripe_api import Api, ApiRequest
from sandbox.stripe_books import Books
from sandbox.stripe_cards import Card
from sandbox.stripe_courier import Courier
from sandbox.stripe_endpoints import Target
from sandbox.stripe_faults import Fault, Faults
from sandbox.stripe_objects import NO_ADDRESS, Object
from sandbox.stripe_operations import operations
from sandbox.stripe_payer import COUNTRY_ALONE, Payer
from sandbox.stripe_periods import after
from sandbox.stripe_sepa import Iban

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
        debits_after: float | None,
        name: str = "sandbox",
    ) -> None:
        self.books = Books(store, clock, name)
        self.courier = Courier(
            store, clock, url=webhook_url, secret=webhook_secret, transport=transport, first_retry=first_retry
        )
        self.debits_after = debits_after
        self._faults = Faults()
        self.api = Api(self.books, self._faults, operations(self.books, self.courier.send))

    @property
    def id(self) -> str:
        """Stripe's id of the account."""
        return self.books.account

    def revoke(self, key: str) -> None:
        """Roll a key as in the dashboard: what it opened it opens no more."""
        self.api.revoked.add(key)

    def targets(self, event: Object) -> list[Target]:
        """The endpoints made by the API that are to be told of an event: address, and what signs it."""
        return endpoints.targets(self.books.store, event)

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
        *,
        iban: str | None = None,
        authenticate: bool | None = True,
    ) -> list[Object]:
        """Do what the hosted page does; gives the events made, in Stripe's order, whether the card pays or is declined.

        email: by default the one the session knows. phone: as people type it, only where the session collects phone
        numbers. address: `{line1, postal_code, city, country}`, only where the session requires one. Both by default.
        iban: pay by SEPA debit instead, where the session takes `sepa_debit`; `settle_debit` or `fail_debit` ends it.
        authenticate: what the bank's customer answers to a 3-D Secure card; None leaves the bank waiting.
        Raises UnknownCard, UnknownIban, NotOpen, and ValueError for what the page would not let a customer do.
        """
        session = self.session(session_id)
        asked = form.asked_by_session(session)
        mailbox = email or asked.email
        if not mailbox:
            raise ValueError("The session knows no e-mail address: give pay() one.")
        if phone and not asked.phone:
            raise ValueError("The session does not collect phone numbers: open it with phone_number_collection.")
        if phone and not form.e164(phone):
            raise ValueError(f"{phone!r} is no phone number.")
        if address and not asked.address:
            raise ValueError("The session requires no address: open it with billing_address_collection.")
        if ("sepa_debit" if iban else "card") not in asked.types:
            raise ValueError(f"The session takes {' and '.join(asked.types)} only: see payment_method_types.")
        payer = Payer(
            means=_means(card, iban),
            name=name,
            email=mailbox,
            phone=form.e164(phone or DEFAULT_PHONE) if asked.phone else None,
            address=NO_ADDRESS | (address or form.ADDRESS) if asked.address else COUNTRY_ALONE,
        )
        events = self.take(session, payer)
        return events + self._asked_the_bank(self.intent_of(self.session(session_id)), authenticate)

    async def confirm(
        self,
        intent_id: str,
        card: str = cards.GOOD,
        name: str = "Marie Martin",
        email: str = "marie.martin@example.com",
        *,
        iban: str | None = None,
        authenticate: bool | None = True,
    ) -> list[Object]:
        """Pay a PaymentIntent made by the API as a front end's own form does; gives the events made, as `pay`.

        Raises UnknownCard, UnknownIban, and StripeError for an intent that cannot be paid so.
        """
        events = self.take_intent(self.intent(intent_id), Payer(_means(card, iban), name, email))
        return events + self._asked_the_bank(intent_id, authenticate)

    def take(self, session: Object, payer: Payer) -> list[Object]:
        """Try a card or an IBAN on a session, and send the events made."""
        return self._sent(payment.pay(self.books, session, payer))

    def take_intent(self, intent: Object, payer: Payer, return_url: str | None = None) -> list[Object]:
        """Try a card or an IBAN on a PaymentIntent of the API's, and send the events made."""
        return self._sent(payment.confirm(self.books, intent, payer, return_url=return_url))

    def answer_the_bank(self, intent_id: str, agreed: bool) -> list[Object]:
        """Confirm the payment to the bank (3-D Secure), or refuse it. Raises StripeError when nothing was asked."""
        return self._sent(payment.authenticate(self.books, self.intent(intent_id), agreed=agreed))

    def debits(self) -> list[Object]:
        """The PaymentIntents whose SEPA debit is under way, oldest first."""
        return payment.debits(self.books)

    def settle_debit(self, intent_id: str) -> list[Object]:
        """Let the bank pay a SEPA debit; gives the events made. Raises StripeError when none is under way."""
        return self._sent(payment.settle(self.books, self.intent(intent_id), paid=True))

    def fail_debit(self, intent_id: str) -> list[Object]:
        """Let the bank give a SEPA debit back; gives the events made. Raises StripeError when none is under way."""
        return self._sent(payment.settle(self.books, self.intent(intent_id), paid=False))

    def refund(self, intent_id: str, amount: int | None = None, *, pending: bool = False) -> list[Object]:
        """Give money of a PaymentIntent back as in the dashboard, what is left of it unless told; gives the events
        made. By bank, or where `pending`, `end_refund` ends it. Raises StripeError."""
        params = {"payment_intent": intent_id} | ({} if amount is None else {"amount": amount})
        return self._sent(refunds.create(self.books, params, pending=pending)[1])

    def end_refund(self, id: str, status: str) -> list[Object]:
        """Let a refund be `succeeded`, `failed` or `canceled`; gives the events made. Raises StripeError."""
        return self._sent(refunds.end(self.books, id, status))

    def dispute(self, intent_id: str, reason: str = "fraudulent") -> list[Object]:
        """Let the client's bank ask back what is left of a PaymentIntent; gives the events made. Raises StripeError."""
        charge = self.books.find("charge", self.intent(intent_id)["latest_charge"])
        return self._sent(disputes.open_dispute(self.books, charge, reason))

    def close_dispute(self, id: str, *, won: bool) -> list[Object]:
        """Let the bank say who is right; gives the events made. Raises StripeError where it has."""
        return self._sent(disputes.close(self.books, id, won=won)[1])

    def intent(self, id: str) -> Object:
        """The PaymentIntent as it is now. Raises StripeError (404) when there is none."""
        return self.books.find("payment_intent", id, "intent")

    def intent_of(self, session: Object) -> str:
        """The PaymentIntent that a session made at its first attempt, by id; of a subscription its first invoice's."""
        plan = self.books.plan(session)
        if "subscription" not in plan:
            return str(session["payment_intent"])
        subscription = self.subscription(plan["subscription"])
        return str(self.invoice(subscription["latest_invoice"])["payment_intent"])

    def subscription(self, id: str) -> Object:
        """The subscription as it is now. Raises StripeError (404) when there is none."""
        return self.books.find("subscription", id)

    def invoice(self, id: str) -> Object:
        """Stripe's own invoice as it is now. Raises StripeError (404) when there is none."""
        return self.books.find("invoice", id)

    def pay_invoice(self, id: str, card: str = cards.GOOD) -> list[Object]:
        """Pay an invoice that is open, as on its hosted page; gives the events made. Raises NotOpen."""
        return self.take_invoice(self.invoice(id), Payer(_means(card, None)))

    def take_invoice(self, invoice: Object, payer: Payer) -> list[Object]:
        """Try a card on an invoice, and send the events made."""
        return self._sent(payment.pay_invoice(self.books, invoice, payer))

    def replace_card(self, customer_id: str, card: str = cards.GOOD) -> list[Object]:
        """Give another card as on the billing portal's page, for all renewals from now on; gives the events made."""
        return self.save_card(customer_id, Payer(_means(card, None)))

    def save_card(self, customer_id: str, payer: Payer) -> list[Object]:
        """Keep what the payer typed as the customer's card, and send the events made."""
        return self._sent(methods.replace(self.books, customer_id, payer))

    def cancel_subscription(self, id: str, *, at_period_end: bool = False) -> list[Object]:
        """End a subscription as in the dashboard, now or with its period; gives the events made. Raises StripeError."""
        if at_period_end:
            return self._sent(subscriptions.update(self.books, {"cancel_at_period_end": True}, id)[1])
        return self._sent(subscriptions.cancel(self.books, id)[1])

    def resume_subscription(self, id: str) -> list[Object]:
        """Let one that was to end with its period go on; gives the events made. Raises StripeError."""
        return self._sent(subscriptions.update(self.books, {"cancel_at_period_end": False}, id)[1])

    def advance(self, *, days: int = 0, months: int = 0) -> list[Object]:
        """Move the account's clock on, and do all that falls due until then, each thing at its moment: renewals, their
        charges, sessions that run out. A month is a calendar's, and the hour that a renewal's invoice waits.

        Gives the events made, in their order.
        """
        now = self.books.now
        then = after(now, "month", months) + days * invoices.DAY + (invoices.HOUR if months else 0)
        self.books.advance(then - now)
        return self.look_at_the_clock()

    def session(self, id: str) -> Object:
        """The Checkout Session as it is now. Raises StripeError (404) when there is none."""
        self.courier.send(payment.expire_due(self.books, id))
        return self.books.find("checkout.session", id, "session")

    def expire(self, session_id: str) -> Object:
        """End an open session before its time; gives the event of it."""
        events = self._sent(payment.end(self.books, self.session(session_id)))
        return events[0]

    def open_link(self, link_id: str) -> Object:
        """What opening a payment link's address does; gives the new Checkout Session. Raises StripeError (404)."""
        return links.open_link(self.books, self.books.find("payment_link", link_id))

    def edit_product(self, id: str, **changes: Any) -> list[Object]:
        """Change a product as in Stripe's dashboard, `metadata={"partners": "one,two"}` say; gives the events made."""
        return self._sent(catalog.update_product(self.books, changes, id)[1])

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

    def lose_next(self, count: int = 1) -> None:
        """Never deliver so many of the next events by itself; the API's list has them, and `deliver` posts them."""
        self.courier.to_lose = count

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

    def look_at_the_clock(self) -> list[Object]:
        """Do what is due: renew subscriptions, expire sessions, and end SEPA debits where `debits_after` is set; gives
        the events made."""
        events = calendar.catch_up(self.books) + payment.expire_due(self.books)
        if self.debits_after is not None:
            events += payment.settle_due(self.books, self.debits_after)
        return self._sent(events)

    def _asked_the_bank(self, intent_id: str, agreed: bool | None) -> list[Object]:
        if agreed is None or self.intent(intent_id)["status"] != "requires_action":
            return []
        return self.answer_the_bank(intent_id, agreed)

    def _sent(self, events: list[Object]) -> list[Object]:
        self.courier.send(events)
        return events


def _means(card: str, iban: str | None) -> Card | Iban:
    return Iban(sepa.number(iban)) if iban else Card(cards.number(card))
