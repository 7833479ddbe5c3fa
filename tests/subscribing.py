"""What tests of subscriptions do: begin one, let a month pass at Stripe, see what came of it."""

from datetime import UTC, datetime
from typing import Any

from models.base import parse_global_id
from tests.shop import Shop

SEEN = """query ($id: ID!) { subscription(id: $id) {
  id status quantity amount { amount currency } interval intervalCount currentPeriodStart currentPeriodEnd
  cancelAtPeriodEnd canceledAt endedAt failedAt failureCode failureMessage payUrl stripeId live
  client { email } product { name }
} }"""
ORDERS = """query ($id: ID!) { orders(filter: { subscription: $id }) { nodes {
  id number kind source status total { amount } subscription { id } lines { description periodStart periodEnd }
} } }"""
ALL = "{ subscriptions { nodes { id } } }"
ACCESSES = """query ($client: ID) { accesses(filter: { client: $client }) { nodes {
  startsAt endsAt withdrawnAt order { number } product { name }
} } }"""
CANCEL = """mutation ($input: SubscriptionCancelInput!) { subscriptionCancel(input: $input) {
  clientSubscription { status cancelAtPeriodEnd canceledAt endedAt } } }"""
RESUME = """mutation ($input: SubscriptionResumeInput!) { subscriptionResume(input: $input) {
  clientSubscription { status cancelAtPeriodEnd canceledAt } } }"""
PORTAL = "mutation ($input: BillingPortalStartInput!) { billingPortalStart(input: $input) { url } }"
METHODS = """query ($client: ID!) { paymentMethods(client: $client) {
  id type brand last4 expMonth expYear isDefault } }"""


async def monthly(shop: Shop, price: int = 1900, **values: Any) -> str:
    """A product that is paid each month."""
    return await shop.product(price, name="Suivi", **({"interval": "MONTH"} | values))


async def begun(shop: Shop, *, card: str = "4242424242424242", **order: Any) -> dict[str, Any]:
    """A subscription, paid for the first time, all told and done."""
    product = order.pop("product", None) or await monthly(shop)
    made = await shop.order(product, **order)
    await shop.tell(await shop.sandbox.stripe.pay(await shop.checkout(made), card=card))
    return await sole(shop)


async def sole(shop: Shop) -> dict[str, Any]:
    """The one subscription that there is."""
    (found,) = (await shop(ALL))["nodes"]
    return await seen(shop, found["id"])


async def seen(shop: Shop, id: str) -> dict[str, Any]:
    """With the orders of its periods, the newest first."""
    found: dict[str, Any] = await shop(SEEN, id=id)
    return found | {"orders": await shop(ORDERS, id=id)}


async def month_passes(shop: Shop, months: int = 1, days: int = 0) -> list[dict[str, Any]]:
    """The account's clock is advanced at Stripe, and all of it told; the events."""
    events = shop.sandbox.stripe.advance(months=months, days=days)
    await shop.tell(events)
    return events


async def accesses(shop: Shop) -> list[dict[str, Any]]:
    """From when to when what was bought may be used, the newest first."""
    found: list[dict[str, Any]] = (await shop(ACCESSES))["nodes"]
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def row(id: str) -> str:
    return str((parse_global_id(id) or ("", ""))[1])
