"""The indicators of the référentiel national qualité that hold for bilans de compétences, and what shows each.

Of the 32 the 22 of its common core hold; the others are about certifications, apprentices and training at work (décret
n° 2019-565 du 6 juin 2019, annexe).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Indicator:
    """`french` and `english` say in a line what it asks for; `shown_by` which records of ours count as evidence."""

    number: int
    french: str
    english: str
    shown_by: str | None = None


# Records that are evidence without anybody adding it, as SQL over a period: $1 the organization, $2 and $3 its ends.
RECORDS: Mapping[str, str] = {
    "answers": "SELECT count(*) FROM surveys WHERE organization_id = $1 AND answered_at >= $2 AND answered_at < $3",
    "agreements": "SELECT count(*) FROM bilan_agreements a JOIN organizations o ON o.id = a.organization_id"
    " WHERE a.organization_id = $1 AND a.status = 'ACCEPTED'"
    " AND a.decided_on >= ($2::timestamptz AT TIME ZONE o.time_zone)::date"
    " AND a.decided_on < ($3::timestamptz AT TIME ZONE o.time_zone)::date",
    "preliminary": "SELECT count(*) FROM bilan_phases WHERE organization_id = $1 AND kind = 'PRELIMINARY'"
    " AND completed_at >= $2 AND completed_at < $3",
    "sessions": "SELECT count(*) FROM bilan_sessions WHERE organization_id = $1 AND attendance = 'ATTENDED'"
    " AND starts_at >= $2 AND starts_at < $3",
    "absences": "SELECT count(*) FROM bilan_sessions WHERE organization_id = $1 AND attendance = 'ABSENT'"
    " AND starts_at >= $2 AND starts_at < $3",
    "syntheses": "SELECT count(*) FROM documents WHERE organization_id = $1 AND kind = 'SYNTHESIS'"
    " AND created_at >= $2 AND created_at < $3",
    "complaints": "SELECT count(*) FROM tickets WHERE organization_id = $1 AND type = 'COMPLAINT'"
    " AND coalesce(resolved_at, closed_at) >= $2 AND coalesce(resolved_at, closed_at) < $3",
}

INDICATORS: tuple[Indicator, ...] = (
    Indicator(1, "Information du public", "Information for the public"),
    Indicator(2, "Indicateurs de résultats", "Results, published", "answers"),
    Indicator(4, "Analyse du besoin", "Needs analysed", "preliminary"),
    Indicator(5, "Objectifs de la prestation", "Objectives set", "agreements"),
    Indicator(6, "Contenus et modalités", "Contents and how it is held"),
    Indicator(9, "Conditions de déroulement", "Conditions made known", "agreements"),
    Indicator(10, "Adaptation de la prestation", "Adapted to the person", "sessions"),
    Indicator(11, "Atteinte des objectifs", "Objectives reached", "syntheses"),
    Indicator(12, "Engagement et prévention des abandons", "Commitment kept, giving up prevented", "absences"),
    Indicator(17, "Moyens humains et techniques", "People, rooms and tools"),
    Indicator(18, "Coordination des intervenants", "Those involved work together"),
    Indicator(19, "Ressources pédagogiques", "Material for beneficiaries"),
    Indicator(21, "Compétences des intervenants", "Skills of those involved"),
    Indicator(22, "Développement des compétences", "Skills kept up"),
    Indicator(23, "Veille légale et réglementaire", "Laws and rules followed"),
    Indicator(24, "Veille emplois et métiers", "Trades and jobs followed"),
    Indicator(25, "Veille pédagogique et technologique", "Methods and tools followed"),
    Indicator(26, "Situations de handicap", "Disabilities met"),
    Indicator(27, "Sous-traitance et portage", "Subcontractors"),
    Indicator(30, "Recueil des appréciations", "Opinions collected", "answers"),
    Indicator(31, "Réclamations et aléas", "Complaints and incidents dealt with", "complaints"),
    Indicator(32, "Amélioration continue", "Always bettered"),
)
BY_NUMBER: Mapping[int, Indicator] = {indicator.number: indicator for indicator in INDICATORS}
