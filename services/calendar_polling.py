"""Reading calendars: leased in batches, each asked what changed since the last time, one request where nothing did.

A first reading is of all events within a window, in pages, each written down with where it came to: a worker that dies
loses one page. It is done anew where the provider no longer knows our token, and before the window's end comes near. At
its end what was not met is gone; until then what was known stands, so that nobody is bookable meanwhile who is not.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from uuid_utils.compat import uuid7

from errors import Disconnected, NotConfigured, ProviderError, SyncExpired, Unavailable
from models import Calendar
from models.database import query, transaction
from providers import capabilities
from providers.capabilities import ChangesPage
from services import calendar_changes, calendar_incoming, calendar_states
from services.buckets import Charge, Rate
from services.calendar_access import Access, opened
from services.outbox import later
from services.outside import outside

log = logging.getLogger("comptoir.calendars")

LEASE = timedelta(minutes=2)  # a page takes half a minute at most, and extends it
PAGES = 8  # of a calendar, before others have their turn
BEFORE, AHEAD = timedelta(days=1), timedelta(days=800)  # the window: a little more than can be booked
RENEWED = timedelta(days=740)  # … is read anew when less of it is left
PACE = Rate(300, 60)  # requests of one access: half of what Google lets one account do
PURPOSE = "calendar_polling.poll"


async def claim(most: int) -> list[Calendar]:
    """Lease calendars that are due, those that wait longest first."""
    rows = await query(
        """
        WITH due AS MATERIALIZED (
            SELECT id FROM calendars
            WHERE next_poll_at <= now() AND (lease_until IS NULL OR lease_until < now())
            ORDER BY next_poll_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        UPDATE calendars SET lease_until = now() + $2::interval, lease_id = gen_random_uuid()
        FROM due WHERE calendars.id = due.id RETURNING calendars.*
        """,
        most, LEASE,
    )  # fmt: skip
    return [Calendar(**row) for row in rows]


def by_access(calendars: Sequence[Calendar]) -> dict[Access, list[Calendar]]:
    """Those that are reached alike: their provider is opened once for all."""
    found: dict[Access, list[Calendar]] = defaultdict(list)
    for calendar in calendars:
        found[Access.of(calendar)].append(calendar)
    return found


async def poll_all(access: Access, calendars: Sequence[Calendar]) -> None:
    """Read leased calendars of one access, one after the other; where it does not answer the others wait. Raises
    nothing but cancellation."""
    waiting = list(calendars)
    try:
        async with opened(access, PURPOSE) as remote:
            while waiting:
                goes_on = await poll(waiting[0], remote)
                del waiting[0]
                if not goes_on:
                    break
    except (Disconnected, NotConfigured) as error:  # what they share was refused
        for calendar in waiting:
            await calendar_states.disconnect(calendar, str(error))
    except ProviderError as error:
        for calendar in waiting:
            await calendar_states.note_failure(calendar, error)
    except Exception:
        log.exception("calendars of organization %s cannot be read; their leases will end", access.organization_id)
    else:
        for calendar in waiting:
            await _release(calendar, timedelta(seconds=calendar_states.EVERY), read=False)


async def poll(calendar: Calendar, remote: capabilities.Calendar) -> bool:
    """Read a leased calendar, and write down what came of it; whether others of its access may be asked, too. Raises
    Disconnected of one that is reached by a consent."""
    try:
        if wait := await outside().buckets.take([Charge(_bucket(calendar), PACE, 1)]):
            await _release(calendar, timedelta(seconds=wait), read=False)
            return False
        more = await _read(calendar, remote)
    except Disconnected as error:
        if calendar.grant_id:  # the consent has to be asked after: it is that of others, too
            raise
        await calendar_states.disconnect(calendar, str(error))
    except ProviderError as error:
        await calendar_states.note_failure(calendar, error)
        return not isinstance(error, Unavailable)
    except Exception:
        log.exception("calendar %s cannot be read; its lease will end", calendar.id)
    else:
        await _release(calendar, timedelta(seconds=0 if more else calendar_states.EVERY), read=True)
    return True


async def _read(calendar: Calendar, remote: capabilities.Calendar) -> bool:
    """A round; whether there is more to read at once."""
    if calendar.full_sync_id is None and _is_due_anew(calendar):
        _begin_anew(calendar)
    for _ in range(PAGES):
        try:
            page = await _page(calendar, remote)
        except SyncExpired:
            _begin_anew(calendar)
            continue
        ends = page.next_sync_token is not None
        if not await _keep(calendar, page) or ends:
            return False
    return True


def _is_due_anew(calendar: Calendar) -> bool:
    return calendar.sync_token is None or (calendar.window_until or _now()) < _now() + RENEWED


def _begin_anew(calendar: Calendar) -> None:
    calendar.sync_token, calendar.page_token, calendar.full_sync_id = None, None, uuid7()
    calendar.window_from, calendar.window_until = _now() - BEFORE, _now() + AHEAD


async def _page(calendar: Calendar, remote: capabilities.Calendar) -> ChangesPage:
    assert calendar.window_from
    return await remote.changes(
        calendar.remote_id, since=calendar.window_from, until=calendar.window_until, sync_token=calendar.sync_token,
        page_token=calendar.page_token,
    )  # fmt: skip


async def _keep(calendar: Calendar, page: ChangesPage) -> bool:
    """Write down a page and where it came to; False where somebody else reads the calendar by now."""
    calendar.page_token, calendar.time_zone = page.next_page_token, page.time_zone
    async with transaction():
        if not await _advance(calendar, page.next_sync_token):
            return False
        changed = await calendar_incoming.take(calendar, page.events)
        if page.next_sync_token and calendar.full_sync_id:
            changed += await calendar_incoming.sweep(calendar)
        for event in changed:
            await later(calendar_changes.look_again, event)
    if page.next_sync_token:
        calendar.sync_token, calendar.full_sync_id = page.next_sync_token, None
    return True


async def _advance(calendar: Calendar, next_sync_token: str | None) -> bool:
    ends = next_sync_token is not None
    held = await query(
        "UPDATE calendars SET sync_token = $3, page_token = $4, full_sync_id = $5, window_from = $6, window_until = $7,"
        " time_zone = $8, lease_until = now() + $9::interval, synced_at = CASE WHEN $10 THEN now() ELSE synced_at END"
        " WHERE id = $1 AND lease_id = $2 RETURNING id",
        calendar.id, calendar.lease_id, next_sync_token or calendar.sync_token, calendar.page_token,
        None if ends else calendar.full_sync_id, calendar.window_from, calendar.window_until, calendar.time_zone,
        LEASE, ends,
    )  # fmt: skip
    return bool(held)


async def _release(calendar: Calendar, pause: timedelta, *, read: bool) -> None:
    """End the lease. One that was not read is not asked before it was to be in any case."""
    await query(
        "UPDATE calendars SET next_poll_at = CASE WHEN $4 THEN now() + $3::interval"
        " ELSE greatest(next_poll_at, now() + $3::interval) END, lease_until = NULL, lease_id = NULL,"
        " failures = CASE WHEN $4 THEN 0 ELSE failures END, status = CASE WHEN $4 THEN 'CONNECTED' ELSE status END,"
        " status_reason = CASE WHEN $4 THEN NULL ELSE status_reason END WHERE id = $1 AND lease_id = $2",
        calendar.id, calendar.lease_id, pause, read,
    )  # fmt: skip


def _bucket(calendar: Calendar) -> str:
    return f"calendars:{calendar.provider}:{calendar.grant_id or calendar.organization_id}"


def _now() -> datetime:
    return datetime.now(UTC)
