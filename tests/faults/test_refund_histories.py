"""Money that goes back, told in any order and any number of times, comes to the same end."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.stripe_errors import StripeError
from services import doctor
from tests.shop import Shop
from tests.test_refunds import credit_notes, see, withdrawn

pytestmark = pytest.mark.usefixtures("printer")

EXAMPLES = 12
STEPS = ("part", "part", "cent", "pending", "settle", "fail", "cancel", "bounce", "whole", "dispute", "won", "lost")
AFTER = (  # what waits for a person does by design
    "An order is paid if, and only if, what counts of its payments comes to its total",
    "What an order knows to have gone back is what its refunds and lost disputes come to",
    "What went back of a paid order is credited, and credit notes come to what their invoices know of them",
    "Whoever got all of their money back may not use what they bought",
    "Invoice numbers are 1 to n in each series and year",
)


def happen(shop: Shop, intent: str, step: str) -> list[dict[str, Any]]:
    """What somebody does at Stripe, where it can be done; the events of it."""
    stripe, store = shop.sandbox.stripe, shop.sandbox.stripe.books.store
    refunds = store.all("refund", [("payment_intent", "=", intent)])
    ends = {"settle": ("pending", "succeeded"), "fail": ("pending", "failed"), "cancel": ("pending", "canceled"),
            "bounce": ("succeeded", "failed")}  # fmt: skip
    try:
        if step in ends:
            before, after = ends[step]
            found = next((each["id"] for each in refunds if each["status"] == before), None)
            return stripe.end_refund(found, after) if found else []
        if step in ("won", "lost"):
            (dispute,) = store.all("dispute", [("payment_intent", "=", intent)]) or [None]
            return stripe.close_dispute(dispute["id"], won=step == "won") if dispute else []
        if step == "dispute":
            return stripe.dispute(intent)
        return stripe.refund(intent, {"part": 300, "cent": 1}.get(step), pending=step == "pending")
    except StripeError:
        return []  # Stripe refuses


async def end_of(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    """What it came to."""
    seen = await see(shop, order)
    return {
        "order": [seen[name] for name in ("status", "paid", "refunded", "chargedBack", "balance")],
        "refunds": sorted((each["status"], each["amount"]["amount"]) for each in seen["refunds"]),
        "disputes": [each["status"] for each in seen["disputes"]],
        "conflicts": sorted((each["kind"], each["resolution"] or "") for each in seen["conflicts"]),
        "credit notes": sorted(credit_notes(seen)),
        "access": await withdrawn(shop, order),
    }


@given(steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=7), seed=st.integers(0, 2**32))
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
async def test_any_order_and_repetition_of_news_comes_to_the_same_end(shop: Shop, steps: list[str], seed: int) -> None:
    product = await shop.product(1000)
    order, paid = await shop.paid_events(product)
    intent = next(each["data"]["object"]["id"] for each in paid if each["type"] == "payment_intent.succeeded")
    told = [event for step in steps for event in happen(shop, intent, step)]
    other, others = await shop.paid_events(product)
    its = next(each["data"]["object"]["id"] for each in others if each["type"] == "payment_intent.succeeded")
    shuffled = [*others, *[event for step in steps for event in happen(shop, its, step)]]
    shuffled = [event for event in shuffled for _ in range(Random(seed).randint(1, 2))]
    Random(seed).shuffle(shuffled)

    for events in ([*paid, *told], shuffled):
        for event in events:
            assert (await shop.deliver(event)).status_code == 200
    for _ in range(12):  # what came too early is tried again
        await shop.time_passes(hours=2)
        await shop.work_is_done()

    assert await shop.count("stripe_events", "handled_at IS NULL") == 0
    assert await end_of(shop, order) == await end_of(shop, other)
    for invariant in doctor.INVARIANTS:
        if invariant.holds in AFTER:
            verdict = await doctor.examine(invariant)
            assert verdict.good, verdict
