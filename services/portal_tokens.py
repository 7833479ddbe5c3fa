"""Clients' private links: the token that opens the portal of one client, and nothing else.

The token is random, 384 bits, and follows from no id. One is good at a time: another takes its place at once.
"""

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from tortoise.queryset import QuerySet

from errors import Invalid, NotFound, Unauthenticated
from models import Client, PortalToken
from models.base import Owned, in_words
from models.database import fetch
from policy import Actor, Key, row_id
from services.access_keys import hash_of, revoke

M = TypeVar("M", bound=Owned)

LIFE, LIFE_MOST = timedelta(days=90), timedelta(days=366)

_BYTES = 48


async def create(client: Client, expires_at: datetime | None) -> tuple[PortalToken, str]:
    """(what is kept of it, the token to give to the client), good for 90 days unless told; the one before is good for
    nothing from now on. The client's row is locked by the caller.

    Raises Invalid for an end that is past, or more than 366 days from now, and Conflict for a client who was erased.
    """
    client.must_not_be_erased()
    now = datetime.now(UTC)
    end = expires_at or now + LIFE
    if not now < end <= now + LIFE_MOST:
        raise Invalid(f"A link ends after now, and within {LIFE_MOST.days} days.", field="input.expiresAt")
    for before in await PortalToken.filter(client_id=client.id, revoked_at=None):
        await revoke(before)
    token = secrets.token_hex(_BYTES)
    kept = await PortalToken.create(
        organization_id=client.organization_id, client=client, token_hash=hash_of(token), expires_at=end
    )
    return kept, token


def is_token(text: str) -> bool:
    """Whether it looks like one."""
    return re.fullmatch(f"[0-9a-f]{{{2 * _BYTES}}}", text) is not None


async def actor_of(token: str) -> Actor | None:
    """The link that it is; None where it is unknown, revoked or expired, as for what never was a token."""
    rows = await fetch(
        "SELECT organization_id, id FROM portal_tokens"
        " WHERE token_hash = $1 AND revoked_at IS NULL AND expires_at > now()",
        hash_of(token),
    )
    return Actor(Key.PORTAL, *rows[0]) if rows else None


async def link_of(actor: Actor) -> PortalToken:
    """The link by which the actor came, with its client. Raises Unauthenticated where it is no longer good."""
    found = PortalToken.filter(organization_id=actor.organization_id, id=actor.own_id, revoked_at=None)
    link = await found.filter(expires_at__gt=datetime.now(UTC)).prefetch_related("client").first()
    if link is None:
        raise Unauthenticated("This link is no longer good. Ask for another one.")
    return link


async def client_of(actor: Actor) -> Client:
    """Whose link it is. Raises like `link_of`."""
    return (await link_of(actor)).client


async def locked_client_of(actor: Actor) -> Client:
    """The same, in the open transaction: nobody erases the client meanwhile, or makes one of two. Raises like
    `link_of`, for who was erased just now too."""
    link = await link_of(actor)
    await Client.select_for_update(no_key=True).filter(id=link.client_id).first()
    return await client_of(actor)


async def theirs(client: Client, model: type[M], key: str, *, field: str, for_update: bool = False) -> M:
    """The client's own row of a global id. Raises NotFound for anybody else's, as for none."""
    rows = model.filter(client_id=client.id)
    return await _found(rows.select_for_update() if for_update else rows, key, field, client.organization_id)


async def offered(organization_id: UUID, model: type[M], key: str, *, field: str) -> M:
    """What any client of the organization may book or be booked with, by its global id. Raises NotFound for what is
    offered no more, or elsewhere, as for none."""
    return await _found(model.filter(active=True), key, field, organization_id)


async def _found(rows: QuerySet[M], key: str, field: str, organization_id: UUID) -> M:
    row = await rows.filter(organization_id=organization_id, id=row_id(rows.model, key)).first()
    if row is None:
        raise NotFound(f"No such {in_words(rows.model.__name__)}.", field=field)
    return row
