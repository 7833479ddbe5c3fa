"""Tables of what an auditor is given, in French: which pieces there are, what the bilans of the period came to, and who
was at which session."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from models import Attendance, BilanStatus, Document, DocumentKind, PhaseKind, ProofKind, QualityProof
from models.database import fetch
from services.indicators import BY_NUMBER

ROWS_MOST = 20_000

INDEX = ("Indicateur", "Intitulé", "Nature", "Preuve", "Détail", "Date", "Bilan", "Fichier", "SHA-256")
BILANS = (
    "Bilan", "Bénéficiaire", "Statut", "Heures prévues", "Heures réalisées", "Séances suivies", "Absences",
    "Consentement accepté le", "Convention acceptée le", "Satisfaction (/5)", "Objectifs (/5)",
    "Accompagnement (/5)", "Recommandation (/10)", "Commentaire",
)  # fmt: skip
SESSIONS = ("Bilan", "Bénéficiaire", "Phase", "Date", "Début", "Fin", "Présence", "Minutes")

WORDS: Mapping[str, str] = {
    ProofKind.PHONE: "Appel", ProofKind.EMAIL: "E-mail", ProofKind.MEETING: "Réunion", ProofKind.TRAINING: "Formation",
    ProofKind.REMARK: "Note", ProofKind.FILE: "Document",
    DocumentKind.EVIDENCE: "Justificatif", DocumentKind.CONSENT: "Consentement", DocumentKind.CONVENTION: "Convention",
    BilanStatus.AWAITING_FUNDING: "En attente de financement", BilanStatus.FUNDED: "Financé",
    BilanStatus.IN_PROGRESS: "En cours", BilanStatus.COMPLETED: "Terminé",
    PhaseKind.PRELIMINARY: "Préliminaire", PhaseKind.INVESTIGATION: "Investigation", PhaseKind.CONCLUSION: "Conclusion",
    Attendance.EXPECTED: "À venir ou non renseignée", Attendance.ATTENDED: "Présent", Attendance.ABSENT: "Absent",
}  # fmt: skip

File = tuple[str, str]  # its name in the archive, its SHA-256


def line_of_proof(proof: QualityProof, file: File | None) -> Sequence[Any]:
    return (
        proof.indicator, BY_NUMBER[proof.indicator].french, WORDS[proof.kind], proof.title, proof.description or "",
        proof.happened_on, proof.bilan_id or "", *(file or ("", "")),
    )  # fmt: skip


def line_of_document(document: Document, file: File) -> Sequence[Any]:
    """One that is no evidence of an indicator by itself."""
    day = document.created_at.date()
    return ("", "", WORDS[document.kind], document.name, "", day, document.bilan_id, *file)


async def bilans(organization_id: UUID, since: datetime, until: datetime) -> list[Sequence[Any]]:
    rows = await fetch(_BILANS, organization_id, since, until, ROWS_MOST)
    return [(row["id"], row["beneficiary_name"], WORDS[row["status"]], *tuple(row)[3:]) for row in rows]


async def sessions(organization_id: UUID, since: datetime, until: datetime) -> list[Sequence[Any]]:
    """Those that begin in the period, by the clock of the organization's town."""
    rows = await fetch(_SESSIONS, organization_id, since, until, ROWS_MOST)
    return [
        (
            row["bilan_id"], row["beneficiary_name"], WORDS[row["kind"]], row["day"], row["begins"], row["ends"],
            WORDS[row["attendance"]], row["minutes"],
        )
        for row in rows
    ]  # fmt: skip


_BILANS = """
    SELECT b.id, b.beneficiary_name, b.status, replace(round(b.minutes_planned / 60.0, 2)::text, '.', ','),
        replace(round(b.minutes_done / 60.0, 2)::text, '.', ','),
        (SELECT count(*) FROM bilan_sessions s WHERE s.bilan_id = b.id AND s.attendance = 'ATTENDED'),
        (SELECT count(*) FROM bilan_sessions s WHERE s.bilan_id = b.id AND s.attendance = 'ABSENT'),
        (SELECT max(decided_on) FROM bilan_agreements a
            WHERE a.bilan_id = b.id AND a.kind = 'CONSENT' AND a.status = 'ACCEPTED'),
        (SELECT max(decided_on) FROM bilan_agreements a
            WHERE a.bilan_id = b.id AND a.kind = 'CONVENTION' AND a.status = 'ACCEPTED'),
        v.satisfaction, v.objectives, v.accompaniment, v.recommends, v.comment
    FROM bilans b LEFT JOIN surveys v ON v.bilan_id = b.id AND v.kind = 'END'
    WHERE b.organization_id = $1 AND b.status <> 'CANCELED' AND b.created_at < $3
        AND coalesce(b.completed_at, $3) >= $2
    ORDER BY b.id LIMIT $4
"""
_SESSIONS = """
    SELECT b.id AS bilan_id, b.beneficiary_name, p.kind, (s.starts_at AT TIME ZONE o.time_zone)::date AS day,
        to_char(s.starts_at AT TIME ZONE o.time_zone, 'HH24:MI') AS begins,
        to_char(s.ends_at AT TIME ZONE o.time_zone, 'HH24:MI') AS ends, s.attendance, s.minutes
    FROM bilan_sessions s
        JOIN bilans b ON b.id = s.bilan_id
        JOIN bilan_phases p ON p.id = s.phase_id
        JOIN organizations o ON o.id = s.organization_id
    WHERE s.organization_id = $1 AND s.attendance <> 'CANCELED' AND b.status <> 'CANCELED'
        AND s.starts_at >= $2 AND s.starts_at < $3
    ORDER BY b.id, s.starts_at, s.id LIMIT $4
"""
