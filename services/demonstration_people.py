"""The demonstration's other clients: persons and companies, found by name, tag or town, of whom opportunities are.
The SIREN are nobody's."""

from typing import Any

from models import Client, ClientKind, Membership, Organization, Role, Tag
from services import crm

PERSON, COMPANY = ClientKind.PERSON, ClientKind.COMPANY

# (kind, e-mail address, first and last name, company, SIREN, phone, postal code, town, tags, whether the consultant's)
Told = tuple[ClientKind, str, str, str, str | None, str | None, str, str, str, tuple[str, ...], bool]

CLIENTS: tuple[Told, ...] = (
    (PERSON, "lea.moreau@example.com", "Léa", "Moreau", None, None, "+33611121314", "35000", "Rennes",
     ("Reconversion", "Prospect"), True),
    (PERSON, "karim.benali@example.com", "Karim", "Benali", None, None, "+33622232425", "59000", "Lille",
     ("Reconversion",), True),
    (PERSON, "ines.rousseau@example.com", "Inès", "Rousseau", None, None, "+33633343536", "44000", "Nantes",
     ("Fidèle",), True),
    (PERSON, "paul.garnier@example.com", "Paul", "Garnier", None, None, "+33644454647", "33000", "Bordeaux",
     ("Prospect",), False),
    (COMPANY, "rh@ateliers-morvan.example", "Sylvie", "Morvan", "Ateliers Morvan", "999999014", "+33298010203",
     "29200", "Brest", ("Entreprise", "Fidèle"), False),
    (COMPANY, "direction@librairie-cedre.example", "Hugo", "Caron", "Librairie du Cèdre", "999999022",
     "+33478101112", "69001", "Lyon", ("Entreprise", "Prospect"), False),
    (COMPANY, "contact@garage-petit.example", "Nadia", "Petit", "Garage Petit et Fils", "999999030", "+33380131415",
     "21000", "Dijon", ("Entreprise",), False),
    # The same as two of those above, come by another way: `clientDuplicates` suggests them.
    (PERSON, "lea.moreau.rennes@example.org", "Lea", "Moreau", None, None, "+33611121314", "35000", "Rennes",
     ("Prospect",), True),
    (COMPANY, "comptabilite@ateliers-morvan.example", "Sylvie", "MORVAN", "Ateliers Morvan", None, "+33298010203",
     "29200", "Brest", (), False),
)  # fmt: skip


async def seed(organization: Organization) -> None:
    """Made once, where there are but a few clients; in the open transaction."""
    if await Client.filter(organization_id=organization.id).count() >= len(CLIENTS):
        return
    consultant = await Membership.filter(organization_id=organization.id, role=Role.CONSULTANT).order_by("id").first()
    for each in CLIENTS:
        await _client(organization, each, consultant)


async def of(organization: Organization) -> dict[str, Client]:
    """Those that are there, by what is before the @ of their addresses."""
    known = await Client.filter(organization_id=organization.id, email__in=[each[1] for each in CLIENTS])
    return {client.email.partition("@")[0]: client for client in known}


async def _client(organization: Organization, told: Told, consultant: Any) -> None:
    kind, email, first_name, last_name, company, siren, phone, postal_code, city, tags, looked_after = told
    client, is_new = await Client.get_or_create(
        organization_id=organization.id, email=email,
        defaults={
            "kind": kind, "first_name": first_name, "last_name": last_name, "company": company, "siren": siren,
            "phone": phone, "postal_code": postal_code, "city": city, "country": "FR",
            "consultant": consultant if looked_after else None,
        },
    )  # fmt: skip
    for name in tags if is_new else ():
        tag, _ = await Tag.get_or_create(organization_id=organization.id, name=name)
        await crm.put_tag(client, tag)
