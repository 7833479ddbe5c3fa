"""Access tokens of consents (`services/consents.py`): good ones, refreshed by one caller at a time over all processes.

    token = await oauth.access_token(grant, "calendar_sync.push")

Who finds a token about to end takes a lease on the grant's row, asks for the next, and commits it, with the refresh
token that may have come with it, before anybody has either; all others wait for that. No lock is held while the other
side is asked. What becomes of it:

- It gives a token: committed, and everybody has it.
- It says that the consent is over: the grant is DISCONNECTED, its tokens are gone, and its person gets a letter, once.
- It fails, or refuses us: the grant rests, a quarter of a minute or as it says; nobody asks, all are told why.
- It was withdrawn meanwhile: what came is kept for who withdraws it over there, and used by nobody.
- It answered, and the process died before the commit: the lease ends, and the old refresh token is tried. That is good
  where the provider keeps it, as Google does; where each is good once (RFC 9700 4.14.2) the consent is over, as above.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from errors import Disconnected, NotConfigured, Refused, Unavailable
from models import OAuthGrant, OAuthStatus
from models.database import in_a_transaction, query, transaction
from providers import registry
from providers.oauth import Client, InvalidGrant, OAuthClient, Tokens
from services import oauth_letters, vault
from services.outbox import later
from services.outside import outside

log = logging.getLogger("comptoir.oauth")

EARLY = timedelta(seconds=60)  # before its end a token is refreshed
LEASE, REST = 30, 15  # seconds; longer than the other side may take to answer
WAIT_MOST, LOOK_AGAIN = 20.0, 0.05  # seconds, for somebody else's refresh
PURPOSE_MOST, REASON_MOST = 200, 500  # characters


async def access_token(grant: OAuthGrant, purpose: str, *, refused: str | None = None) -> str:
    """A token that is good for a minute or longer; `purpose` goes to the access log. `refused` is one that the other
    side did not take before its time: another is asked for.

    Not to be called in a transaction. Raises Disconnected where the consent is over, Unavailable where it cannot be
    refreshed now, Refused where we are the mistake.
    """
    if in_a_transaction():
        raise RuntimeError("a token may have to be asked for: no transaction may be open around it")
    until = asyncio.get_running_loop().time() + WAIT_MOST
    while asyncio.get_running_loop().time() < until:
        current = await OAuthGrant.get(id=grant.id)
        _must_hold(current)
        if current.expires_at is None or current.expires_at > datetime.now(UTC) + EARLY:
            token = await vault.open(current, "access_token", purpose[:PURPOSE_MOST])
            if token and token != refused:
                return token
        by = uuid7()
        if await query(_LEASE, current.id, by, current.access_token):
            await asyncio.shield(_refresh(current, by, purpose))  # whoever leaves, what comes is kept
        elif current.leased_until and current.leased_until > datetime.now(UTC) and current.leased_by is None:
            raise Unavailable(f"{_name(current.provider)} could not be asked a moment ago: {current.reason}")
        else:
            await asyncio.sleep(LOOK_AGAIN)
    raise Unavailable(f"{_name(grant.provider)} did not renew its access in time")


def client_of(provider: str) -> OAuthClient:
    """Who we are at a provider, by its key. Raises NotConfigured where it takes no consents, or we are nobody there."""
    kind = registry.provider(provider)
    if kind is None or kind.oauth is None:
        raise NotConfigured(f"{provider} takes no consents: it is set up by keys of its own.")
    settings, oauth = outside().settings, kind.oauth
    client_id, client_secret = (settings.required(name) for name in oauth.settings)
    if settings.google_api_base:
        oauth = oauth.at(settings.google_api_base)
    credentials = Client.model_validate({"client_id": client_id, "client_secret": client_secret})
    return OAuthClient(kind.name, oauth, credentials, transport=outside().oauth_transport)


def put(grant: OAuthGrant, tokens: Tokens) -> None:
    """What a provider gave, into the row. A refresh token stays where no other came: Google gives one with the first
    consent alone, unless asked."""
    vault.seal(grant, "access_token", tokens.access_token)
    if tokens.refresh_token:
        vault.seal(grant, "refresh_token", tokens.refresh_token)
    if tokens.scopes is not None:
        grant.scopes = "\n".join(tokens.scopes)
    grant.expires_at = tokens.expires_at
    grant.leased_by = grant.leased_until = grant.reason = None


# Whoever saw the token that is there: one that was replaced meanwhile is looked at first.
_LEASE = f"""
    UPDATE oauth_grants SET leased_by = $2, leased_until = clock_timestamp() + {LEASE} * interval '1 second'
    WHERE id = $1 AND status = 'CONNECTED' AND access_token = $3
        AND (leased_until IS NULL OR leased_until <= clock_timestamp())
    RETURNING id
"""  # noqa: S608 - a number of ours


async def _refresh(grant: OAuthGrant, by: UUID, purpose: str) -> None:
    """Ask for the next token, and commit it; nothing where somebody took the lease or connected anew meanwhile."""
    try:
        if grant.refresh_token is None:
            raise InvalidGrant(f"{_name(grant.provider)} gave access for a while only")
        async with client_of(grant.provider) as client:
            refresh_token = await vault.open(grant, "refresh_token", purpose[:PURPOSE_MOST])
            tokens = await client.refresh(refresh_token or "")
    except InvalidGrant as error:
        await _lose(grant, by, str(error))
        return
    except (Unavailable, Refused, Disconnected, NotConfigured) as error:
        await _rest(grant, by, error)
        raise
    put(grant, tokens)
    await query(
        "UPDATE oauth_grants SET access_token = $3, refresh_token = $4, scopes = $5, expires_at = $6,"
        " refreshed_at = now(), leased_by = NULL, leased_until = NULL, reason = NULL WHERE id = $1 AND leased_by = $2",
        grant.id, by, grant.access_token, grant.refresh_token, grant.scopes, grant.expires_at,
    )  # fmt: skip


async def _lose(grant: OAuthGrant, by: UUID, reason: str) -> None:
    """The consent is over: nobody asks again, and its person is told."""
    async with transaction():
        lost = await query(
            "UPDATE oauth_grants SET status = 'DISCONNECTED', reason = $3, access_token = NULL, refresh_token = NULL,"
            " expires_at = NULL, leased_by = NULL, leased_until = NULL"
            " WHERE id = $1 AND leased_by = $2 AND status = 'CONNECTED' RETURNING id",
            grant.id, by, reason[:REASON_MOST],
        )  # fmt: skip
        if lost:
            log.warning("a consent at %s is over: %s", grant.provider, reason)
            await later(oauth_letters.tell_lost, grant)


async def _rest(grant: OAuthGrant, by: UUID, error: Exception) -> None:
    """Nobody asks for a while, and all who want to are told why."""
    seconds = max(REST, getattr(error, "retry_after", None) or 0)
    await query(
        "UPDATE oauth_grants SET leased_by = NULL, leased_until = clock_timestamp() + $3 * interval '1 second',"
        " reason = $4 WHERE id = $1 AND leased_by = $2",
        grant.id, by, float(seconds), str(error)[:REASON_MOST],
    )  # fmt: skip


def _must_hold(grant: OAuthGrant) -> None:
    if grant.status is OAuthStatus.DISCONNECTED:
        raise Disconnected(f"{_name(grant.provider)} does not take the consent any more. Connect again (oauthStart).")
    if grant.status is OAuthStatus.REVOKED:
        raise Disconnected(f"The consent at {_name(grant.provider)} was withdrawn. Connect again (oauthStart).")


def _name(provider: str) -> str:
    kind = registry.provider(provider)
    return kind.name if kind else provider
