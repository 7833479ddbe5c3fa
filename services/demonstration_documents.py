"""The demonstration's documents: what the beneficiary signed and the synthesis that is theirs alone, which an employer
asked for in vain and a friend may read; what another bilan is held with, and what was destroyed."""

from collections.abc import AsyncIterator

from models import (
    Bilan,
    BilanStatus,
    DestructionReason,
    Document,
    DocumentKind,
    Membership,
    Organization,
    UploadPurpose,
)
from models.database import transaction
from services import document_access, document_shares, documents, file_types, uploads

CONSENT = (
    DocumentKind.CONSENT,
    "Consentement.txt",
    "Je consens au bilan de compétences qui m'a été présenté : son objet, ses méthodes et la destination de mes"
    " données.\n\nBon pour accord\n",
)
SYNTHESIS = (
    DocumentKind.SYNTHESIS,
    "Synthèse de Marie.txt",
    "Synthèse du bilan de compétences\n\n1. Circonstances : reconversion souhaitée après dix ans de vente.\n"
    "2. Compétences : conduite d'équipe, négociation, formation de nouveaux venus.\n"
    "3. Projet : formatrice pour adultes ; étapes : titre professionnel, immersion, réseau.\n",
)
EVIDENCE = (
    DocumentKind.EVIDENCE,
    "Feuille d'émargement.txt",
    "Séances suivies : trois, de six heures.\nSigné : Marie\n",
)
NOTES = (DocumentKind.OTHER, "Test d'intérêts.txt", "Social : 34\nArtistique : 27\nEntreprenant : 21\n")
BY_MISTAKE = (DocumentKind.OTHER, "Envoyé par erreur.txt", "Ce fichier est d'un autre dossier.\n")


async def seed(organization: Organization) -> None:
    """Sent and kept like anybody's, with bilans that have none; nothing where there are some."""
    if await Document.exists(organization_id=organization.id):
        return
    bilans = Bilan.filter(organization_id=organization.id)
    done = await bilans.filter(client__member_id__isnull=False, status=BilanStatus.COMPLETED).order_by("id").first()
    if done:
        _, synthesis, _ = [await _keep(done, *paper) for paper in (CONSENT, SYNTHESIS, EVIDENCE)]
        await _asked_for(synthesis, done)
    for under_way in await bilans.filter(status=BilanStatus.IN_PROGRESS).order_by("id").limit(1):
        await _keep(under_way, *NOTES)
        mistaken = await _keep(under_way, *BY_MISTAKE)
        async with transaction():
            await documents.destroy(mistaken, DestructionReason.MISTAKE, by=under_way.consultant_id)


async def _asked_for(synthesis: Document, bilan: Bilan) -> None:
    """By an employer, who is refused; by a friend, whom the beneficiary lets in."""
    client = await bilan.client
    async with transaction():
        if bilan.consultant_id:
            await document_access.record_request(
                synthesis, "M. Martin, son employeur", "martin@employeur.example", by=bilan.consultant_id
            )
        beneficiary = await Membership.get(id=client.member_id)
        await document_shares.create(synthesis, "Anne, conseillère", "anne@conseil.example", None, None, beneficiary)


async def _keep(bilan: Bilan, kind: DocumentKind, name: str, text: str) -> Document:
    content = text.encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    upload = await uploads.create(
        bilan.organization_id, UploadPurpose.DOCUMENT, name, file_types.TEXT, len(content), by=bilan.consultant_id
    )
    address = str(uploads.link(upload.id, upload.expires_at))
    await uploads.receive(address.rpartition("/")[2], file_types.TEXT, len(content), pieces(), None)
    async with transaction():
        return await documents.add(bilan, upload.id, kind, by=bilan.consultant_id)
