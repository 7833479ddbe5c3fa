"""The demonstration's opportunities: one at each stage. What was won waits for its payment link
(`opportunityPaymentLink`), and then is to be paid in the client's portal."""

from datetime import UTC, datetime, timedelta

from models import Client, Membership, Opportunity, OpportunityStage, Organization, Role
from services import opportunities

PIPELINE = (
    (OpportunityStage.LEAD, "Atelier d'équipe", None, 10),
    (OpportunityStage.QUALIFIED, "Bilan de compétences pour un salarié", 180000, 30),
    (OpportunityStage.PROPOSAL, "Formation à la prise de poste", 240000, 50),
    (OpportunityStage.NEGOTIATION, "Coaching d'un trimestre", 320000, 80),
    (OpportunityStage.WON, "Accompagnement à la reconversion", 120000, 100),
)
LOST = ("Audit d'organisation", 90000, "Le budget est reporté à l'an prochain.")


async def seed(organization: Organization, client: Client) -> None:
    """Made where there is none; in the open transaction."""
    if await Opportunity.exists(organization_id=organization.id):
        return
    owner = await Membership.filter(organization_id=organization.id, role=Role.OWNER).order_by("id").first()
    by = owner.id if owner else None
    soon = (datetime.now(UTC) + timedelta(days=21)).date()
    for stage, title, cents, probability in PIPELINE:
        said = {"title": title, "stage": stage, "amount_cents": cents, "probability": probability, "owner": owner}
        await opportunities.create(client, {**said, "expected_on": soon}, by=by)
    title, cents, reason = LOST
    lost = await opportunities.create(client, {"title": title, "amount_cents": cents, "owner": owner}, by=by)
    await opportunities.move(lost, seen=lost.stage, to=OpportunityStage.LOST, reason=reason, by=by)
