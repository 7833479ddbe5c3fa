"""The account by which a beneficiary who is erased signed in: their name and address go from it, and from what they
were invited by. An account that leads anywhere else is somebody's still, and stays."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from models import Client, Invitation, Membership, Role, User
from models.client import ERASED
from models.database import query
from services import hashing
from services.personal_data import WORD

Blanked = tuple[type[Any], list[UUID], Sequence[str]]  # rows of a model, and the columns that lost what they held

_WHO = ("email", "first_name", "last_name")


async def blank(client: Client) -> list[Blanked]:
    """What was blanked of how they signed in. In the open transaction, before the client's own address goes."""
    invited = await query(_INVITED, client.organization_id, client.email)
    found: list[Blanked] = [(Invitation, [row["id"] for row in invited], ("email",))]
    if user_id := await _account(client):
        await User.filter(id=user_id).update(
            email=f"{user_id}{ERASED}", first_name=WORD, last_name=WORD, password_hash=hashing.NOBODYS,
            totp_secret=None, second_factor_since=None,
        )  # fmt: skip
        found.append((User, [user_id], _WHO))
    return [each for each in found if each[1]]


async def _account(client: Client) -> UUID | None:
    """Whose only way led here, as this client."""
    member = await Membership.get_or_none(id=client.member_id, role=Role.BENEFICIARY) if client.member_id else None
    if member is None or await Membership.filter(user_id=member.user_id).exclude(id=member.id).exists():
        return None
    return member.user_id


_INVITED = f"""
    UPDATE invitations SET email = id || '{ERASED}',
        revoked_at = CASE WHEN accepted_at IS NULL THEN coalesce(revoked_at, now()) ELSE revoked_at END
    WHERE organization_id = $1 AND email = $2 AND role = 'BENEFICIARY' RETURNING id
"""  # noqa: S608 - a text of ours
