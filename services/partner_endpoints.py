"""A partner's endpoints, disabled and enabled by a person."""

from datetime import UTC, datetime

from errors import Conflict
from models import Lane, Missed, PartnerEndpoint
from models.database import after_commit, query
from services.outside import outside

BY_HAND = "disabled by a person"


async def disable(endpoint: PartnerEndpoint, reason: str | None) -> PartnerEndpoint:
    """Send nothing there from now on: what falls due is kept. Raises Conflict where that is so already."""
    if endpoint.disabled_at:
        raise Conflict("This endpoint is disabled already.", field="input.endpoint")
    endpoint.disabled_at, endpoint.disabled_reason = datetime.now(UTC), reason or BY_HAND
    await endpoint.save(update_fields=["disabled_at", "disabled_reason"])
    return endpoint


async def enable(endpoint: PartnerEndpoint, missed: Missed) -> PartnerEndpoint:
    """Tell it again from now on, as if it had never failed, and what it missed, or not that. Raises Conflict where it
    is not disabled."""
    if endpoint.disabled_at is None:
        raise Conflict("This endpoint is not disabled.", field="input.endpoint")
    fresh = {"failures": 0, "probes": 0, **dict.fromkeys(("disabled_at", "disabled_reason", "opened_at", "held_until"))}
    endpoint.update_from_dict(fresh)
    await endpoint.save(update_fields=list(fresh))
    if missed is Missed.SKIP:
        await query(
            "UPDATE notifications SET status = 'SKIPPED', next_attempt_at = NULL WHERE partner_id = $1 AND live = $2"
            " AND status = 'PENDING' AND (next_attempt_at IS NULL OR next_attempt_at <= now())",
            endpoint.partner_id, endpoint.live,
        )  # fmt: skip
    after_commit(outside().wake.of(Lane.DELIVER))
    return endpoint
