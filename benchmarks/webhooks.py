"""Stripe's events: the whole route, which verifies, stores, promises and wakes, against one that reads the body."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import orjson
import uvloop

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.figures import OURS, Figure, faster
from benchmarks.installation import Installation
from benchmarks.load import Exchange
from providers.stripe import Credentials, Stripe
from sandbox import Sandbox

CONNECTIONS = 32
EMPTY, INSERT = "an empty route", "one row inserted"
ROUTES = {OURS: "/webhooks/stripe", EMPTY: "/bare/empty", INSERT: "/bare/insert"}
SECRET = "whsec_benchmark"


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """Distinct signed events over kept connections, to a process of the API."""
    with installed.served("benchmarks.server", STRIPE_WEBHOOK_SECRET=SECRET) as port:
        return uvloop.run(_figures(installed, Bench(port, rounds, seconds, CONNECTIONS)))


async def _figures(installed: Installation, bench: Bench) -> list[Figure]:
    async with Sandbox(webhook_secret=SECRET) as sandbox:
        events = _Events(sandbox, await payment(sandbox))
        lengths = {way: await _length(bench, events, way) for way in ROUTES}
        turns = await bench.turns({way: events.to(route, lengths[way]) for way, route in ROUTES.items()})
    await _check_kept(installed, events)
    return [faster("webhook", turns, EMPTY), faster("webhook", turns, INSERT)]


async def payment(sandbox: Sandbox) -> dict[str, Any]:
    """The event of an order paid at Stripe."""
    async with Stripe(Credentials(secret_key="sk_test_benchmark"), url=sandbox.url) as stripe:
        price = {"currency": "eur", "unit_amount": 9999, "product_data": {"name": "Déclaration d'impôts"}}
        session = await stripe.create_checkout_session(
            {
                "mode": "payment",
                "line_items": [{"price_data": price, "quantity": 1}],
                "success_url": "https://shop.test/merci",
                "customer_email": "marie@shop.test",
                "metadata": {"order": "42"},
            },
            "benchmark",
        )
    await sandbox.stripe.pay(session.id)
    (event,) = sandbox.stripe.events("checkout.session.completed")
    return event


async def _length(bench: Bench, events: "_Events", way: str) -> int:
    """How long each answer of a way is. Raises Failed unless our route takes an event as new, once."""
    sent = events.made(ROUTES[way])
    body = await load.answer(bench.port, sent)
    if way == OURS:
        answers = [orjson.loads(body), orjson.loads(await load.answer(bench.port, sent))]
        if answers != [{"received": True, "new": True}, {"received": True, "new": False}]:
            raise load.Failed(f"an event sent twice was answered {answers}")
    return len(body)


async def _check_kept(installed: Installation, events: "_Events") -> None:
    """Raises Failed unless each event that our route took is stored and promised, once."""
    connection = await asyncpg.connect(installed.database_url)
    try:
        kept = await connection.fetchrow(_KEPT)
    finally:
        await connection.close()
    if set(kept) != {events.count[ROUTES[OURS]]}:
        raise load.Failed(f"{events.count} events were sent, and kept: {dict(kept)}")


class _Events:
    """Requests with one event, each time under another id, signed at the moment when it is sent."""

    def __init__(self, sandbox: Sandbox, event: dict[str, Any]) -> None:
        body = json.dumps(event, indent=2, ensure_ascii=False).encode()  # as Stripe writes it
        self._before, self._after = body.split(event["id"].encode())
        self._sign = sandbox.stripe.sign
        self.count = dict.fromkeys(ROUTES.values(), 0)

    def to(self, route: str, length: int) -> Iterator[Exchange]:
        while True:
            yield Exchange(self.made(route), length)

    def made(self, route: str) -> bytes:
        self.count[route] += 1
        body = b"%sevt_%024d%s" % (self._before, self.count[route], self._after)
        return load.request("POST", route, body=body, headers={"Stripe-Signature": self._sign(body)})


_KEPT = """
SELECT
    (SELECT count(*) FROM stripe_events WHERE stripe_account <> 'bare') AS stored,
    (SELECT count(*) FROM outbox WHERE job = 'inbox.handle' AND subject_id IN (SELECT id FROM stripe_events))
        AS promised
"""
