"""The demonstration's bilans: one that is paid in part and waits for the rest, one that is under way, paid by an
operator (OPCO), and an express one that the law warns of."""

from datetime import UTC, datetime, timedelta

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
    Role,
)
from services import bilan_agreements, bilan_funding, bilan_sessions, bilans, formules


async def seed(organization: Organization, beneficiary: Client, client: Client) -> None:
    """Made where there is no formule yet; in the open transaction."""
    if await Formule.exists(organization_id=organization.id):
        return
    await formules.install(organization.id)
    consultant = await Membership.filter(organization_id=organization.id, role=Role.CONSULTANT).first()
    waiting = await _agreed(beneficiary, "standard", consultant)
    await _promised(waiting, FundingSource.CPF, 120_000, "CPF-2026-0042")
    under_way = await _agreed(client, "premium", consultant)
    await _promised(under_way, FundingSource.OPCO, None, "OPCO-77")
    if consultant:
        await _consented(waiting, beneficiary, consultant)
        await _begun(under_way, consultant)
    await _agreed(client, "express", consultant)


async def _agreed(client: Client, slug: str, consultant: Membership | None) -> Bilan:
    formule = await Formule.get(organization_id=client.organization_id, slug=slug)
    return await bilans.create(client, formule, {"consultant": consultant})


async def _promised(bilan: Bilan, source: FundingSource, cents: int | None, reference: str) -> None:
    await bilan.refresh_from_db()
    funding = await bilan_funding.plan(bilan, source, amount_cents=cents, payer=None, reference=reference)
    await bilan_funding.agree(funding, None)


async def _consented(bilan: Bilan, client: Client, consultant: Membership) -> None:
    agreement = await bilan_agreements.propose(bilan, AgreementKind.CONSENT, None)
    await bilan_agreements.accept(agreement, client.name, None, consultant.id)


async def _begun(bilan: Bilan, consultant: Membership) -> None:
    """The preliminary phase is over, and the next is under way."""
    phases = {each.kind: each for each in await BilanPhase.filter(bilan_id=bilan.id)}
    for days_ago, kind in ((21, PhaseKind.PRELIMINARY), (14, PhaseKind.INVESTIGATION), (7, PhaseKind.INVESTIGATION)):
        starts_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
        session = await bilan_sessions.record(bilan, phases[kind], starts_at, starts_at + timedelta(hours=2))
        await bilan_sessions.attend(session, Attendance.ATTENDED, None, consultant.id)
        if kind is PhaseKind.PRELIMINARY:
            await bilan_sessions.complete(phases[kind])
