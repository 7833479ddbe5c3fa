"""Stripe's events, any number of times and in any order: one payment, one invoice, one letter, one message."""

import asyncio
import copy
import hashlib
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from models import Lane, Promise, StripeEvent
from models.base import parse_global_id
from sandbox.stripe_cards import DECLINED
from services import inbox, keeping
from tests.printer import Printer
from tests.shop import CHECKOUT, Shop

Event = dict[str, Any]
Order = dict[str, Any]


class Counter:
    """A shop with one product told to one partner, and what came of its sales."""

    def __init__(self, shop: Shop, product: str) -> None:
        self.shop, self.product = shop, product

    async def order(self) -> Order:
        """An order of a client with an address of their own, seen by all other sides under it."""
        client = await self.shop.client(f"{uuid4().hex}@example.com", firstName="Marie", lastName="Martin")
        return await self.shop.see(await self.shop.order(self.product, client=client))

    async def sale(self) -> tuple[Order, list[Event]]:
        """An order paid at Stripe, and its events, none delivered yet."""
        order = await self.order()
        return order, await self.shop.sandbox.stripe.pay(await self.shop.checkout(order))

    async def paid(self) -> tuple[Order, Event]:
        """An order paid at Stripe, and the one event that says so."""
        order, events = await self.sale()
        return order, events[-1]

    async def troubled_sale(self) -> tuple[Order, list[Event]]:
        """A checkout that expired, another where a card was declined twice and one paid: all events, in their order."""
        order, stripe = await self.order(), self.shop.sandbox.stripe
        events = [stripe.expire(await self.shop.checkout(order))]
        await self.shop.sql(
            "UPDATE attempts SET expires_at = now() WHERE order_id = $1 AND status = 'OPEN'", row_id(order)
        )
        session = await self.shop.checkout(order)
        for card in (DECLINED, DECLINED, "4242424242424242"):
            events += await stripe.pay(session, card=card)
        return order, events

    async def end(self, order: Order) -> dict[str, Any]:
        """All that a sale left, on every side, but for ids and times."""
        seen, key = await self.shop.see(order), row_id(order)
        told = [received for received in self.shop.told() if received.json["order_id"] == order["number"]]
        webhook_ids = {notification["webhookId"] for notification in seen["notifications"]}
        return {
            "order": seen["status"],
            "payments": [
                (payment["status"], payment["amount"], payment["failureCode"], payment["failureMessage"])
                for payment in seen["payments"]
            ],
            "attempts": await self.shop.sql(
                "SELECT number, status, stripe_id IS NOT NULL AS granted FROM attempts WHERE order_id = $1"
                " ORDER BY number",
                key,
            ),
            "invoices": [(invoice["total"], bool(invoice["emailedAt"])) for invoice in seen["invoices"]],
            "letters": [letter.message["Subject"].split("FQCA")[0] for letter in self.shop.letters(order)],
            "notifications": [
                (notification["status"], len(notification["attempts"])) for notification in seen["notifications"]
            ],
            "told": [received.headers["webhook-id"] in webhook_ids for received in told],
            "conflicts": [conflict["kind"] for conflict in seen["conflicts"]],
            "access": len(await self.shop.sql("SELECT id FROM accesses WHERE order_id = $1", key)),
            "settled by": seen["paidAt"] and (await self._settling(key)),
        }

    async def _settling(self, key: str) -> str:
        """The type of the event that an order and its payment name."""
        (row,) = await self.shop.sql(
            "SELECT e.type FROM orders o JOIN stripe_events e ON e.stripe_id = o.event_id JOIN payments p"
            " ON p.order_id = o.id AND p.event_id = o.event_id AND p.paid_at = o.paid_at WHERE o.id = $1", key,
        )  # fmt: skip
        return str(row["type"])


ONE_SALE: dict[str, Any] = {
    "order": "PAID",
    "payments": [("SUCCEEDED", {"amount": 9999, "currency": "EUR"}, None, None)],
    "attempts": [{"number": 1, "status": "COMPLETED", "granted": True}],
    "invoices": [({"amount": 9999}, True)],
    "letters": ["[TEST] Votre facture "],
    "notifications": [("DELIVERED", 1)],
    "told": [True],
    "conflicts": [],
    "access": 1,
    "settled by": "checkout.session.completed",
}
CHANGING = set(inbox.HANDLERS) - {"payment_intent.succeeded"}  # of a checkout, its session tells
NOTHING_SOLD: dict[str, Any] = ONE_SALE | {
    "order": "OPEN", "payments": [], "attempts": [{"number": 1, "status": "OPEN", "granted": True}], "invoices": [],
    "letters": [], "notifications": [], "told": [], "access": 0, "settled by": None,
}  # fmt: skip


@pytest.fixture
async def counter(shop: Shop) -> Counter:
    return Counter(shop, await shop.product(partners=(await shop.partner(),)))


# The same event again


async def test_ten_copies_of_the_same_event_at_once_make_one_sale(shop: Shop, counter: Counter) -> None:
    order, event = await counter.paid()

    answers = await asyncio.gather(*(shop.deliver(event) for _ in range(10)))
    await shop.work_is_done()

    assert [answer.status_code for answer in answers] == [200] * 10
    assert sorted(answer.json()["new"] for answer in answers) == [False] * 9 + [True]
    assert await shop.count("stripe_events") == 1
    assert await counter.end(order) == ONE_SALE
    await shop.deliver(event)  # and long after
    await shop.work_is_done()
    assert await counter.end(order) == ONE_SALE


async def test_ten_workers_on_the_same_event_make_one_sale(shop: Shop, counter: Counter) -> None:
    """Each believes that it holds the lease: those before it were paused for longer than theirs."""
    order, event = await counter.paid()
    await shop.deliver(event)
    holders = []
    for _ in range(10):
        holders += await keeping.claim(Lane.EVENTS, 20)
        await shop.time_passes(seconds=16)

    await asyncio.gather(*(keeping.keep(promise) for promise in holders))
    await shop.work_is_done()

    assert len(holders) == 10
    assert await counter.end(order) == ONE_SALE
    assert [row.outcome for row in await StripeEvent.all()] == [f"order {order['number']} is paid"]


async def test_two_workers_on_the_same_invoice_make_one_file(shop: Shop, counter: Counter) -> None:
    order, event = await counter.paid()
    await shop.deliver(event)
    for promise in await keeping.claim(Lane.EVENTS, 20):
        await keeping.keep(promise)
    holders = []
    for _ in range(3):
        holders += await keeping.claim(Lane.RENDER, 20)
        await shop.time_passes(seconds=16)

    await asyncio.gather(*(keeping.keep(promise) for promise in holders))
    await shop.work_is_done()

    (row,) = await shop.sql("SELECT file_sha256, emailed_at FROM invoices")
    link = (await shop.see(order))["invoices"][0]["pdfUrl"]
    assert hashlib.sha256((await shop.http.get(link)).content).hexdigest() == row["file_sha256"]
    assert await counter.end(order) == ONE_SALE


async def test_two_events_of_the_same_payment_make_one_sale(shop: Shop, counter: Counter) -> None:
    order, event = await counter.paid()
    twin = event | {"id": f"evt_{uuid4().hex}"}

    await asyncio.gather(shop.deliver(event), shop.deliver(twin))
    await handle_all_at_once()
    await shop.work_is_done()

    assert await counter.end(order) == ONE_SALE


# In any order


async def test_the_events_of_a_sale_in_every_order_come_to_the_same_end(
    shop: Shop, counter: Counter, printer: Printer
) -> None:
    """Every order of those that change something; the others, and repetitions, in between. Worked on at each, or all
    at the end, in turn."""
    ends = []
    for place, places in enumerate(itertools.permutations(range(4))):
        order, events = await counter.troubled_sale()
        told = [event for event in events if event["type"] in CHANGING]
        others = [event for event in events if event["type"] not in CHANGING]
        assert len(told) == len(places)
        for event in with_repetitions([told[at] for at in places], others):
            assert (await shop.deliver(event)).status_code == 200
            if place % 2:
                await shop.work_is_done()
        await shop.work_is_done()
        ends.append((places, await counter.end(order)))

    end = ONE_SALE | {
        "attempts": [
            {"number": 1, "status": "EXPIRED", "granted": True},
            {"number": 2, "status": "COMPLETED", "granted": True},
        ]
    }
    assert [places for places, seen in ends if seen != end] == []
    assert await StripeEvent.filter(handled_at__isnull=True).count() == 0
    assert await numbers(shop) == list(range(1, len(ends) + 1))


async def test_the_events_of_a_sale_all_at_once_come_to_the_same_end(
    shop: Shop, counter: Counter, printer: Printer
) -> None:
    sales = [await counter.troubled_sale() for _ in range(10)]
    shuffled = [event for _, events in sales for event in events * 3]
    random.Random(1).shuffle(shuffled)

    answers = await asyncio.gather(*(shop.deliver(event) for event in shuffled))
    await handle_all_at_once()
    await shop.work_is_done()

    assert {answer.status_code for answer in answers} == {200}
    for order, _ in sales:
        end = await counter.end(order)
        assert end["attempts"][0]["status"] == "EXPIRED"
        assert {**end, "attempts": end["attempts"][1:]} == {
            **ONE_SALE, "attempts": [{"number": 2, "status": "COMPLETED", "granted": True}],
        }  # fmt: skip
    assert await numbers(shop) == list(range(1, 11))
    ids = await shop.sql("SELECT DISTINCT event_id FROM notifications")
    assert len(ids) == 10


async def test_two_refusals_in_either_order_leave_the_later_one(shop: Shop, counter: Counter) -> None:
    ends = []
    for forward in (True, False):
        order, events = await counter.troubled_sale()
        refusals = [event for event in events if event["type"] == "payment_intent.payment_failed"]
        refusals[1]["data"]["object"]["last_payment_error"]["decline_code"] = "insufficient_funds"
        refusals[1]["created"] += 60
        for event in refusals if forward else reversed(refusals):
            await shop.deliver(event)
            await shop.work_is_done()
        ends.append(await counter.end(order))

    assert ends[0] == ends[1]
    (payment,) = ends[0]["payments"]
    assert payment[0] == "FAILED"
    assert payment[2] == "insufficient_funds"


# Before we know


async def test_a_payment_that_comes_before_we_wrote_its_checkout_down_is_a_sale(shop: Shop, counter: Counter) -> None:
    order, session = await an_unwritten_checkout(shop, counter)

    (*_, event) = await shop.sandbox.stripe.pay(session)
    await shop.deliver(event)
    await shop.work_is_done()

    assert await counter.end(order) == ONE_SALE
    code, _, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    assert (code, "already paid" in message) == ("CONFLICT", True)


async def test_a_checkout_that_expired_before_we_wrote_it_down_is_followed_by_another(
    shop: Shop, counter: Counter
) -> None:
    """Stripe would give the dead page again for the same idempotency key."""
    order, session = await an_unwritten_checkout(shop, counter)

    await shop.deliver(shop.sandbox.stripe.expire(session))
    await shop.work_is_done()
    another = await shop.checkout(order)

    assert another != session
    assert shop.sandbox.stripe.session(another)["status"] == "open"
    assert (await counter.end(order))["attempts"] == [
        {"number": 1, "status": "EXPIRED", "granted": True},
        {"number": 2, "status": "OPEN", "granted": True},
    ]


async def an_unwritten_checkout(shop: Shop, counter: Counter) -> tuple[Order, str]:
    """An order whose Checkout Session was opened, but the answer was lost on its way to us: (order, session's id)."""
    order, stripe = await counter.order(), shop.sandbox.stripe
    stripe.fail_next(status=None, times=3, path="/v1/checkout/sessions")  # the client tries three times
    code, _, _ = await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    assert code == "UNAVAILABLE"
    assert (await counter.end(order))["attempts"] == [{"number": 1, "status": "PENDING", "granted": False}]
    sessions = stripe.books.store.all("checkout.session")
    (session,) = [one["id"] for one in sessions if one["metadata"].get("order") == row_id(order)]
    return order, session


async def test_an_event_that_comes_before_its_order_waits_for_it(shop: Shop, counter: Counter) -> None:
    order, event = await counter.paid()
    await shop.sql("UPDATE orders SET stripe_account = 'not yet' WHERE id = $1", row_id(order))
    await shop.deliver(event)
    await shop.work_is_done()
    (promise,) = await Promise.filter(lane=Lane.EVENTS)
    assert (promise.done_at, promise.failures) == (None, 1)

    await shop.sql("UPDATE orders SET stripe_account = 'platform' WHERE id = $1", row_id(order))
    await shop.time_passes(seconds=2)
    await shop.work_is_done()

    assert await counter.end(order) == ONE_SALE


@pytest.mark.parametrize("number", range(3), ids=["completed", "expired", "declined"])
async def test_an_event_of_an_order_that_never_comes_is_given_up_with_the_reason(
    shop: Shop, counter: Counter, number: int
) -> None:
    order, events = await counter.troubled_sale()
    kinds = ("checkout.session.completed", "checkout.session.expired", "payment_intent.payment_failed")
    event = altered(next(event for event in events if event["type"] == kinds[number]), metadata={"order": str(uuid4())})
    await shop.deliver(event)

    for _ in range(32):
        await shop.work_is_done()
        await shop.time_passes(hours=24)

    (row,) = await StripeEvent.all()
    assert (row.handled_at, row.outcome) == (None, None)
    (promise,) = await Promise.filter(lane=Lane.EVENTS)
    assert promise.given_up_at
    assert promise.done_at is None
    assert "no order" in (promise.error or "")
    assert event["data"]["object"]["metadata"]["order"] in (promise.error or "")
    assert (await counter.end(order))["order"] == "OPEN"


async def test_a_paid_session_that_names_no_order_is_one_sale_of_its_own(
    shop: Shop, counter: Counter, printer: Printer
) -> None:
    order, event = await counter.paid()
    for metadata in ({}, {"order": "42"}, None):
        await shop.deliver(altered(event | {"id": f"evt_{uuid4().hex}"}, metadata=metadata))
    await shop.work_is_done()

    assert (await shop.see(order))["status"] == "OPEN"
    assert sorted(row.outcome for row in await StripeEvent.all()) == ["order 2 is paid"] + 2 * ["this payment is known"]


async def test_events_that_name_no_order_and_tell_of_no_money_change_nothing(shop: Shop, counter: Counter) -> None:
    order, events = await counter.troubled_sale()
    for event in events:
        if event["type"] in ("checkout.session.expired", "payment_intent.payment_failed"):
            await shop.deliver(altered(event, metadata={}))
    await shop.work_is_done()

    assert {row.outcome for row in await StripeEvent.all()} == {"names no order of ours", "names no checkout of ours"}
    assert (await counter.end(order))["payments"] == []


# Not as asked


@pytest.mark.parametrize(
    "changes",
    [{"amount_total": 9998}, {"amount_total": 999900}, {"currency": "usd"}],
    ids=["a cent less", "a hundred times more", "another currency"],
)
async def test_another_amount_or_currency_is_flagged_once_and_pays_nothing(
    shop: Shop, counter: Counter, changes: dict[str, Any]
) -> None:
    order, event = await counter.paid()
    wrong = altered(event, **changes)
    twin = wrong | {"id": f"evt_{uuid4().hex}"}

    await asyncio.gather(*(shop.deliver(copy) for copy in (wrong, twin, wrong)))
    await handle_all_at_once()
    await shop.work_is_done()

    end = await counter.end(order)
    assert end["conflicts"] == ["AMOUNT_MISMATCH"]
    assert [payment[0] for payment in end["payments"]] == ["SUCCEEDED"]
    assert {**end, "payments": [], "conflicts": []} == {
        **NOTHING_SOLD, "attempts": [{"number": 1, "status": "COMPLETED", "granted": True}],
    }  # fmt: skip


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "at once"])
async def test_a_second_payment_is_flagged_and_the_order_is_invoiced_once(
    shop: Shop, counter: Counter, at_once: bool
) -> None:
    order, event = await counter.paid()
    second = altered(
        event | {"id": f"evt_{uuid4().hex}"}, id=f"cs_test_{uuid4().hex}", payment_intent=f"pi_{uuid4().hex}"
    )

    await shop.deliver(event)
    if not at_once:
        await shop.work_is_done()
    await shop.deliver(second)
    await handle_all_at_once()
    await shop.work_is_done()

    end = await counter.end(order)
    assert end["conflicts"] == ["DUPLICATE_PAYMENT"]
    assert [payment[0] for payment in end["payments"]] == ["SUCCEEDED"] * 2
    assert {**end, "conflicts": [], "payments": end["payments"][:1]} == ONE_SALE


async def test_an_order_cancelled_before_it_was_paid_is_flagged(shop: Shop, counter: Counter) -> None:
    order, event = await counter.paid()
    await shop.sql("UPDATE orders SET status = 'CANCELED', canceled_at = now() WHERE id = $1", row_id(order))

    await shop.deliver(event)
    await shop.work_is_done()

    end = await counter.end(order)
    assert (end["order"], end["conflicts"], end["invoices"]) == ("CANCELED", ["CANCELED_ORDER_PAID"], [])


async def test_an_event_of_live_mode_never_pays_a_test_order(shop: Shop, counter: Counter) -> None:
    order, event = await counter.paid()
    live = altered(event, livemode=True) | {"livemode": True}

    await shop.deliver(live)
    await shop.work_is_done()

    assert await counter.end(order) == NOTHING_SOLD
    (promise,) = await Promise.filter(lane=Lane.EVENTS)
    assert promise.done_at is None
    assert "mode" in (promise.error or "")


async def test_a_checkout_completed_and_not_paid_yet_pays_nothing(shop: Shop, counter: Counter) -> None:
    order, event = await counter.paid()

    await shop.deliver(altered(event, payment_status="unpaid"))
    await shop.work_is_done()

    end = await counter.end(order)
    assert end == NOTHING_SOLD | {
        "attempts": [{"number": 1, "status": "PROCESSING", "granted": True}],
        "payments": [("PROCESSING", {"amount": 9999, "currency": "EUR"}, None, None)],
    }


# Nothing half-done


async def test_handling_that_fails_midway_leaves_nothing_and_no_gap(
    shop: Shop, counter: Counter, printer: Printer, faulty_invoices: None
) -> None:
    sales = [await counter.sale() for _ in range(10)]
    for _, events in sales:
        await shop.deliver(events[-1])

    await handle_all_at_once()
    paid = await shop.count("orders", "status = 'PAID'")
    for table in ("payments", "invoices", "notifications", "accesses"):
        assert await shop.count(table) == paid, table
    assert 0 < paid < len(sales)
    for _ in range(10):
        await shop.time_passes(minutes=15)
        await handle_all_at_once()
    await shop.work_is_done()

    assert [await counter.end(order) for order, _ in sales] == [ONE_SALE] * len(sales)
    assert await numbers(shop) == list(range(1, len(sales) + 1))
    (row,) = await shop.sql(
        "SELECT count(*) AS wrong FROM invoices a JOIN invoices b ON a.sequence < b.sequence"
        " AND a.issued_at > b.issued_at"
    )
    assert row["wrong"] == 0


@pytest.fixture
async def faulty_invoices(shop: Shop) -> AsyncIterator[None]:
    """The database refuses every third invoice, after its number was taken."""
    await shop.sql("CREATE SEQUENCE tries")
    await shop.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF nextval('tries') % 3 = 0 THEN RAISE 'refused, to try what follows'; END IF; RETURN NULL; END $$"
    )
    await shop.sql("CREATE TRIGGER refuse AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION refuse()")
    yield
    await shop.sql("DROP FUNCTION refuse CASCADE")
    await shop.sql("DROP SEQUENCE tries")


@pytest.mark.parametrize("table", ["stripe_events", "outbox"])
async def test_an_event_that_cannot_be_stored_whole_is_not_taken_and_stripe_sends_it_again(
    shop: Shop, counter: Counter, table: str
) -> None:
    order, event = await counter.paid()
    await shop.sql(f"ALTER TABLE {table} RENAME TO gone")
    try:
        answer = await shop.deliver(event)
    finally:
        await shop.sql(f"ALTER TABLE gone RENAME TO {table}")

    assert answer.status_code == 503
    assert await shop.count("stripe_events") == 0
    assert (await shop.deliver(event)).json() == {"received": True, "new": True}
    await shop.work_is_done()
    assert await counter.end(order) == ONE_SALE


async def handle_all_at_once() -> None:
    """All of Stripe's events that are due, each by a worker of its own."""
    while promises := await keeping.claim(Lane.EVENTS, 50):
        await asyncio.gather(*(keeping.keep(promise) for promise in promises))


async def numbers(shop: Shop) -> list[int]:
    """The places of all invoices in their one series."""
    rows = await shop.sql("SELECT sequence, number, year FROM invoices ORDER BY sequence")
    assert all(row["number"] == f"FQCA-{row['year']}-{row['sequence']:06}" for row in rows)
    return [row["sequence"] for row in rows]


def row_id(order: Order) -> str:
    named = parse_global_id(order["id"])
    assert named
    return str(named[1])


def altered(event: Event, **changes: Any) -> Event:
    """The event with other values in its object."""
    other = copy.deepcopy(event)
    other["data"]["object"] |= changes
    return other


def with_repetitions(told: Sequence[Event], others: Sequence[Event]) -> list[Event]:
    """Each event twice: again right after the next one, the last at once; the others spread between."""
    stream = list(told[:1])
    for before, event in itertools.pairwise(told):
        stream += [event, before]
    stream.append(told[-1])
    for place, event in enumerate(others):
        stream.insert(2 * place, event)
    return stream
