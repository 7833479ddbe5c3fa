"""The demonstration's tickets, answered and not, and e-mails in the timeline of a client."""

from datetime import UTC, datetime, timedelta

from models import Client, Membership, Organization, Role, Ticket, TicketSource, TicketStatus, TicketType
from services import client_emails, demonstration_people, tickets
from services.tickets import Asked

EMAIL = """\
From: Jean Dupont <{email}>
To: bonjour@comptappart.test
Subject: =?utf-8?q?Rendez-vous_de_d=C3=A9couverte?=
Date: {date}
Message-ID: <decouverte@example.test>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Bonjour,

Pouvons-nous avancer notre rendez-vous d'une heure ?

Jean Dupont
"""

QUESTION = Asked("Où trouver ma facture ?", "Bonjour,\n\nJe ne retrouve pas la facture de ma commande. Merci !")
INCIDENT = Asked("Le lien de paiement ne s'ouvre pas", "La page reste blanche sur mon téléphone.", TicketType.INCIDENT)
REQUEST = Asked("Attestation", "Pouvez-vous m'envoyer une attestation pour mon employeur ?", TicketType.REQUEST)
COMPLAINT = Asked("Retard", "Personne ne m'a rappelé hier.", TicketType.COMPLAINT)


async def seed(organization: Organization, client: Client) -> None:
    """Made where there is none; in the open transaction."""
    if await Ticket.exists(organization_id=organization.id):
        return
    owner = await Membership.filter(organization_id=organization.id, role=Role.OWNER).order_by("id").first()
    by = owner.id if owner else None
    date = (datetime.now(UTC) - timedelta(days=3)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    await client_emails.add(client, EMAIL.format(email=client.email, date=date), author=by, field="message")
    await tickets.open(client, QUESTION, source=TicketSource.PORTAL)
    answered = await tickets.open(client, INCIDENT, source=TicketSource.PORTAL, assignee_id=by)
    await tickets.reply(answered, "Essayez ce lien dans un autre navigateur.", author=by)
    await tickets.reply(answered, "Vu avec l'hébergeur : un certificat avait expiré.", author=by, internal=True)
    await tickets.reply(answered, "Cela marche maintenant, merci.", from_client=True)
    await tickets.change(answered, by=by, status=TicketStatus.RESOLVED)
    others = await demonstration_people.of(organization)
    await tickets.open(others.get("ines.rousseau", client), REQUEST, source=TicketSource.PORTAL)
    closed = await tickets.open(
        others.get("karim.benali", client), COMPLAINT, source=TicketSource.BACK_OFFICE, opened_by=by
    )
    await tickets.change(closed, by=by, status=TicketStatus.CLOSED)
