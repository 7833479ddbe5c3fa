"""What Stripe knows and we do not: events that never came, answers that were lost, what is different and stays so."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from errors import Unavailable
from models import Payment, StripeEvent
from sandbox import Sandbox
from sandbox.stripe_sepa import SETTLES
from services import inbox, reconciliation
from services.reconciliation import Result
from settings import Settings
from tests.shop import CHECKOUT, Shop
from tests.subscribing import begun, seen
from tests.test_doctor import run as command
from workers import reconciling

pytestmark = pytest.mark.usefixtures("printer")

LOST = timedelta(seconds=-5)  # tests do not wait until what Stripe is just sending has come
RUNS = """
query { reconciliations { nodes {
    eventsMissed ordersMended unexplained since startedAt endedAt live
    drifts { kind reference message order { number } }
} } }
"""


@pytest.fixture(autouse=True)
def nothing_before(sandbox: Sandbox) -> None:
    """Stripe has forgotten what was sold in other tests."""
    sandbox.stripe.books.store.forget("event", "payment_intent")


async def reconciled(shop: Shop) -> Result:
    """A run, and all that it has workers do."""
    result = await reconciliation.reconcile(young=LOST)
    assert result is not None
    await shop.work_is_done()
    return result


async def runs(shop: Shop) -> list[dict[str, Any]]:
    """As GraphQL tells of them, newest first."""
    nodes: list[dict[str, Any]] = (await shop.post(RUNS, {}))["data"]["reconciliations"]["nodes"]
    return nodes


async def paid(shop: Shop) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An order paid at Stripe, of which we were told nothing: (order, events)."""
    order = await shop.order(client=await shop.client("marie@example.com"))
    return order, await shop.sandbox.stripe.pay(await shop.checkout(order))


async def asked_long_ago(shop: Shop, **ago: int) -> None:
    await shop.sql("UPDATE attempts SET created_at = created_at - $1::interval", timedelta(**ago))


# Events that never came


async def test_an_event_that_never_came_is_handled_as_if_it_had(shop: Shop) -> None:
    order, events = await paid(shop)

    result = await reconciled(shop)

    seen = await shop.see(order)
    assert (seen["status"], len(seen["invoices"]), len(shop.letters(seen))) == ("PAID", 1, 1)
    payment = await Payment.get()
    assert payment.event_id in {event["id"] for event in events}
    told = [event for event in events if event["type"] in inbox.HANDLERS]
    assert len(result.missed) == len(told)
    assert {row.stripe_id for row in await StripeEvent.all()} == {event["id"] for event in told}
    (run,) = await runs(shop)
    assert (run["eventsMissed"], run["ordersMended"], run["unexplained"], run["drifts"]) == (len(told), 0, 0, [])


async def test_what_came_is_not_missed_and_a_second_run_finds_nothing(shop: Shop) -> None:
    order, events = await paid(shop)
    await shop.tell(events)
    before = await shop.see(order)

    for _ in range(2):
        result = await reconciled(shop)
        assert (result.missed, result.mended, result.drifts) == ([], [], {})
        assert result.events > 0

    after = await shop.see(order)
    assert (after["payments"], len(after["invoices"])) == (before["payments"], 1)
    assert len(await runs(shop)) == 2


async def test_what_is_just_being_sent_is_left_to_stripe(shop: Shop) -> None:
    await paid(shop)

    result = await reconciliation.reconcile()

    assert result is not None
    assert (result.events, await shop.count("stripe_events")) == (0, 0)


async def test_more_events_than_a_page_holds_are_all_found(shop: Shop) -> None:
    await shop.order()  # before the first, nothing is missing
    await shop.work_is_done()
    product = shop.sandbox.stripe.books.store.all("product")[-1]["id"]
    for number in range(130):
        shop.sandbox.stripe.edit_product(product, name=f"Formule {number}")

    result = await reconciled(shop)

    assert len(result.missed) >= 130
    assert await StripeEvent.filter(type="product.updated", handled_at__isnull=False).count() >= 130


async def test_a_run_that_stripe_breaks_off_is_taken_up_where_it_was(shop: Shop) -> None:
    order, _ = await paid(shop)
    shop.sandbox.stripe.fail_next(503, path="/v1/payment_intents")  # when the events are there already

    with pytest.raises(Unavailable):
        await reconciliation.reconcile(young=LOST)

    assert await runs(shop) == []
    await shop.work_is_done()
    assert (await shop.see(order))["status"] == "PAID"
    result = await reconciled(shop)
    assert (result.missed, result.drifts) == ([], {})


async def test_one_process_reconciles_at_a_time_and_none_before_an_hour_is_over(shop: Shop) -> None:
    await paid(shop)

    results = await asyncio.gather(*(reconciliation.reconcile(young=LOST) for _ in range(5)))

    assert sum(result is not None for result in results) == 1
    assert await reconciliation.reconcile(only_if_due=True) is None
    await shop.sql("UPDATE reconciliation_points SET ended_at = ended_at - interval '61 minutes'")
    assert await reconciliation.reconcile(only_if_due=True) is not None


async def test_a_process_that_died_at_it_is_replaced_once_its_lease_ends(shop: Shop) -> None:
    await paid(shop)
    await reconciled(shop)
    lease = (
        "UPDATE reconciliation_points SET token = gen_random_uuid(), leased_until = now() + interval '1 minute' * $1"
    )
    await shop.sql(lease, 5)
    assert await reconciliation.reconcile() is None

    await shop.sql(lease, -1)

    assert await reconciliation.reconcile() is not None


# What is stuck


async def test_a_payment_whose_events_came_to_nothing_is_counted_by_stripes_own_word(shop: Shop) -> None:
    """They are stored as handled, and left no trace."""
    order, events = await paid(shop)
    for event in events:
        await shop.deliver(event)
    await shop.sql("UPDATE stripe_events SET handled_at = now(), outcome = 'lost'")
    await shop.sql("DELETE FROM outbox")

    result = await reconciled(shop)

    assert (await shop.see(order))["status"] == "PAID"
    assert len(result.mended) == 1
    assert result.drifts == {}
    assert (await runs(shop))[0]["ordersMended"] == 1


async def test_a_page_that_ended_unheard_frees_the_order_for_another(shop: Shop) -> None:
    order = await shop.order()
    session = await shop.checkout(order)
    shop.sandbox.stripe.expire(session)
    await shop.sql(
        "INSERT INTO stripe_events"
        " (id, created_at, stripe_id, stripe_account, live, type, occurred_at, body, handled_at)"
        " SELECT gen_random_uuid(), now(), $1, 'platform', false, 'checkout.session.expired', now(), '', now()",
        shop.sandbox.stripe.events("checkout.session.expired")[-1]["id"],
    )
    await shop.sql("UPDATE attempts SET expires_at = now() - interval '1 hour'")
    await asked_long_ago(shop, hours=25)

    result = await reconciled(shop)

    assert len(result.mended) == 1
    assert await shop.sql("SELECT status FROM attempts WHERE operation = 'CHECKOUT'") == [{"status": "EXPIRED"}]
    assert await shop.checkout(order) != session


async def test_an_answer_that_was_lost_is_asked_for_again(shop: Shop) -> None:
    order = await shop.order()
    shop.sandbox.stripe.fail_next(status=None, times=3, path="/v1/checkout/sessions")
    await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    await asked_long_ago(shop, hours=1)

    result = await reconciled(shop)

    assert len(result.mended) == 1
    (attempt,) = await shop.sql("SELECT status, stripe_id FROM attempts WHERE operation = 'CHECKOUT'")
    assert attempt["status"] == "OPEN"
    assert await shop.checkout(order) == attempt["stripe_id"]


async def test_an_answer_that_stripe_has_forgotten_too_is_given_up(shop: Shop) -> None:
    order = await shop.order()
    shop.sandbox.stripe.fail_next(status=None, times=3, path="/v1/checkout/sessions")
    await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    await asked_long_ago(shop, hours=30)

    await reconciled(shop)

    (attempt,) = await shop.sql("SELECT status, error FROM attempts WHERE operation = 'CHECKOUT'")
    assert attempt == {"status": "FAILED", "error": "Stripe's answer was lost."}
    assert await shop.checkout(order)


async def test_a_debit_that_settled_unheard_is_counted(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    stripe, session = shop.sandbox.stripe, await shop.checkout(order)
    await shop.tell(await stripe.pay(session, iban=SETTLES))
    for event in stripe.settle_debit(stripe.session(session)["payment_intent"]):
        await shop.deliver(event)
    await shop.sql("UPDATE stripe_events SET handled_at = now() WHERE handled_at IS NULL")  # and left no trace
    await shop.sql("DELETE FROM outbox")
    await asked_long_ago(shop, hours=1)

    await reconciled(shop)

    assert (await shop.see(order))["status"] == "PAID"


async def test_a_form_that_nobody_used_is_asked_about_and_stays_open(shop: Shop) -> None:
    order = await shop.order()
    await shop.intent(order)
    await asked_long_ago(shop, hours=2)

    result = await reconciled(shop)

    assert (result.mended, result.drifts) == ([], {})
    assert (await shop.see(order))["status"] == "OPEN"


async def test_a_renewal_that_nobody_told_is_found_once_its_period_is_over(shop: Shop) -> None:
    subscription = await begun(shop)
    shop.sandbox.stripe.advance(months=1)  # so far ahead that no list of events of today has it
    await shop.sql(
        "UPDATE subscriptions SET current_period_start = now() - interval '31 days',"
        " current_period_end = now() - interval '3 hours'"
    )

    result = await reconciled(shop)

    assert len(result.mended) == 1
    renewed = await seen(shop, subscription["id"])
    assert [order["status"] for order in renewed["orders"]["nodes"]] == ["PAID", "PAID"]
    assert renewed["currentPeriodEnd"] > subscription["currentPeriodEnd"]


async def test_a_refund_of_which_the_bank_said_more_unheard_is_found_after_a_day(shop: Shop) -> None:
    order, intent = await _sold(shop)
    await shop.tell(shop.sandbox.stripe.refund(intent, 1000, pending=True))
    (refund,) = shop.sandbox.stripe.books.store.all("refund", [("payment_intent", "=", intent)])
    shop.sandbox.stripe.end_refund(refund["id"], "succeeded")
    shop.sandbox.stripe.books.store.forget("event")
    assert (await reconciled(shop)).mended == []
    await shop.sql("UPDATE refunds SET created_at = created_at - interval '25 hours'")

    result = await reconciled(shop)

    assert len(result.mended) == 1
    assert [each["type"] for each in (await shop.see(order))["invoices"]] == ["INVOICE", "CREDIT_NOTE"]
    assert (await reconciled(shop)).mended == []


async def test_a_dispute_that_was_decided_unheard_is_found(shop: Shop) -> None:
    order, intent = await _sold(shop)
    await shop.tell(shop.sandbox.stripe.dispute(intent))
    (dispute,) = shop.sandbox.stripe.books.store.all("dispute", [("payment_intent", "=", intent)])
    shop.sandbox.stripe.close_dispute(dispute["id"], won=False)
    shop.sandbox.stripe.books.store.forget("event")
    await shop.sql("UPDATE disputes SET created_at = created_at - interval '1 hour'")

    result = await reconciled(shop)

    assert len(result.mended) == 1
    assert [each["kind"] for each in (await shop.see(order))["conflicts"]] == ["DISPUTE_LOST"]
    assert (await reconciled(shop)).mended == []


async def _sold(shop: Shop) -> tuple[dict[str, Any], str]:
    """An order that is paid, and its PaymentIntent."""
    order, events = await paid(shop)
    await shop.tell(events)
    return order, (await shop.see(order))["payments"][0]["stripeId"]


async def test_a_worker_reconciles_by_itself(shop: Shop) -> None:
    await paid(shop)

    async with reconciling.clock(first=0), asyncio.timeout(30):
        while not await runs(shop):
            await asyncio.sleep(0.05)


# What stays different


async def test_an_amount_that_differs_is_shown_and_alerted_when_it_is_seen_twice(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    order, events = await paid(shop)
    await shop.tell(events)
    await shop.sql("UPDATE payments SET amount_cents = amount_cents - 1, applied_cents = applied_cents - 1")

    with caplog.at_level(logging.ERROR, "comptoir.reconciliation"):
        await reconciled(shop)
        assert caplog.records == []
        await reconciled(shop)

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "Stripe was paid 9999 EUR" in caplog.text
    for run in await runs(shop):
        assert run["unexplained"] == 1
        (drift,) = run["drifts"]
        assert (drift["kind"], drift["order"]["number"]) == ("AMOUNT_DIFFERS", order["number"])
        assert drift["reference"].startswith("pi_")


async def test_a_payment_that_stripe_does_not_know_as_paid_is_shown(shop: Shop) -> None:
    order = await shop.order()
    intent = await shop.intent(order)
    await shop.pay(await shop.order())
    await shop.sql("UPDATE payments SET stripe_id = $1, order_id = (SELECT id FROM orders WHERE number = $2)",
                   intent, order["number"])  # fmt: skip

    await reconciled(shop)

    kinds = {drift["kind"]: drift["reference"] for drift in (await runs(shop))[0]["drifts"]}
    assert kinds["NOT_PAID"] == intent


async def test_an_event_that_cannot_be_handled_is_shown_and_its_order_left_to_it(shop: Shop) -> None:
    _, events = await paid(shop)
    await shop.deliver(events[-1])
    await shop.sql("UPDATE stripe_events SET created_at = now() - interval '1 hour'")
    await shop.sql("UPDATE outbox SET due_at = now() + interval '1 hour' WHERE job = 'inbox.handle'")

    await reconciled(shop)

    (run,) = await runs(shop)
    (drift,) = run["drifts"]
    assert (drift["kind"], drift["reference"]) == ("NOT_HANDLED", events[-1]["id"])


async def test_what_stripe_refuses_to_answer_is_shown_and_the_others_are_asked(shop: Shop) -> None:
    gone, order = await shop.order(), await shop.order()
    await shop.intent(gone)
    await shop.sql("UPDATE attempts SET stripe_id = 'pi_nowhere' WHERE operation = 'PAYMENT_INTENT'")
    shop.sandbox.stripe.expire(await shop.checkout(order))
    await shop.sql("UPDATE attempts SET expires_at = now() - interval '1 hour' WHERE operation = 'CHECKOUT'")
    await asked_long_ago(shop, hours=2)

    await reconciled(shop)

    (run,) = await runs(shop)
    assert [(drift["kind"], drift["order"]["number"]) for drift in run["drifts"]] == [("NOT_ANSWERED", gone["number"])]
    rows = await shop.sql("SELECT status FROM attempts WHERE operation = 'CHECKOUT'")
    assert [row["status"] for row in rows] == ["EXPIRED"]


# Operators


async def test_the_metrics_tell_what_is_different_and_how_long_ago_that_was_looked_at(shop: Shop) -> None:
    _, events = await paid(shop)
    assert (await gauges(shop))['comptoir_reconciliation_age_seconds{account="platform"}'] == -1
    await shop.tell(events)
    await shop.sql("UPDATE payments SET amount_cents = amount_cents - 1, applied_cents = applied_cents - 1")

    await reconciled(shop)

    told = await gauges(shop)
    assert told["comptoir_reconciliation_drift"] == 1
    assert 0 <= told['comptoir_reconciliation_age_seconds{account="platform"}'] < 60


async def gauges(shop: Shop) -> dict[str, float]:
    lines = (await shop.http.get("/metrics")).text.splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


async def test_the_command_shows_what_it_found_and_fails_where_something_stays_different(
    shop: Shop, settings: Settings
) -> None:
    order, events = await paid(shop)
    await shop.tell(events)
    await shop.sql("UPDATE payments SET amount_cents = amount_cents - 1, applied_cents = applied_cents - 1")
    await shop.sql("UPDATE orders SET created_at = created_at - interval '3 minutes'")
    for table in ("event", "payment_intent"):
        for thing in shop.sandbox.stripe.books.store.all(table):
            shop.sandbox.stripe.books.store.put(table, thing["id"], thing | {"created": thing["created"] - 150})

    stripe = {"STRIPE_SECRET_KEY": "sk_test_comptoir", "STRIPE_API_BASE": settings.stripe_api_base}
    done = await asyncio.to_thread(command, "reconcile", settings, "--days", "1", **stripe)

    assert done.returncode == 1, done.stderr
    assert "0 had never come" in done.stdout
    assert "0 orders mended, 1 differences unexplained" in done.stdout
    assert f"AMOUNT_DIFFERS {(await Payment.get()).stripe_id}, order" in done.stdout
    assert (await runs(shop))[0]["drifts"][0]["order"]["number"] == order["number"]
