"""Stripe's events: stored raw before anything else, handled once, right in whatever order they come."""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from uuid_utils.compat import uuid7

from models import Lane, StripeEvent, rows
from models.database import query, transaction
from services import (
    catalogue_sync,
    dispute_news,
    foreign_sales,
    keeping,
    own_events,
    refund_news,
    settlement,
    stripe_traces,
    subscriptions,
)
from services import stripe_news as news
from services.group_commit import GroupCommit
from services.outbox import job, promised
from services.outside import outside
from services.stripe_accounts import PLATFORM
from services.stripe_news import News

log = logging.getLogger("comptoir.inbox")

Handler = Callable[[News, dict[str, Any]], Awaitable[str]]

HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": news.session_completed,
    "checkout.session.async_payment_succeeded": news.session_settled,
    "checkout.session.async_payment_failed": news.session_failed,
    "checkout.session.expired": news.session_expired,
    "payment_intent.succeeded": news.intent_succeeded,
    "payment_intent.processing": news.intent_processing,
    "payment_intent.payment_failed": news.intent_failed,
    "payment_intent.canceled": news.intent_canceled,
    **dict.fromkeys(refund_news.TOLD, refund_news.names_no_payment),
    "charge.dispute.created": dispute_news.told,
    "charge.dispute.updated": dispute_news.told,
    "charge.dispute.closed": dispute_news.told,
    "product.updated": catalogue_sync.compare,
    **dict.fromkeys((*subscriptions.SUBSCRIBED, *subscriptions.BILLED), subscriptions.names_nothing),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One as it was posted, and what is read of it before it is handled."""

    id: UUID
    stripe_id: str
    account: str
    live: bool
    type: str
    occurred_at: datetime
    body: bytes

    @property
    def named(self) -> dict[str, Any]:
        """The object that it is about; nothing where it says none. Who has an own account signs what they please."""
        told = _parsed(self.body)["data"].get("object")
        return told if isinstance(told, dict) else {}

    @property
    def label(self) -> str:
        """Its type for metrics: of few values."""
        return self.type if self.type in HANDLERS else "other"


def read(account: str, body: bytes) -> Event:
    """A verified event. Raises ValueError for a body that is no event."""
    envelope = _Envelope.model_validate(_parsed(body))
    at = datetime.fromtimestamp(envelope.created, UTC)
    return Event(uuid7(), envelope.id, account, envelope.livemode, envelope.type, at, body)


async def receive(event: Event) -> bool:
    """Store an event and promise its handling; False for one that was already stored. It is committed, with all that
    came at the same time. Raises NotWritten."""
    return await _stored(event)


async def store(events: Sequence[Event]) -> list[bool]:
    """Which of them are new: all in one statement."""
    stored = await query(
        _store_and_promise(),
        [event.id for event in events], [uuid7() for _ in events], [event.stripe_id for event in events],
        [event.account for event in events], [event.live for event in events],
        [event.type for event in events], [event.occurred_at for event in events],
        [event.body for event in events], [None if event.type in HANDLERS else _UNHANDLED for event in events],
        ["" if event.type in HANDLERS else " ".join(stripe_traces.ids_in(event.named)) for event in events],
    )  # fmt: skip
    await outside().wake.of(Lane.EVENTS)()
    new = {row["id"] for row in stored}
    return [event.id in new for event in events]


@cache
def _store_and_promise() -> str:
    """Sorted, so that processes which are sent the same events take them in the same order, and none waits for the
    other for ever."""
    return f"""
        WITH come AS (
            SELECT * FROM unnest(
                $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::timestamptz[], $8::bytea[],
                $9::text[], $10::text[]
            ) AS come (id, promise_id, stripe_id, stripe_account, live, type, occurred_at, body, outcome, ids)
        ), new AS (
            INSERT INTO stripe_events
                (id, created_at, stripe_id, stripe_account, live, type, occurred_at, body, outcome, handled_at)
            SELECT id, now(), stripe_id, stripe_account, live, type, occurred_at,
                CASE WHEN outcome IS NOT NULL AND {stripe_traces.of_erased("come", "string_to_array(ids, ' ')")}
                    THEN {stripe_traces.BLANK} ELSE body END, outcome,
                CASE WHEN outcome IS NOT NULL THEN now() END
            FROM come ORDER BY stripe_account, stripe_id
            ON CONFLICT (stripe_account, stripe_id) DO NOTHING RETURNING id, handled_at
        ), owed AS (
            SELECT come.promise_id, new.id AS subject_id FROM new JOIN come USING (id) WHERE new.handled_at IS NULL
        ), promised AS ({promised(handle, "owed")})
        SELECT id FROM new
    """  # noqa: S608


_HANDLED = f"""
    UPDATE stripe_events SET outcome = $2, flagged_at = $3, handled_at = now(),
        body = CASE WHEN {stripe_traces.of_erased("stripe_events", "$4::text[]")}
            THEN {stripe_traces.BLANK} ELSE body END
    WHERE id = $1
"""  # noqa: S608
_UNHANDLED = "stored; events of this type change nothing here"

_stored: GroupCommit[Event, bool] = GroupCommit(store, size=lambda event: len(event.body), size_most=32 * 2**20)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)  # half of a surrogate pair, which Stripe may pass on


class _Envelope(BaseModel):
    """What every event of Stripe's has."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(pattern=r"^[\w-]+$", max_length=255)]
    type: Annotated[str, StringConstraints(pattern=r"^[\w.]+$", max_length=100)]
    created: Annotated[int, Field(ge=0, le=2**33)]
    livemode: bool
    data: dict[str, Any]


@job(Lane.EVENTS, urgent=True)
async def handle(event: StripeEvent) -> None:
    """Do what an event asks, once, in one transaction. Where it alone does not say all, Stripe is asked first."""
    try:
        await _handle(event)
    except Exception as error:
        if event.stripe_account == PLATFORM:
            raise
        own_events.judge(error, keeping.failing_since())
        await _leave(event, error)


async def _handle(event: StripeEvent) -> None:
    body = _parsed(event.body)
    named, key = body["data"]["object"], (body.get("request") or {}).get("idempotency_key")
    told = News(event.stripe_account, event.live, event.occurred_at, event.stripe_id, key)
    foreign = await foreign_sales.ask(told, event.type, named)
    heard = await subscriptions.ask(told, event.type, named)
    refunds = await refund_news.ask(told, event.type, named)
    take = partial(_take, event, told, named, foreign, heard, refunds)
    try:
        with settlement.hopefully():
            await take()
    except Exception as error:
        log.info("%s is handled once more, step by step: %r", event.stripe_id, error)
        await take()


async def _take(
    event: StripeEvent, told: News, named: dict[str, Any], foreign: Any, heard: Any, refunds: Any
) -> None:  # fmt: skip
    async with transaction():
        (known,) = await query("SELECT handled_at FROM stripe_events WHERE id = $1 FOR UPDATE", event.id)
        if known["handled_at"] is None:
            flagged_at = None
            if heard:
                outcome, flagged_at = await subscriptions.take(told, heard)
            elif foreign:
                outcome, flagged_at = await foreign_sales.take(told, foreign)
            elif refunds is not None:
                outcome = await refund_news.take(told, named, refunds)
            else:
                outcome = await HANDLERS[event.type](told, named)
            await rows.put(event, _HANDLED, event.id, outcome, flagged_at, stripe_traces.ids_in(named))
        await keeping.finish()


async def _leave(event: StripeEvent, error: Exception) -> None:
    async with transaction():
        (known,) = await query("SELECT handled_at FROM stripe_events WHERE id = $1 FOR UPDATE", event.id)
        if known["handled_at"] is None:
            ids = stripe_traces.ids_in(_parsed(event.body)["data"]["object"])
            await rows.put(event, _HANDLED, event.id, await own_events.leave(event, error), None, ids)
        await keeping.finish()
