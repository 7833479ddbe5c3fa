"""The demonstration's quality: a bilan that is completed, what its beneficiary said of it, and evidence."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models import (
    AgreementKind,
    Attendance,
    Bilan,
    BilanPhase,
    Client,
    Formule,
    FundingSource,
    Membership,
    Organization,
    PhaseKind,
    ProofKind,
    Role,
    Survey,
    SurveyKind,
)
from services import bilan_agreements, bilan_funding, bilan_sessions, bilans, quality, surveys

HELD = ((60, PhaseKind.PRELIMINARY), (45, PhaseKind.INVESTIGATION), (30, PhaseKind.CONCLUSION))  # days ago
SAID = {
    "satisfaction": 5, "objectives": 4, "accompaniment": 5, "recommends": 9,
    "comment": "Un accompagnement à l'écoute : je sais enfin où je vais.",
}  # fmt: skip
PROOFS: tuple[dict[str, Any], ...] = (
    {"indicator": 23, "kind": ProofKind.REMARK, "title": "Lettre juridique mensuelle lue et partagée"},
    {"indicator": 22, "kind": ProofKind.TRAINING, "title": "Formation de deux jours à l'entretien motivationnel"},
)


async def seed(organization: Organization, client: Client) -> None:
    """Made where nobody was asked yet; in the open transaction."""
    members = Membership.filter(organization_id=organization.id)
    consultant = await members.filter(role=Role.CONSULTANT).first()
    if consultant is None or await Survey.exists(organization_id=organization.id):
        return
    bilan = await _completed(client, consultant)
    survey = await Survey.get(bilan_id=bilan.id, kind=SurveyKind.END)
    await surveys.answer(survey, SAID)
    day = datetime.now(UTC).date() - timedelta(days=20)
    called = {"indicator": 4, "kind": ProofKind.PHONE, "title": "Premier échange : besoins et attentes"}
    await quality.add_proof(
        organization.id, called | {"happened_on": day}, bilan=bilan, document=None, by=consultant.id
    )
    for each in PROOFS:
        await quality.add_proof(organization.id, each | {"happened_on": day}, bilan=None, document=None, by=None)


async def _completed(client: Client, consultant: Membership) -> Bilan:
    formule = await Formule.get(organization_id=client.organization_id, slug="standard")
    bilan = await bilans.create(client, formule, {"consultant": consultant})
    funding = await bilan_funding.plan(bilan, FundingSource.OPCO, amount_cents=None, payer=None, reference="OPCO-41")
    await bilan_funding.agree(funding, None)
    agreement = await bilan_agreements.propose(bilan, AgreementKind.CONSENT, None)
    await bilan_agreements.accept(agreement, client.name, None, consultant.id)
    for days_ago, kind in HELD:
        phase = await BilanPhase.get(bilan_id=bilan.id, kind=kind)
        starts_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
        session = await bilan_sessions.record(bilan, phase, starts_at, starts_at + timedelta(hours=6))
        await bilan_sessions.attend(session, Attendance.ATTENDED, None, consultant.id)
        await bilan_sessions.complete(phase)
    return bilan
