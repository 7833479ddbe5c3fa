"""Keys that let in who is no person: a storefront's, shown in its pages and bound to them; a partner's own; an API key,
which does what its scopes open. Clients' private links are in `portal_tokens.py`.

Made and withdrawn by people, and who each speaks for.
"""

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from errors import Conflict, Forbidden, Invalid, Unauthenticated
from models import ApiKey, ApiScope, Partner, PartnerKey, PortalToken, PublishableKey
from models.database import fetch
from policy import Actor, Key, Scoped
from services import origins

K = TypeVar("K", PublishableKey, PartnerKey, ApiKey, PortalToken)

log = logging.getLogger("comptoir.keys")

STOREFRONT, PARTNER, API = "pk_", "ptk_", "apk_"  # none begins like a key of Stripe's that is secret
PREFIXES = (STOREFRONT, PARTNER, API)
PREFIX_SHOWN = 12  # characters by which a secret key is recognized
NOTED_EVERY = timedelta(hours=1)  # the use of a key


async def create_publishable(organization_id: UUID, name: str, pages: Sequence[str]) -> PublishableKey:
    """A storefront's key for the pages of these origins. Raises Invalid, naming the origin to blame."""
    key = STOREFRONT + secrets.token_hex(20)
    return await PublishableKey.create(
        organization_id=organization_id, name=name, key=key, origins="\n".join(origins.normalized(pages))
    )


async def update_publishable(key: PublishableKey, name: str, pages: Sequence[str] | None) -> PublishableKey:
    """Another name, other origins; None leaves these as they are. Raises Invalid, and Conflict for a withdrawn key."""
    if key.revoked_at:
        raise Conflict("This key was revoked. Make another one.", field="input.publishableKey")
    key.name = name
    if pages is not None:
        key.origins = "\n".join(origins.normalized(pages))
    await key.save(update_fields=["name", "origins"])
    return key


async def create_for_partner(partner: Partner, name: str, expires_at: datetime | None) -> tuple[PartnerKey, str]:
    """(what is kept of it, the key to give to the partner). Raises Invalid for an end that is past."""
    _must_be_to_come(expires_at)
    key = PARTNER + secrets.token_hex(32)
    kept = await PartnerKey.create(
        organization_id=partner.organization_id, partner=partner, name=name, prefix=key[:PREFIX_SHOWN],
        key_hash=hash_of(key), expires_at=expires_at,
    )  # fmt: skip
    return kept, key


async def create_api(
    actor: Actor, name: str, scopes: Sequence[ApiScope], expires_at: datetime | None
) -> tuple[ApiKey, str]:
    """(what is kept of it, the key to give to a server) of the actor's organization.

    Raises Invalid for no scope and for an end that is past, Forbidden for a scope that opens more than the actor may.
    """
    _must_be_to_come(expires_at)
    key = API + secrets.token_hex(32)
    kept = await ApiKey.create(
        organization_id=actor.organization_id, name=name, prefix=key[:PREFIX_SHOWN], key_hash=hash_of(key),
        scopes=_given(actor, scopes), expires_at=expires_at,
    )  # fmt: skip
    return kept, key


async def update_api(actor: Actor, key: ApiKey, values: Mapping[str, Any]) -> ApiKey:
    """Another `name`, other `scopes`, another end (`expires_at`), at once. Raises as `create_api`, and Conflict for a
    key that was withdrawn."""
    if key.revoked_at:
        raise Conflict("This key was revoked. Make another one.", field="input.apiKey")
    _must_be_to_come(values.get("expires_at"))
    scopes = {"scopes": _given(actor, values["scopes"])} if "scopes" in values else {}
    key.update_from_dict({**values, **scopes})
    await key.save(update_fields=["name", "scopes", "expires_at"])
    return key


def _given(actor: Actor, scopes: Sequence[ApiScope]) -> str:
    """Scopes as they are kept, equal ones the same."""
    if not scopes:
        raise Invalid("A key has at least one scope.", field="input.scopes")
    actor.must_be_able_to_open(scopes, field="input.scopes")
    return "\n".join(sorted(set(scopes)))


def _must_be_to_come(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise Invalid("This is past already.", field="input.expiresAt")


async def revoke(key: K) -> K:
    """Good for nothing from now on; a key that was withdrawn before stays so."""
    if key.revoked_at is None:
        key.revoked_at = datetime.now(UTC)
        await key.save(update_fields=["revoked_at"])
    return key


async def actor_of(key: str, origin: str | None) -> Actor:
    """Who a key speaks for; `origin` is the page's that sends it, as browsers say it.

    Raises Unauthenticated for a key that is unknown, revoked or expired, without saying which, and Forbidden for a
    storefront's key from elsewhere than its origins.
    """
    if not re.fullmatch(r"\w{20,100}", key, re.ASCII):
        raise _no_good()
    if key.startswith(STOREFRONT):
        return await _storefront(key, origin)
    return await (_partner(key) if key.startswith(PARTNER) else _server(key))


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


async def _server(key: str) -> Actor:
    rows = await fetch(
        "SELECT organization_id, id, last_used_at, scopes FROM api_keys"
        " WHERE key_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
        hash_of(key),
    )
    if not rows:
        raise _no_good()
    organization_id, id, last_used_at, scopes = rows[0]
    _note(ApiKey, id, last_used_at)
    return Actor(_scoped(scopes), organization_id, id)


@lru_cache(maxsize=256)
def _scoped(scopes: str) -> Scoped:
    return Scoped(frozenset(map(ApiScope, scopes.splitlines())))


def hash_of(key: str) -> str:
    """What is kept of a secret key: it is too long to be guessed, and so needs no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def _note(model: type[K], id: UUID, last_used_at: datetime | None) -> None:
    """Write that a key is used while the request goes on, once in a while."""
    if id not in _noting and (last_used_at is None or datetime.now(UTC) - last_used_at > NOTED_EVERY):
        _noting[id] = asyncio.create_task(_noted(model, id))


async def _noted(model: type[K], id: UUID) -> None:
    try:
        await model.filter(id=id).update(last_used_at=datetime.now(UTC))
    except Exception:
        log.warning("the use of key %s could not be noted", id, exc_info=True)
    finally:
        del _noting[id]


_noting: dict[UUID, asyncio.Task[None]] = {}


def _no_good() -> Unauthenticated:
    return Unauthenticated("This key is unknown, revoked or expired. Ask for another one.")
