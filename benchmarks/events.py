"""Stripe's events handled to the end, against the SQL that this takes, written by hand, over as many connections.

Each event pays an order: payment, order, access, numbered invoice, notification, and the promises of all that follows.
"""

import asyncio
import json
import sys
import time
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvloop
from uuid_utils.compat import uuid7

import telemetry
from benchmarks import webhooks
from benchmarks.figures import OURS, Figure, Turn, Turns, faster, turns_of
from benchmarks.installation import Installation
from models import Lane, Promise
from models.database import fetch, query
from sandbox import Sandbox
from services import outside
from settings import Settings
from workers.lanes import WIDTHS, Lanes

BARE = "bare SQL"
EVENTS = 300  # of a turn
LOOK_EVERY = 0.01  # seconds
TURN_MOST = 120.0  # seconds


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """The lane of one worker, which has nothing else to do."""
    told = installed.run(
        "benchmarks.events", rounds, max(10, round(EVENTS * seconds)), ENVIRONMENT="development", LOG_FORMAT="json"
    )
    return [faster("event", turns_of(told), BARE)]


async def main(rounds: int, count: int) -> Turns:
    settings = Settings(_env_file=None)
    telemetry.start(settings)
    async with outside.connected(settings), Sandbox(webhook_secret="whsec_benchmark") as sandbox:
        body = await _event(sandbox)
        await query(_PARTNERS)
        width = WIDTHS[Lane.EVENTS]
        async with asyncpg.create_pool(settings.database_url, min_size=width, max_size=width) as pool:
            return await _turns(_Bare(pool), body, rounds, count)


async def _turns(bare: "_Bare", body: bytes, rounds: int, count: int) -> Turns:
    """Both ways in turn, the first not counted. Raises Failed unless both leave the same."""
    taken: Turns = {OURS: [], BARE: []}
    left: list[Any] = []
    bare.content = await _content(body)
    for _ in range(rounds + 1):
        for way, turns in taken.items():
            before = await fetch(_LEFT)
            await query(_MADE, count, body)
            if way == OURS:
                turns.append(await _ours(count))
            else:
                turns.append(await bare.turn(count))
            left.append([now["rows"] - then["rows"] for now, then in zip(await fetch(_LEFT), before, strict=True)])
    if any(each != left[0] for each in left):
        raise RuntimeError(f"not all ways left the same: {left}")
    return {way: turns[1:] for way, turns in taken.items()}


async def _event(sandbox: Sandbox) -> bytes:
    """Stripe's, of a payment, with names instead of its ids."""
    event = await webhooks.payment(sandbox)
    session = event["data"]["object"]
    session["metadata"]["order"], session["amount_total"] = "the-order", 9999
    session["id"], session["payment_intent"] = "the-session", "the-intent"
    return json.dumps(event, indent=2, ensure_ascii=False).encode()


async def _content(body: bytes) -> str:
    """What an invoice says, as ours wrote it: to be inserted as it is."""
    await query(_MADE, 1, body)
    await _ours(1)
    (row,) = await fetch("SELECT content::text FROM invoices ORDER BY id DESC LIMIT 1")
    return str(row["content"])


async def _ours(count: int) -> Turn:
    """By a worker that has this lane alone, and nothing left to do when the other way has its turn."""
    lanes = Lanes({Lane.EVENTS: WIDTHS[Lane.EVENTS]})
    started, used = time.perf_counter(), time.process_time()
    lanes.start()
    try:
        async with asyncio.timeout(TURN_MOST):
            while await Promise.exists(lane=Lane.EVENTS, done_at=None):
                await asyncio.sleep(LOOK_EVERY)
        return Turn(count / (time.perf_counter() - started), (time.process_time() - used) / count * 1e6)
    finally:
        await lanes.stop()


class _Bare:
    """The same, as one would write it who had nothing else to serve: nothing is checked."""

    content = ""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def turn(self, count: int) -> Turn:
        started, used = time.perf_counter(), time.process_time()
        async with asyncio.timeout(TURN_MOST):
            await asyncio.gather(*(self._work() for _ in range(WIDTHS[Lane.EVENTS])))
        return Turn(count / (time.perf_counter() - started), (time.process_time() - used) / count * 1e6)

    async def _work(self) -> None:
        async with self._pool.acquire() as connection:
            while promises := await connection.fetch(_CLAIM):
                for promise in promises:
                    async with connection.transaction():
                        await self._handle(connection, promise["subject_id"])
                    await connection.execute(_FINISH, promise["id"])

    async def _handle(self, connection: asyncpg.Connection, event_id: UUID) -> None:
        event = await connection.fetchrow("SELECT * FROM stripe_events WHERE id = $1 FOR UPDATE", event_id)
        session = orjson.loads(event["body"])["data"]["object"]
        order = await connection.fetchrow(_ORDER, UUID(session["metadata"]["order"]))
        await connection.execute("UPDATE attempts SET status = 'COMPLETED' WHERE stripe_id = $1", session["id"])
        owner, key, invoice, notified = order["organization_id"], order["id"], uuid7(), uuid7()
        await connection.execute(
            _PAYMENT, uuid7(), owner, key, order["total_cents"], session["payment_intent"], event["stripe_id"],
            event["occurred_at"],
        )  # fmt: skip
        await connection.execute(
            _HAPPENED, uuid7(), owner, order["client_id"], event["occurred_at"], orjson.dumps(_said(order)).decode()
        )
        await connection.execute(_PAID, key, event["occurred_at"], event["stripe_id"])
        await connection.execute(_ACCESS, uuid7(), owner, order["client_id"], order["product_id"], key)
        number = await connection.fetchrow(_NUMBER, owner)
        await connection.execute(
            _INVOICE, invoice, owner, key, order["partner_id"], number["id"], number["last_number"],
            order["total_cents"], self.content,
        )  # fmt: skip
        payload = orjson.dumps(session["metadata"]).decode() * 10
        await connection.execute(
            _NOTIFIED, notified, owner, order["partner_id"], key, invoice, event["stripe_id"], payload
        )
        rendered = uuid7()
        await connection.execute(_PROMISES, owner, rendered, invoice, uuid7(), notified, uuid7(), key, uuid7())
        await connection.execute(
            "UPDATE stripe_events SET handled_at = now(), outcome = 'paid' WHERE id = $1", event_id
        )


def _said(order: asyncpg.Record) -> dict[str, Any]:
    """What a timeline says of its payment."""
    return {
        "order": str(order["id"]), "order_number": order["number"], "payment": str(order["id"]), "method": "STRIPE",
        "amount_cents": order["total_cents"], "currency": "EUR", "balance_cents": 0,
    }  # fmt: skip


# A turn's clients, orders, sessions and events; the body names order, session and intent of its own.
_MADE = """
WITH owner AS (
    UPDATE organizations SET last_order_number = last_order_number + $1::int + 1000
    RETURNING id, last_order_number AS last
), place AS (
    SELECT owner.id AS organization_id, owner.last - $1::int + n AS number, gen_random_uuid() AS client_id,
        gen_random_uuid() AS order_id, gen_random_uuid() AS event_id, products.*
    FROM owner, generate_series(1, $1::int) AS n,
        LATERAL (SELECT id AS product_id, name, price_cents FROM products WHERE n > 0 ORDER BY id LIMIT 1) AS products
), client AS (
    INSERT INTO clients (id, created_at, organization_id, email, first_name, last_name)
    SELECT client_id, now(), organization_id, 'c' || number || '@told.test', 'Marie', 'Martin' FROM place
), made AS (
    INSERT INTO orders (id, created_at, organization_id, number, client_id, kind, status, currency, subtotal_cents,
        total_cents, paid_cents, stripe_account, live)
    SELECT order_id, now(), organization_id, number, client_id, 'PRODUCTS', 'OPEN', 'EUR', 9999, 9999, 0, 'platform',
        false FROM place
), line AS (
    INSERT INTO order_lines (id, created_at, organization_id, order_id, position, product_id, description, quantity,
        unit_price_cents, currency, vat_rate, total_cents)
    SELECT gen_random_uuid(), now(), organization_id, order_id, 1, product_id, name, 1, 9999, 'EUR', 2000, 9999
    FROM place
), asked AS (
    INSERT INTO attempts (id, created_at, organization_id, order_id, operation, number, status, request, stripe_account,
        live, stripe_id, amount_cents, expires_at)
    SELECT gen_random_uuid(), now(), organization_id, order_id, 'CHECKOUT', 1, 'OPEN', '{}', 'platform', false,
        'cs_' || number, 9999, now() + interval '1 day' FROM place
), come AS (
    INSERT INTO stripe_events (id, created_at, stripe_id, stripe_account, live, type, occurred_at, body)
    SELECT event_id, now(), 'evt_' || number, 'platform', false, 'checkout.session.completed', now(),
        convert_to(replace(replace(replace(convert_from($2::bytea, 'UTF8'),
            'the-order', order_id::text), 'the-session', 'cs_' || number), 'the-intent', 'pi_' || number), 'UTF8')
    FROM place
)
INSERT INTO outbox (id, created_at, lane, job, subject_id, due_at, deaths, failures)
SELECT gen_random_uuid(), now(), 'EVENTS', 'inbox.handle', event_id, now(), 0, 0 FROM place
"""

_PARTNERS = """
INSERT INTO product_partners (id, created_at, organization_id, product_id, partner_id)
SELECT gen_random_uuid(), now(), products.organization_id, products.id, partners.id FROM products, partners
"""

_LEFT = """
SELECT 'payments' AS of, count(*) AS rows FROM payments WHERE status = 'SUCCEEDED'
UNION ALL SELECT 'orders', count(*) FROM orders WHERE status = 'PAID'
UNION ALL SELECT 'attempts', count(*) FROM attempts WHERE status = 'COMPLETED'
UNION ALL SELECT 'timeline', count(*) FROM timeline_events
UNION ALL SELECT 'accesses', count(*) FROM accesses
UNION ALL SELECT 'invoices', count(*) FROM invoices
UNION ALL SELECT 'series', coalesce(sum(last_number), 0) FROM invoice_series WHERE stripe_account = 'platform'
UNION ALL SELECT 'notifications', count(*) FROM notifications
UNION ALL SELECT 'promises', count(*) FROM outbox
UNION ALL SELECT 'kept', count(*) FROM outbox WHERE done_at IS NOT NULL
UNION ALL SELECT 'events', count(*) FROM stripe_events WHERE handled_at IS NOT NULL
ORDER BY 1
"""

_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM outbox WHERE lane = 'EVENTS' AND due_at <= now() AND done_at IS NULL AND given_up_at IS NULL
        AND (lease_until IS NULL OR lease_until < now())
    ORDER BY due_at LIMIT 8 FOR UPDATE SKIP LOCKED
)
UPDATE outbox SET lease_until = now() + interval '15 s', token = gen_random_uuid() FROM due WHERE outbox.id = due.id
RETURNING outbox.id, subject_id
"""

_FINISH = "UPDATE outbox SET done_at = now(), lease_until = NULL, token = NULL WHERE id = $1"

_ORDER = """
SELECT orders.*, order_lines.product_id, product_partners.partner_id FROM orders
JOIN clients ON clients.id = orders.client_id
JOIN order_lines ON order_lines.order_id = orders.id
JOIN products ON products.id = order_lines.product_id
JOIN product_partners ON product_partners.product_id = products.id
WHERE orders.id = $1 FOR UPDATE OF orders
"""

_PAYMENT = """
INSERT INTO payments (id, created_at, organization_id, order_id, method, status, amount_cents, applied_cents, currency,
    stripe_account, live, stripe_id, event_id, paid_at, news_at)
VALUES ($1, now(), $2, $3, 'STRIPE', 'SUCCEEDED', $4, $4, 'EUR', 'platform', false, $5, $6, $7, $7)
"""

_HAPPENED = """
INSERT INTO timeline_events (id, created_at, organization_id, client_id, kind, occurred_at, data)
VALUES ($1, now(), $2, $3, 'PAYMENT_RECEIVED', $4, $5)
"""

_PAID = "UPDATE orders SET status = 'PAID', paid_cents = total_cents, paid_at = $2, event_id = $3 WHERE id = $1"

_ACCESS = """
INSERT INTO accesses (id, created_at, organization_id, client_id, product_id, order_id, live, starts_at)
VALUES ($1, now(), $2, $3, $4, $5, false, now()) ON CONFLICT DO NOTHING
"""

_NUMBER = """
UPDATE invoice_series SET last_number = last_number + 1, last_issued_at = clock_timestamp()
WHERE organization_id = $1 AND stripe_account = 'platform' AND NOT live RETURNING id, last_number
"""

_INVOICE = """
INSERT INTO invoices (id, created_at, organization_id, order_id, partner_id, series_id, type, number, year, sequence,
    issued_at, due_on, settled_at, currency, net_cents, vat_cents, total_cents, stripe_account, live, content,
    message_id, credited_cents, content_sha256, chain_sha256)
VALUES ($1, now(), $2, $3, $4, $5, 'INVOICE', 'FQCA-2026-' || lpad($6::int::text, 6, '0'), 2026, $6, now(), now()::date,
    now(), 'EUR', 8332, 1667, $7, 'platform', false, $8, $1::uuid::text || '@told.test', 0, repeat('0c', 32),
    repeat('0d', 32))
"""

_NOTIFIED = """
INSERT INTO notifications (id, created_at, organization_id, partner_id, order_id, invoice_id, event_type, event_id,
    payload, status, attempts_left, live)
VALUES ($1, now(), $2, $3, $4, $5, 'order.created', $6, $7, 'PENDING', 3, false)
"""

_PROMISES = """
INSERT INTO outbox (id, created_at, organization_id, lane, job, subject_id, after_id, due_at, deaths, failures) VALUES
    ($2, now(), $1, 'RENDER', 'invoices.render', $3, NULL, now(), 0, 0),
    ($4, now(), $1, 'MAIL', 'invoices.send', $3, $2, NULL, 0, 0),
    ($6, now(), $1, 'DELIVER', 'notifications.deliver', $5, $2, NULL, 0, 0),
    ($8, now(), $1, 'MAIL', 'telling.welcome', $7, NULL, now(), 0, 0)
"""


if __name__ == "__main__":
    turns: Any = uvloop.run(main(*map(int, sys.argv[1:])))
    sys.stdout.buffer.write(orjson.dumps(turns))
