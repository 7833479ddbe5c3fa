"""Telling partners what is due to them.

A notification is a promise of its own: due at `next_attempt_at`, while it is pending. A worker leases an endpoint,
which nobody else tells meanwhile, tells it what is due in one round, and writes down all that came of it at once.
Endpoints take turns, so that one with thousands due, or that never answers, delays no other; and pace, breaker and a
partner's own wish to wait are one moment of the endpoint before which nothing is sent.

A round is safe to run twice: where a worker dies in it, its notifications are told again under the same `webhook-id`.
"""

import asyncio
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from models import BreakerState, NotificationStatus, Partner, PartnerEndpoint, RetryPolicy
from models.database import query, transaction
from models.partner import webhook_id
from providers.webhooks import GONE, TOO_MANY, Answer
from services import partner_alerts
from services.outside import outside
from services.partner_requests import Writer

log = logging.getLogger("comptoir.notifications")

LEASE = timedelta(seconds=20)  # a round takes 3 s and the courier's 10 at most
ROUND = 100  # notifications at most
AT_ONCE = 20  # requests under way to one endpoint
STARTED_WITHIN = 3.0  # seconds: who is slow is told fewer in a round, and the others wait no longer
COOL_FIRST, COOL_MOST = timedelta(minutes=1), timedelta(minutes=15)  # of an open breaker, doubled by each failed probe
WISH_MOST = timedelta(hours=24)  # of what a partner's Retry-After may ask
SLOWED = timedelta(minutes=1)  # by a 429 that does not say for how long
JITTER = 0.2  # of a pause, at most, so that what failed together does not come back together
TROUBLE = timedelta(minutes=1)  # until an endpoint is tried again that we cannot write to


@dataclass(frozen=True, slots=True)
class Invoiced:
    """Of an invoice what its link needs."""

    id: UUID
    number: str
    file_key: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A notification to be told now."""

    id: UUID
    payload: str
    attempts_left: int
    invoice: Invoiced | None


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt, and what it means: `next_attempt_at` where there is to be another."""

    due: Due
    started_at: datetime
    answer: Answer
    status: NotificationStatus
    next_attempt_at: datetime | None = None

    @property
    def reason(self) -> str:
        return self.answer.error or f"answered {self.answer.status}"


async def claim(most: int) -> list[PartnerEndpoint]:
    """Lease endpoints that something is due to, those told longest ago first."""
    rows = await query(
        """
        WITH due AS MATERIALIZED (
            SELECT id FROM partner_endpoints e
            WHERE disabled_at IS NULL AND (held_until IS NULL OR held_until <= now())
              AND (lease_until IS NULL OR lease_until < now())
              AND EXISTS (
                SELECT 1 FROM notifications n
                WHERE n.partner_id = e.partner_id AND n.live = e.live AND n.status = 'PENDING'
                  AND n.next_attempt_at <= now()
              )
            ORDER BY told_at NULLS FIRST LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        UPDATE partner_endpoints SET lease_until = now() + $2::interval, lease_id = gen_random_uuid()
        FROM due WHERE partner_endpoints.id = due.id
        RETURNING partner_endpoints.*
        """,
        most, LEASE,
    )  # fmt: skip
    return [PartnerEndpoint(**row) for row in rows]


async def tell(endpoint: PartnerEndpoint) -> datetime | None:
    """A round to a leased endpoint; until when it is held afterwards, if it is."""
    try:
        return await _round(endpoint)
    except Exception:
        log.exception("endpoint %s cannot be told", endpoint.id)
        held_until = datetime.now(UTC) + TROUBLE
        await query(
            "UPDATE partner_endpoints SET held_until = $3, lease_until = NULL, lease_id = NULL, told_at = now()"
            " WHERE id = $1 AND lease_id = $2",
            endpoint.id, endpoint.lease_id, held_until,
        )  # fmt: skip
        return held_until


async def _round(endpoint: PartnerEndpoint) -> datetime | None:
    started = datetime.now(UTC)
    partner = await Partner.get(id=endpoint.partner_id).select_related("organization")
    due = await _due(endpoint, _room(partner, endpoint))
    tried: list[Tried] = []
    try:
        await _try_all(partner, endpoint, due, tried)
    finally:  # what was sent is written down, also where the worker is told to stop meanwhile
        held_until = await _record(partner, endpoint, started, tried)
    return held_until


def _room(partner: Partner, endpoint: PartnerEndpoint) -> int:
    """How many notifications this round may tell: with a pace, those of a second."""
    if endpoint.breaker is BreakerState.HALF_OPEN:
        return 1
    return max(1, partner.max_per_minute // 60) if partner.max_per_minute else ROUND


async def _due(endpoint: PartnerEndpoint, most: int) -> list[Due]:
    rows = await query(
        "SELECT n.id, n.payload, n.attempts_left, i.id AS invoice_id, i.number, i.file_key"
        " FROM notifications n LEFT JOIN invoices i ON i.id = n.invoice_id"
        " WHERE n.partner_id = $1 AND n.live = $2 AND n.status = 'PENDING' AND n.next_attempt_at <= now()"
        " ORDER BY n.next_attempt_at LIMIT $3",
        endpoint.partner_id, endpoint.live, most,
    )  # fmt: skip
    return [
        Due(
            row["id"], row["payload"], row["attempts_left"],
            Invoiced(row["invoice_id"], row["number"], row["file_key"]) if row["invoice_id"] else None,
        )
        for row in rows
    ]  # fmt: skip


async def _try_all(partner: Partner, endpoint: PartnerEndpoint, due: Sequence[Due], tried: list[Tried]) -> None:
    """So many at once, each added to `tried` once it is answered."""
    url = partner.url(endpoint.live)
    if not due:
        return
    if url is None:
        answer = Answer(0, error=_no_address(endpoint), refused=True)
        tried += [_judged(partner.retry_policy, each, datetime.now(UTC), answer) for each in due]
        return
    writer = await Writer.of(partner, f"{len(due)} notifications, from {webhook_id(due[0].id)}")
    waiting, loop = iter(due), asyncio.get_running_loop()
    until = loop.time() + STARTED_WITHIN

    async def one_by_one() -> None:
        while loop.time() < until and (each := next(waiting, None)):
            request, started_at = await writer.notification(webhook_id(each.id), each.payload, each.invoice), _now()
            answer = await outside().courier.post(url, request.body, request.headers)
            tried.append(_judged(partner.retry_policy, each, started_at, answer))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(due))):
            group.create_task(one_by_one())


def _judged(policy: RetryPolicy, due: Due, started_at: datetime, answer: Answer) -> Tried:
    """What an answer means for a notification that is still to be delivered."""
    left = due.attempts_left - 1
    if answer.accepted:
        return Tried(due, started_at, answer, NotificationStatus.DELIVERED)
    if answer.refused or left <= 0 or (policy is RetryPolicy.GUIDE and answer.final):
        return Tried(due, started_at, answer, NotificationStatus.FAILED)
    return Tried(due, started_at, answer, NotificationStatus.PENDING, _now() + _pause(policy, left, answer))


def _pause(policy: RetryPolicy, left: int, answer: Answer) -> timedelta:
    pause = policy.pauses[-min(left, len(policy.pauses))]
    if policy is RetryPolicy.GUIDE:
        return pause
    return max(pause * (1 + random.random() * JITTER), _wish(answer) or timedelta())  # noqa: S311


def _wish(answer: Answer) -> timedelta | None:
    """How long they ask to be left alone."""
    if answer.retry_after is not None:
        return min(timedelta(seconds=answer.retry_after), WISH_MOST)
    return SLOWED if answer.status == TOO_MANY else None


async def _record(
    partner: Partner, endpoint: PartnerEndpoint, started: datetime, tried: Sequence[Tried]
) -> datetime | None:
    """Keep the attempts, what they mean for the notifications and for the endpoint, and end the lease, at once."""
    _count(partner, endpoint, tried)
    held_until = endpoint.held_until = max(_holds(partner, endpoint, started, tried), default=None)
    async with transaction():
        if tried:
            await _keep(tried, partner.url(endpoint.live) or "")
        await query(
            "UPDATE partner_endpoints SET failures = $3, opened_at = $4, probes = $5, held_until = $6, told_at = now(),"
            " disabled_at = coalesce(disabled_at, $7), disabled_reason = coalesce(disabled_reason, $8),"
            " lease_until = NULL, lease_id = NULL WHERE id = $1 AND lease_id = $2",
            endpoint.id, endpoint.lease_id, endpoint.failures, endpoint.opened_at, endpoint.probes, held_until,
            endpoint.disabled_at, endpoint.disabled_reason,
        )  # fmt: skip
        await partner_alerts.consider(
            partner,
            endpoint,
            lost=[each.reason for each in tried if each.status is NotificationStatus.FAILED],
            recovered=any(each.answer.accepted for each in tried),
        )
    return held_until


def _count(partner: Partner, endpoint: PartnerEndpoint, tried: Sequence[Tried]) -> None:
    """What a round means for the endpoint."""
    for each in tried:
        if each.answer.ill:
            endpoint.failures += 1
        else:
            endpoint.failures, endpoint.opened_at = 0, None
        if each.answer.status == GONE and partner.retry_policy is RetryPolicy.STANDARD:
            endpoint.disabled_at, endpoint.disabled_reason = _now(), "it answered 410 Gone"
    if endpoint.opened_at:
        endpoint.probes += len(tried)
    elif partner.breaker_threshold and endpoint.failures >= partner.breaker_threshold:
        endpoint.opened_at, endpoint.probes = _now(), 0


def _holds(
    partner: Partner, endpoint: PartnerEndpoint, started: datetime, tried: Sequence[Tried]
) -> Iterator[datetime]:
    """Moments before which nothing is sent to the endpoint: by its pace, by its breaker, by its wish."""
    if partner.max_per_minute:
        yield started + timedelta(minutes=len(tried) / partner.max_per_minute)
    if endpoint.opened_at:
        yield _now() + min(COOL_FIRST * 2 ** min(endpoint.probes, 10), COOL_MOST)
    if partner.retry_policy is RetryPolicy.STANDARD:
        yield from (_now() + (_wish(each.answer) or SLOWED) for each in tried if each.answer.status == TOO_MANY)


async def _keep(tried: Sequence[Tried], url: str) -> None:
    """The attempts, numbered on, and where their notifications stand. One that was delivered by somebody else meanwhile
    stays so; rows are locked in order, so that two who keep attempts of the same wait for each other."""
    ids = [each.due.id for each in tried]
    await query("SELECT id FROM notifications WHERE id = ANY($1) ORDER BY id FOR UPDATE", ids)
    await query(
        """
        WITH tried AS (
            SELECT * FROM unnest(
                $1::uuid[], $2::uuid[], $3::timestamptz[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[],
                $9::timestamptz[]
            ) AS tried (id, notification_id, started_at, duration_ms, status_code, error, response, status, again_at)
        ), kept AS (
            INSERT INTO notification_attempts (
                id, created_at, organization_id, notification_id, number, url, started_at, duration_ms, status_code,
                error, response
            )
            SELECT t.id, now(), n.organization_id, n.id, 1 + (
                SELECT count(*) FROM notification_attempts a WHERE a.notification_id = n.id
            ), $10, t.started_at, t.duration_ms, t.status_code, t.error, t.response
            FROM tried t JOIN notifications n ON n.id = t.notification_id
        )
        UPDATE notifications SET status = t.status, attempts_left = greatest(attempts_left - 1, 0),
            next_attempt_at = t.again_at,
            delivered_at = CASE WHEN t.status = 'DELIVERED' THEN now() END
        FROM tried t WHERE notifications.id = t.notification_id AND notifications.status = 'PENDING'
        """,
        *zip(*(_row(each) for each in tried), strict=True), url,
    )  # fmt: skip


def _row(tried: Tried) -> tuple[Any, ...]:
    answer = tried.answer
    return (
        uuid7(), tried.due.id, tried.started_at, answer.duration_ms, answer.status, answer.error,
        answer.kept if answer.status else None, tried.status.value, tried.next_attempt_at,
    )  # fmt: skip


def _no_address(endpoint: PartnerEndpoint) -> str:
    kind = "production" if endpoint.live else "staging"
    return f"the partner has no {kind} address: set one, then send again"


def _now() -> datetime:
    return datetime.now(UTC)
