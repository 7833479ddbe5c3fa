"""A bilan in which nothing happens any more: its documents would be kept for as long as nobody closes it."""

from datetime import UTC, datetime, timedelta

from models import Bilan
from models.database import query, transaction
from services import bilan_law, bilan_rules
from services.bilan_law import RuleCode
from services.bilan_rules import IDLE

AT_ONCE = 100  # bilans that a clock looks at


async def look() -> int:
    """Warn of those that nothing is held or planned in for as many days as the rule of their day says; how many."""
    days = min(rule.value for rule in bilan_law.of(RuleCode.IDLE_DAYS))
    found = await query(_QUIET, datetime.now(UTC) - timedelta(days=days), IDLE, AT_ONCE)
    return sum([await _look_at(row["id"]) for row in found])


async def _look_at(id: object) -> bool:
    async with transaction():
        bilan = await Bilan.select_for_update(no_key=True).get(id=id)
        return any(warning.rule == IDLE for warning in await bilan_rules.note(bilan))


_QUIET = """
    SELECT b.id FROM bilans b
    WHERE b.status IN ('AWAITING_FUNDING', 'FUNDED', 'IN_PROGRESS') AND b.created_at < $1
        AND NOT EXISTS (
            SELECT 1 FROM bilan_sessions s
            WHERE s.bilan_id = b.id AND s.attendance <> 'CANCELED' AND s.ends_at >= $1
        )
        AND NOT EXISTS (
            SELECT 1 FROM bilan_warnings w WHERE w.bilan_id = b.id AND w.rule = $2 AND w.cleared_at IS NULL
        )
    ORDER BY b.id LIMIT $3
"""
