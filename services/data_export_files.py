"""What a person is given of all that is kept of them (GDPR, articles 15 and 20): a file for each kind, all tables of
`services/personal_data.py` in one of them, with every column unless it is withheld for a reason.

What is written of a person within the house is theirs to read too: notes and internal replies about them are personal
data (CJEU, C-434/16). What is about others is not in any of these rows, since each is found by the client alone: a
company that pays for somebody's bilan is not given that bilan.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tortoise.queryset import QuerySet

import models
from services.personal_data import ACCOUNTS, AGREED, CLAIMS, CONSENT, HELD, SECRECY

PAGE = 50  # rows that are in memory at once: an invoice and an e-mail may be 200 kB each

Row = dict[str, Any]


@dataclass(frozen=True)
class File:
    """A file of the archive: what it is, in French and in English, and the tables that it holds."""

    name: str
    french: str
    english: str
    tables: tuple[type[Any], ...]

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Why it is kept and until when, in French and in English."""
        held = [HELD[table] for table in self.tables]
        relation = [RELATION] if any(each.deleted or each.blanked for each in held) else []
        by_law = dict.fromkeys(each.because for each in held if each.because in IN_FRENCH)
        return [*relation, *((IN_FRENCH[because], because) for because in by_law)]


RELATION = (
    "Pour la relation avec vous : tant qu'elle dure, ou jusqu'à votre demande d'effacement (art. 17 du RGPD)",
    "For what there is between us: as long as that lasts, or until you ask for its erasure (art. 17 of the GDPR)",
)
IN_FRENCH: Mapping[str, str] = {
    ACCOUNTS: "Pièces comptables et ce qui les justifie : dix ans (art. L123-22 du code de commerce)",
    AGREED: "Ce qui a été convenu pour un bilan et prouve sa tenue : trois ans (art. R6313-7 du code du travail)",
    CONSENT: "Preuve de votre accord (art. 7(1) du RGPD)",
    CLAIMS: "Ce qui a été proposé et accepté : cinq ans, en cas de litige (art. L110-4 du code de commerce)",
    SECRECY: "Preuve de qui a ouvert ou demandé ce qui est secret (art. L6313-4 du code du travail)",
}

FILES = (
    File("identite.json", "Qui vous êtes", "Who you are", (models.Client,)),
    File("contacts.json", "Vos contacts", "Your contacts", (models.Contact,)),
    File("consentements.json", "Ce que vous avez accepté", "What you agreed to", (models.ClientConsent,)),
    File(
        "notes.json", "Ce que nous avons noté à votre sujet", "What we noted about you",
        (models.ClientNote, models.ClientTag),
    ),
    File(
        "commandes.json", "Vos commandes, et ce qui a été vérifié", "Your orders, and what was looked into",
        (models.Order, models.OrderLine, models.Reminder, models.Conflict, models.Drift),
    ),
    File("paiements.json", "Vos paiements", "Your payments", (models.Payment, models.Attempt)),
    File(
        "remboursements.json", "Vos remboursements et contestations", "Your refunds and disputes",
        (models.Refund, models.Dispute),
    ),
    File(
        "factures.json", "Vos factures et avoirs (PDF : factures/)", "Your invoices and credit notes (PDF: factures/)",
        (models.Invoice,),
    ),
    File(
        "abonnements.json", "Vos abonnements, accès et forfaits", "Your subscriptions, accesses and packs",
        (models.ClientSubscription, models.Access, models.Pack),
    ),
    File("rendez-vous.json", "Vos rendez-vous", "Your bookings", (models.Booking, models.BookingReminder)),
    File(
        "opportunites.json", "Ce que nous envisagions avec vous", "What we had in view with you",
        (models.Opportunity, models.OpportunityMove),
    ),
    File("devis.json", "Vos devis (PDF : devis/)", "Your quotes (PDF: devis/)", (models.Quote, models.QuoteLine)),
    File(
        "demandes.json", "Vos demandes, nos réponses et nos échanges internes à leur sujet",
        "What you asked, our answers, and what we wrote to each other about it", (models.Ticket, models.TicketReply),
    ),
    File("chronologie.json", "Ce qui s'est passé avec vous", "What happened with you", (models.TimelineEvent,)),
    File(
        "bilans.json", "Vos bilans : phases, séances, accords, financements, enquêtes",
        "Your bilans: phases, sessions, agreements, fundings, surveys",
        (
            models.Bilan, models.BilanPhase, models.BilanSession, models.BilanAgreement, models.BilanFunding,
            models.BilanWarning, models.Survey, models.QualityProof,
        ),
    ),
    File(
        "documents.json", "Les documents de vos bilans (documents/), qui les a ouverts, ce qui a été détruit",
        "The documents of your bilans (documents/), who opened them, what was destroyed",
        (models.Document, models.DocumentShare, models.DocumentAccess, models.DestructionRecord),
    ),
    File(
        "partenaires.json", "Ce qui a été dit de vos commandes à nos partenaires",
        "What partners were told of your orders", (models.Notification, models.NotificationAttempt),
    ),
    File(
        "demarches.json", "Vos liens privés, fiches réunies, effacements et exports",
        "Your private links, records made one, erasures and exports",
        (models.PortalToken, models.ClientMerge, models.Erasure, models.ClientDataExport),
    ),
)  # fmt: skip

SECRET = "A secret, or what one is known by"  # noqa: S105 - a reason
STORED = "Where a file lies in our store: the file itself is in the archive"
OTHERS = "About somebody else (art. 15(4) of the GDPR)"
WITHHELD: Mapping[type[Any], Mapping[str, str]] = {
    models.PortalToken: {"token_hash": SECRET},
    models.Invoice: {"file_key": STORED},
    models.Quote: {"file_key": STORED},
    models.NotificationAttempt: {"url": OTHERS, "response": OTHERS},
    models.DocumentAccess: {"address": OTHERS},
}

# What a row says by naming another, which is not of the person.
ALSO: Mapping[type[Any], Mapping[str, str]] = {
    models.Client: {"account_email": "member__user__email"},
    models.ClientTag: {"tag": "tag__name"},
    models.ClientSubscription: {"product": "product__name"},
    models.Access: {"product": "product__name"},
    models.Booking: {
        "service": "appointment__service__name", "staff": "appointment__staff__display_name",
        "starts_at": "appointment__starts_at", "ends_at": "appointment__ends_at", "location": "appointment__location",
    },
    models.Bilan: {"formule": "formule__name"},
    models.Notification: {"partner": "partner__name"},
}  # fmt: skip


def rows(table: type[Any], client: models.Client) -> AsyncIterator[list[Row]]:
    """The rows of a table that are of the client, so many at a time."""
    columns = [name for name in table._meta.fields_db_projection if name not in WITHHELD.get(table, ())]
    return _pages(table.filter(**{HELD[table].path: client.id}), columns, ALSO.get(table, {}))


async def former(client: models.Client) -> AsyncIterator[list[Row]]:
    """What the audit log has of who they were, themselves and those who were made one with them; not who changed it."""
    merged: Any = await models.ClientMerge.filter(client_id=client.id).values_list("duplicate_id", flat=True)
    entries = models.AuditEntry.filter(
        organization_id=client.organization_id, subject_type="Client", subject_id__in=[client.id, *merged]
    )
    async for page in _pages(entries, ("id", "created_at", "action", "operation", "before", "after"), {}):
        yield page


async def _pages(found: QuerySet[Any], columns: Iterable[str], also: Mapping[str, str]) -> AsyncIterator[list[Row]]:
    """Oldest first: ids are in the order of time."""
    after = None
    found = found.order_by("id").limit(PAGE)
    while page := await (found.filter(id__gt=after) if after else found).values(*columns, **also):
        yield page
        after = page[-1]["id"]
