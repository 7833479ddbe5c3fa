"""The demonstration's import of clients from a spreadsheet: tags and their consultant come along, three lines are
wrong and reported."""

from collections.abc import AsyncIterator

from models import ClientImport, Membership, OnBrokenLine, OnExistingClient, Organization, Role, UploadPurpose
from models.database import transaction
from services import client_imports, file_types, uploads

NAME = "Contacts du salon.csv"
LINES = (
    "E-mail;Prénom;Nom;Société;Téléphone;Code postal;Ville;Étiquettes;Conseillère",
    "elodie.fabre@example.com;Élodie;Fabre;;06 55 56 57 58;31000;Toulouse;Salon, Prospect;consultant@demo.test",
    "contact@imprimerie-nova.example;Marc;Noël;Imprimerie Nova;04 78 20 21 22;69003;Lyon;Salon | Entreprise;",
    "thomas.girard@example;Thomas;Girard;;06 66 67 68 69;13001;Marseille;Salon;",
    "nina.perrot@example.com;Nina;Perrot;;06 77 78 79;06000;Nice;Salon;consultant@demo.test",
    "samuel.leclerc@example.com;Samuel;Leclerc;;07 88 89 90 91;67000;Strasbourg;Salon;quelquun@ailleurs.example",
    "aicha.diallo@example.com;Aïcha;Diallo;;06 99 98 97 96;75011;Paris;Salon, Reconversion;consultant@demo.test",
)


async def seed(organization: Organization) -> None:
    """Sent like anybody's, as a French spreadsheet saves it; a worker imports it. Nothing where there is one."""
    if await ClientImport.exists(organization_id=organization.id):
        return
    owner = await Membership.filter(organization_id=organization.id, role=Role.OWNER).order_by("id").first()
    by = owner.id if owner else None
    content = "\r\n".join(LINES).encode("windows-1252")

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    upload = await uploads.create(
        organization.id, UploadPurpose.CLIENT_IMPORT, NAME, file_types.CSV, len(content), by=by
    )  # fmt: skip
    address = str(uploads.link(upload.id, upload.expires_at))
    await uploads.receive(address.rpartition("/")[2], file_types.CSV, len(content), pieces(), None)
    async with transaction():
        await client_imports.create(
            organization.id, upload.id, dry_run=False, on_existing=OnExistingClient.FILL,
            on_broken=OnBrokenLine.LEAVE_OUT, mapping={}, by=by,
        )  # fmt: skip
