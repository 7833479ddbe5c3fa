"""What the law says of bilans, as dated data, and what of it a bilan breaks. Nothing is refused for that: it is warned
of and kept, and a person decides to go on, with a reason.

A rule is the one of the day on which the bilan was agreed. Another rule is a line of `RULES` and, where it asks
something new, a function of `CHECKS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID

from errors import Conflict, Invalid
from models import Bilan, BilanWarning

REASON_MOST = 500  # characters


class RuleCode(StrEnum):
    """What is asked; each has a value for every day on which it is."""

    HOURS_MOST = "HOURS_MOST"
    HOURS_LEAST = "HOURS_LEAST"
    ACCEPTANCE_DAYS = "ACCEPTANCE_DAYS"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule from a day on, to another where one is known. `value` is in minutes, or in days where its code says so."""

    code: RuleCode
    value: int
    valid_from: date
    valid_until: date | None
    reference: str


# https://www.legifrance.gouv.fr/codes/id/LEGISCTA000006195894/. Of the floor of 2026 the day is not sure: the decree
# (NOR TRSD2602696D) is taken to hold for bilans that were agreed since the beginning of that year.
RULES: tuple[Rule, ...] = (
    Rule(RuleCode.HOURS_MOST, 24 * 60, date(2019, 1, 1), None, "Code du travail, art. L6313-4: 24 h at most"),
    Rule(
        RuleCode.HOURS_LEAST, 13 * 60, date(2026, 1, 1), None,
        "Code du travail, art. R6313-4: 13 h of effective accompaniment at least since 2026",
    ),
    Rule(
        RuleCode.ACCEPTANCE_DAYS, 10, date(2019, 1, 1), None,
        "Code du travail, art. R6313-8: ten days to accept the convention, no answer is a refusal",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Breach:
    """What breaks a rule: `rule` names it once for each bilan."""

    rule: str
    message: str
    reference: str


def on(code: RuleCode, day: date) -> Rule | None:
    """The rule of a day; None before there was one."""
    held = (each for each in RULES if each.code is code and each.valid_from <= day)
    return next((each for each in held if each.valid_until is None or day <= each.valid_until), None)


def warnings(bilan: Bilan) -> list[Breach]:
    """All that a bilan, read back, breaks at this moment."""
    return [breach for check in CHECKS if (breach := check(bilan))]


async def note(bilan: Bilan) -> list[BilanWarning]:
    """Keep what a bilan, locked, breaks now: what was seen before stays, with who decided what of it; what holds no
    more is cleared. Returns what it breaks."""
    await bilan.refresh_from_db(("minutes_done",))
    broken = {breach.rule: breach for breach in warnings(bilan)}
    kept = {row.rule: row for row in await BilanWarning.filter(bilan_id=bilan.id)}
    for rule, breach in broken.items():
        row = kept.get(rule) or BilanWarning(organization_id=bilan.organization_id, bilan=bilan, rule=rule)
        if row.message != breach.message or row.cleared_at:
            row.update_from_dict({"message": breach.message, "reference": breach.reference, "cleared_at": None})
            await row.save()
        kept[rule] = row
    for rule, row in kept.items():
        if rule not in broken and row.cleared_at is None:
            row.cleared_at = datetime.now(UTC)
            await row.save()
    return [kept[rule] for rule in broken]


async def decide(warning: BilanWarning, reason: str, by_id: UUID) -> BilanWarning:
    """A person goes on in spite of a warning, locked, and says why. Raises Conflict where somebody did, or it holds no
    more, and Invalid without a reason."""
    if not reason.strip() or "\x00" in reason or len(reason) > REASON_MOST:
        raise Invalid(f"Say why, in {REASON_MOST} characters at most.", field="input.reason")
    if warning.cleared_at:
        raise Conflict("This warning holds no more: there is nothing to decide.", field="input.bilanWarning")
    if warning.decided_at:
        raise Conflict("Somebody has decided this already.", field="input.bilanWarning")
    warning.decided_at, warning.decided_by_id, warning.decision_reason = datetime.now(UTC), by_id, reason.strip()
    await warning.save()
    return warning


def _planned_too_long(bilan: Bilan) -> Breach | None:
    rule = on(RuleCode.HOURS_MOST, bilan.created_at.date())
    if rule is None or bilan.minutes_planned <= rule.value:
        return None
    message = f"{_hours(bilan.minutes_planned)} are planned, {_hours(rule.value)} are the most that a bilan may take."
    return Breach("PLANNED_TOO_LONG", message, rule.reference)


def _planned_too_short(bilan: Bilan) -> Breach | None:
    rule = on(RuleCode.HOURS_LEAST, bilan.created_at.date())
    if rule is None or bilan.minutes_planned >= rule.value:
        return None
    message = f"{_hours(bilan.minutes_planned)} are planned, {_hours(rule.value)} are the least that a bilan takes."
    return Breach("PLANNED_TOO_SHORT", message, rule.reference)


def _done_too_long(bilan: Bilan) -> Breach | None:
    rule = on(RuleCode.HOURS_MOST, bilan.created_at.date())
    if rule is None or bilan.minutes_done <= rule.value:
        return None
    message = f"{_hours(bilan.minutes_done)} are done, {_hours(rule.value)} are the most that a bilan may take."
    return Breach("DONE_TOO_LONG", message, rule.reference)


def _done_beyond_plan(bilan: Bilan) -> Breach | None:
    if bilan.minutes_done <= bilan.minutes_planned:
        return None
    message = f"{_hours(bilan.minutes_done)} are done, {_hours(bilan.minutes_planned)} were agreed."
    return Breach("DONE_BEYOND_PLAN", message, "What was agreed with the beneficiary and those who pay")


CHECKS: Sequence[Callable[[Bilan], Breach | None]] = (
    _planned_too_long, _planned_too_short, _done_too_long, _done_beyond_plan,
)  # fmt: skip


def _hours(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:02}" if minutes % 60 else f"{minutes // 60} h"
