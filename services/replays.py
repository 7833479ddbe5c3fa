"""Sending again all that failed within a time: a part after the other, no faster than the partner takes it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from errors import Conflict, Invalid
from models import Lane, NotificationReplay, Partner, PartnerEndpoint
from models.database import after_commit, query, transaction
from services.outbox import Again, job, later
from services.outside import outside

MOST = 10_000  # notifications
AT_ONCE = 100  # notifications: the next come once fewer than these wait to be sent
PAUSE, PAUSE_DISABLED = timedelta(seconds=1), timedelta(minutes=1)


async def start(partner: Partner, *, live: bool, since: datetime, until: datetime) -> NotificationReplay:
    """Promise to send again what was made from `since` on and before `until`, and failed or was skipped. Raises Invalid
    where that is nothing or too much, Conflict where the endpoint is disabled or one is under way."""
    if since >= until:
        raise Invalid("This must be before `until`.", field="input.since")
    endpoint = await PartnerEndpoint.select_for_update().get(partner_id=partner.id, live=live)
    if endpoint.disabled_at:
        raise Conflict("This endpoint is disabled: enable it first (partnerEndpointEnable).", field="input.partner")
    if await NotificationReplay.exists(partner_id=partner.id, live=live, finished_at=None):
        raise Conflict("A replay is under way: wait until it has finished.", field="input.partner")
    (found,) = await query(
        f"SELECT count(*) AS total FROM (SELECT 1 {_FAILED} LIMIT $6) AS failed",  # noqa: S608
        partner.id, live, since, until, None, MOST + 1,
    )  # fmt: skip
    if not found["total"]:
        raise Invalid("Nothing that was made in this time has failed.", field="input.since")
    if found["total"] > MOST:
        raise Invalid(f"More than {MOST:,} failed in this time: take a shorter one.", field="input.since")
    replay = await NotificationReplay.create(
        organization_id=partner.organization_id, partner=partner, live=live, since=since, until=until,
        total=found["total"],
    )  # fmt: skip
    await later(run, replay)
    return replay


@job(Lane.DELIVER)
async def run(replay: NotificationReplay) -> None:
    """The next part, unless the one before is still to be sent."""
    async with transaction():
        replay = await NotificationReplay.select_for_update().get(id=replay.id)
        if replay.finished_at:
            return
        if await PartnerEndpoint.exists(partner_id=replay.partner_id, live=replay.live, disabled_at__isnull=False):
            raise Again(datetime.now(UTC) + PAUSE_DISABLED, "the endpoint is disabled")
        room = AT_ONCE - await _waiting(replay)
        taken = await _take(replay, room) if room > 0 else []
        if taken:
            replay.replayed, replay.reached_id = min(replay.replayed + len(taken), replay.total), max(taken)
            after_commit(outside().wake.of(Lane.DELIVER))
        if len(taken) < room:
            replay.finished_at = datetime.now(UTC)
        await replay.save(update_fields=["replayed", "reached_id", "finished_at"])
    if replay.finished_at is None:
        raise Again(datetime.now(UTC) + PAUSE, f"{replay.replayed} of {replay.total} are sent again")


async def _waiting(replay: NotificationReplay) -> int:
    """How many notifications are due to the endpoint by now, of which a few are enough to know."""
    (found,) = await query(
        "SELECT count(*) AS number FROM (SELECT 1 FROM notifications WHERE partner_id = $1 AND live = $2"
        " AND status = 'PENDING' AND next_attempt_at <= now() LIMIT $3) AS due",
        replay.partner_id, replay.live, AT_ONCE,
    )  # fmt: skip
    return int(found["number"])


async def _take(replay: NotificationReplay, most: int) -> list[UUID]:
    """Make the next ones due; their ids. What fails again behind `reached_id` is not taken a second time."""
    partner = await Partner.get(id=replay.partner_id)
    rows = await query(
        f"""
        WITH taken AS (SELECT n.id {_FAILED} ORDER BY n.id LIMIT $6 FOR UPDATE OF n)
        UPDATE notifications SET status = 'PENDING', attempts_left = $7, next_attempt_at = now()
        FROM taken WHERE notifications.id = taken.id RETURNING notifications.id
        """,  # noqa: S608
        replay.partner_id, replay.live, replay.since, replay.until, replay.reached_id, most,
        partner.retry_policy.attempts,
    )  # fmt: skip
    return [row["id"] for row in rows]


_FAILED = """
    FROM notifications n
    WHERE n.partner_id = $1 AND n.live = $2 AND n.status IN ('FAILED', 'SKIPPED')
        AND n.created_at >= $3 AND n.created_at < $4 AND ($5::uuid IS NULL OR n.id > $5)
        AND NOT EXISTS (SELECT 1 FROM invoices i WHERE i.id = n.invoice_id AND i.file_key IS NULL)
"""
