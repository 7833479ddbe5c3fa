"""Stripe, by its own client, at one pinned API version; and the check of what it posts to us.

https://docs.stripe.com/api, https://docs.stripe.com/webhooks#verify-manually
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Self, TypeVar

import stripe
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from errors import Disconnected, Gone, NotConfigured, Refused, Unavailable
from providers.base import Provider, Surroundings
from providers.metrics import CALLS, timed
from providers.offers import Category, Feature, Offer, Words, asked

API_VERSION = "2024-06-20"
TIMEOUT = 15.0  # seconds, each try
RETRIES = 2  # by the client itself, under the same idempotency key
PAGE = 100  # objects, as many as Stripe gives at once
PAUSE = 0.05  # seconds between two pages
API_BASE = "https://api.stripe.com"
TOLERANCE = 300  # seconds that a signature stays good

LATEST = ["latest_invoice.payment_intent.latest_charge"]

T = TypeVar("T")
Object = dict[str, Any]


class Credentials(BaseModel):
    """The secret key, test or live; without one, the first use says so."""

    model_config = ConfigDict(frozen=True)

    secret_key: SecretStr | None


class OwnAccount(Credentials):
    """An organization's own account: what its form asks for."""

    secret_key: SecretStr = asked(
        Words("Clé secrète", "Secret key"),
        Words("Encaisse et rembourse sur votre compte.", "Charges and refunds in your account."),
        where=Words("Stripe → Développeurs → Clés API : sk_… ou rk_…", "Stripe → Developers → API keys: sk_… or rk_…"),
    )
    publishable_key: str | None = asked(
        Words("Clé publiable", "Publishable key"),
        Words("Pour un formulaire de paiement à vous (Stripe.js).", "For a payment form of your own (Stripe.js)."),
        where=Words("À côté de la clé secrète : pk_…", "Beside the secret key: pk_…"),
        default=None,
        pattern="^pk_(test|live)_[A-Za-z0-9_]+$",
        max_length=255,
    )
    webhook_secret: SecretStr | None = asked(
        Words("Secret de signature", "Signing secret"),
        Words(
            "Seulement si vous avez créé le point de terminaison vous-même ; sinon nous le créons.",
            "Only where you made the webhook endpoint yourself; else we make it.",
        ),
        where=Words("Stripe → Développeurs → Webhooks : whsec_…", "Stripe → Developers → Webhooks: whsec_…"),
        default=None,
    )

    @field_validator("secret_key")
    @classmethod
    def _is_secret(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch("[sr]k_(test|live)_[A-Za-z0-9_]{1,240}", value.get_secret_value()):
            raise ValueError("a secret key begins with sk_test_, sk_live_, rk_test_ or rk_live_")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _signs(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch("whsec_[A-Za-z0-9_+/=]{1,240}", value.get_secret_value()):
            raise ValueError("a signing secret begins with whsec_")
        return value

    @model_validator(mode="after")
    def _are_of_one_mode(self) -> Self:
        if self.publishable_key and self.publishable_key.startswith("pk_live_") != self.live:
            raise ValueError("the keys are of two modes: give both of test mode, or both live ones")
        return self

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return self.secret_key.get_secret_value()[3:8] == "live_"


class Stripe(Provider[Credentials]):
    """What Comptoir asks of Stripe. Requests are its parameters; each POST carries the caller's idempotency key."""

    name, category = "Stripe", Category.PAYMENTS
    offer = Offer(
        OwnAccount,
        does=Words(
            "Cartes, prélèvements SEPA et abonnements sur votre propre compte.",
            "Cards, SEPA debits and subscriptions in your own account.",
        ),
        needs=Words("Un compte Stripe activé.", "An activated Stripe account."),
        opens=(Feature.OWN_PAYMENTS,),
    )

    @classmethod
    def connect(cls, credentials: Credentials, surroundings: Surroundings) -> Self:
        return cls(credentials, url=surroundings.urls.get(cls.key, API_BASE))

    def __init__(
        self, credentials: Credentials, *, url: str = API_BASE, http: stripe.HTTPXClient | None = None
    ) -> None:
        super().__init__(credentials)
        self._url, self._given = url, http

    def beside(self, credentials: Credentials) -> "Stripe":
        """Another account's, over the same connections: this one closes them."""
        return Stripe(credentials, url=self._url, http=self._http)

    async def check(self) -> None:
        """Connection test. Raises Disconnected for a bad key."""
        await _told(lambda: self._client.v1.balance.retrieve_async())

    async def close(self) -> None:
        if self._given is None and "_http" in self.__dict__:
            await self._http.close_async()  # type: ignore[no-untyped-call]

    async def account(self) -> stripe.Account:
        """The account that the key is of. Raises Disconnected for a restricted key that may not read it."""
        return await _told(lambda: self._client.v1.accounts.retrieve_current_async())

    async def webhook_endpoints(self) -> list[stripe.WebhookEndpoint]:
        """100 at most, which is more than an account may have."""
        found = await _told(lambda: self._client.v1.webhook_endpoints.list_async({"limit": 100}))
        return list(found.data)

    async def create_webhook_endpoint(self, request: Any, key: str) -> stripe.WebhookEndpoint:
        """With its secret, which Stripe never shows again."""
        return await _told(lambda: self._client.v1.webhook_endpoints.create_async(request, {"idempotency_key": key}))

    async def update_webhook_endpoint(self, id: str, request: Any) -> stripe.WebhookEndpoint:
        return await _told(lambda: self._client.v1.webhook_endpoints.update_async(id, request))

    async def delete_webhook_endpoint(self, id: str) -> None:
        """Raises Gone for one that is not there."""
        await _told(lambda: self._client.v1.webhook_endpoints.delete_async(id))

    async def create_customer(self, request: Any, key: str) -> stripe.Customer:
        return await _told(lambda: self._client.v1.customers.create_async(request, {"idempotency_key": key}))

    async def create_product(self, request: Any, key: str) -> stripe.Product:
        return await _told(lambda: self._client.v1.products.create_async(request, {"idempotency_key": key}))

    async def create_checkout_session(self, request: Any, key: str) -> "stripe.checkout.Session":
        return await _told(lambda: self._client.v1.checkout.sessions.create_async(request, {"idempotency_key": key}))

    async def expire_checkout_session(self, id: str, key: str) -> "stripe.checkout.Session":
        """Raises Refused for one that is not open any more."""
        return await _told(lambda: self._client.v1.checkout.sessions.expire_async(id, options={"idempotency_key": key}))

    async def checkout_session(self, id: str) -> "stripe.checkout.Session":
        return await _told(lambda: self._client.v1.checkout.sessions.retrieve_async(id))

    async def line_items(self, session_id: str) -> list[stripe.LineItem]:
        """Of a Checkout Session, 100 at most: as many as it takes."""
        found = await _told(lambda: self._client.v1.checkout.sessions.line_items.list_async(session_id, {"limit": 100}))
        return list(found.data)

    async def sessions_of_intent(self, intent_id: str) -> list["stripe.checkout.Session"]:
        """The Checkout Session that a PaymentIntent belongs to, if any."""
        found = await _told(
            lambda: self._client.v1.checkout.sessions.list_async({"payment_intent": intent_id, "limit": 1})
        )
        return list(found.data)

    async def sessions_of_subscription(self, subscription_id: str) -> list["stripe.checkout.Session"]:
        """The Checkout Session that a subscription was begun by, if any."""
        found = await _told(
            lambda: self._client.v1.checkout.sessions.list_async({"subscription": subscription_id, "limit": 1})
        )
        return list(found.data)

    async def create_payment_intent(self, request: Any, key: str) -> stripe.PaymentIntent:
        return await _told(lambda: self._client.v1.payment_intents.create_async(request, {"idempotency_key": key}))

    async def payment_intent(self, id: str) -> stripe.PaymentIntent:
        return await _told(lambda: self._client.v1.payment_intents.retrieve_async(id))

    async def cancel_payment_intent(self, id: str, key: str) -> stripe.PaymentIntent:
        """Raises Refused for one that succeeded, or is being paid."""
        return await _told(lambda: self._client.v1.payment_intents.cancel_async(id, options={"idempotency_key": key}))

    async def create_refund(self, request: Any, key: str) -> stripe.Refund:
        return await _told(lambda: self._client.v1.refunds.create_async(request, {"idempotency_key": key}))

    async def refund(self, id: str) -> stripe.Refund:
        return await _told(lambda: self._client.v1.refunds.retrieve_async(id))

    async def refunds_of_intent(self, intent_id: str) -> list[stripe.Refund]:
        """Of a PaymentIntent, 100 at most: the newest."""
        found = await _told(lambda: self._client.v1.refunds.list_async({"payment_intent": intent_id, "limit": 100}))
        return list(found.data)

    async def dispute(self, id: str) -> stripe.Dispute:
        return await _told(lambda: self._client.v1.disputes.retrieve_async(id))

    async def events(self, since: datetime, until: datetime, types: Sequence[str]) -> AsyncIterator[list[Object]]:
        """What was told of these types (20 at most) in that time, newest first, by pages. Stripe keeps them 30 days."""
        listed: Any = self._client.v1.events.list_async
        async for page in _pages(listed, {"types": list(types), "created": _between(since, until)}):
            yield page

    async def payment_intents(self, since: datetime, until: datetime) -> AsyncIterator[list[Object]]:
        """Those made in that time, newest first, by pages."""
        listed: Any = self._client.v1.payment_intents.list_async
        async for page in _pages(listed, {"created": _between(since, until)}):
            yield page

    async def create_coupon(self, request: Any, key: str) -> stripe.Coupon:
        return await _told(lambda: self._client.v1.coupons.create_async(request, {"idempotency_key": key}))

    async def update_product(self, id: str, request: Any) -> stripe.Product:
        """Without an idempotency key: a change back to what was before would only be given the old answer."""
        return await _told(lambda: self._client.v1.products.update_async(id, request))

    async def create_price(self, request: Any, key: str) -> stripe.Price:
        return await _told(lambda: self._client.v1.prices.create_async(request, {"idempotency_key": key}))

    async def update_price(self, id: str, request: Any) -> stripe.Price:
        """Without an idempotency key, like a product."""
        return await _told(lambda: self._client.v1.prices.update_async(id, request))

    async def subscription(self, id: str) -> stripe.Subscription:
        """With its latest invoice, and that one's PaymentIntent."""
        return await _told(lambda: self._client.v1.subscriptions.retrieve_async(id, {"expand": LATEST}))

    async def update_subscription(self, id: str, request: Any) -> stripe.Subscription:
        """As `subscription` gives it. Without an idempotency key: set twice is set. Raises Gone once it ended."""
        return await _told(lambda: self._client.v1.subscriptions.update_async(id, request | {"expand": LATEST}))

    async def cancel_subscription(self, id: str) -> stripe.Subscription:
        """End one now, as `subscription` gives it. Raises Gone once it ended."""
        return await _told(lambda: self._client.v1.subscriptions.cancel_async(id, {"expand": LATEST}))

    async def invoice_lines(self, id: str) -> list[stripe.InvoiceLineItem]:
        """Of one of Stripe's own invoices, 100 at most."""
        found = await _told(lambda: self._client.v1.invoices.line_items.list_async(id, {"limit": 100}))
        return list(found.data)

    async def customer(self, id: str) -> stripe.Customer:
        return await _told(lambda: self._client.v1.customers.retrieve_async(id))

    async def delete_customer(self, id: str) -> None:
        """With what they saved; what they paid stays. Raises Gone for one that is not there."""
        await _told(lambda: self._client.v1.customers.delete_async(id))

    async def payment_methods(self, customer_id: str) -> list[stripe.PaymentMethod]:
        """Those that a customer saved, 100 at most, newest first."""
        found = await _told(lambda: self._client.v1.customers.payment_methods.list_async(customer_id, {"limit": 100}))
        return list(found.data)

    async def create_portal_session(self, request: Any, key: str) -> "stripe.billing_portal.Session":
        return await _told(
            lambda: self._client.v1.billing_portal.sessions.create_async(request, {"idempotency_key": key})
        )

    @cached_property
    def _client(self) -> stripe.StripeClient:
        key = self.credentials.secret_key
        if not key:
            raise NotConfigured("STRIPE_SECRET_KEY is not set. Set it in the environment and restart.")
        return stripe.StripeClient(
            key.get_secret_value(),
            stripe_version=API_VERSION,
            base_addresses={"api": self._url},
            max_network_retries=RETRIES,
            http_client=self._http,
        )

    @cached_property
    def _http(self) -> stripe.HTTPXClient:
        return self._given or stripe.HTTPXClient(timeout=TIMEOUT)


def _between(since: datetime, until: datetime) -> dict[str, int]:
    """In Stripe's whole seconds."""
    return {"gte": int(since.timestamp()), "lt": int(until.timestamp())}


async def _pages(listed: Callable[[Any], Awaitable[Any]], params: dict[str, Any]) -> AsyncIterator[list[Object]]:
    """Of a list, as long as there are any; with a pause in between, since Stripe counts what is asked."""
    params = {**params, "limit": PAGE}
    while True:
        page = await _told(partial(listed, params))
        if page.data:
            yield [item.to_dict() for item in page.data]
        if not (page.has_more and page.data):
            return
        params = {**params, "starting_after": page.data[-1].id}
        await asyncio.sleep(PAUSE)


async def _told(call: Callable[[], Awaitable[T]]) -> T:
    """Stripe's errors as the three that someone treats differently. No message holds a secret."""
    with timed(CALLS, Stripe.name):
        return await _translated(call)


async def _translated(call: Callable[[], Awaitable[T]]) -> T:
    try:
        return await call()
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise Disconnected(
            "Stripe refuses the secret key: check it (STRIPE_SECRET_KEY, or integrationConfigure)."
        ) from error
    except stripe.RateLimitError as error:
        raise Unavailable("Stripe asks for a pause.") from error
    except stripe.APIConnectionError as error:
        raise Unavailable("Stripe cannot be reached.") from error
    except stripe.StripeError as error:
        status = error.http_status or 0
        if status == 409:  # the same request is being carried out at this moment
            raise Unavailable("Stripe is still busy with the same request.") from error
        if error.error is None:  # a proxy's page, half an answer: it may well have done what we asked
            raise Unavailable("Stripe's answer cannot be read.") from error
        if status >= 500:  # kept for the key, and would be given again
            raise Unavailable(f"Stripe failed ({status}).", answered=True) from error
        kind = Gone if error.code == "resource_missing" else Refused
        raise kind(f"Stripe: {error.user_message or 'refused'}") from error


def verify(body: bytes, header: str, secrets: Sequence[str], now: float) -> bool:
    """Whether a body was signed by Stripe less than 300 s ago with one of the secrets, in constant time.

    The header is `t=<unix>,v1=<hex>[,v1=…]`; the signature is HMAC-SHA256 over `t.body`.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    given = [value.encode() for name, _, value in parts if name == "v1"][:10]
    if len(stamps) != 1 or not stamps[0].isascii() or not stamps[0].isdigit() or len(stamps[0]) > 12:
        return False
    if abs(now - int(stamps[0])) > TOLERANCE:
        return False
    signed = stamps[0].encode() + b"." + body
    matches = [
        hmac.compare_digest(hmac.digest(secret.encode(), signed, hashlib.sha256).hex().encode(), signature)
        for secret in secrets
        if secret
        for signature in given
    ]
    return any(matches)
