"""The accounts by which a beneficiary who is erased signed in, now or before: their names and addresses go from these,
and from what they were invited by. An account that leads anywhere else is somebody's still, and stays."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from models import Client, Invitation, User
from models.client import ERASED
from models.database import query
from services import hashing
from services.personal_data import WORD

Blanked = tuple[type[Any], list[UUID], Sequence[str]]  # rows of a model, and the columns that lost what they held

_WHO = ("email", "first_name", "last_name")


async def blank(client: Client) -> list[Blanked]:
    """What was blanked of how they signed in. In the open transaction, before the client's own address goes."""
    addresses = [row["email"] for row in await query(_ADDRESSES, client.organization_id, client.id)]
    accounts = await query(_ACCOUNTS, client.organization_id, client.id, addresses)
    invited = await query(_INVITED, client.organization_id, addresses)
    for row in accounts:
        await User.filter(id=row["id"]).update(
            email=f"{row['id']}{ERASED}", first_name=WORD, last_name=WORD, password_hash=hashing.NOBODYS,
            totp_secret=None, second_factor_since=None,
        )  # fmt: skip
    found: list[Blanked] = [
        (Invitation, [row["id"] for row in invited], ("email",)), (User, [row["id"] for row in accounts], _WHO),
    ]  # fmt: skip
    return [each for each in found if each[1]]


# Those that the client has or had, also as who was made one with them, and that are no other client's by now.
_ADDRESSES = """
    WITH own AS (
        SELECT $2::uuid AS id UNION SELECT duplicate_id FROM client_merges WHERE client_id = $2
    ), addresses AS (
        SELECT email FROM clients WHERE id = $2
        UNION SELECT side ->> 'email' FROM audit_entries, LATERAL (VALUES (before), (after)) AS sides (side)
        WHERE organization_id = $1 AND subject_type = 'Client' AND subject_id IN (SELECT id FROM own)
    )
    SELECT email FROM addresses WHERE email IS NOT NULL AND NOT EXISTS (
        SELECT FROM clients other WHERE organization_id = $1 AND other.email = addresses.email AND other.id <> $2
    )
"""

# Whose only way led here, as this client.
_ACCOUNTS = """
    SELECT users.id FROM memberships JOIN users ON users.id = user_id
    WHERE organization_id = $1 AND role = 'BENEFICIARY' AND NOT active
        AND (memberships.id = (SELECT member_id FROM clients WHERE id = $2) OR users.email = ANY($3))
        AND NOT EXISTS (SELECT FROM memberships other WHERE other.user_id = users.id AND other.id <> memberships.id)
        AND NOT EXISTS (SELECT FROM clients other WHERE other.member_id = memberships.id AND other.id <> $2)
"""
_INVITED = f"""
    UPDATE invitations SET email = id || '{ERASED}',
        revoked_at = CASE WHEN accepted_at IS NULL THEN coalesce(revoked_at, now()) ELSE revoked_at END
    WHERE organization_id = $1 AND email = ANY($2) AND role = 'BENEFICIARY' RETURNING id
"""  # noqa: S608 - a text of ours
