"""Partners told through the outbox, each try recorded, against posts one after the other of which nothing is kept."""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import orjson
import uvloop

import telemetry
from benchmarks import load
from benchmarks.figures import OURS, Figure, Turn, Turns, faster, turns_of
from benchmarks.installation import Installation
from models import (
    Lane,
    Notification,
    NotificationAttempt,
    Order,
    OrderStatus,
    Organization,
    Partner,
    Product,
    ProductPartner,
    Promise,
)
from models.database import fetch, query, transaction
from providers.webhooks import signature
from services import files, invoices, notifications, outside, partners
from services.outbox import later
from settings import Settings
from workers.lanes import Lanes

# (milliseconds until the partner answers, how many of its notifications make a turn)
CASES = {"delivery": (0, 1.0), "delivery, 1 ms": (1, 1.0), "delivery, 50 ms": (50, 0.1)}
ONE_BY_ONE = "one by one"
API_KEY = "key-of-the-benchmark-0123456789abcdef"
ORDERS = 100  # as many as data.TOLD has that are paid
COPIES = 20  # of each order's notification, so that a turn lasts
LOOK_EVERY = 0.01  # seconds
TELLING_MOST = 120.0  # seconds, for all of a turn


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """The same notifications to a partner that answers at once, and to one that takes its time."""
    count = min(ORDERS, max(5, round(ORDERS * seconds)))
    with installed.served("benchmarks.sink") as port:
        told = installed.run(
            "benchmarks.deliveries", rounds, count,
            ENVIRONMENT="development", LOG_FORMAT="json", SANDBOX_URL=f"http://127.0.0.1:{port}",
        )  # fmt: skip
    return [faster(case, turns_of(ways), ONE_BY_ONE) for case, ways in told.items()]


async def main(rounds: int, count: int) -> dict[str, Turns]:
    """The turns of each case. This process is the worker: it runs all lanes, as `comptoir worker` does."""
    settings = Settings(_env_file=None)
    telemetry.start(settings)
    async with outside.connected(settings), httpx.AsyncClient() as http:
        lanes = Lanes()
        lanes.start()
        try:
            several = {case: await _Told.open(lanes, http, *how) for case, how in CASES.items()}
            await _promised(lanes, count)
            return {case: await told.turns(rounds) for case, told in several.items()}
        finally:
            await lanes.stop()


@dataclass
class _Told:
    """A partner that is told of each order."""

    lanes: Lanes
    http: httpx.AsyncClient
    partner: Partner
    secret: str
    share: float
    made: int = 1  # attempts of each notification: those of the warm-up

    @classmethod
    async def open(cls, lanes: Lanes, http: httpx.AsyncClient, delay: int, share: float) -> "_Told":
        organization = await Organization.get()
        values = {
            "slug": f"after-{delay}", "name": "Partner", "brand_name": "Partner", "contact_email": "it@partner.test",
            "staging_url": f"{outside.outside().settings.sandbox_url}/{delay}",
        }  # fmt: skip
        partner, secret = await partners.create(organization.id, values, API_KEY)
        await ProductPartner.bulk_create(
            [
                ProductPartner(organization_id=organization.id, product=product, partner=partner)
                for product in await Product.all()
            ]
        )
        return cls(lanes, http, partner, secret, share)

    async def turns(self, rounds: int) -> Turns:
        """Both ways in turn. Raises Failed unless both sent the same, and each of our tries was recorded."""
        taken: Turns = {OURS: [], ONE_BY_ONE: []}
        told = await Notification.filter(partner_id=self.partner.id).prefetch_related("organization", "invoice")
        told = told[: max(1, round(len(told) * self.share))]
        await self._check(await self._one_by_one(told, []))
        gc.collect()
        gc.freeze()  # what the benchmark holds is looked through for neither
        for _ in range(rounds):
            await self._ours(told, taken[OURS])
            await self._check(await self._one_by_one(told, taken[ONE_BY_ONE]))
        return taken

    async def _ours(self, told: Sequence[Notification], taken: list[Turn]) -> None:
        async with transaction():
            for notification in told:
                await notifications.resend(notification)
        started, used = time.perf_counter(), time.process_time()
        await _told(self.lanes)
        taken.append(_turn(len(told), started, used))
        self.made += 1

    async def _one_by_one(self, told: Sequence[Notification], taken: list[Turn]) -> dict[UUID, str]:
        """What each was answered."""
        url, requests = self.partner.url(live=False), [await self._request(notification) for notification in told]
        started, used = time.perf_counter(), time.process_time()
        answers = [await self.http.post(url, content=body, headers=headers) for body, headers in requests]
        taken.append(_turn(len(told), started, used))
        return {notification.id: answer.text for notification, answer in zip(told, answers, strict=True)}

    async def _request(self, notification: Notification) -> tuple[bytes, dict[str, str]]:
        """What we send, made beforehand."""
        link = {"pdf_url": await files.direct_link(notification.invoice), "number": notification.invoice.number}
        body, at = orjson.dumps(orjson.loads(notification.payload) | {"invoice": link}), int(time.time())
        return body, {
            "Content-Type": "application/json",
            "User-Agent": f"{notification.organization.brand_name}-Webhook/1.0",
            "webhook-id": notification.webhook_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(self.secret, notification.webhook_id, at, body),
            "X-API-KEY": API_KEY,
        }

    async def _check(self, answers: dict[UUID, str]) -> None:
        attempts = await NotificationAttempt.filter(notification__partner_id=self.partner.id, number=self.made)
        kept = {attempt.notification_id: attempt.response for attempt in attempts if attempt.accepted}
        recorded = {id: response for id, response in kept.items() if id in answers}
        if recorded != answers:
            raise load.Failed(f"try {self.made} of {len(answers)} notifications was answered otherwise, or not kept")


async def _promised(lanes: Lanes, count: int) -> None:
    """Tell the partners of `count` orders a first time, which warms up."""
    orders = await Order.filter(status=OrderStatus.PAID).limit(count).prefetch_related(
        "organization", "client", "invoices", "lines__product__partner_links__partner"
    )  # fmt: skip
    async with transaction():
        for order in orders:
            for invoice in order.invoices:
                await later(invoices.render, invoice)
            await notifications.promise(order, list(order.invoices))
    for lane in (Lane.RENDER, Lane.DELIVER):
        await _kept(lanes, lane)
    await query(_COPIED, COPIES - 1)
    await _told(lanes)


_COPIED = """
    INSERT INTO notifications (
        id, created_at, organization_id, partner_id, order_id, invoice_id, event_type, event_id, payload, live, status,
        attempts_left, next_attempt_at
    )
    SELECT gen_random_uuid(), now(), organization_id, partner_id, order_id, invoice_id, event_type || '.' || copy,
        event_id, payload, live, 'PENDING', 3, now()
    FROM notifications, generate_series(1, $1) AS copy
"""


async def _told(lanes: Lanes) -> None:
    """Wake what tells partners, and wait until nothing is left to tell."""
    lanes.wake(Lane.DELIVER)
    async with asyncio.timeout(TELLING_MOST):
        while await fetch("SELECT 1 FROM notifications WHERE status = 'PENDING' LIMIT 1"):
            await asyncio.sleep(LOOK_EVERY)


async def _kept(lanes: Lanes, lane: Lane) -> None:
    """Wake a lane, and wait until nothing is owed there."""
    lanes.wake(lane)
    async with asyncio.timeout(TELLING_MOST):
        while await Promise.exists(lane=lane, done_at=None):
            await asyncio.sleep(LOOK_EVERY)


def _turn(count: int, started: float, used: float) -> Turn:
    return Turn(count / (time.perf_counter() - started), (time.process_time() - used) / count * 1e6)


if __name__ == "__main__":
    taken: Any = uvloop.run(main(*map(int, sys.argv[1:])))
    sys.stdout.buffer.write(orjson.dumps(taken))
