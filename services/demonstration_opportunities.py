"""The demonstration's opportunities, at every stage and with several clients. What was won waits for its payment link
(`opportunityPaymentLink`), and then is to be paid in the client's portal."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from models import Client, Membership, Opportunity, OpportunityStage, Organization, Role
from services import demonstration_people, opportunities

STAGES = tuple(OpportunityStage)  # each of which was come to by way of those before it
WON = "Accompagnement à la reconversion"

# (who, by what is before the @ of their address; title; stage; cents; percent; in how many days it is expected)
PIPELINE = (
    ("paul.garnier", "Atelier d'équipe", OpportunityStage.LEAD, None, 10, 60),
    ("lea.moreau", "Bilan de compétences", OpportunityStage.LEAD, 180000, 10, 45),
    ("garage-petit", "Entretiens professionnels", OpportunityStage.QUALIFIED, 150000, 30, 35),
    ("karim.benali", "Bilan de compétences, au titre du CPF", OpportunityStage.QUALIFIED, 180000, 40, 28),
    ("direction", "Formation à la prise de poste", OpportunityStage.PROPOSAL, 240000, 50, 21),
    ("lea.moreau", "Coaching, six séances", OpportunityStage.PROPOSAL, 72000, 60, 14),
    ("rh", "Bilans de trois salariés", OpportunityStage.NEGOTIATION, 540000, 80, 10),
    ("ines.rousseau", "Coaching d'un trimestre", OpportunityStage.NEGOTIATION, 320000, 70, 7),
)
LOST = (
    ("rh", "Audit d'organisation", 90000, "Le budget est reporté à l'an prochain."),
    ("paul.garnier", "Bilan de compétences", 180000, "A choisi un organisme plus près de chez lui."),
)


async def seed(organization: Organization, client: Client) -> None:
    """Made where there is none; in the open transaction. What is won is `client`'s."""
    if await Opportunity.exists(organization_id=organization.id):
        return
    owner = await Membership.filter(organization_id=organization.id, role=Role.OWNER).order_by("id").first()
    clients = await demonstration_people.of(organization)
    for who, title, stage, cents, probability, days in PIPELINE:
        made = await _open(clients.get(who, client), title, cents, owner, days=days)
        await opportunities.update(await _come_to(made, stage, owner), {"probability": probability})
    won = await _open(client, WON, 120000, owner, days=0)
    await _come_to(won, OpportunityStage.WON, owner)
    for who, title, cents, reason in LOST:
        lost = await _open(clients.get(who, client), title, cents, owner)
        await opportunities.move(lost, seen=lost.stage, to=OpportunityStage.LOST, reason=reason, by=_id(owner))


async def _open(
    client: Client, title: str, cents: int | None, owner: Membership | None, *, days: int | None = None
) -> Opportunity:
    expected_on = None if days is None else (datetime.now(UTC) + timedelta(days=days)).date()
    said = {"title": title, "amount_cents": cents, "owner": owner, "expected_on": expected_on}
    return await opportunities.create(client, said, by=_id(owner))


async def _come_to(opportunity: Opportunity, stage: OpportunityStage, owner: Membership | None) -> Opportunity:
    for following in STAGES[1 : STAGES.index(stage) + 1]:
        opportunity = await opportunities.move(
            opportunity, seen=opportunity.stage, to=following, reason=None, by=_id(owner)
        )
    return opportunity


def _id(owner: Membership | None) -> UUID | None:
    return owner.id if owner else None
