"""Calendars that are reached by an organization's own keys follow their integration: left alone while it is off, and
gone on with once it is on again. Those of people's consents do not need it."""

from datetime import UTC, datetime

from models import Calendar, CalendarStatus, Integration
from services import calendar_push
from services.outbox import later

OFF = "Its integration is switched off. Switch it on (integrationEnable)."


async def changed(integration: Integration) -> None:
    """In the transaction that changed it, locked. Nobody is written to: whoever switched it off knows."""
    mine = Calendar.filter(
        organization_id=integration.organization_id, provider=integration.provider, grant_id=None
    )  # fmt: skip
    if not integration.enabled:
        await mine.exclude(status=CalendarStatus.DISCONNECTED).update(
            status=CalendarStatus.DISCONNECTED, status_reason=OFF, told_at=datetime.now(UTC), failures=0,
            next_poll_at=None, lease_until=None, lease_id=None,
        )  # fmt: skip
        return
    off = mine.filter(status=CalendarStatus.DISCONNECTED, status_reason=OFF).order_by("id")
    for calendar in await off.select_for_update(no_key=True):
        calendar.status, calendar.status_reason, calendar.told_at = CalendarStatus.CONNECTED, None, None
        calendar.next_poll_at = datetime.now(UTC)
        await calendar.save(update_fields=["status", "status_reason", "told_at", "next_poll_at"])
        await later(calendar_push.catch_up, calendar)
