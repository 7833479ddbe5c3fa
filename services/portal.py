"""Clients' private links, and what they show: the portal of one client, and nothing else.

The token is random, 384 bits, and follows from no id. One is good at a time: another takes its place at once.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tortoise.expressions import Q, Subquery

from errors import Invalid, Unauthenticated
from models import Client, Invoice, Order, OrderStatus, PortalToken, Storefront
from models.database import fetch, transaction
from policy import Actor, Key
from services import audit
from services.access_keys import NOTED_EVERY, hash_of, revoke

LIFE, LIFE_MOST = timedelta(days=90), timedelta(days=366)
SHOWN_MOST = 100  # orders, and as many invoices: the latest

_BYTES = 48
_INVOICE = ("id", "number", "type", "issued_at", "due_on", "settled_at", "currency", "total_cents", "file_key")


@dataclass(frozen=True, slots=True)
class Portal:
    """What a client sees: whose client they are, what they ordered and paid, what they were invoiced; newest first."""

    storefront: Storefront
    client: Client
    orders: list[Order]
    invoices: list[Invoice]


async def create(client: Client, expires_at: datetime | None) -> tuple[PortalToken, str]:
    """(what is kept of it, the token to give to the client), good for 90 days unless told; the one before is good for
    nothing from now on. The client's row is locked by the caller.

    Raises Invalid for an end that is past, or more than 366 days from now.
    """
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
    """The client whose link it is; None where it is unknown, revoked or expired, as for what never was a token."""
    rows = await fetch(
        "SELECT organization_id, client_id FROM portal_tokens"
        " WHERE token_hash = $1 AND revoked_at IS NULL AND expires_at > now()",
        hash_of(token),
    )
    return Actor(Key.PORTAL, *rows[0]) if rows else None


async def opened(actor: Actor, address: str | None, user_agent: str | None) -> Portal:
    """The portal of the client whose link it is. That it was opened, and from where, is noted once an hour.

    Raises Unauthenticated where the link was withdrawn just now.
    """
    of_client: dict[str, Any] = {"organization_id": actor.organization_id, "client_id": actor.own_id}
    token = await PortalToken.get_or_none(**of_client, revoked_at=None)
    if token is None:
        raise Unauthenticated("This link is no longer good. Ask for another one.")
    with audit.acting("portal", actor, address=address, user_agent=user_agent):
        await _note(token)
    orders = Order.filter(**of_client)
    invoices = Invoice.filter(organization_id=actor.organization_id, order_id__in=Subquery(orders.values("id")))
    return Portal(
        await Storefront.get(id=actor.organization_id),
        await Client.get(organization_id=actor.organization_id, id=actor.own_id),
        await orders.filter(status__in=(OrderStatus.OPEN, OrderStatus.PAID)).order_by("-id").limit(SHOWN_MOST),
        await invoices.order_by("-id").limit(SHOWN_MOST).only(*_INVOICE),
    )


async def _note(token: PortalToken) -> None:
    """In the log, once an hour however many ask at once."""
    now = datetime.now(UTC)
    last = now - NOTED_EVERY
    if token.last_used_at and token.last_used_at >= last:
        return
    async with transaction():
        due = Q(last_used_at=None) | Q(last_used_at__lt=last)  # somebody else may have noted it just now
        if await PortalToken.filter(due, id=token.id).update(last_used_at=now):
            await audit.note("portalOpened", organization_id=token.organization_id, subject=token)
