"""People's calendars: connected, set up, read now, and left alone again."""

from datetime import UTC, datetime
from uuid import UUID

from errors import Conflict, Invalid, Refused
from models import Calendar, CalendarEventsThen, CalendarStatus, OAuthGrant, Staff
from models.database import query, transaction
from providers import capabilities
from providers.capabilities import RemoteCalendar
from services import calendar_incoming, calendar_push, integrations
from services.calendar_access import Access, opened
from services.outbox import later

CONNECTED_MOST = 10  # calendars of one person
PROVIDER = "google_calendar"


def access(organization_id: UUID, grant: OAuthGrant | None) -> Access:
    """By a person's consent, or by the organization's own keys."""
    return Access(organization_id, grant.provider if grant else PROVIDER, grant.id if grant else None)


async def to_connect(by: Access) -> list[RemoteCalendar]:
    """The calendars that an access sees. Raises Conflict for a service account that sees none, NotConfigured, and a
    ProviderError."""
    async with opened(by, "calendars.to_connect") as remote:
        found = await remote.list_calendars()
    if found or by.grant_id:
        return found
    own = await integrations.enabled(by.organization_id, by.provider)
    address = own.settings.get("service_account_email") if own else None
    raise Conflict(
        "A service account sees no calendar before it was connected once: share one with"
        f" {address or 'its address'}, to make changes, and connect it by its address (calendarConnect, remoteId).",
        field="oauthGrant",
    )


async def connect(staff: Staff, by: Access, remote_id: str, *, outgoing: bool, incoming: bool) -> Calendar:
    """Keep a calendar in step with somebody's appointments; one that was connected before goes on where it was.

    What is outgoing takes the place of the one to which their appointments went before. Raises Invalid and Conflict,
    naming the part of the input, NotConfigured, and a ProviderError.
    """
    async with opened(by, "calendars.connect") as remote:
        there = await _found(remote, remote_id)
    if outgoing and not there.writable:
        raise Invalid("This calendar may be read only: connect it with `outgoing: false`.", field="input.outgoing")
    async with transaction():
        await Staff.select_for_update(no_key=True).get(id=staff.id)
        known = await Calendar.get_or_none(staff_id=staff.id, provider=by.provider, remote_id=there.id)
        calendar = known or Calendar(
            organization_id=staff.organization_id, staff=staff, provider=by.provider, remote_id=there.id
        )
        if known is None and await Calendar.filter(staff_id=staff.id).count() >= CONNECTED_MOST:
            raise Conflict(f"Nobody has more than {CONNECTED_MOST} calendars here.", field="input.staff")
        calendar.grant_id, calendar.name, calendar.time_zone = by.grant_id, there.name, there.time_zone
        calendar.status, calendar.status_reason, calendar.told_at = CalendarStatus.CONNECTED, None, None
        calendar.failures, calendar.next_poll_at = 0, datetime.now(UTC)
        await _set(calendar, outgoing=outgoing, incoming=incoming, anew=True)
    return calendar


async def update(calendar: Calendar, *, outgoing: bool | None, incoming: bool | None) -> Calendar:
    """What goes out to a calendar, locked, and comes in from it; in the open transaction."""
    await Staff.select_for_update(no_key=True).get(id=calendar.staff_id)
    await _set(
        calendar,
        outgoing=calendar.outgoing if outgoing is None else outgoing,
        incoming=calendar.incoming if incoming is None else incoming,
        anew=bool(incoming) and not calendar.incoming,
    )
    return calendar


async def disconnect(calendar: Calendar, events: CalendarEventsThen = CalendarEventsThen.KEEP) -> Calendar:
    """Leave a calendar, locked, alone; in the open transaction. It makes nobody busy any more, and our events in it
    stay, or are taken out after it."""
    await Staff.select_for_update(no_key=True).get(id=calendar.staff_id)
    calendar.status, calendar.status_reason = CalendarStatus.DISCONNECTED, "Disconnected here."
    calendar.next_poll_at = calendar.lease_until = calendar.lease_id = None
    calendar.told_at = datetime.now(UTC)
    await calendar.save()
    await calendar_incoming.forget(calendar)
    if events is CalendarEventsThen.REMOVE:
        await later(calendar_push.clear, calendar)
    return calendar


async def sync(calendar: Calendar) -> Calendar:
    """Read a calendar, locked, now, and push what it lacks; in the open transaction. Raises Conflict."""
    _must_be_connected(calendar)
    calendar.next_poll_at = datetime.now(UTC)
    await calendar.save(update_fields=["next_poll_at"])
    await later(calendar_push.catch_up, calendar)
    return calendar


async def _set(calendar: Calendar, *, outgoing: bool, incoming: bool, anew: bool) -> None:
    """`anew`: all of its events are read, since they were not before."""
    calendar.outgoing, calendar.incoming = outgoing, incoming
    if anew:
        calendar.sync_token, calendar.page_token, calendar.full_sync_id = None, None, None
        calendar.lease_until = calendar.lease_id = None
    if outgoing:
        await query(
            "UPDATE calendars SET outgoing = false WHERE staff_id = $1 AND id <> $2 AND outgoing",
            calendar.staff_id, calendar.id,
        )  # fmt: skip
    await calendar.save()
    if not incoming:
        await calendar_incoming.forget(calendar)
    await later(calendar_push.catch_up, calendar)


async def _found(remote: capabilities.Calendar, remote_id: str) -> RemoteCalendar:
    """A calendar that the access sees, or may see: a service account lists what it was told of alone."""
    listed = {each.id: each for each in await remote.list_calendars()}
    try:
        return listed.get(remote_id) or await remote.add_calendar(remote_id)
    except Refused as error:
        raise Invalid(
            "There is no such calendar, or it is not shared with us: share it with the service account's address.",
            field="input.remoteId",
        ) from error


def _must_be_connected(calendar: Calendar) -> None:
    if not calendar.is_connected:
        raise Conflict(
            f"This calendar is disconnected: {calendar.status_reason} Connect it again (calendarConnect).",
            field="input.calendar",
        )
