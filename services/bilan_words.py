"""What a bilan breaks of the law, in French and in English."""

from collections.abc import Mapping

from models.language import Language

Said = tuple[str, str]  # in French, in English

# By rule; what stands in braces is what `said` is given.
_SAID: Mapping[str, Said] = {
    "PLANNED_TOO_LONG": (
        "{there} sont prévues ; un bilan en compte {limit} au plus.",
        "{there} are planned, {limit} are the most that a bilan may take.",
    ),
    "PLANNED_TOO_SHORT": (
        "{there} sont prévues ; un bilan en compte {limit} au moins.",
        "{there} are planned, {limit} are the least that a bilan takes.",
    ),
    "DONE_TOO_LONG": (
        "{there} sont réalisées ; un bilan en compte {limit} au plus.",
        "{there} are done, {limit} are the most that a bilan may take.",
    ),
    "DONE_BEYOND_PLAN": (
        "{there} sont réalisées ; {limit} étaient convenues.",
        "{there} are done, {limit} were agreed.",
    ),
    "CONSENT_MISSING": (
        "Il a commencé sans le consentement du bénéficiaire : proposez-le (bilanAgreementPropose).",
        "It was begun without the beneficiary's consent: propose it (bilanAgreementPropose).",
    ),
    "CONVENTION_MISSING": (
        "Il a commencé avec un employeur, sans convention : proposez-la (bilanAgreementPropose).",
        "It was begun with an employer, without a convention: propose it (bilanAgreementPropose).",
    ),
    "CPF_TOO_MUCH": (
        "{there} viennent du compte du bénéficiaire (CPF) ; {limit} au plus le peuvent.",
        "{there} are of the beneficiary's account (CPF), {limit} are the most.",
    ),
    "CPF_PARTICIPATION_MISSING": (
        "Le compte (CPF) laisse {there} au bénéficiaire, dont la participation est de {limit}.",
        "The account (CPF) leaves {there} to the beneficiary, whose part is {limit}.",
    ),
    "IDLE": (
        "Rien n’est tenu ni prévu depuis le {there} : terminez-le (bilanPhaseComplete), abandonnez-le (bilanCancel) ou"
        " dites pourquoi il reste ouvert. D’ici là, ce qui sert à le tenir est conservé.",
        "Nothing is held or planned since {there}: complete it (bilanPhaseComplete), give it up (bilanCancel), or say"
        " why it stays open. Until then what it is held with is kept.",
    ),
}


def said(rule: str, language: Language, *, there: str = "", limit: str = "") -> str:
    """What breaks a rule: what is there, and what the rule has."""
    return of(_SAID[rule], language).format(there=there, limit=limit)


def of(words: Said, language: Language) -> str:
    return words[language is Language.EN]


def hours(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:02}" if minutes % 60 else f"{minutes // 60} h"
