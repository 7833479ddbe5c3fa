"""What is done to bookings by many at once, and what must hold of them whatever that was.

More of it: `python -m tests.faults.bookings --cases 200 --rounds 10 --at-once 200`.
"""

import argparse
import asyncio
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import models
from models.base import global_id
from sandbox.stripe_errors import StripeError
from sandbox.stripe_payment import NotOpen
from tests.bookings.desk import BOOK, Desk, ahead
from tests.faults.histories import must_be_typed
from tests.shop import GraphQLErrors

HOURS = (9, 10, 11, 12)


async def rush(desk: Desk, number: int, count: int) -> Counter[str]:
    """So many clients want the same time at once, one for each number: what each of them was told."""
    at = ahead(days=3 + number // 8, hour=9 + number % 8)
    here = {"organization_id": desk.row.organization_id}
    clients = [models.Client(email=f"rush{number}-{place}@example.com", **here) for place in range(count)]
    await models.Client.bulk_create(clients)

    async def one(client: models.Client) -> str:
        answer = await desk.shop.post(BOOK, {"input": desk.asked(at, global_id(client))})
        return str(answer["errors"][0]["extensions"]["code"]) if "errors" in answer else "BOOKED"

    return Counter(await asyncio.gather(*(one(client) for client in clients)))


class Crowd:
    """Clients and people of the shop, who do what comes to their minds, several at a time."""

    def __init__(self, desks: list[Desk], random: Random) -> None:
        self.desks, self.random, self.shop = desks, random, desks[0].shop
        self.made: list[tuple[Desk, dict[str, Any]]] = []
        self.events: list[dict[str, Any]] = []

    async def act(self, turns: int) -> None:
        for _ in range(turns):
            await asyncio.gather(*(self._do() for _ in range(4)))

    async def end(self) -> None:
        """All is told, in any order; nobody pays any more; all work is done."""
        for _ in range(3):
            await self._hear()
            await self.desks[0].holds_end()

    async def _do(self) -> None:
        what = self.random.choice(
            (
                self._book,
                self._book,
                self._book,
                self._pay,
                self._pay,
                self._cancel,
                self._move,
                self._lapse,
                self._hear,
            )
        )
        try:
            await what()
        except GraphQLErrors as error:
            must_be_typed(error)
        except (NotOpen, StripeError):
            pass  # the page was taken back, or paid

    async def _book(self) -> None:
        desk = self.random.choice(self.desks)
        later = {"paysLater": True} if self.random.random() < 0.2 else {}
        self.made.append((desk, await desk.book(ahead(hour=self.random.choice(HOURS)), **later)))

    async def _pay(self) -> None:
        """The page is opened and, later or never, paid; Stripe tells of it later still."""
        if not self.made:
            return
        _, made = self.random.choice(self.made)
        if order := made["booking"]["order"]:
            page = await self.shop.checkout(order)
            if self.random.random() < 0.8:
                self.events += await self.shop.sandbox.stripe.pay(page)

    async def _cancel(self) -> None:
        if self.made:
            desk, made = self.random.choice(self.made)
            await desk.cancel(made["booking"]["id"], forClient=self.random.random() < 0.5)

    async def _move(self) -> None:
        if self.made:
            desk, made = self.random.choice(self.made)
            await desk.move(made["booking"]["id"], ahead(hour=self.random.choice(HOURS)))

    async def _lapse(self) -> None:
        """Some holds end, without a look at what Stripe knows: as if it could not be asked."""
        await self.shop.sql(
            "WITH gone AS (UPDATE bookings SET status = 'EXPIRED', hold_expires_at = NULL WHERE id IN (SELECT id FROM"
            " bookings WHERE status = 'PENDING' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING appointment_id)"
            " UPDATE appointments SET taken = taken - 1, status = CASE taken WHEN 1 THEN 'CANCELED' ELSE status END"
            " WHERE id IN (SELECT appointment_id FROM gone)"
        )

    async def _hear(self) -> None:
        events, self.events = self.events, []
        self.random.shuffle(events)
        await self.shop.tell([each for event in events for each in [event] * self.random.randint(1, 2)])


async def must_hold(desk: Desk) -> None:
    """No time is taken twice, who sits is counted, and all money is for something, or waits for a person."""
    shop = desk.shop
    assert await shop.sql(_OVERLAPS) == []
    assert await shop.sql(_MISCOUNTED) == []
    assert await shop.sql(_FOR_NOTHING) == []


_OVERLAPS = """
SELECT a.id, b.id AS other FROM appointments a JOIN appointments b ON a.id < b.id
AND (a.staff_id = b.staff_id OR a.resource_id = b.resource_id)
AND a.occupied_from < b.occupied_until AND b.occupied_from < a.occupied_until
WHERE a.status = 'ACTIVE' AND b.status = 'ACTIVE'
"""
_MISCOUNTED = """
SELECT id, taken, live FROM appointments, LATERAL (SELECT count(*) AS live FROM bookings
    WHERE appointment_id = appointments.id AND status NOT IN ('CANCELED', 'EXPIRED')) counted
WHERE taken <> live OR (status = 'ACTIVE') <> (live > 0)
"""
# Kept of an order is what is owed of its bookings; what is more is on its way back, or waits for a person.
_FOR_NOTHING = """
SELECT orders.number, orders.status, kept, owed FROM orders,
LATERAL (SELECT paid_cents - refunded_cents - charged_back_cents AS kept) money,
LATERAL (SELECT coalesce(sum(CASE WHEN status IN ('CANCELED', 'NO_SHOW') THEN fee_cents
    WHEN status = 'EXPIRED' THEN 0 ELSE price_cents END), 0) AS owed FROM bookings WHERE order_id = orders.id) sold
WHERE (kept > owed OR (orders.status = 'PAID' AND kept <> owed))
AND NOT EXISTS (SELECT FROM conflicts WHERE order_id = orders.id AND resolved_at IS NULL)
UNION ALL
SELECT orders.number, orders.status, 0, price_cents FROM bookings JOIN orders ON orders.id = bookings.order_id
WHERE bookings.status = 'PENDING'
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.bookings", description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=200)
    given = parser.parse_args()
    os.environ |= {name.upper(): str(value) for name, value in vars(given).items()}
    return subprocess.call([sys.executable, "-m", "pytest", Path(__file__).parent / "test_bookings_at_once.py", "-x"])


if __name__ == "__main__":
    sys.exit(main())
