"""The accounts that the sandbox plays at Stripe. The key tells which: `sk_test_of_<name>_…`, and so `pk_test_` and
`rk_test_`, is of the account `acct_<name>`, which begins when it is first named; any other of the first,
`acct_sandbox`.

Each has objects, endpoints and clock of its own; its pages are at an address of their own.
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
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_api import key_of
from sandbox.stripe_billing_pages import BillingPages
from sandbox.stripe_dashboard import Dashboard
from sandbox.stripe_pages import StripePages
from sandbox.stripe_pay_pages import PayPages
from sandbox.stripe_payment_pages import PaymentPages
from sandbox.stripe_subscription_pages import SubscriptionPages

MOST = 20
NAMED = re.compile(r"[a-z]k_test_of_([a-z0-9]{1,20})(_|$)")


class Another(NamedTuple):
    """An account beside the first, and what serves its pages."""

    account: StripeAccount
    server: Server


class Accounts:
    """`/v1`, for all of them: an ASGI app. `make` makes one by its name; `more` are pages that each address shows."""

    def __init__(
        self, first: StripeAccount, make: Callable[[str], StripeAccount], more: Callable[[], Iterable[BaseRoute]]
    ) -> None:
        self.first, self._make, self._more = first, make, more
        self._others: dict[str, Another] = {}
        self._starting = asyncio.Lock()

    def named(self, name: str) -> StripeAccount:
        """An account beside the first, begun where it is not there yet."""
        if name not in self._others:
            if len(self._others) >= MOST:
                raise ValueError(f"The sandbox plays {MOST} accounts beside the first, not more.")
            account = self._make(name)
            server = Server(Starlette(routes=[*pages(account), *self._more()]), 0)
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
