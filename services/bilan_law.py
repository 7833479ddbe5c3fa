"""What the law says of bilans, as dated data: a rule holds from a day on, by the clock of Paris, and the one of the day
on which a bilan was agreed is its own. A rule that changes is another line of `RULES`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.bilan_words import Said

PARIS = ZoneInfo("Europe/Paris")


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
    WORKING_PAPERS_DAYS = "WORKING_PAPERS_DAYS"
    WRITTEN_DAYS = "WRITTEN_DAYS"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule from a day on, to another where one is known. `value` is in minutes, in days or in cents, as its code
    says, and 1 where something is to be there. `reference`: where it is written, and what it says."""

    code: RuleCode
    value: int
    valid_from: date
    valid_until: date | None
    reference: Said

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its beginning, and the moment after its end."""
        after = self.valid_until + timedelta(days=1) if self.valid_until else date.max
        first, last = (datetime.combine(day, time(), PARIS) for day in (self.valid_from, after))
        return first, last


# https://www.legifrance.gouv.fr/codes/id/LEGISCTA000006195894/. Of the floor of 2026 the day is not sure: the decree
# (NOR TRSD2602696D) is taken to hold for bilans that were agreed since the beginning of that year.
_PARTICIPATION = (
    "Décret n° 2024-394 du 29 avril 2024, relevé chaque année par arrêté : qui mobilise son compte paie une part,"
    " sauf demandeur d’emploi ou abondement de l’employeur",
    "Décret n° 2024-394 du 29 avril 2024, raised every year by arrêté: who uses their account pays a part themselves,"
    " unless they look for work or their employer adds to it",
)
RULES: tuple[Rule, ...] = (
    Rule(
        RuleCode.HOURS_MOST, 24 * 60, date(2019, 1, 1), None,
        (
            "Code du travail, art. L6313-4 : 24 h au plus",
            "Code du travail, art. L6313-4: 24 h at most",
        ),
    ),
    Rule(
        RuleCode.HOURS_LEAST, 13 * 60, date(2026, 1, 1), None,
        (
            "Code du travail, art. R6313-4 : au moins 13 h d’accompagnement effectif depuis 2026",
            "Code du travail, art. R6313-4: 13 h of effective accompaniment at least since 2026",
        ),
    ),
    Rule(
        RuleCode.ACCEPTANCE_DAYS, 10, date(2019, 1, 1), None,
        (
            "Code du travail, art. R6313-8 : dix jours pour accepter la convention, l’absence de réponse vaut refus",
            "Code du travail, art. R6313-8: ten days to accept the convention, no answer is a refusal",
        ),
    ),
    Rule(
        RuleCode.CONSENT, 1, date(2019, 1, 1), None,
        (
            "Code du travail, art. L6313-4 : aucun bilan sans le consentement du bénéficiaire",
            "Code du travail, art. L6313-4: no bilan is held without the beneficiary's consent",
        ),
    ),
    Rule(
        RuleCode.CONVENTION, 1, date(2019, 1, 1), None,
        (
            "Code du travail, art. R6313-8 : une convention écrite entre bénéficiaire, employeur et organisme",
            "Code du travail, art. R6313-8: a written convention between beneficiary, employer and organization",
        ),
    ),
    Rule(
        RuleCode.CPF_MOST, 160_000, date(2026, 2, 26), None,
        (
            "Décret n° 2026-127 du 24 février 2026 : 1 600 € du compte au plus",
            "Décret n° 2026-127 du 24 février 2026: 1,600 € of the account at most",
        ),
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
        RuleCode.WORKING_PAPERS_DAYS, 0, date(2019, 1, 1), None,
        (
            "Code du travail, art. R6313-7 : ce qui a servi à tenir un bilan est détruit à sa fin",
            "Code du travail, art. R6313-7: what a bilan was held with is destroyed at its end",
        ),
    ),
    Rule(
        RuleCode.WRITTEN_DAYS, 3 * 365 + 1, date(2019, 1, 1), None,
        (
            "Code du travail, art. R6313-7 : la synthèse et les écrits convenus, trois ans après sa fin",
            "Code du travail, art. R6313-7: the synthesis, and what was agreed in writing, three years after its end",
        ),
    ),
    Rule(
        RuleCode.IDLE_DAYS, 180, date(2018, 5, 25), None,
        (
            "RGPD, art. 5(1)(e) : rien n’est conservé plus longtemps que nécessaire ; ce qui sert à tenir un bilan est"
            " détruit à sa fin, et 180 jours sans séance passent pour une fin que personne n’a notée",
            "RGPD, art. 5(1)(e): nothing is kept for longer than it is needed; what a bilan is held with is destroyed"
            " at its end, and 180 days without a session are taken for one that somebody forgot to note",
        ),
    ),
)  # fmt: skip


def day_of(moment: datetime) -> date:
    """The day by which the law is looked up."""
    return moment.astimezone(PARIS).date()


def on(code: RuleCode, day: date) -> Rule | None:
    """The rule of a day; None before there was one."""
    held = (each for each in of(code) if each.valid_from <= day)
    return next((each for each in held if each.valid_until is None or day <= each.valid_until), None)


def of(code: RuleCode) -> Sequence[Rule]:
    """Each with its days, the first first."""
    return [each for each in RULES if each.code is code]
