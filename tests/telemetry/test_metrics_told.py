"""What is counted of a sale, and what is asked of PostgreSQL when Prometheus comes by."""

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from models import Lane
from tests.faults.absence import away
from tests.security.surroundings import installed_with
from tests.shop import CHECKOUT, Shop

Told = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Counts:
    """What /metrics tells, and by how much it grew."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._before: Told = {}

    async def begin(self) -> "Counts":
        self._before = await told(self._shop)
        return self

    async def grew(self, name: str, **labels: str) -> float:
        key = f"comptoir_{name}", frozenset(labels.items())
        return (await told(self._shop)).get(key, 0) - self._before.get(key, 0)


@pytest.fixture
async def counts(shop: Shop) -> Counts:
    return await Counts(shop).begin()


async def test_a_sale_is_counted_from_the_event_to_the_partner(shop: Shop, counts: Counts) -> None:
    await shop.sell(await shop.product(partners=(await shop.partner(),)))

    kind = "checkout.session.completed"
    assert await counts.grew("stripe_events_total", type=kind, outcome="new", account="platform") == 1
    assert await counts.grew("stripe_events_total", type="other", outcome="new", account="platform") > 0
    assert await counts.grew("job_duration_seconds_count", job="inbox.handle", outcome="kept") == 2  # the intent's too
    assert await counts.grew("job_duration_seconds_count", job="invoices.send", outcome="kept") == 1
    assert await counts.grew("render_duration_seconds_count", outcome="rendered") == 1
    assert await counts.grew("letter_duration_seconds_count", outcome="done") == 2  # the invoice, a welcome
    assert await counts.grew("delivery_duration_seconds_count", outcome="accepted") == 1
    assert await counts.grew("provider_call_duration_seconds_count", provider="Stripe", outcome="done") == 4


async def test_what_comes_to_the_webhook_is_counted_by_what_it_was(shop: Shop, counts: Counts) -> None:
    _, events = await shop.paid_events()
    (completed,) = [event for event in events if event["type"] == "checkout.session.completed"]

    for _ in range(3):
        await shop.deliver(completed)
    await shop.deliver(completed, signature="t=1,v1=00")
    await shop.deliver({"id": "evt_1"})

    assert (
        await counts.grew("stripe_events_total", type=completed["type"], outcome="duplicate", account="platform") == 2
    )
    assert await counts.grew("stripe_events_total", type="none", outcome="bad signature", account="platform") == 1
    assert await counts.grew("stripe_events_total", type="none", outcome="no event", account="platform") == 1


@pytest.mark.parametrize(("status", "outcome"), [(500, "failed"), (404, "refused"), (302, "refused")])
async def test_a_delivery_is_counted_by_its_outcome(shop: Shop, counts: Counts, status: int, outcome: str) -> None:
    shop.sandbox.partner.answer(status)

    await shop.sell(await shop.product(partners=(await shop.partner(),)))

    assert await counts.grew("delivery_duration_seconds_count", outcome=outcome) == 1


async def test_a_call_that_stripe_refuses_is_counted_as_such(shop: Shop, counts: Counts) -> None:
    order = await shop.order()
    shop.sandbox.stripe.fail_next(401)

    await shop.refused(CHECKOUT, input=shop.checkout_input(order))

    assert await counts.grew("provider_call_duration_seconds_count", provider="Stripe", outcome="disconnected") == 1


async def test_a_job_is_counted_by_what_came_of_it(shop: Shop, counts: Counts) -> None:
    await shop.sell()
    await shop.sql("UPDATE outbox SET done_at = NULL, due_at = now() WHERE job = 'invoices.send'")
    await shop.sql("UPDATE outbox SET done_at = NULL, due_at = now(), job = 'x.y' WHERE job = 'invoices.render'")
    await shop.tamper("UPDATE invoices SET emailed_at = NULL, content = '{}'")

    await shop.work_is_done()

    assert await counts.grew("job_duration_seconds_count", job="invoices.send", outcome="failed") == 1
    assert await counts.grew("job_duration_seconds_count", job="unknown", outcome="given up") == 1


# What is owed


async def test_what_is_owed_is_told_by_lane(shop: Shop) -> None:
    _, events = await shop.paid_events(await shop.product(partners=(await shop.partner(),)))
    for event in events:
        await shop.deliver(event)
    await shop.time_passes(minutes=2)

    now = await owed(shop)

    assert now("database_up") == 1
    assert now("promises_open", lane="EVENTS") == 2
    assert 120 <= now("promises_oldest_due_seconds", lane="EVENTS") < 180
    for lane in Lane:
        assert now("promises_given_up", lane=lane.value) == 0
    assert now("promises_open", lane="MAIL") == now("promises_oldest_due_seconds", lane="MAIL") == 0

    await shop.sql("UPDATE outbox SET given_up_at = now()")
    now = await owed(shop)

    assert now("promises_open", lane="EVENTS") == 0
    assert now("promises_given_up", lane="EVENTS") == 2


async def test_what_a_worker_has_in_hand_is_not_overdue(shop: Shop) -> None:
    _, events = await shop.paid_events()
    for event in events:
        await shop.deliver(event)
    await shop.time_passes(minutes=2)
    await shop.sql("UPDATE outbox SET lease_until = now() + interval '1 minute', token = gen_random_uuid()")

    now = await owed(shop)

    assert now("promises_open", lane="EVENTS") == 2
    assert now("promises_oldest_due_seconds", lane="EVENTS") == 0


async def test_a_scrape_is_answered_without_a_database_and_says_so(shop: Shop, database_url: str) -> None:
    async with away(database_url):
        now = await told(shop)

    assert now["comptoir_database_up", frozenset()] == 0
    assert not [name for name, _ in now if name.startswith("comptoir_promises")]
    assert (await told(shop))["comptoir_database_up", frozenset()] == 1


async def told(shop: Shop) -> Told:
    response = await shop.http.get("/metrics")
    assert response.status_code == 200
    families = text_string_to_metric_families(response.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


async def owed(shop: Shop) -> Callable[..., float]:
    """What a process that has just started tells."""
    async with installed_with(shop) as installed:
        now = await told(installed)
    return lambda name, **labels: now[f"comptoir_{name}", frozenset(labels.items())]
