"""What tests of organizations' own Stripe accounts do: connect one, pay in it, be told by it."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from models import Integration, IntegrationSecret, IntegrationStatus
from models.database import transaction
from sandbox.stripe_account import StripeAccount
from services import stripe_connecting, vault
from tests.shop import Shop


async def connect(shop: Shop, name: str = "alpha", **keys: str | None) -> StripeAccount:
    """Sell through an account of the shop's own from now on; what it is at Stripe."""
    account = shop.sandbox.accounts.named(name)
    account.books.store.forget("webhook_endpoint", "webhook_secret")
    given = {"secret_key": f"sk_test_of_{name}_1", "publishable_key": f"pk_test_of_{name}_1"} | keys
    await configure(shop, **given)
    await shop.work_is_done()
    return account


async def configure(shop: Shop, *, enabled: bool = True, **keys: str | None) -> Integration:
    """What the integration is set to; taken up by the worker."""
    async with transaction():
        row = await Integration.get_or_none(organization_id=shop.organization.id, provider="stripe")
        row = row or Integration(organization_id=shop.organization.id, provider="stripe")
        row.update_from_dict({
            "enabled": enabled, "status": IntegrationStatus.UNTESTED if enabled else IntegrationStatus.OFF,
            "configured_at": datetime.now(UTC), "settings": dict(row.settings or {}),
        })  # fmt: skip
        if "publishable_key" in keys:
            row.settings["publishable_key"] = keys.pop("publishable_key")
        await row.save()
        for field, key in keys.items():
            of_field = {"organization_id": shop.organization.id, "integration_id": row.id, "field": field}
            secret = await IntegrationSecret.get_or_none(**of_field)
            secret = secret or IntegrationSecret(**of_field, provider="stripe")
            secret.rotated_at = datetime.now(UTC)
            vault.seal(secret, "sealed", key or "")
            await secret.save()
        await stripe_connecting.changed(row)
    return row


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
