"""The demonstration's documents: what the beneficiary signed, and a synthesis that only they and who holds it open."""

from collections.abc import AsyncIterator

from models import Bilan, DocumentKind, Organization, UploadPurpose
from models.database import transaction
from services import documents, file_types, uploads

PAPERS = (
    (
        DocumentKind.CONSENT,
        "Consentement de Marie.txt",
        "Je consens au bilan de compétences qui m'a été présenté : son objet, ses méthodes et la destination de mes"
        " données.\n\nBon pour accord, Marie\n",
    ),
    (
        DocumentKind.SYNTHESIS,
        "Synthèse de Marie.txt",
        "Synthèse du bilan de compétences\n\n1. Circonstances : reconversion souhaitée après dix ans de vente.\n"
        "2. Compétences : conduite d'équipe, négociation, formation de nouveaux venus.\n"
        "3. Projet : formatrice pour adultes ; étapes : titre professionnel, immersion, réseau.\n",
    ),
)


async def seed(organization: Organization, email: str) -> None:
    """Sent and kept like anybody's, with the first bilan of the client of an address; nothing where it has some."""
    bilan = await Bilan.filter(organization_id=organization.id, client__email=email).order_by("id").first()
    if bilan is None or await bilan.documents.all().exists():
        return
    for kind, name, text in PAPERS:
        await _keep(bilan, kind, name, text.encode())


async def _keep(bilan: Bilan, kind: DocumentKind, name: str, content: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield content

    upload = await uploads.create(
        bilan.organization_id, UploadPurpose.DOCUMENT, name, file_types.TEXT, len(content), by=bilan.consultant_id
    )
    address = str(uploads.link(upload.id, upload.expires_at))
    await uploads.receive(address.rpartition("/")[2], file_types.TEXT, len(content), pieces(), None)
    async with transaction():
        await documents.add(bilan, upload.id, kind, by=bilan.consultant_id)
