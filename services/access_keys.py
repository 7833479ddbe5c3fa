"""Keys that let in who is no person: a storefront's, shown in its pages and bound to them; a partner's own."""

import asyncio
import hashlib
import logging
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from errors import Forbidden, Unauthenticated
from models import PartnerKey, PublishableKey
from models.database import fetch
from policy import Actor, Key

log = logging.getLogger("comptoir.keys")

STOREFRONT, PARTNER = "pk_", "ptk_"
PREFIXES = (STOREFRONT, PARTNER)
NOTED_EVERY = timedelta(hours=1)  # the use of a key


async def actor_of(key: str, origin: str | None) -> Actor:
    """Who a key speaks for; `origin` is the page's that sends it, as browsers say it.

    Raises Unauthenticated for a key that is unknown, revoked or expired, without saying which, and Forbidden for a
    storefront's key from elsewhere than its origins.
    """
    if not re.fullmatch(r"\w{20,100}", key, re.ASCII):
        raise _no_good()
    return await (_storefront(key, origin) if key.startswith(STOREFRONT) else _partner(key))


async def _storefront(key: str, origin: str | None) -> Actor:
    rows = await fetch(
        "SELECT organization_id, id, last_used_at, origins FROM publishable_keys WHERE key = $1 AND revoked_at IS NULL",
        key,
    )
    if not rows:
        raise _no_good()
    organization_id, id, last_used_at, origins = rows[0]
    if origin is None:
        raise Forbidden("This key is for the pages of its origins. Send the Origin header, as browsers do.")
    if origin not in origins.splitlines():
        raise Forbidden("This key is not for pages of this origin. Add the origin to the key (publishableKeyUpdate).")
    _note(PublishableKey, id, last_used_at)
    return Actor(Key.STOREFRONT, organization_id, id)


async def _partner(key: str) -> Actor:
    rows = await fetch(
        "SELECT organization_id, id, last_used_at, partner_id FROM partner_keys"
        " WHERE key_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
        hash_of(key),
    )
    if not rows:
        raise _no_good()
    organization_id, id, last_used_at, partner_id = rows[0]
    _note(PartnerKey, id, last_used_at)
    return Actor(Key.PARTNER, organization_id, partner_id)


def hash_of(key: str) -> str:
    """What is kept of a partner's key: it is too long to be guessed, and so needs no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def _note(model: type[PublishableKey] | type[PartnerKey], id: UUID, last_used_at: datetime | None) -> None:
    """Write that a key is used while the request goes on, once in a while."""
    if id not in _noting and (last_used_at is None or datetime.now(UTC) - last_used_at > NOTED_EVERY):
        _noting[id] = asyncio.create_task(_noted(model, id))


async def _noted(model: type[PublishableKey] | type[PartnerKey], id: UUID) -> None:
    try:
        await model.filter(id=id).update(last_used_at=datetime.now(UTC))
    except Exception:
        log.warning("the use of key %s could not be noted", id, exc_info=True)
    finally:
        del _noting[id]


_noting: dict[UUID, asyncio.Task[None]] = {}


def _no_good() -> Unauthenticated:
    return Unauthenticated("This key is unknown, revoked or expired. Ask for another one.")
