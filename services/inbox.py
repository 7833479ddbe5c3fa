"""Stripe's events: stored raw before anything else, handled once, right in whatever order they come."""

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models import Lane, StripeEvent
from models.database import query, transaction
from services import catalogue_sync, foreign_sales
from services import stripe_news as news
from services.outbox import job, later
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
    "product.updated": catalogue_sync.compare,
}


async def receive(account: str, body: bytes) -> bool:
    """Store a verified event and promise its handling; False for one that was already stored. Raises ValueError for a
    body that is no event."""
    event = _Envelope.model_validate(json.loads(body))
    row = StripeEvent(
        stripe_id=event.id, stripe_account=account, live=event.livemode, type=event.type,
        occurred_at=datetime.fromtimestamp(event.created, UTC), body=body,
    )  # fmt: skip
    if event.type not in HANDLERS:
        row.outcome, row.handled_at = "stored; events of this type change nothing here", datetime.now(UTC)
    async with transaction():
        new = await query(
            _STORE, row.id, row.stripe_id, row.stripe_account, row.live, row.type, row.occurred_at, row.body,
            row.outcome, row.handled_at,
        )  # fmt: skip
        if not new:
            return False
        if row.handled_at is None:
            await later(handle, row)
    return True


# One trip, which says whether it was new: `bulk_create` and a look for the row took a third of the CPU of a webhook.
_STORE = """
INSERT INTO stripe_events
    (id, created_at, stripe_id, stripe_account, live, type, occurred_at, body, outcome, handled_at)
VALUES ($1, now(), $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (stripe_account, stripe_id) DO NOTHING RETURNING id
"""


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
    """Do what an event asks, once, in one transaction. A sale that began at Stripe is asked after first."""
    body = json.loads(event.body)
    named, key = body["data"]["object"], (body.get("request") or {}).get("idempotency_key")
    told = News(event.stripe_account, event.live, event.occurred_at, event.stripe_id, key)
    foreign = await foreign_sales.ask(event.type, named)
    async with transaction():
        locked = await StripeEvent.select_for_update().get(id=event.id)
        if locked.handled_at is not None:
            return
        if foreign:
            locked.outcome, locked.flagged_at = await foreign_sales.take(told, foreign)
        else:
            locked.outcome = await HANDLERS[event.type](told, named)
        locked.handled_at = datetime.now(UTC)
        await locked.save(update_fields=["outcome", "handled_at", "flagged_at"])
