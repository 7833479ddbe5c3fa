"""Whatever the order and the repetition of events, a subscription and its orders come to the same end."""

import asyncio
import random
from typing import Any

import pytest

from models import Lane
from models import SubscriptionStatus as Status
from models.database import transaction
from models.states import SUBSCRIPTION
from sandbox.stripe_cards import ONCE
from services import keeping, subscriptions
from services.outside import outside
from services.stripe_news import News
from tests.shop import Shop
from tests.subscribing import accesses, begun, monthly, seen, sole

pytestmark = pytest.mark.usefixtures("printer")

HISTORIES = 6


@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_a_history_told_in_any_order_and_twice_comes_to_the_same_end(shop: Shop, seed: int) -> None:
    """Paid, renewed, refused, recovered, resumed, ended: told as it happened to one organization's twin, shuffled."""
    chance = random.Random(seed)
    order = await shop.order(await monthly(shop))
    events = await history(shop, await shop.checkout(order), chance)

    told = [event for event in events for _ in range(chance.choice((1, 1, 2, 3)))]
    chance.shuffle(told)
    half = chance.randrange(len(told))
    for event in told[:half]:
        assert (await shop.deliver(event)).status_code == 200
    await shop.work_is_done()
    await shop.tell(told[half:])

    await the_end_is(shop, paid=[event["data"]["object"] for event in events if event["type"] == "invoice.paid"])


async def history(shop: Shop, session: str, chance: random.Random) -> list[dict[str, Any]]:
    """What Stripe has to tell of a subscription that lived through something, in its order."""
    stripe = shop.sandbox.stripe
    events = await stripe.pay(session, card=chance.choice((ONCE, "4242424242424242")))
    id = stripe.session(session)["subscription"]
    for _ in range(2):
        match chance.choice(("renew", "pause", "recover")):
            case "renew":
                events += stripe.advance(months=1)
            case "pause" if stripe.subscription(id)["status"] == "active":
                events += stripe.cancel_subscription(id, at_period_end=True) + stripe.resume_subscription(id)
            case "recover":
                events += stripe.replace_card(stripe.subscription(id)["customer"]) + stripe.advance(days=3)
    if chance.random() < 0.5 and stripe.subscription(id)["status"] != "canceled":
        events += stripe.cancel_subscription(id)
    return events


async def the_end_is(shop: Shop, paid: list[dict[str, Any]]) -> None:
    """What we know is what Stripe knows, and each invoice that was paid is one order, payment and invoice of ours."""
    ours = await sole(shop)
    theirs = shop.sandbox.stripe.subscription(ours["stripeId"])
    assert (ours["status"], ours["cancelAtPeriodEnd"]) == (theirs["status"].upper(), theirs["cancel_at_period_end"])
    assert (ours["endedAt"] is None) == (theirs["ended_at"] is None)
    assert (ours["payUrl"] is None) == (theirs["status"] != "past_due")
    orders = await shop.sql("SELECT stripe_invoice_id, status FROM orders ORDER BY number")
    assert sorted(order["stripe_invoice_id"] for order in orders) == sorted(invoice["id"] for invoice in paid)
    assert {order["status"] for order in orders} == {"PAID"}
    assert await shop.count("payments", "status = 'SUCCEEDED'") == len(paid)
    assert await shop.count("invoices") == len(paid) == len(await accesses(shop))
    assert await shop.count("conflicts") == 0


async def test_all_that_is_told_at_once_is_done_once(shop: Shop) -> None:
    order = await shop.order(await monthly(shop))
    events = await shop.sandbox.stripe.pay(await shop.checkout(order))
    events += shop.sandbox.stripe.advance(months=1)
    for event in events:
        await shop.deliver(event)

    leased = [promise for _ in range(2) for promise in await keeping.claim(Lane.EVENTS, 50)]
    await asyncio.gather(*(keeping.keep(promise) for promise in leased))
    await shop.work_is_done()

    await the_end_is(shop, paid=[event["data"]["object"] for event in events if event["type"] == "invoice.paid"])


async def test_an_answer_that_was_overtaken_changes_nothing(shop: Shop) -> None:
    subscription = await begun(shop)
    before = await subscriptions.look(outside().stripe, subscription["stripeId"])
    await shop.tell(shop.sandbox.stripe.cancel_subscription(subscription["stripeId"], at_period_end=True))

    told = News("platform", False, before.asked_at, "evt_late")
    async with transaction():
        await subscriptions.take(told, before)

    assert (await seen(shop, subscription["id"]))["cancelAtPeriodEnd"] is True


async def test_what_stripe_cannot_be_asked_is_asked_again(shop: Shop) -> None:
    order = await shop.order(await monthly(shop))
    events = await shop.sandbox.stripe.pay(await shop.checkout(order))
    shop.sandbox.stripe.fail_next(503, path="/v1/subscriptions")

    await shop.tell(events[:1])
    assert await shop.count("subscriptions") == 0
    await shop.time_passes(minutes=5)
    await shop.tell(events[1:])

    await the_end_is(shop, paid=[events[-1]["data"]["object"] | {"id": events[-1]["data"]["object"]["invoice"]}])


def test_nothing_leads_out_of_an_end_and_nothing_back_to_the_beginning() -> None:
    assert set(SUBSCRIPTION.table) == set(Status)
    ends = {state for state, following in SUBSCRIPTION.table.items() if not following}
    assert ends == {Status.CANCELED, Status.INCOMPLETE_EXPIRED}
    assert all(Status.INCOMPLETE not in following for following in SUBSCRIPTION.table.values())
    assert SUBSCRIPTION.after(Status.CANCELED, Status.ACTIVE) is Status.CANCELED
    assert SUBSCRIPTION.after(Status.ACTIVE, Status.PAST_DUE) is Status.PAST_DUE
