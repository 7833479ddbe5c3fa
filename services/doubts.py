"""What Stripe is asked about: each kind of doubt finds what may be wrong, and asks. Others add theirs to `DOUBTS`."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from models import Attempt, AttemptStatus, ClientSubscription, DriftKind, Order, Payment, PaymentStatus
from models.database import query, transaction
from providers.stripe import Stripe
from services import asking, dispute_news, payments, refund_news, stripe_accounts, subscriptions
from services.stripe_news import News, Object, order_id_of

PACE = 0.05  # seconds between two questions: Stripe allows a hundred a second, and clients want theirs
MOST = 1000  # of a kind in a run, a random choice of more
SLOW = timedelta(minutes=10)  # for the answer to what was asked, and for an end to be told
UNUSED = timedelta(hours=1)  # a form that was opened and not used
UNTOLD = timedelta(hours=2)  # Stripe charges a renewal an hour after its invoice was made
TRIED = timedelta(hours=23)  # so long Stripe gives the same answer for an idempotency key
HANDLED = timedelta(minutes=10)
AT_THE_BANK = timedelta(days=1)  # a refund by bank, of which there is nothing new before


@dataclass(frozen=True)
class Doubt:
    """An order that something may be wrong with, and what Stripe says of it, if that is known already."""

    order_id: UUID
    said: Object | None = None


@dataclass(frozen=True)
class Found:
    """What stays different once Stripe was asked."""

    kind: DriftKind
    order_id: UUID
    reference: str
    message: str


Answer = tuple[bool, Sequence[Found]]  # whether the order was brought up to date, and what stays different


@dataclass(frozen=True)
class Doubts:
    """One kind. `find` is given account, mode, and the time to look at; `ask` asks Stripe, and takes its word. Both may
    raise what the Stripe provider raises: where it refuses to answer about one, that is told, and the next is asked."""

    find: Callable[[str, bool, datetime, datetime], Awaitable[Sequence[Doubt]]]
    ask: Callable[[Doubt], Awaitable[Answer]]


async def unhandled(account: str, live: bool) -> dict[UUID, tuple[str, datetime]]:
    """Orders of ours that events name which came and are not handled yet: the oldest such event, and when it came."""
    rows = await query(
        "SELECT stripe_id, created_at, body FROM stripe_events"
        " WHERE stripe_account = $1 AND live = $2 AND handled_at IS NULL ORDER BY id DESC LIMIT $3",
        account, live, MOST,
    )  # fmt: skip
    named = {order_id_of(json.loads(row["body"])["data"]["object"]): row for row in rows}
    mine = await _mine(account, live, [id for id in named if id])
    return {id: (named[id]["stripe_id"], named[id]["created_at"]) for id in mine}


def late(events: Mapping[UUID, tuple[str, datetime]]) -> list[Found]:
    """Those of them that should have been handled by now."""
    before = datetime.now(UTC) - HANDLED
    return [
        Found(DriftKind.NOT_HANDLED, order_id, event_id, f"This event came at {at:%Y-%m-%d %H:%M} UTC.")
        for order_id, (event_id, at) in events.items()
        if at < before
    ]


async def _paid_at_stripe(account: str, live: bool, since: datetime, until: datetime) -> list[Doubt]:
    """PaymentIntents of that time that succeeded for an order of ours, where we do not know just that."""
    found = []
    asked = await stripe_accounts.at(account, live)
    async for page in asked.payment_intents(since, until):
        named = [Doubt(order_id, intent) for intent in page if (order_id := order_id_of(intent))]
        known = {row.stripe_id: row for row in await _payments(account, live, [doubt.said for doubt in named])}
        mine = await _mine(account, live, [doubt.order_id for doubt in named])
        found += [
            doubt for doubt in named
            if doubt.order_id in mine and doubt.said and _difference(doubt, known.get(doubt.said["id"]))
        ]  # fmt: skip
    return found


async def _ask_of_payment(doubt: Doubt) -> Answer:
    """The order's own checkout or form is asked after; what stays different then is told."""
    assert doubt.said is not None
    order = await Order.get(id=doubt.order_id)
    mended = await _confirmed(order)
    (payment,) = await _payments(order.stripe_account, order.live, [doubt.said]) or (None,)
    different = _difference(doubt, payment)
    return mended, [different] if different else []


async def _stuck(account: str, live: bool, since: datetime, until: datetime) -> list[Doubt]:
    """Orders with an attempt whose end is not known, though it should be."""
    rows = await query(
        """
        SELECT order_id FROM attempts
        WHERE stripe_account = $1 AND live = $2 AND operation IN ('CHECKOUT', 'PAYMENT_INTENT')
          AND status IN ('PENDING', 'OPEN', 'PROCESSING') AND created_at < now() - $3::interval
          AND (status <> 'OPEN' OR coalesce(expires_at + $3::interval, created_at + $4::interval) < now())
        GROUP BY order_id ORDER BY random() LIMIT $5
        """,
        account, live, SLOW, UNUSED, MOST,
    )  # fmt: skip
    return [Doubt(row["order_id"]) for row in rows]


async def _ask_of_order(doubt: Doubt) -> Answer:
    return await _confirmed(await Order.get(id=doubt.order_id)), []


async def _over(account: str, live: bool, since: datetime, until: datetime) -> list[Doubt]:
    """Subscriptions whose period is over, of which nobody told what came after."""
    rows = await query(
        """
        SELECT stripe_id, (SELECT id FROM orders WHERE subscription_id = s.id ORDER BY id DESC LIMIT 1) AS order_id
        FROM subscriptions s
        WHERE stripe_account = $1 AND live = $2 AND ended_at IS NULL AND current_period_end < now() - $3::interval
        ORDER BY random() LIMIT $4
        """,
        account, live, UNTOLD, MOST,
    )  # fmt: skip
    return [Doubt(row["order_id"], {"id": row["stripe_id"]}) for row in rows if row["order_id"]]


async def _ask_of_subscription(doubt: Doubt) -> Answer:
    """What Stripe says of it now is taken as after any of its events."""
    assert doubt.said is not None
    order = await Order.get(id=doubt.order_id)
    heard = await subscriptions.look(await _stripe(order), doubt.said["id"])
    await asyncio.sleep(PACE)
    row = ClientSubscription.filter(
        stripe_id=doubt.said["id"], stripe_account=order.stripe_account, live=order.live
    ).values("status", "current_period_end", "ended_at")  # fmt: skip
    before = await row
    told = News(order.stripe_account, order.live, heard.asked_at, f"reconciled_{uuid4().hex}")
    async with transaction():
        await subscriptions.take(told, heard)
    return await row != before, []


async def _at_the_bank(account: str, live: bool, since: datetime, until: datetime) -> list[Doubt]:
    """Payments of which a refund is on its way for long."""
    rows = await query(
        """
        SELECT p.order_id, p.stripe_id FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE r.stripe_account = $1 AND r.live = $2 AND r.status = 'PENDING' AND p.stripe_id IS NOT NULL
          AND r.created_at < now() - $3::interval
        GROUP BY p.order_id, p.stripe_id ORDER BY random() LIMIT $4
        """,
        account, live, AT_THE_BANK, MOST,
    )  # fmt: skip
    return [Doubt(row["order_id"], {"id": None, "payment_intent": row["stripe_id"]}) for row in rows]


async def _ask_of_refunds(doubt: Doubt) -> Answer:
    assert doubt.said is not None
    order = await Order.get(id=doubt.order_id)
    refunds = await refund_news.look(await _stripe(order), doubt.said["payment_intent"])
    return await _changed(doubt, lambda told, said: refund_news.take(told, said, refunds)), []


async def _undecided(account: str, live: bool, since: datetime, until: datetime) -> list[Doubt]:
    """Disputes that no bank has decided, as far as we know."""
    rows = await query(
        "SELECT order_id, stripe_id FROM disputes WHERE stripe_account = $1 AND live = $2 AND status = 'OPEN'"
        " AND created_at < now() - $3::interval ORDER BY random() LIMIT $4",
        account, live, SLOW, MOST,
    )  # fmt: skip
    return [Doubt(row["order_id"], {"id": row["stripe_id"]}) for row in rows]


async def _ask_of_dispute(doubt: Doubt) -> Answer:
    assert doubt.said is not None
    order = await Order.get(id=doubt.order_id)
    dispute = (await (await _stripe(order)).dispute(doubt.said["id"])).to_dict()
    return await _changed(doubt, lambda told, _: dispute_news.told(told, dispute)), []


async def _stripe(order: Order) -> Stripe:
    return await stripe_accounts.at(order.stripe_account, order.live)


async def _changed(doubt: Doubt, take: Callable[[News, Object], Awaitable[str]]) -> bool:
    """Whether Stripe's answer about money that goes back, taken like an event of now, changed anything."""
    assert doubt.said is not None
    await asyncio.sleep(PACE)
    order = await Order.get(id=doubt.order_id)
    before = await _state(order)
    told = News(order.stripe_account, order.live, datetime.now(UTC), f"reconciled_{uuid4().hex}")
    async with transaction():
        await take(told, doubt.said)
    return bool(await _state(order) != before)


async def _confirmed(order: Order) -> bool:
    """Whether Stripe's word changed anything."""
    before = await _state(order)
    for attempt in await Attempt.filter(order_id=order.id, operation__in=asking.TO_PAY, status=AttemptStatus.PENDING):
        await _settle(attempt)
    await payments.confirm(order)
    await asyncio.sleep(PACE)
    return bool(await _state(order) != before)


async def _settle(attempt: Attempt) -> None:
    """One whose answer was lost: asked again under its key, or, once Stripe has forgotten that, given up."""
    if attempt.created_at > datetime.now(UTC) - TRIED:
        await asking.ask_again(attempt)
    else:
        await asking.forget(attempt)


async def _state(order: Order) -> Any:
    """What Stripe's word may change."""
    return await query(
        "SELECT status, paid_cents, (SELECT array_agg(status ORDER BY id) FROM payments WHERE order_id = orders.id)"
        " AS payments, (SELECT array_agg(status ORDER BY id) FROM attempts WHERE order_id = orders.id) AS attempts,"
        " (SELECT array_agg(status ORDER BY id) FROM refunds WHERE order_id = orders.id) AS refunds,"
        " (SELECT array_agg(status ORDER BY id) FROM disputes WHERE order_id = orders.id) AS disputes"
        " FROM orders WHERE id = $1",
        order.id,
    )


async def _mine(account: str, live: bool, ids: Sequence[UUID]) -> set[UUID]:
    """Those that are orders of the account."""
    rows = await Order.filter(id__in=ids, stripe_account=account, live=live).only("id")
    return {row.id for row in rows}


async def _payments(account: str, live: bool, intents: Sequence[Object | None]) -> list[Payment]:
    ids = [intent["id"] for intent in intents if intent]
    return await Payment.filter(stripe_account=account, live=live, stripe_id__in=ids)


def _difference(doubt: Doubt, payment: Payment | None) -> Found | None:
    """Between a PaymentIntent and what we know of it."""
    intent = doubt.said
    assert intent is not None
    paid, ours = intent["status"] == "succeeded", payment is not None and payment.status is PaymentStatus.SUCCEEDED
    took = f"{intent['amount_received']} {intent['currency'].upper()} (minor units)"
    if paid and not ours:
        return Found(DriftKind.NOT_COUNTED, doubt.order_id, intent["id"], f"Stripe was paid {took}, and we were not.")
    if ours and not paid:
        message = f"We were paid, and Stripe says: {intent['status']}."
        return Found(DriftKind.NOT_PAID, doubt.order_id, intent["id"], message)
    if payment and ours and took != f"{payment.amount_cents} {payment.currency} (minor units)":
        message = f"Stripe was paid {took}, and we {payment.amount_cents} {payment.currency}."
        return Found(DriftKind.AMOUNT_DIFFERS, doubt.order_id, intent["id"], message)
    return None


DOUBTS: dict[str, Doubts] = {
    "Payments": Doubts(_paid_at_stripe, _ask_of_payment),
    "Orders": Doubts(_stuck, _ask_of_order),
    "Subscriptions": Doubts(_over, _ask_of_subscription),
    "Refunds": Doubts(_at_the_bank, _ask_of_refunds),
    "Disputes": Doubts(_undecided, _ask_of_dispute),
}
