"""Beneficiaries: who signs in with the address of a client is that client, and sees what is theirs."""

from uuid import UUID

from models import Client
from models.database import query


async def connect(organization_id: UUID, email: str) -> Client | None:
    """Note that the client of an address and the beneficiary who confirmed it are one, once both are there; the client,
    where they are one from now on. Nothing where either is somebody else's already, who still signs in. In the open
    transaction."""
    found = await query(_ONE, organization_id, email)
    return await Client.get(id=found[0]["id"]) if found else None


_ONE = """
    UPDATE clients SET member_id = memberships.id
    FROM memberships JOIN users ON users.id = memberships.user_id
    WHERE clients.organization_id = $1 AND clients.email = $2
        AND NOT EXISTS (SELECT 1 FROM memberships former WHERE former.id = clients.member_id AND former.active)
        AND memberships.organization_id = $1 AND memberships.role = 'BENEFICIARY' AND memberships.active
        AND users.email = $2 AND users.confirmed_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM clients other WHERE other.member_id = memberships.id)
    RETURNING clients.id
"""
