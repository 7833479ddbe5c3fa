"""How connected calendars do: what goes wrong with one is its status, shown with the reason.

One to which access was withdrawn is neither polled nor pushed to before it is connected again; those whom it concerns
are told once. One that fails otherwise is asked later and later, and the others of its access wait with it where their
provider asks for that (its quota is theirs together).
"""

import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from errors import Disconnected, NotConfigured, ProviderError, Unavailable
from models import Calendar, CalendarStatus
from models.database import query, transaction
from providers import capabilities
from services import calendar_alerts
from services.calendar_access import Access, opened
from services.outbox import later

log = logging.getLogger("comptoir.calendars")

EVERY = 60.0  # seconds from one look to the next
PAUSE_FIRST, PAUSE_MOST = 60.0, 3600.0  # seconds, doubled in between
SHOWN_AFTER = 3  # failures in a row: what passes by itself is nobody's concern
REASON_MOST = 500  # characters


@asynccontextmanager
async def used(calendar: Calendar, purpose: str) -> AsyncIterator[capabilities.Calendar]:
    """Its provider, for a job: what goes wrong is noted, and raised on. NotConfigured comes as Disconnected."""
    try:
        async with opened(Access.of(calendar), purpose) as remote:
            yield remote
    except NotConfigured as error:
        await disconnect(calendar, error.message)
        raise Disconnected(error.message) from error
    except Disconnected as error:
        await disconnect(calendar, str(error))
        raise
    except ProviderError as error:
        await note_failure(calendar, error)
        raise


async def disconnect(calendar: Calendar, reason: str) -> None:
    """Access was withdrawn: leave it alone, and tell once."""
    async with transaction():
        changed = await query(
            "UPDATE calendars SET status = 'DISCONNECTED', status_reason = $2, next_poll_at = NULL, failures = 0,"
            " lease_until = NULL, lease_id = NULL, told_at = NULL"
            " WHERE id = $1 AND status <> 'DISCONNECTED' RETURNING id",
            calendar.id, reason[:REASON_MOST],
        )  # fmt: skip
        if changed:
            log.warning("calendar %s is disconnected: %s", calendar.id, reason)
            await later(calendar_alerts.write, calendar, at=calendar_alerts.soon())
    calendar.status, calendar.status_reason = CalendarStatus.DISCONNECTED, reason


async def note_failure(calendar: Calendar, error: ProviderError) -> None:
    """It could not be read or written: later, at a moment that others do not choose too (full jitter)."""
    asked = error.retry_after if isinstance(error, Unavailable) else None
    doubled = min(PAUSE_FIRST * 2**calendar.failures, PAUSE_MOST)
    pause = timedelta(seconds=(asked or doubled / 2) + random.uniform(0, doubled / 2))  # noqa: S311
    lasting = not isinstance(error, Unavailable)
    await query(
        "UPDATE calendars SET failures = failures + 1, next_poll_at = now() + $2::interval,"
        " lease_until = NULL, lease_id = NULL,"
        " status = CASE WHEN $4 OR failures + 1 >= $5 THEN 'ERROR' ELSE status END,"
        " status_reason = CASE WHEN $4 OR failures + 1 >= $5 THEN $3 ELSE status_reason END"
        " WHERE id = $1 AND status <> 'DISCONNECTED'",
        calendar.id, pause, str(error)[:REASON_MOST], lasting, SHOWN_AFTER,
    )  # fmt: skip
    if asked:
        await _hold(Access.of(calendar), asked)


async def _hold(access: Access, seconds: float) -> None:
    """Nothing of the same access is asked before then, and not all at the same moment after it."""
    await query(
        "UPDATE calendars SET next_poll_at = greatest(next_poll_at, now() + make_interval(secs => $4 + random() * $5))"
        " WHERE organization_id = $1 AND provider = $2 AND grant_id IS NOT DISTINCT FROM $3"
        " AND next_poll_at IS NOT NULL",
        access.organization_id, access.provider, access.grant_id, seconds, EVERY,
    )  # fmt: skip
