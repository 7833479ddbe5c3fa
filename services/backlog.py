"""How much is owed to the outside, for Prometheus: asked of PostgreSQL at each scrape, within a bound."""

import asyncio
import logging
import time
from collections.abc import Mapping

from prometheus_client import Gauge

from models import Lane
from models.database import fetch

log = logging.getLogger("comptoir.backlog")

DATABASE_UP = Gauge("comptoir_database_up", "Whether PostgreSQL answered this process at the scrape")
OPEN = Gauge("comptoir_promises_open", "Promises still to be kept, whether due or not", ["lane"])
DUE_SINCE = Gauge(
    "comptoir_promises_oldest_due_seconds", "How long the oldest promise that is due waits for a worker", ["lane"]
)
GIVEN_UP = Gauge("comptoir_promises_given_up", "Promises given up, to be looked at", ["lane"])
DRIFT = Gauge(
    "comptoir_reconciliation_drift", "What is different at Stripe, as the newest run of each organization found it"
)
RECONCILED = Gauge(
    "comptoir_reconciliation_age_seconds",
    "How long ago a run came to its end, of the platform's account or of that of the own ones which waits longest; less"
    " than none: never",
    ["account"],
)

TO_TELL = Gauge("comptoir_notifications_due", "Notifications that are due to endpoints which are not held or disabled")
TO_TELL_SINCE = Gauge("comptoir_notifications_oldest_due_seconds", "How long the oldest of these waits for its turn")
NOT_TOLD = Gauge("comptoir_endpoints_not_told", "Partners' endpoints that are told nothing for now", ["why"])

TIMEOUT = 2.0  # seconds
GIVEN_UP_EVERY = 60.0  # seconds: they are few among many, and counting them reads all


class Backlog:
    """Asks for one process."""

    def __init__(self) -> None:
        self._given_up: Mapping[str, int] = {}
        self._counted_at = -GIVEN_UP_EVERY

    async def look(self) -> None:
        """Set the gauges to what is owed at this moment; where PostgreSQL does not say, they tell nothing."""
        try:
            async with asyncio.timeout(TIMEOUT):
                owed = {row["lane"]: row for row in await fetch(_OWED)}
                await self._count_given_up()
                (compared,) = await fetch(_COMPARED)
                (to_tell,), (not_told,) = await fetch(_TO_TELL), await fetch(_NOT_TOLD)
        except Exception as error:  # whatever it is, a scrape goes on and says so
            log.warning("the backlog cannot be read: %r", error)
            DATABASE_UP.set(0)
            for gauge in (OPEN, DUE_SINCE, GIVEN_UP):
                gauge.clear()
            return
        DATABASE_UP.set(1)
        DRIFT.set(compared["drift"])
        RECONCILED.labels("platform").set(compared["platforms"])
        RECONCILED.labels("own").set(compared["own"])
        TO_TELL.set(to_tell["due"])
        TO_TELL_SINCE.set(to_tell["due_since"])
        for why, number in not_told.items():
            NOT_TOLD.labels(why).set(number)
        for lane in Lane:
            row = owed.get(lane.value, {"open": 0, "due_since": 0})
            OPEN.labels(lane.value).set(row["open"])
            DUE_SINCE.labels(lane.value).set(row["due_since"])
            GIVEN_UP.labels(lane.value).set(self._given_up.get(lane.value, 0))

    async def _count_given_up(self) -> None:
        if time.monotonic() - self._counted_at >= GIVEN_UP_EVERY:
            rows = await fetch(_GIVEN_UP)
            self._given_up, self._counted_at = {row["lane"]: row["given_up"] for row in rows}, time.monotonic()


_OWED = """
    SELECT lane, count(*) AS open, coalesce(extract(epoch FROM now() - min(due_at) FILTER (
        WHERE due_at <= now() AND (lease_until IS NULL OR lease_until < now())
    )), 0)::float AS due_since
    FROM outbox WHERE done_at IS NULL AND given_up_at IS NULL GROUP BY lane
"""
_TO_TELL = """
    SELECT count(*) AS due, coalesce(extract(epoch FROM now() - min(n.next_attempt_at)), 0)::float AS due_since
    FROM notifications n JOIN partner_endpoints e ON e.partner_id = n.partner_id AND e.live = n.live
    WHERE n.status = 'PENDING' AND n.next_attempt_at <= now() AND e.disabled_at IS NULL
        AND (e.held_until IS NULL OR e.held_until <= now())
"""
_NOT_TOLD = """
    SELECT count(*) FILTER (WHERE disabled_at IS NOT NULL) AS disabled,
        count(*) FILTER (WHERE opened_at IS NOT NULL AND disabled_at IS NULL) AS "breaker open"
    FROM partner_endpoints
"""
_GIVEN_UP = "SELECT lane, count(*) AS given_up FROM outbox WHERE given_up_at IS NOT NULL GROUP BY lane"
_COMPARED = """
    SELECT coalesce(extract(epoch FROM now() - max(ended_at) FILTER (WHERE a.id IS NULL)), -1)::float AS platforms,
    coalesce(extract(epoch FROM now() - min(ended_at) FILTER (
        WHERE a.secret_key IS NOT NULL AND a.refused_at IS NULL
    )), -1)::float AS own, coalesce((
        SELECT sum(unexplained) FROM (
            SELECT DISTINCT ON (organization_id, stripe_account, live) unexplained FROM reconciliations
            WHERE created_at > now() - interval '2 days' ORDER BY organization_id, stripe_account, live, id DESC
        ) AS newest
    ), 0) AS drift
    FROM reconciliation_points p LEFT JOIN stripe_accounts a ON a.account = p.stripe_account AND a.live = p.live
"""
