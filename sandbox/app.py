"""The sandbox as one thing: its parts, its pages, its ports."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import shop as shop_pages
from sandbox.google_access_pages import GoogleAccessPages
from sandbox.google_account import GoogleAccount
from sandbox.google_oauth import GoogleOAuth
from sandbox.google_pages import GooglePages
from sandbox.mail import MailSink
from sandbox.mail_pages import MailPages
from sandbox.partner import PartnerSink
from sandbox.partner_pages import PartnerPages
from sandbox.render import assets, page
from sandbox.server import Server
from sandbox.shop_client import ShopClient
from sandbox.store import Store
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_accounts import Accounts, pages

LARGEST_BODY = 2 * 1024 * 1024
TICK = 5.0
ACCOUNTS_FROM = 100  # ports after the sandbox's own, of the pages of Stripe accounts beside the first


class Sandbox:
    """Stripe, Google, a mail server, a partner and a shop, on loopback, inside the running loop.

        async with Sandbox(webhook_url="http://127.0.0.1:8000/webhooks/stripe") as sandbox:
            sandbox.url, sandbox.smtp_port, sandbox.stripe, sandbox.google, sandbox.mail, sandbox.partner

    webhook_url: where Stripe's events go; without one they are held. data: an SQLite file that survives restarts; None:
    memory. port, smtp_port: 0 takes free ones. keep: how many mails and notifications are kept. transport: carries the
    events instead of the network, for instance into an ASGI app. first_retry: seconds before an event is sent again the
    first time, doubled each time up to a minute. debits_after: seconds until a SEPA debit settles or fails, as its IBAN
    says; None: when told. clock: unix seconds.
    """

    def __init__(
        self,
        *,
        webhook_url: str | None = None,
        webhook_secret: str = "whsec_sandbox",
        data: Path | None = None,
        port: int = 0,
        smtp_port: int = 0,
        keep: int = 500,
        shop: ShopClient | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        first_retry: float = 1.0,
        debits_after: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = Store(data)

        def begun(store: Store, name: str, webhook_url: str | None = None) -> StripeAccount:
            return StripeAccount(
                store,
                clock,
                webhook_url=webhook_url,
                webhook_secret=webhook_secret,
                transport=transport,
                first_retry=first_retry,
                debits_after=debits_after,
                name=name,
            )

        def another(name: str) -> StripeAccount:
            return begun(Store(data.with_name(f"stripe-{name}.sqlite3") if data else None), name)

        self.stripe = begun(self._store, "sandbox", webhook_url)
        self.accounts = Accounts(
            self.stripe, another, lambda: [assets], self._store, ports=port + ACCOUNTS_FROM if port else 0
        )
        self.google = GoogleAccount(self._store, clock)
        self.mail = MailSink(self._store, clock, keep)
        self.partner = PartnerSink(self._store, clock, keep)
        self._shop = shop
        self._server = Server(self._app(), port)
        self._smtp_port = smtp_port
        self._opened = AsyncExitStack()
        self.url = self.stripe.books.url = self.google.books.url = self._server.url
        if shop:
            shop.front.origin = self.url

    @property
    def smtp_port(self) -> int:
        return self.mail.port

    @property
    def webhook_url(self) -> str | None:
        """Where Stripe's events go. Setting it delivers nothing by itself while `stripe.hold` stands."""
        return self.stripe.courier.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.stripe.courier.url = url

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opened:
            opened.callback(self._store.close)
            if self._shop:
                opened.push_async_callback(self._shop.close)
            await self._server.start()
            opened.push_async_callback(self._server.stop)
            await self.mail.start(self._smtp_port)
            opened.callback(self.mail.stop)
            opened.push_async_callback(self.stripe.courier.close)
            opened.push_async_callback(self.accounts.close)
            self.stripe.courier.resume()
            await self.accounts.resume()
            clock = asyncio.create_task(self.accounts.watch_the_clock(TICK))
            opened.push_async_callback(_end, clock)
            self._opened = opened.pop_all()
        return self

    async def __aexit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    def _app(self) -> Starlette:
        routes = [
            Route("/", self._index),
            assets,
            Route("/v1/{rest:path}", self.accounts),
            *pages(self.stripe),
            *self.google.api.routes,
            *GoogleOAuth(self.google).routes,
            *GooglePages(self.google).routes,
            *GoogleAccessPages(self.google).routes,
            *MailPages(self.mail).routes,
            *self.partner.routes,
            *PartnerPages(self.partner).routes,
            *shop_pages.routes(self._shop, self._store),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST_BODY)],
            exception_handlers={404: _nowhere},
        )

    async def _index(self, request: Request) -> Response:
        return page(
            "index",
            api_url=self._shop.api_url if self._shop else None,
            url=self.url,
            smtp_port=self.smtp_port,
            webhook_url=self.webhook_url,
            accounts=self.accounts.urls,
            counts={
                "events": len(self.stripe.events()),
                "calendars": len(self.google.books.calendars()),
                "mails": len(self.mail.messages),
                "notifications": len(self.partner.received),
            },
        )


async def _nowhere(request: Request, error: Exception) -> Response:
    return page("nowhere", 404)


async def _end(task: asyncio.Task[None]) -> None:
    """Raises what the task failed with, if it did."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
