"""Telling partners what is due to them.

A notification is a promise of its own: due at `next_attempt_at`, while it is pending. A worker leases an endpoint,
which nobody else tells meanwhile, tells it what is due in one round, and writes down what came of it, many at a time.
Endpoints take turns, so that one with thousands due, or that never answers, delays no other; and pace, breaker and a
partner's own wish to wait are one moment of the endpoint before which nothing is sent (`services/retries.py`).

A round is safe to run twice: where a worker dies in it, its notifications are told again under the same `webhook-id`.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from models import BreakerState, NotificationStatus, Partner, PartnerEndpoint
from models.database import query, transaction
from models.partner import webhook_id
from providers.webhooks import Answer
from services import partner_alerts, retries
from services.outside import outside
from services.partner_requests import Writer
from services.retries import Tried, judged

log = logging.getLogger("comptoir.notifications")

LEASE = timedelta(seconds=20)  # a round takes 3 s and the courier's 10 at most
ROUND = 2000  # notifications at most
AT_ONCE = 20  # requests under way to one endpoint
STARTED_WITHIN = 3.0  # seconds: who is slow is told fewer in a round, and the others wait no longer
KEPT_AT_ONCE = 100  # attempts, written down while the next ones are made
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
        partner = await Partner.get(id=endpoint.partner_id).select_related("organization")
        return await _Round(partner, endpoint).run()
    except Exception:
        log.exception("endpoint %s cannot be told", endpoint.id)
        held_until = _now() + TROUBLE
        await query(
            "UPDATE partner_endpoints SET held_until = $3, lease_until = NULL, lease_id = NULL, told_at = now()"
            " WHERE id = $1 AND lease_id = $2",
            endpoint.id, endpoint.lease_id, held_until,
        )  # fmt: skip
        return held_until


@dataclass
class _Round:
    """`kept`: how many of `tried` are written down, or about to be."""

    partner: Partner
    endpoint: PartnerEndpoint
    started: datetime = field(default_factory=lambda: _now())
    tried: list[Tried] = field(default_factory=list)
    kept: int = 0

    @property
    def url(self) -> str | None:
        return self.partner.url(self.endpoint.live)

    async def run(self) -> datetime | None:
        due = await _due(self.endpoint, self._room())
        try:
            if self.url is None:
                answer = Answer(0, error=_no_address(self.endpoint), refused=True)
                self.tried += [self._judged(each, _now(), answer) for each in due]
            elif due:
                await self._tell(due)
        finally:  # what was sent is written down, also where the worker is told to stop meanwhile
            held_until = await self._end()
        return held_until

    def _room(self) -> int:
        """How many notifications this round may tell: with a pace, those of a second."""
        if self.endpoint.breaker is BreakerState.HALF_OPEN:
            return 1
        return max(1, self.partner.max_per_minute // 60) if self.partner.max_per_minute else ROUND

    async def _tell(self, due: Sequence[Due]) -> None:
        writer = await Writer.of(self.partner, f"{len(due)} notifications, from {webhook_id(due[0].id)}")
        waiting, loop = iter(due), asyncio.get_running_loop()
        until = loop.time() + STARTED_WITHIN

        async def one_by_one() -> None:
            while loop.time() < until and (each := next(waiting, None)):
                await self._try(writer, each)
                if len(self.tried) - self.kept >= KEPT_AT_ONCE:
                    group.create_task(self._keep(self._to_be_kept()))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(due))):
                group.create_task(one_by_one())

    async def _try(self, writer: Writer, due: Due) -> None:
        assert self.url
        request, started_at = await writer.notification(webhook_id(due.id), due.payload, due.invoice), _now()
        answer = await outside().courier.post(self.url, request.body, request.headers)
        self.tried.append(self._judged(due, started_at, answer))

    def _judged(self, due: Due, started_at: datetime, answer: Answer) -> Tried:
        return judged(self.partner.retry_policy, due.id, due.attempts_left, started_at, answer)

    def _to_be_kept(self) -> Sequence[Tried]:
        """What nobody else writes down from now on."""
        first, self.kept = self.kept, len(self.tried)
        return self.tried[first : self.kept]

    async def _keep(self, tried: Sequence[Tried]) -> None:
        async with transaction():
            await _keep(tried, self.url or "")

    async def _end(self) -> datetime | None:
        """Write down the rest, and what all of it means for the endpoint, and end the lease."""
        endpoint = self.endpoint
        retries.count(self.partner, endpoint, self.tried)
        held_until = retries.held_until(self.partner, endpoint, self.started, self.tried)
        async with transaction():
            if rest := self._to_be_kept():
                await _keep(rest, self.url or "")
            await query(
                "UPDATE partner_endpoints SET failures = $3, opened_at = $4, probes = $5, held_until = $6,"
                " disabled_at = coalesce(disabled_at, $7), disabled_reason = coalesce(disabled_reason, $8),"
                " told_at = now(), lease_until = NULL, lease_id = NULL WHERE id = $1 AND lease_id = $2",
                endpoint.id, endpoint.lease_id, endpoint.failures, endpoint.opened_at, endpoint.probes, held_until,
                endpoint.disabled_at, endpoint.disabled_reason,
            )  # fmt: skip
            await partner_alerts.consider(
                self.partner,
                endpoint,
                lost=[each.reason for each in self.tried if each.status is NotificationStatus.FAILED],
                recovered=any(each.answer.accepted for each in self.tried),
            )
        return held_until


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


async def _keep(tried: Sequence[Tried], url: str) -> None:
    """The attempts, numbered on, and where their notifications stand. One that was delivered by somebody else meanwhile
    stays so; rows are locked in order, so that two who keep attempts of the same wait for each other."""
    ids = [each.notification_id for each in tried]
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
            next_attempt_at = t.again_at, delivered_at = CASE WHEN t.status = 'DELIVERED' THEN now() END
        FROM tried t WHERE notifications.id = t.notification_id AND notifications.status = 'PENDING'
        """,
        *zip(*(_row(each) for each in tried), strict=True), url,
    )  # fmt: skip


def _row(tried: Tried) -> tuple[Any, ...]:
    answer = tried.answer
    return (
        uuid7(), tried.notification_id, tried.started_at, answer.duration_ms, answer.status, answer.error,
        answer.kept if answer.status else None, tried.status.value, tried.next_attempt_at,
    )  # fmt: skip


def _no_address(endpoint: PartnerEndpoint) -> str:
    kind = "production" if endpoint.live else "staging"
    return f"the partner has no {kind} address: set one, then send again"


def _now() -> datetime:
    return datetime.now(UTC)
