"""What a bilan breaks of the law (`services/bilan_law.py`) as it was on the day on which it was agreed. Nothing is
refused for that: it is warned of and kept, and a person decides to go on, with a reason.

A rule that asks something new is a function of `CHECKS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from errors import Conflict, Invalid
from models import (
    AgreementKind,
    AgreementStatus,
    Attendance,
    Bilan,
    BilanAgreement,
    BilanFunding,
    BilanSession,
    BilanWarning,
    FundingSource,
    FundingStatus,
    Organization,
)
from models.language import Language
from services import bilan_law, bilan_letters, bilan_words
from services.bilan_law import Rule, RuleCode
from services.bilan_words import Said, hours
from services.outbox import later
from services.wording import day, money

REASON_MOST = 500  # characters


@dataclass(frozen=True, slots=True)
class Facts:
    """A bilan as it is looked at: what its beneficiary accepted, what stands of its price by whose money it is, and
    when its last session ends or ended; where there is none, when it was agreed."""

    bilan: Bilan
    accepted: frozenset[AgreementKind]
    cents: Mapping[FundingSource, int]
    quiet_since: datetime

    def rule(self, code: RuleCode) -> Rule | None:
        """The one of the day on which the bilan was agreed."""
        return bilan_law.on(code, bilan_law.day_of(self.bilan.created_at))


@dataclass(frozen=True, slots=True)
class Breach:
    """What breaks a rule: `rule` names it once for each bilan, `extent` is how far, in the rule's unit. `there` and
    `limit` give what there is and what the rule has as they are written in a language."""

    rule: str
    reference: Said
    extent: int = 0
    there: Callable[[Language], str] = lambda _: ""
    limit: Callable[[Language], str] = lambda _: ""

    def message(self, language: Language) -> str:
        return bilan_words.said(self.rule, language, there=self.there(language), limit=self.limit(language))


def warnings(facts: Facts) -> list[Breach]:
    """All that a bilan breaks, as it is."""
    return [breach for check in CHECKS if (breach := check(facts))]


async def note(bilan: Bilan) -> list[BilanWarning]:
    """Keep what a bilan, locked, breaks now: what was seen before stays, with who decided what of it, unless it is
    worse by now; what holds no more is cleared. Returns what it breaks."""
    await bilan.refresh_from_db(("minutes_done",))
    broken = {breach.rule: breach for breach in warnings(await _facts(bilan))}
    kept = {row.rule: row for row in await BilanWarning.filter(bilan_id=bilan.id)}
    language = (await Organization.get(id=bilan.organization_id)).language if broken else Language.FR
    for rule, breach in broken.items():
        row = kept.setdefault(rule, BilanWarning(organization_id=bilan.organization_id, bilan=bilan, rule=rule))
        if await _warn(row, breach, language) and rule == IDLE:
            await later(bilan_letters.propose_to_close, row)
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


async def _warn(row: BilanWarning, breach: Breach, language: Language) -> bool:
    """Keep what breaks a rule; whether a person has to look at it who has not."""
    is_new = not row._saved_in_db or row.cleared_at is not None
    is_worse = row.decided_at is not None and row.extent is not None and breach.extent > row.extent
    said: dict[str, Any] = {
        "message": breach.message(language),
        "reference": bilan_words.of(breach.reference, language),
    }
    if is_worse:
        said |= {"decided_at": None, "decided_by_id": None, "decision_reason": None}
    if row.decided_at is None or is_worse or row.extent is None:
        said |= {"extent": breach.extent}  # else what was decided on stands
    if is_new or any(getattr(row, name) != value for name, value in said.items()):
        await row.update_from_dict(said | {"cleared_at": None}).save()
    return is_new or is_worse


async def _facts(bilan: Bilan) -> Facts:
    accepted = BilanAgreement.filter(bilan_id=bilan.id, status=AgreementStatus.ACCEPTED)
    cents: dict[FundingSource, int] = {}
    for each in await BilanFunding.filter(bilan_id=bilan.id, status__in=STANDING):
        cents[each.source] = cents.get(each.source, 0) + each.amount_cents
    sessions = BilanSession.filter(bilan_id=bilan.id).exclude(attendance=Attendance.CANCELED)
    last = await sessions.order_by("-ends_at").first()
    quiet_since = max(last.ends_at, bilan.created_at) if last else bilan.created_at
    return Facts(bilan, frozenset([each.kind for each in await accepted]), cents, quiet_since)


def _planned_too_long(facts: Facts) -> Breach | None:
    rule, planned = facts.rule(RuleCode.HOURS_MOST), facts.bilan.minutes_planned
    if rule is None or planned <= rule.value:
        return None
    return _of_hours("PLANNED_TOO_LONG", rule.reference, planned, rule.value)


def _planned_too_short(facts: Facts) -> Breach | None:
    rule, planned = facts.rule(RuleCode.HOURS_LEAST), facts.bilan.minutes_planned
    if rule is None or planned >= rule.value:
        return None
    return _of_hours("PLANNED_TOO_SHORT", rule.reference, planned, rule.value)


def _done_too_long(facts: Facts) -> Breach | None:
    rule, done = facts.rule(RuleCode.HOURS_MOST), facts.bilan.minutes_done
    if rule is None or done <= rule.value:
        return None
    return _of_hours("DONE_TOO_LONG", rule.reference, done, rule.value)


def _done_beyond_plan(facts: Facts) -> Breach | None:
    done, planned = facts.bilan.minutes_done, facts.bilan.minutes_planned
    return _of_hours("DONE_BEYOND_PLAN", _AGREED, done, planned) if done > planned else None


def _no_consent(facts: Facts) -> Breach | None:
    rule = facts.rule(RuleCode.CONSENT)
    if rule is None or facts.bilan.begun_at is None or AgreementKind.CONSENT in facts.accepted:
        return None
    return Breach("CONSENT_MISSING", rule.reference)


def _no_convention(facts: Facts) -> Breach | None:
    rule = facts.rule(RuleCode.CONVENTION)
    has_employer = facts.bilan.employer_id is not None or FundingSource.EMPLOYER in facts.cents
    if rule is None or facts.bilan.begun_at is None or not has_employer or AgreementKind.CONVENTION in facts.accepted:
        return None
    return Breach("CONVENTION_MISSING", rule.reference)


def _too_much_of_the_account(facts: Facts) -> Breach | None:
    rule, cents = facts.rule(RuleCode.CPF_MOST), facts.cents.get(FundingSource.CPF, 0)
    if rule is None or cents <= rule.value:
        return None
    return _of_money("CPF_TOO_MUCH", rule, cents)


def _no_participation(facts: Facts) -> Breach | None:
    rule, cents = facts.rule(RuleCode.CPF_PARTICIPATION), facts.cents.get(FundingSource.CPF, 0)
    if rule is None or not cents or facts.cents.keys() & _EXEMPTING:
        return None
    left = facts.bilan.price_cents - cents
    return _of_money("CPF_PARTICIPATION_MISSING", rule, left) if left < rule.value else None


def _idle(facts: Facts) -> Breach | None:
    rule, since = facts.rule(RuleCode.IDLE_DAYS), facts.quiet_since
    if rule is None or facts.bilan.is_over or datetime.now(UTC) < since + timedelta(days=rule.value):
        return None
    # It went on since it was decided on, and stopped again: its extent is the day.
    return Breach(IDLE, rule.reference, since.toordinal(), lambda language: day(since.date(), language=language))


def _of_hours(rule: str, reference: Said, there: int, limit: int) -> Breach:
    return Breach(rule, reference, abs(there - limit), lambda _: hours(there), lambda _: hours(limit))


def _of_money(code: str, rule: Rule, there: int) -> Breach:
    def euros(cents: int) -> Callable[[Language], str]:
        return lambda language: money(cents, "EUR", language=language)

    return Breach(code, rule.reference, abs(there - rule.value), euros(there), euros(rule.value))


IDLE = "IDLE"
STANDING = (FundingStatus.PLANNED, FundingStatus.AGREED, FundingStatus.PAID)
_AGREED = (
    "Ce qui a été convenu avec le bénéficiaire et ceux qui paient",
    "What was agreed with the beneficiary and those who pay",
)
_EXEMPTING = frozenset({FundingSource.EMPLOYER, FundingSource.OPCO, FundingSource.FRANCE_TRAVAIL})
CHECKS: Sequence[Callable[[Facts], Breach | None]] = (
    _planned_too_long, _planned_too_short, _done_too_long, _done_beyond_plan, _no_consent, _no_convention,
    _too_much_of_the_account, _no_participation, _idle,
)  # fmt: skip
