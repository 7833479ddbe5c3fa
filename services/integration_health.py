"""How an integration does, written down by whoever used or tried it; and alerts, once an outage.

An outage begins when keys are refused, or when what fails has failed for a quarter of an hour; it is over once the
other side does what it is asked. Of each an alert is logged, and the organization gets a letter, by the platform's
mail server: its own may be what fails.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import uniform

from models import Integration, IntegrationStatus, Lane, Organization
from models.database import transaction
from providers import registry
from services import letters, post
from services.invoice_content import brand
from services.links import message_id
from services.outbox import job, later
from services.outside import outside

log = logging.getLogger("comptoir.integrations")

DETAIL_MOST = 500  # characters
PATIENCE = timedelta(minutes=15)  # until what fails is an outage
# How soon it is tried again by the clock.
EVERY = {
    IntegrationStatus.CONNECTED: timedelta(minutes=30),
    IntegrationStatus.ERROR: timedelta(minutes=5),
    IntegrationStatus.DISCONNECTED: timedelta(hours=6),
    IntegrationStatus.UNTESTED: timedelta(minutes=1),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of trying. `detail`: what the other side said, without secrets, where it failed."""

    status: IntegrationStatus
    detail: str | None = None


async def write_down(integration: Integration, outcome: Outcome, *, checked: bool) -> None:
    """Write down what came of an integration as it was read; nothing where it was switched off or set to something else
    since. `checked`: it was tried on purpose."""
    async with transaction():
        row = await Integration.select_for_update(no_key=True).get(id=integration.id)
        if row.enabled and row.configured_at == integration.configured_at:
            settle(row, outcome, checked=checked)
            await _alert(row)
            await row.save(update_fields=CHANGED)


CHANGED = ["status", "detail", "checked_at", "next_check_at", "failing_since", "alerted_at"]


def settle(row: Integration, outcome: Outcome, *, checked: bool) -> None:
    """The columns that say how a row that is on does. Save it afterwards."""
    now = datetime.now(UTC)
    row.status, row.detail = outcome.status, outcome.detail and outcome.detail[:DETAIL_MOST]
    if checked:
        row.checked_at = now
    row.next_check_at = now + EVERY[outcome.status] * uniform(0.8, 1.2)  # noqa: S311 - so that not all come at once
    if outcome.status is IntegrationStatus.CONNECTED:
        row.failing_since = row.alerted_at = None
    elif row.failing_since is None:
        row.failing_since = now


async def _alert(row: Integration) -> None:
    """Alert of an outage, in the open transaction, unless that was done."""
    if row.failing_since is None or row.alerted_at is not None:
        return
    if row.status is IntegrationStatus.ERROR and datetime.now(UTC) - row.failing_since < PATIENCE:
        return
    row.alerted_at = datetime.now(UTC)
    log.error("integration %s of organization %s fails: %s", row.provider, row.organization_id, row.detail)
    await later(write, row)


@job(Lane.MAIL)
async def write(integration: Integration) -> None:
    """Tell the organization that an integration fails, and what to do; unless it works again."""
    if integration.alerted_at is None:
        return
    organization = await Organization.get(id=integration.organization_id)
    said = {
        "provider": registry.catalogue()[integration.provider].name, "detail": integration.detail,
        "disconnected": integration.status is IntegrationStatus.DISCONNECTED,
    }  # fmt: skip
    envelope = post.envelope(
        organization.contact_email, message_id(f"integration-{integration.alerted_at:%Y%m%d%H%M%S%f}", integration)
    )
    letter = letters.of_no_order("integration_failing", said, name="", brand=brand(organization), envelope=envelope)
    await outside().mailer.send(letter)
