"""The demonstration's bilans, one in each state: waiting for the rest of its price, funded by an employer, under way,
completed, given up; and an express one that the law warns of."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from models import (
    AgreementKind,
    Attendance,
    Bilan,
    BilanPhase,
    BilanStatus,
    BilanWarning,
    Client,
    Formule,
    FundingSource,
    Membership,
    Organization,
    PhaseKind,
    Role,
)
from services import (
    bilan_agreements,
    bilan_funding,
    bilan_rules,
    bilan_sessions,
    bilans,
    demonstration_people,
    formules,
)

GIVING_UP = "lea.moreau@example.com"

Held = tuple[int, PhaseKind, int]  # so many days ago, in which phase, for so many hours
ALL: Sequence[Held] = (
    (60, PhaseKind.PRELIMINARY, 6), (45, PhaseKind.INVESTIGATION, 6), (30, PhaseKind.CONCLUSION, 6),
)  # fmt: skip
SOME: Sequence[Held] = (
    (21, PhaseKind.PRELIMINARY, 2), (14, PhaseKind.INVESTIGATION, 2), (7, PhaseKind.INVESTIGATION, 2),
)  # fmt: skip


async def seed(organization: Organization, beneficiary: Client, client: Client) -> None:
    """Made where there is no formule yet; in the open transaction."""
    if await Formule.exists(organization_id=organization.id):
        return
    await formules.install(organization.id)
    consultant = await Membership.filter(organization_id=organization.id, role=Role.CONSULTANT).first()
    waiting = await agreed(beneficiary, "standard", consultant)
    await promised(waiting, FundingSource.CPF, 120_000, "CPF-2026-0042")
    under_way = await agreed(client, "premium", consultant)
    await promised(under_way, FundingSource.OPCO, None, "OPCO-77")
    people = await demonstration_people.of(organization)
    if consultant and len(people) == len(demonstration_people.CLIENTS):
        await accepted(waiting, AgreementKind.CONSENT, consultant)
        await held(under_way, SOME, consultant)
        await _of_an_employer(people["karim.benali"], people["rh"], consultant)
        await _completed_with_gaps(people["ines.rousseau"], consultant)
        await agreed(people[GIVING_UP.partition("@")[0]], "standard", consultant)
        await _too_short(people["paul.garnier"], consultant)


async def give_up(organization: Organization) -> None:
    """One, where none was yet; by transactions of its own."""
    here = Bilan.filter(organization_id=organization.id)
    if not await here.filter(status=BilanStatus.CANCELED).exists():
        waiting = await here.filter(status=BilanStatus.AWAITING_FUNDING, client__email=GIVING_UP).first()
        if waiting:
            await bilan_sessions.give_up(waiting, "La bénéficiaire a trouvé un emploi", waiting.consultant_id)


async def agreed(client: Client, slug: str, consultant: Membership | None, **more: Any) -> Bilan:
    formule = await Formule.get(organization_id=client.organization_id, slug=slug)
    return await bilans.create(client, formule, {"consultant": consultant, **more})


async def promised(bilan: Bilan, source: FundingSource, cents: int | None, reference: str) -> None:
    await bilan.refresh_from_db()
    funding = await bilan_funding.plan(bilan, source, amount_cents=cents, payer=None, reference=reference)
    await bilan_funding.agree(funding, None)


async def accepted(bilan: Bilan, kind: AgreementKind, consultant: Membership, *, days_ago: int = 0) -> None:
    day = datetime.now(UTC).date() - timedelta(days=days_ago)
    agreement = await bilan_agreements.propose(bilan, kind, day)
    await bilan_agreements.accept(agreement, bilan.beneficiary_name, day, consultant.id)


async def held(bilan: Bilan, sessions: Sequence[Held], consultant: Membership) -> None:
    """Sessions that were attended, in their order; each phase is over, but for an investigation that goes on."""
    phases = {each.kind: each for each in await BilanPhase.filter(bilan_id=bilan.id)}
    for days_ago, kind, hours in sessions:
        starts_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
        session = await bilan_sessions.record(bilan, phases[kind], starts_at, starts_at + timedelta(hours=hours))
        await bilan_sessions.attend(session, Attendance.ATTENDED, None, consultant.id)
        if kind is not PhaseKind.INVESTIGATION or sessions is ALL:
            await bilan_sessions.complete(phases[kind])


async def _of_an_employer(client: Client, employer: Client, consultant: Membership) -> None:
    """Funded; the convention waits to be accepted, and the first session is to come."""
    bilan = await agreed(client, "standard", consultant, employer=employer)
    await promised(bilan, FundingSource.EMPLOYER, None, "BC-2041")
    await accepted(bilan, AgreementKind.CONSENT, consultant)
    await bilan_agreements.propose(bilan, AgreementKind.CONVENTION, None)
    phase = await BilanPhase.get(bilan_id=bilan.id, kind=PhaseKind.PRELIMINARY)
    starts_at = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=5)
    await bilan_sessions.record(bilan, phase, starts_at, starts_at + timedelta(hours=2))


async def _completed_with_gaps(client: Client, consultant: Membership) -> None:
    """Completed without a consent, a synthesis or an answer: what an auditor would miss."""
    bilan = await agreed(client, "standard", consultant)
    await promised(bilan, FundingSource.FRANCE_TRAVAIL, None, "FT-881")
    await held(bilan, ALL, consultant)


async def _too_short(client: Client, consultant: Membership) -> None:
    """The law warns of it; the consultant goes on, and says why."""
    bilan = await agreed(client, "express", consultant)
    warning = await BilanWarning.get_or_none(bilan_id=bilan.id, rule="PLANNED_TOO_SHORT")
    if warning:
        await bilan_rules.decide(warning, "Prolongé d'une heure d'atelier collectif, hors convention.", consultant.id)
