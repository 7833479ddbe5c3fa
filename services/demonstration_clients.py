"""What the demonstration keeps of a client besides: a tag, a contact, notes, consents, one of them taken back."""

from datetime import UTC, datetime, timedelta

from models import Client, ClientNote, ConsentPurpose, ConsentSource, Membership, Organization, Role, Tag
from services import crm

CONTACT = {
    "first_name": "Hélène", "last_name": "Lefèvre", "job_title": "Comptable", "email": "helene.lefevre@example.com",
    "phone": "+33698765432",
}  # fmt: skip
NOTES = ("Préfère être appelé le matin.", "A recommandé deux amis : penser à le remercier.")
OFFERS = {
    "purpose": ConsentPurpose.EMAIL_MARKETING, "source": ConsentSource.FORM,
    "wording": "J'accepte de recevoir vos offres par e-mail.",
}  # fmt: skip
TESTIMONIAL = {
    "purpose": ConsentPurpose.TESTIMONIAL, "source": ConsentSource.IN_PERSON,
    "wording": "J'accepte que mon témoignage paraisse sur votre site, sous mon nom.",
}  # fmt: skip


async def seed(organization: Organization, client: Client) -> None:
    """Made where nothing is noted of anybody; in the open transaction."""
    if await ClientNote.exists(organization_id=organization.id):
        return
    owner = await Membership.filter(organization_id=organization.id, role=Role.OWNER).order_by("id").first()
    tag, _ = await Tag.get_or_create(organization_id=organization.id, name="Fidèle")
    await crm.put_tag(client, tag)
    await crm.contact_of(client, {**CONTACT})
    for body in NOTES:
        await crm.note_of(client, body, owner.id if owner else None)
    month = datetime.now(UTC) - timedelta(days=30)
    await crm.record_consent(client, {**OFFERS, "given_at": month})
    await crm.withdraw_consent(await crm.record_consent(client, {**TESTIMONIAL, "given_at": month}))
