"""What tests of organizations' own Stripe accounts do: connect one, pay in it, be told by it."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpx

from sandbox.stripe_account import StripeAccount
from tests.shop import Shop


async def connect(shop: Shop, name: str = "alpha", **keys: str | None) -> StripeAccount:
    """Sell through an account of the shop's own from now on; what it is at Stripe."""
    account = shop.sandbox.accounts.named(name)
    account.books.store.forget("webhook_endpoint", "webhook_secret")
    given = {"secret_key": f"sk_test_of_{name}_1", "publishable_key": f"pk_test_of_{name}_1"} | keys
    await configure(shop, **given)
    await shop.work_is_done()
    return account


async def configure(shop: Shop, *, enabled: bool = True, **keys: str | None) -> dict[str, Any]:
    """Set the integration, and switch it on or off; how it does then."""
    if keys:
        await shop(_asks("Configure"), input={"provider": "stripe", "values": keys})
    done = await shop(_asks("Enable" if enabled else "Disable"), input={"provider": "stripe"})
    return dict(done["integration"])


def _asks(what: str) -> str:
    kind = "IntegrationConfigureInput" if what == "Configure" else "IntegrationInput"
    return (
        f"mutation ($input: {kind}!) {{ integration{what}(input: $input)"
        " { integration { enabled status detail features } } }"
    )


async def told(shop: Shop, account: StripeAccount, events: Iterable[dict[str, Any]]) -> None:
    """Deliver events of an account to the endpoint that we made there, and do what they ask."""
    for event in events:
        for target in account.targets(event):
            assert (await post(shop, account, event, target.url, target.secret)).status_code == 200
    await shop.work_is_done()


async def post(
    shop: Shop, account: StripeAccount, event: dict[str, Any], url: str, secret: str | None = None
) -> httpx.Response:
    body = json.dumps(event).encode()
    signed = account.sign(body, secret=secret)
    return await shop.http.post(urlsplit(url).path, content=body, headers={"Stripe-Signature": signed})


async def pay(shop: Shop, account: StripeAccount, order: dict[str, Any], **how: Any) -> dict[str, Any]:
    """Pay an order on its page in an account; the order once all is told and done."""
    await told(shop, account, await account.pay(await shop.checkout(order), **how))
    return await shop.see(order)


def asked(account: StripeAccount, path: str = "/v1/") -> int:
    """How many requests an account was sent."""
    return sum(request.path.startswith(path) for request in account.requests)
