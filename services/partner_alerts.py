"""Telling ourselves that a partner is not told: once an outage, however many notifications fail in it.

An outage begins with the first notification that is given up. While it lasts there is an alert a day; it is over once
something is accepted, and what fails within an hour of an alert belongs to the same.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

from models import Lane, Organization, Partner, PartnerEndpoint
from models.database import query
from services import letters, post
from services.invoice_content import brand
from services.links import message_id
from services.outbox import job, later
from services.outside import outside

log = logging.getLogger("comptoir.notifications")

GATHERED = timedelta(minutes=5)  # until the letter, so that it tells how many failed
AGAIN_AFTER, SAME_WITHIN = timedelta(days=1), timedelta(hours=1)


async def consider(partner: Partner, endpoint: PartnerEndpoint, *, lost: Sequence[str], recovered: bool) -> None:
    """Alert of what was `lost` in a round, by the reasons, or of an endpoint that was disabled by it; in the open
    transaction. Where something was accepted, what fails later is another outage."""
    if recovered and endpoint.alerted_at:
        await query(
            "UPDATE partner_endpoints SET alerted_at = NULL WHERE id = $1 AND alerted_at < now() - $2::interval",
            endpoint.id, SAME_WITHIN,
        )  # fmt: skip
    if not lost and endpoint.disabled_at is None:
        return
    said = f"partner {partner.slug} ({'production' if endpoint.live else 'staging'}) was not told of {len(lost)}"
    why = lost[-1] if lost else f"disabled: {endpoint.disabled_reason}"
    begun = await query(
        "UPDATE partner_endpoints SET alerted_at = now() WHERE id = $1"
        " AND (alerted_at IS NULL OR alerted_at < now() - $2::interval) RETURNING now() + $3::interval AS at",
        endpoint.id, AGAIN_AFTER, GATHERED,
    )  # fmt: skip
    if not begun:
        log.warning("%s more: %s", said, why)
        return
    log.error("%s: %s", said, why)
    await later(write, endpoint, at=begun[0]["at"])


@job(Lane.MAIL)
async def write(endpoint: PartnerEndpoint) -> None:
    """Tell the organization how many notifications failed since the outage began, and how the last one did."""
    if endpoint.alerted_at is None:
        return
    partner = await Partner.get(id=endpoint.partner_id)
    organization = await Organization.get(id=endpoint.organization_id)
    (found,) = await query(_FAILED, endpoint.partner_id, endpoint.live, endpoint.alerted_at - timedelta(minutes=1))
    said = {
        "partner": partner.name, "partner_email": partner.contact_email, "partner_phone": partner.contact_phone,
        "address": partner.url(endpoint.live), "disabled": endpoint.disabled_at is not None, **found,
    }  # fmt: skip
    envelope = post.envelope(
        organization.contact_email, message_id(f"partner-{endpoint.alerted_at:%Y%m%d%H%M%S%f}", endpoint)
    )
    await outside().mailer.send(
        letters.of_no_order(
            "partner_failing", said | {"live": endpoint.live}, name="", brand=brand(organization), envelope=envelope
        )
    )


_FAILED = """
    WITH failed AS (
        SELECT a.started_at, coalesce(a.error, 'HTTP ' || a.status_code) AS reason, n.id, o.number
        FROM notification_attempts a JOIN notifications n ON n.id = a.notification_id JOIN orders o ON o.id = n.order_id
        WHERE n.partner_id = $1 AND n.live = $2 AND n.status = 'FAILED' AND a.started_at >= $3
    )
    SELECT count(DISTINCT id) AS failed, min(number) AS first_order, max(number) AS last_order,
        (array_agg(reason ORDER BY started_at DESC))[1] AS reason FROM failed
"""
