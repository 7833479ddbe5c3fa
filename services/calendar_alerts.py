"""Telling those whom it concerns that access to calendars was withdrawn: once, of all that ended at about one time."""

import hashlib
from datetime import UTC, datetime, timedelta

from models import Calendar, CalendarStatus, Lane, Organization
from services import letters, post
from services.invoice_content import brand
from services.links import message_id
from services.outbox import job
from services.outside import outside

GATHERED = timedelta(minutes=2)  # until the letter, so that it names all calendars of an access


def soon() -> datetime:
    return datetime.now(UTC) + GATHERED


@job(Lane.MAIL)
async def write(calendar: Calendar) -> None:
    """To the organization, of all that it was not told of; to each person, of theirs. Of one that is connected again
    nobody needs to hear."""
    untold = (
        await Calendar.filter(
            organization_id=calendar.organization_id,
            status=CalendarStatus.DISCONNECTED,
            told_at=None,
            next_poll_at=None,
        )
        .order_by("id")
        .select_related("staff__membership__user")
    )
    if not untold:
        return
    organization = await Organization.get(id=calendar.organization_id)
    told: dict[str, list[Calendar]] = {organization.contact_email: list(untold)}
    for each in untold:
        if each.staff.membership and each.staff.membership.user.email != organization.contact_email:
            told.setdefault(each.staff.membership.user.email, []).append(each)
    for address, theirs in told.items():
        said = {
            "calendars": [(f"{each.name} ({each.staff.display_name})", each.status_reason, None) for each in theirs]
        }
        envelope = post.envelope(
            address, message_id(f"calendars-{hashlib.sha256(address.encode()).hexdigest()[:16]}", theirs[0])
        )
        await outside().mailer.send(
            letters.of_no_order("calendar_disconnected", said, name="", brand=brand(organization), envelope=envelope)
        )
    await Calendar.filter(id__in=[each.id for each in untold]).update(told_at=datetime.now(UTC))
