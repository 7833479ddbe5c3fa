"""kill -9 of the worker between any two steps of the sale, Valkey emptied and stopped, a stop: nothing is lost.

Real processes over the test database. Bounded: at most 14 sales and 7 kills a test; each waits about as long as a lease
(15 s), and fails after the 30 s that are promised.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from settings import Settings
from tests.faults.halts import halting
from tests.faults.installation import PROMISED, SLOW, Installation, installed, wait_for
from tests.shop import Shop

Order = dict[str, Any]

# Each stops the first sale that comes by.
HALTS = {
    "the sale is about to be committed, its event's promise with it": "{} AFTER UPDATE ON orders DEFERRABLE"
    " INITIALLY DEFERRED FOR EACH ROW",
    "the page is stored, and not written down": "{} BEFORE UPDATE ON invoices FOR EACH ROW"
    " WHEN (OLD.file_key IS NULL AND NEW.file_key IS NOT NULL)",
    "the page is written down, its promise is open": "{} BEFORE UPDATE ON outbox FOR EACH ROW"
    " WHEN (NEW.done_at IS NOT NULL AND NEW.job = 'invoices.render')",
    "the letter is sent, and not written down": "{} BEFORE UPDATE ON invoices FOR EACH ROW"
    " WHEN (OLD.emailed_at IS NULL AND NEW.emailed_at IS NOT NULL)",
    "the letter is written down, its promise is open": "{} BEFORE UPDATE ON outbox FOR EACH ROW"
    " WHEN (NEW.done_at IS NOT NULL AND NEW.job = 'invoices.send')",
    "the partner is told, and it is not written down": "{} BEFORE INSERT ON notification_attempts FOR EACH ROW",
    "the invoice is there, and its notification not due yet": "{} BEFORE UPDATE ON notifications FOR EACH ROW"
    " WHEN (OLD.next_attempt_at IS NULL AND NEW.next_attempt_at IS NOT NULL)",
    "the notification is due, its promise is open": "{} BEFORE UPDATE ON outbox FOR EACH ROW"
    " WHEN (NEW.done_at IS NOT NULL AND NEW.job = 'notifications.deliver')",
}


class House:
    """An installation and its shop."""

    def __init__(self, installation: Installation, shop: Shop, product: str, slow_product: str) -> None:
        self.installation, self.shop = installation, shop
        self._product, self._slow_product = product, slow_product
        self.orders: list[Order] = []

    async def pay(self, count: int, *, address: str = "", slow_partner: bool = False) -> list[list[dict[str, Any]]]:
        """So many orders, paid at Stripe, whose events are still there; the events of each."""
        paid = []
        for _ in range(count):
            client = await self.shop.client(f"{address}{uuid4().hex}@example.com")
            made = await self.shop.order(self._slow_product if slow_partner else self._product, client=client)
            self.orders.append(await self.shop.see(made))
            paid.append(await self.installation.sandbox.stripe.pay(await self.shop.checkout(made)))
        return paid

    async def sell(self, count: int, **how: Any) -> None:
        """So many orders, paid, and we are told."""
        await self.hear(await self.pay(count, **how))

    async def hear(self, paid: list[list[dict[str, Any]]]) -> None:
        """We are told of what was paid."""
        for event in (event for events in paid for event in events):
            answers = await self.installation.sandbox.stripe.deliver(event)
            assert [answer.status_code for answer in answers] == [200]

    async def all_is_done(self) -> None:
        """Wait until every promise is kept; the limit is what is promised."""
        try:
            await wait_for(self._nothing_is_owed, f"{len(self.orders)} sales to be complete")
        except AssertionError as late:
            for owed in await self.shop.sql("SELECT * FROM outbox WHERE done_at IS NULL ORDER BY due_at"):
                late.add_note(str(owed))
            late.add_note(self.installation.tail("worker"))
            raise

    async def _nothing_is_owed(self) -> bool:
        paid = await self.shop.count("orders", "status = 'PAID'")
        told = not await self.shop.count("notifications", "status = 'PENDING'")
        return paid == len(self.orders) and told and not await self.shop.count("outbox", "done_at IS NULL")

    async def sold_once(self) -> tuple[int, int]:
        """Check that each order is one sale on every side; how many letters and messages were repetitions."""
        count = self.shop.count
        orders = len(self.orders)
        for table in ("orders", "payments", "invoices", "notifications", "accesses"):
            assert await count(table) == orders, table
        assert await count("conflicts") == await count("outbox", "given_up_at IS NOT NULL") == 0
        assert await count("stripe_events", "handled_at IS NULL") == 0
        assert await count("notifications", "status = 'DELIVERED'") == orders
        rows = await self.shop.sql(
            "SELECT sequence, file_sha256, emailed_at, message_id FROM invoices ORDER BY sequence"
        )
        assert [row["sequence"] for row in rows] == list(range(1, orders + 1))
        assert all(row["emailed_at"] for row in rows)
        for order in self.orders:
            (invoice,) = (await self.shop.see(order))["invoices"]
            page = await self.shop.http.get(invoice["pdfUrl"])
            assert page.content.startswith(b"%PDF-")
            assert hashlib.sha256(page.content).hexdigest() in {row["file_sha256"] for row in rows}
        return self._letters({row["message_id"] for row in rows}), self._messages()

    def _letters(self, known: set[str]) -> int:
        """At least one a client, all of an order under the Message-ID fixed at issue; how many were repetitions."""
        seen: Counter[str] = Counter()
        for order in self.orders:
            ids = [letter.message["Message-ID"] for letter in self.shop.letters(order)]
            assert len(set(ids)) == 1, ids
            seen.update(ids)
        assert set(seen) == known
        return seen.total() - len(self.orders)

    def _messages(self) -> int:
        """At least one of each order, all of an order the same but for the link; how many were repetitions."""
        told = [*self.shop.told("fiscalis"), *self.shop.told("slow")]
        for order in self.orders:
            mine = [received for received in told if received.json["order_id"] == order["number"]]
            assert len({received.headers["webhook-id"] for received in mine}) == 1
            assert len({(received.json["event_id"], received.json["invoice"]["number"]) for received in mine}) == 1
        assert len({received.headers["webhook-id"] for received in told}) == len(self.orders)
        return len(told) - len(self.orders)


@pytest.fixture
async def house(shop: Shop, settings: Settings, tmp_path: Path) -> AsyncIterator[House]:
    """Its worker is not started. Stripe's stand-in delivers nothing by itself."""
    async with installed(settings, tmp_path) as installation, httpx.AsyncClient(base_url=installation.url) as http:
        installation.sandbox.stripe.hold = True
        mine = await Shop.open(http, installation.sandbox, slug="house")
        partners = [await mine.partner(), await mine.partner("slow")]
        products = [await mine.product(partners=(partner,)) for partner in partners]
        yield House(installation, mine, *products)


async def test_a_worker_killed_between_any_two_steps_of_the_sale_costs_nothing(house: House, database_url: str) -> None:
    """One worker, stopped with a sale at each of nine steps, killed once."""
    partner = house.installation.sandbox.partner
    partner.answer(delay=60, slug="slow", times=1)
    async with halting(database_url, HALTS) as halts:
        await house.installation.start("worker")
        await halts.at(*(step for step in HALTS if "letter" in step or "partner" in step))
        await house.sell(1, slow_partner=True)
        await house.sell(1, address=SLOW)
        await house.sell(4)
        await halts.all_reached()
        await wait_for(lambda: len(house.shop.told("slow")) == 1, "a partner to be told")
        await wait_for(lambda: house.installation.mail.silent_about, "a letter to be handed over")
        await halts.at(*(step for step in HALTS if "page" in step))
        await house.sell(4)
        await halts.all_reached()
        paid = await house.pay(3)
        await halts.at(next(iter(HALTS)))  # it holds locks that others wait for
        await house.hear(paid)
        await halts.all_reached()

        house.installation.kill("worker")
        await halts.lift()

    await house.installation.start("worker")
    await house.all_is_done()

    repeated_letters, repeated_messages = await house.sold_once()
    assert repeated_letters == 1  # the one whose 250 we did not write down
    # The one that had not answered, and those of the round whose answers we did not: of the first four sales, at most.
    assert 2 <= repeated_messages <= 1 + 4


async def test_workers_and_apis_killed_at_any_moment_with_valkey_emptied_cost_nothing(house: House) -> None:
    """Each event is sent one to four times, shuffled, again until it is taken, while two workers and an API die."""
    chance = random.Random(20)
    paid = await house.pay(8)
    stream = [event for events in paid for event in events for _ in range(chance.randint(1, 4))]
    chance.shuffle(stream)
    stripe = house.installation.sandbox.stripe
    stripe.hold = False
    for event in stream:
        stripe.courier.send([event])

    for life in range(2):
        await house.installation.start("worker")
        if life % 2:
            house.installation.kill("serve")
            await house.installation.start("serve")
        await asyncio.sleep(chance.uniform(0.5, 3))
        await house.installation.empty_valkey()
        house.installation.kill("worker")
    await house.installation.start("worker")
    await asyncio.wait_for(stripe.settled(), PROMISED)
    await house.all_is_done()

    await house.sold_once()


async def test_valkey_emptied_stopped_and_started_again_costs_nothing(house: House) -> None:
    """The worker ends without it, and is started again by whoever supervises it; events are still taken."""
    installation = house.installation
    await installation.start("worker")
    for _ in range(3):
        await house.sell(1)
        await installation.empty_valkey()

    await installation.stop_valkey()
    await installation.ends("worker")
    await house.sell(3)
    async with installation.supervised("worker"):
        installation.revive_valkey()
        await house.all_is_done()

        await house.sold_once()


async def test_a_worker_asked_to_leave_finishes_what_it_does_and_repeats_nothing(house: House) -> None:
    """A partner takes two seconds to answer; meanwhile the worker is asked to leave."""
    house.installation.sandbox.partner.answer(delay=2)
    await house.installation.start("worker")
    await house.sell(4)
    await wait_for(lambda: house.shop.told(), "a partner to be told")

    assert await house.installation.leave("worker") == 0
    told = len(house.shop.told())
    assert await house.shop.count("notifications", "status = 'DELIVERED'") == told
    await house.installation.start("worker")
    await house.all_is_done()

    assert await house.sold_once() == (0, 0)
