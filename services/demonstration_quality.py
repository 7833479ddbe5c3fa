"""The demonstration's quality: a bilan that is completed, what its beneficiary said of it, and evidence."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models import (
    AgreementKind,
    Bilan,
    Client,
    FundingSource,
    Membership,
    Organization,
    ProofKind,
    Role,
    Survey,
    SurveyKind,
)
from services import demonstration_bilans, quality, surveys

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
    if consultant is None or await Survey.exists(organization_id=organization.id, answered_at__isnull=False):
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
    bilan = await demonstration_bilans.agreed(client, "standard", consultant)
    await demonstration_bilans.promised(bilan, FundingSource.OPCO, None, "OPCO-41")
    await demonstration_bilans.accepted(bilan, AgreementKind.CONSENT, consultant, days_ago=65)
    await demonstration_bilans.held(bilan, demonstration_bilans.ALL, consultant)
    return bilan
