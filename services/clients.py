"""Clients: made, changed, deleted, and what is learned of them on the way."""

import re
from copy import copy
from typing import Any
from uuid import UUID

from errors import Conflict, Invalid
from models import Client, ClientConsent, ClientKind, ClientNote, ClientTag, Contact, PortalToken, Role
from models.client import FRENCH_DIRECTORY
from models.companies import siren
from models.database import deleted
from models.phone import e164

_THEIRS: tuple[type[Any], ...] = (PortalToken, Contact, ClientNote, ClientTag, ClientConsent)
LOOKING_AFTER = (Role.OWNER, Role.ADMIN, Role.CONSULTANT)


async def create(organization_id: UUID, values: dict[str, Any]) -> Client:
    """A client. Raises Invalid for a consultant who is none; a second of an address breaks a constraint."""
    _check_consultant(values)
    client = Client(organization_id=organization_id, **_with_kind(values, was_company=False))
    must_agree(client)
    await client.save()
    return client


async def update(client: Client, values: dict[str, Any]) -> Client:
    """The client with other values; invoices that were issued keep what they say. Raises Invalid as `create` does."""
    client.must_not_be_erased()
    _check_consultant(values)
    client.update_from_dict(_with_kind(values, was_company=client.is_company))
    must_agree(client)
    await client.save()
    return client


async def delete(client: Client) -> None:
    """Delete a client with whom nothing happened, their private links and what was noted of them. Raises Conflict for
    any other."""
    for model in _THEIRS:
        await model.filter(client_id=client.id).delete()
    if not await deleted(client):
        raise Conflict(
            "There is something of this client: an order, a quote, a ticket or a bilan, say. Change the client instead,"
            " or erase them where they ask for it (clientErase).",
            field="input.client",
        )


def _with_kind(values: dict[str, Any], *, was_company: bool) -> dict[str, Any]:
    """The values, and that it is a company where that becomes known and nothing else is said."""
    if "kind" in values or was_company or not (values.get("company") or values.get("siren")):
        return values
    return values | {"kind": ClientKind.COMPANY}


def _check_consultant(values: dict[str, Any]) -> None:
    member = values.get("consultant")
    if member is not None and not (member.active and member.role in LOOKING_AFTER):
        raise Invalid("A consultant, an admin or an owner looks after clients.", field="input.consultant")


def must_agree(client: Client) -> None:
    """What is known of a company agrees. Raises Invalid, naming the field."""
    number = client.vat_number or ""
    if number.startswith("FR") and client.siren and number[4:] != client.siren:
        raise Invalid("A French VAT number ends with the SIREN: one of the two is wrong.", field="input.vatNumber")
    if not re.fullmatch("[0-9]{4}", client.electronic_address_scheme):
        raise Invalid("A scheme is four digits of the EAS list, like 0225.", field="input.electronicAddressScheme")
    address = client.electronic_address
    if address is None:
        return
    if not re.fullmatch(r"[\x21-\x7e]{1,100}", address):
        raise Invalid("An electronic address is visible ASCII, without spaces.", field="input.electronicAddress")
    if client.electronic_address_scheme == FRENCH_DIRECTORY and not _in_directory(address, client.siren):
        raise Invalid(
            "In the French directory (0225) an address is the client's SIREN, or begins with it and _.",
            field="input.electronicAddress",
        )


def _in_directory(address: str, own: str | None) -> bool:
    company, _, rest = address.partition("_")
    return siren(company) == company == (own or company) and (bool(rest) or "_" not in address)


async def find_or_make(organization_id: UUID, email: str, known: dict[str, str | None] | None = None) -> Client:
    """The client of an address, made with what is `known` where there is none; one, however many ask at once."""
    made = Client(organization_id=organization_id, email=email.lower(), **(known or {}))
    await Client.bulk_create([made], ignore_conflicts=True)
    return await Client.get(organization_id=organization_id, email=email.lower())


async def learn(client_id: UUID, told: dict[str, Any]) -> None:
    """What a client typed at Stripe's checkout (`customer_details`) fills what we did not know of them."""
    client = await Client.select_for_update(no_key=True).get(id=client_id)
    _fill(client, told)
    await client.save()


def knows(client: Client, told: dict[str, Any]) -> bool:
    """Whether there is nothing to learn. Nearly always: it is asked before anything is locked."""
    return not _fill(copy(client), told)


def _fill(client: Any, told: dict[str, Any]) -> bool:
    """Whether anything was not known before. Of one who was erased nothing is learned again."""
    if client.is_erased:
        return False
    before = _learnt(client)
    if not (client.first_name or client.last_name or client.company):
        first, _, last = (short(told.get("name"), 200) or "").partition(" ")
        client.first_name, client.last_name = short(first, 100), short(last, 100)
    client.phone = client.phone or e164(told.get("phone") or "", client.country or "FR")
    address: dict[str, Any] = told.get("address") or {}
    if not client.address and address.get("line1"):
        street = "\n".join(filter(None, (address["line1"], address.get("line2"))))
        client.address, client.postal_code = short(street, 300), short(address.get("postal_code"), 20)
        client.city, client.country = short(address.get("city"), 100), short(address.get("country"), 2)
    return _learnt(client) != before


def _learnt(client: Any) -> tuple[Any, ...]:
    return tuple(getattr(client, name) for name in ("first_name", "last_name", "phone", "address"))


def short(text: str | None, most: int) -> str | None:
    """Text of an outside system as a column takes it: no NUL, no half characters, not too long, None for nothing."""
    whole = (text or "").encode(errors="replace").decode().replace("\x00", "")
    return whole.strip()[:most] or None
