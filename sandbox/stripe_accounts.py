"""The accounts that the sandbox plays at Stripe. The key tells which: `sk_test_of_<name>_…`, and so `pk_test_` and
`rk_test_`, is of the account `acct_<name>`, which begins when it is first named; any other of the first,
`acct_sandbox`.

Each has objects, endpoints and clock of its own; its pages are at an address of their own, which stays the same where
the sandbox has a file: links that were given out lead there after a restart.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from sandbox.server import Server
from sandbox.store import Store
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_api import key_of
from sandbox.stripe_billing_pages import BillingPages
from sandbox.stripe_dashboard import Dashboard
from sandbox.stripe_pages import StripePages
from sandbox.stripe_pay_pages import PayPages
from sandbox.stripe_payment_pages import PaymentPages
from sandbox.stripe_subscription_pages import SubscriptionPages

MOST = 20
KNOWN = "stripe_account"  # in the sandbox's own store
NAMED = re.compile(r"[a-z]k_test_of_([a-z0-9]{1,20})(_|$)")


class Another(NamedTuple):
    """An account beside the first, and what serves its pages."""

    account: StripeAccount
    server: Server


class Accounts:
    """`/v1`, for all of them: an ASGI app. `make` makes one by its name; `more` are pages that each address shows;
    `known` keeps where these are, from the port `ports` on, or at any that are free where it is 0."""

    def __init__(
        self,
        first: StripeAccount,
        make: Callable[[str], StripeAccount],
        more: Callable[[], Iterable[BaseRoute]],
        known: Store,
        ports: int,
    ) -> None:
        self.first, self._make, self._more, self._known, self._ports = first, make, more, known, ports
        self._others: dict[str, Another] = {}
        self._starting = asyncio.Lock()

    def named(self, name: str) -> StripeAccount:
        """An account beside the first, begun where it is not there yet."""
        if name not in self._others:
            if len(self._others) >= MOST:
                raise ValueError(f"The sandbox plays {MOST} accounts beside the first, not more.")
            account = self._make(name)
            server = self._server(name, Starlette(routes=[*pages(account), *self._more()]))
            account.books.url = server.url
            account.hold = self.first.hold
            self._others[name] = Another(account, server)
        return self._others[name].account

    @property
    def urls(self) -> dict[str, str]:
        """Where the pages of the others are, by id."""
        return {each.account.id: each.server.url for each in self._others.values()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = NAMED.match(key_of(Request(scope).headers.get("authorization", "")))
        account = self.named(named[1]) if named else self.first
        if named:
            await self._serve(named[1])
        await account.api(scope, receive, send)

    async def resume(self) -> None:
        """Those of an earlier run answer again, and go on with what they did not get delivered."""
        for known in self._known.all(KNOWN):
            account = self.named(known["name"])
            await self._serve(known["name"])
            account.courier.resume()

    async def watch_the_clock(self, every: float) -> None:
        """Look at each account's clock for ever, `every` so many seconds."""
        while True:
            for account in (self.first, *(other.account for other in self._others.values())):
                account.look_at_the_clock()
            await asyncio.sleep(every)

    async def close(self) -> None:
        for account, server in self._others.values():
            await server.stop()
            await account.courier.close()
            account.books.store.close()

    def _server(self, name: str, app: Starlette) -> Server:
        """Where the account's pages were before, unless another program is there now."""
        known = self._known.get(KNOWN, name)
        port = known["port"] if known else self._ports and self._ports + len(self._known.all(KNOWN))
        try:
            server = Server(app, port)
        except OSError:
            server = Server(app, 0)
        self._known.put(KNOWN, name, {"name": name, "port": server.port})
        return server

    async def _serve(self, name: str) -> None:
        """The pages of an account answer from its first request on."""
        async with self._starting:
            server = self._others[name].server
            if not server.started:
                await server.start()


def pages(account: StripeAccount) -> list[BaseRoute]:
    """All that a browser sees of an account: what clients pay on, and its dashboard."""
    kinds = (PayPages, StripePages, Dashboard, PaymentPages, SubscriptionPages, BillingPages)
    return [route for kind in kinds for route in kind(account).routes]
