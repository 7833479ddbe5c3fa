"""What an answer means: for a notification, by its partner's policy; for an endpoint, by its pace and breaker."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from models import NotificationStatus, Partner, PartnerEndpoint, RetryPolicy
from providers.webhooks import GONE, TOO_MANY, Answer

COOL_FIRST, COOL_MOST = timedelta(minutes=1), timedelta(minutes=15)  # of an open breaker, doubled by each failed probe
WISH_MOST = timedelta(hours=24)  # of what a partner's Retry-After may ask
SLOWED = timedelta(minutes=1)  # by a 429 that does not say for how long
JITTER = 0.2  # of a pause, at most, so that what failed together does not come back together


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt, and what it means: `next_attempt_at` where there is to be another."""

    notification_id: UUID
    started_at: datetime
    answer: Answer
    status: NotificationStatus
    next_attempt_at: datetime | None = None

    @property
    def reason(self) -> str:
        return self.answer.error or f"HTTP {self.answer.status}"


def judged(policy: RetryPolicy, id: UUID, attempts_left: int, started_at: datetime, answer: Answer) -> Tried:
    """What an answer means for a notification that had so many attempts left."""
    left = attempts_left - 1
    if answer.accepted:
        return Tried(id, started_at, answer, NotificationStatus.DELIVERED)
    if answer.refused or left <= 0 or (policy is RetryPolicy.GUIDE and answer.final):
        return Tried(id, started_at, answer, NotificationStatus.FAILED)
    return Tried(id, started_at, answer, NotificationStatus.PENDING, _now() + _pause(policy, left, answer))


def count(partner: Partner, endpoint: PartnerEndpoint, tried: Sequence[Tried]) -> None:
    """What a round means for the endpoint: failures in a row, its breaker, and whether it is gone."""
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


def held_until(
    partner: Partner, endpoint: PartnerEndpoint, started: datetime, tried: Sequence[Tried]
) -> datetime | None:
    """Before when nothing is sent to the endpoint, after a round that was counted."""
    return max(_holds(partner, endpoint, started, tried), default=None)


def _holds(
    partner: Partner, endpoint: PartnerEndpoint, started: datetime, tried: Sequence[Tried]
) -> Iterator[datetime]:
    """By its pace, by its breaker, by its own wish."""
    if partner.max_per_minute:
        yield started + timedelta(minutes=len(tried) / partner.max_per_minute)
    if endpoint.opened_at:
        yield _now() + min(COOL_FIRST * 2 ** min(endpoint.probes, 10), COOL_MOST)
    if partner.retry_policy is RetryPolicy.STANDARD:
        yield from (_now() + (_wish(each.answer) or SLOWED) for each in tried if each.answer.status == TOO_MANY)


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


def _now() -> datetime:
    return datetime.now(UTC)
