"""What a bilan breaks of the law (`services/bilan_law.py`) as it was on the day on which it was agreed. Nothing is
refused for that: it is warned of and kept, and a person decides to go on, with a reason.

A rule that asks something new is a function of `CHECKS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
)
from services import bilan_law, bilan_letters
from services.bilan_law import Rule, RuleCode
from services.outbox import later

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
    """What breaks a rule: `rule` names it once for each bilan."""

    rule: str
    message: str
    reference: str


def warnings(facts: Facts) -> list[Breach]:
    """All that a bilan breaks, as it is."""
    return [breach for check in CHECKS if (breach := check(facts))]


async def note(bilan: Bilan) -> list[BilanWarning]:
    """Keep what a bilan, locked, breaks now: what was seen before stays, with who decided what of it; what holds no
    more is cleared. Returns what it breaks."""
    await bilan.refresh_from_db(("minutes_done",))
    broken = {breach.rule: breach for breach in warnings(await _facts(bilan))}
    kept = {row.rule: row for row in await BilanWarning.filter(bilan_id=bilan.id)}
    for rule, breach in broken.items():
        row = kept.get(rule) or BilanWarning(organization_id=bilan.organization_id, bilan=bilan, rule=rule)
        is_new = rule not in kept or row.cleared_at is not None
        if row.message != breach.message or row.cleared_at:
            row.update_from_dict({"message": breach.message, "reference": breach.reference, "cleared_at": None})
            await row.save()
        if is_new and rule == IDLE:
            await later(bilan_letters.propose_to_close, row)
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
    rule = facts.rule(RuleCode.HOURS_MOST)
    if rule is None or facts.bilan.minutes_planned <= rule.value:
        return None
    message = (
        f"{_hours(facts.bilan.minutes_planned)} are planned, {_hours(rule.value)} are the most that a bilan may take."
    )
    return Breach("PLANNED_TOO_LONG", message, rule.reference)


def _planned_too_short(facts: Facts) -> Breach | None:
    rule = facts.rule(RuleCode.HOURS_LEAST)
    if rule is None or facts.bilan.minutes_planned >= rule.value:
        return None
    message = (
        f"{_hours(facts.bilan.minutes_planned)} are planned, {_hours(rule.value)} are the least that a bilan takes."
    )
    return Breach("PLANNED_TOO_SHORT", message, rule.reference)


def _done_too_long(facts: Facts) -> Breach | None:
    rule = facts.rule(RuleCode.HOURS_MOST)
    if rule is None or facts.bilan.minutes_done <= rule.value:
        return None
    message = f"{_hours(facts.bilan.minutes_done)} are done, {_hours(rule.value)} are the most that a bilan may take."
    return Breach("DONE_TOO_LONG", message, rule.reference)


def _done_beyond_plan(facts: Facts) -> Breach | None:
    if facts.bilan.minutes_done <= facts.bilan.minutes_planned:
        return None
    message = f"{_hours(facts.bilan.minutes_done)} are done, {_hours(facts.bilan.minutes_planned)} were agreed."
    return Breach("DONE_BEYOND_PLAN", message, "What was agreed with the beneficiary and those who pay")


def _no_consent(facts: Facts) -> Breach | None:
    rule = facts.rule(RuleCode.CONSENT)
    if rule is None or facts.bilan.begun_at is None or AgreementKind.CONSENT in facts.accepted:
        return None
    message = "It was begun without the beneficiary's consent: propose it (bilanAgreementPropose)."
    return Breach("CONSENT_MISSING", message, rule.reference)


def _no_convention(facts: Facts) -> Breach | None:
    rule = facts.rule(RuleCode.CONVENTION)
    has_employer = facts.bilan.employer_id is not None or FundingSource.EMPLOYER in facts.cents
    if rule is None or facts.bilan.begun_at is None or not has_employer or AgreementKind.CONVENTION in facts.accepted:
        return None
    message = "It was begun with an employer, without a convention: propose it (bilanAgreementPropose)."
    return Breach("CONVENTION_MISSING", message, rule.reference)


def _too_much_of_the_account(facts: Facts) -> Breach | None:
    rule, cents = facts.rule(RuleCode.CPF_MOST), facts.cents.get(FundingSource.CPF, 0)
    if rule is None or cents <= rule.value:
        return None
    message = f"{_euros(cents)} are of the beneficiary's account (CPF), {_euros(rule.value)} are the most."
    return Breach("CPF_TOO_MUCH", message, rule.reference)


def _no_participation(facts: Facts) -> Breach | None:
    rule, cents = facts.rule(RuleCode.CPF_PARTICIPATION), facts.cents.get(FundingSource.CPF, 0)
    if rule is None or not cents or facts.cents.keys() & _EXEMPTING:
        return None
    left = facts.bilan.price_cents - cents
    if left >= rule.value:
        return None
    message = f"The account (CPF) leaves {_euros(left)} to the beneficiary, whose part is {_euros(rule.value)}."
    return Breach("CPF_PARTICIPATION_MISSING", message, rule.reference)


def _idle(facts: Facts) -> Breach | None:
    rule = facts.rule(RuleCode.IDLE_DAYS)
    if rule is None or facts.bilan.is_over or datetime.now(UTC) < facts.quiet_since + timedelta(days=rule.value):
        return None
    message = (
        f"Nothing is held or planned since {facts.quiet_since:%Y-%m-%d}: complete it (bilanPhaseComplete), give it up"
        " (bilanCancel), or say why it stays open. Until then what it is held with is kept."
    )
    return Breach(IDLE, message, rule.reference)


IDLE = "IDLE"
STANDING = (FundingStatus.PLANNED, FundingStatus.AGREED, FundingStatus.PAID)
_EXEMPTING = frozenset({FundingSource.EMPLOYER, FundingSource.OPCO, FundingSource.FRANCE_TRAVAIL})
CHECKS: Sequence[Callable[[Facts], Breach | None]] = (
    _planned_too_long, _planned_too_short, _done_too_long, _done_beyond_plan, _no_consent, _no_convention,
    _too_much_of_the_account, _no_participation, _idle,
)  # fmt: skip


def _euros(cents: int) -> str:
    return f"{cents / 100:,.2f} €"


def _hours(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:02}" if minutes % 60 else f"{minutes // 60} h"
