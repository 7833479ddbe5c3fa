"""Clients: what is learned of them on the way."""

from typing import Any
from uuid import UUID

from models import Client
from models.phone import e164


async def find_or_make(organization_id: UUID, email: str, known: dict[str, str | None] | None = None) -> Client:
    """The client of an address, made with what is `known` where there is none; one, however many ask at once."""
    made = Client(organization_id=organization_id, email=email.lower(), **(known or {}))
    await Client.bulk_create([made], ignore_conflicts=True)
    return await Client.get(organization_id=organization_id, email=email.lower())


async def learn(client_id: UUID, told: dict[str, Any]) -> None:
    """What a client typed at Stripe's checkout (`customer_details`) fills what we did not know of them."""
    client: Any = await Client.select_for_update(no_key=True).get(id=client_id)
    if not (client.first_name or client.last_name or client.company):
        first, _, last = (short(told.get("name"), 200) or "").partition(" ")
        client.first_name, client.last_name = short(first, 100), short(last, 100)
    client.phone = client.phone or e164(told.get("phone") or "", client.country or "FR")
    address: dict[str, Any] = told.get("address") or {}
    if not client.address and address.get("line1"):
        street = "\n".join(filter(None, (address["line1"], address.get("line2"))))
        client.address, client.postal_code = short(street, 300), short(address.get("postal_code"), 20)
        client.city, client.country = short(address.get("city"), 100), short(address.get("country"), 2)
    await client.save()


def short(text: str | None, most: int) -> str | None:
    """Text of an outside system as a column takes it: no NUL, no half characters, not too long, None for nothing."""
    whole = (text or "").encode(errors="replace").decode().replace("\x00", "")
    return whole.strip()[:most] or None
