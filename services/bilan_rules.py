"""What the law says of bilans, as dated data, and what of it a bilan breaks. Nothing is refused for that: it is warned
of and kept, and a person decides to go on, with a reason.

A rule is the one of the day on which the bilan was agreed, where the organization is. Another rule is a line of `RULES`
and, where it asks something new, a function of `CHECKS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

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
from services import bilan_letters
from services.outbox import later

REASON_MOST = 500  # characters


class RuleCode(StrEnum):
    """What is asked; each has a value for every day on which it is."""

    HOURS_MOST = "HOURS_MOST"
    HOURS_LEAST = "HOURS_LEAST"
    ACCEPTANCE_DAYS = "ACCEPTANCE_DAYS"
    CONSENT = "CONSENT"
    CONVENTION = "CONVENTION"
    CPF_MOST = "CPF_MOST"
    CPF_PARTICIPATION = "CPF_PARTICIPATION"
    IDLE_DAYS = "IDLE_DAYS"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule from a day on, to another where one is known. `value` is in minutes, in days or in cents, as its code
    says, and 1 where something is to be there."""

    code: RuleCode
    value: int
    valid_from: date
    valid_until: date | None
    reference: str


# https://www.legifrance.gouv.fr/codes/id/LEGISCTA000006195894/. Of the floor of 2026 the day is not sure: the decree
# (NOR TRSD2602696D) is taken to hold for bilans that were agreed since the beginning of that year.
_PARTICIPATION = (
    "Décret n° 2024-394 du 29 avril 2024, raised every year by arrêté: who uses their account pays a part themselves,"
    " unless they look for work or their employer adds to it"
)
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
    Rule(
        RuleCode.CONSENT, 1, date(2019, 1, 1), None,
        "Code du travail, art. L6313-4: no bilan is held without the beneficiary's consent",
    ),
    Rule(
        RuleCode.CONVENTION, 1, date(2019, 1, 1), None,
        "Code du travail, art. R6313-8: a written convention between beneficiary, employer and organization",
    ),
    Rule(
        RuleCode.CPF_MOST, 160_000, date(2026, 2, 26), None,
        "Décret n° 2026-127 du 24 février 2026: 1,600 € of the account at most",
    ),
    *(
        Rule(RuleCode.CPF_PARTICIPATION, cents, since, until, _PARTICIPATION)
        for cents, since, until in (
            (10_000, date(2024, 5, 2), date(2024, 12, 31)),
            (10_223, date(2025, 1, 1), date(2025, 12, 31)),
            (10_320, date(2026, 1, 1), None),
        )
    ),
    Rule(
        RuleCode.IDLE_DAYS, 180, date(2018, 5, 25), None,
        "RGPD, art. 5(1)(e): nothing is kept for longer than it is needed; what a bilan is held with is destroyed at"
        " its end, and 180 days without a session are taken for one that somebody forgot to note",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """A bilan as it is looked at: the day on which it was agreed, what its beneficiary accepted, what stands of its
    price by whose money it is, and when its last session ends or ended; where there is none, when it was agreed."""

    bilan: Bilan
    agreed_on: date
    accepted: frozenset[AgreementKind]
    cents: Mapping[FundingSource, int]
    quiet_since: datetime

    def rule(self, code: RuleCode) -> Rule | None:
        """The one of the day on which the bilan was agreed."""
        return on(code, self.agreed_on)


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
    zone = ZoneInfo((await Organization.get(id=bilan.organization_id)).time_zone)
    agreed_on = bilan.created_at.astimezone(zone).date()
    return Facts(bilan, agreed_on, frozenset([each.kind for each in await accepted]), cents, quiet_since)


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
    message = "It is under way without the beneficiary's consent: propose it (bilanAgreementPropose)."
    return Breach("CONSENT_MISSING", message, rule.reference)


def _no_convention(facts: Facts) -> Breach | None:
    rule = facts.rule(RuleCode.CONVENTION)
    has_employer = facts.bilan.employer_id is not None or FundingSource.EMPLOYER in facts.cents
    if rule is None or facts.bilan.begun_at is None or not has_employer or AgreementKind.CONVENTION in facts.accepted:
        return None
    message = "It is under way with an employer, without a convention: propose it (bilanAgreementPropose)."
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
