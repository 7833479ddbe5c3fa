"""Consents given and withdrawn (OAuth 2.0, RFC 6749): a person is sent to a provider with `begin`, and comes back to
`finish`. What is done with them is `services/oauth.py`'s.

A state is good once, for ten minutes, and in the session that asked for it alone: whoever else has it, or makes
somebody else come back with it, gets nothing. PKCE (RFC 7636) always; where the provider names itself (RFC 9207), it
must be who was asked.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from authlib.common.security import generate_token

from errors import Conflict, Invalid
from models import Lane, Membership, OAuthGrant, OAuthRequest, OAuthStatus
from models.database import transaction
from policy import Actor, Permission
from providers.oauth import InvalidGrant, Tokens
from services import oauth, vault
from services.outbox import Again, job, later
from services.outside import outside

LIFE = timedelta(minutes=10)
OPEN_MOST = 20  # begun and not finished, of a person
OVER = "This consent was begun elsewhere, is finished already, or took too long. Begin again (oauthStart)."


async def begin(
    actor: Actor, session_id: UUID, provider: str, *, for_organization: bool, redirect_uri: str | None
) -> str:
    """Where to send the person; in a transaction. Raises NotConfigured, Invalid, and Conflict after too many."""
    client = oauth.client_of(provider)
    redirect_uri = _ours(redirect_uri)
    state, verifier = secrets.token_urlsafe(32), generate_token(64)
    request = OAuthRequest(
        organization_id=actor.organization_id, provider=provider, membership_id=actor.membership_id,
        for_organization=for_organization, session_id=session_id, state_hash=_hash(state), redirect_uri=redirect_uri,
        expires_at=datetime.now(UTC) + LIFE,
    )  # fmt: skip
    vault.seal(request, "code_verifier", verifier)
    begun = OAuthRequest.filter(membership_id=actor.membership_id, used_at=None, expires_at__gt=datetime.now(UTC))
    if await begun.count() >= OPEN_MOST:
        raise Conflict("Too many consents are begun and not finished. Finish one, or wait ten minutes.")
    await request.save()
    async with client:
        return client.authorization_url(redirect_uri=redirect_uri, state=state, verifier=verifier)


async def finish(actor: Actor, session_id: UUID, code: str, state: str, issuer: str | None) -> OAuthGrant:
    """Keep what the person allowed. Opens transactions, and asks the provider between them. Raises Conflict, and what
    providers raise."""
    request = await _taken(actor, session_id, state)
    async with oauth.client_of(request.provider) as client:
        if issuer and client.server.issuer and issuer != client.server.issuer:
            raise Conflict(f"Somebody else than {client.name} answered. Begin again (oauthStart).", field="input.iss")
        verifier = await vault.open(request, "code_verifier", "a consent is finished")
        try:
            tokens = await client.exchange(code, redirect_uri=request.redirect_uri, verifier=verifier or "")
        except InvalidGrant as error:
            raise Conflict(f"{str(error).rstrip('.')}. Begin again (oauthStart).", field="input.code") from error
        lacking = set(client.server.scopes) - set(tokens.scopes or client.server.scopes)
        if lacking:
            await client.revoke(tokens.access_token)
            raise Conflict(f"Not all was allowed: {', '.join(sorted(lacking))}. Begin again, and leave all ticked.")
        async with transaction():
            kept = await _kept(request, tokens, client.server.scopes)
        if kept is None:
            await client.revoke(tokens.refresh_token or tokens.access_token)
            raise Conflict(OVER, field="input.state")
        return kept


async def withdraw(grant: OAuthGrant) -> OAuthGrant:
    """Use a consent, locked, no more from now on; a worker tells the provider. Who refreshes it just now keeps the
    lease: what comes is written down, to be withdrawn too. In a transaction. Raises Conflict."""
    if grant.status is not OAuthStatus.CONNECTED:
        raise Conflict("This consent is over already.", field="input.oauthGrant")
    grant.status = OAuthStatus.REVOKED
    await grant.save(update_fields=["status"])
    await later(revoke, grant)
    return grant


@job(Lane.SYNC)
async def revoke(grant: OAuthGrant) -> None:
    """Tell the provider of a consent that was withdrawn (RFC 7009), and forget its tokens; nothing where it was given
    again."""
    if grant.status is not OAuthStatus.REVOKED:
        return
    if grant.leased_by and grant.leased_until and grant.leased_until > datetime.now(UTC):
        raise Again(grant.leased_until, "it is refreshed just now: the tokens that come are withdrawn")
    kept = await vault.open_several(grant, ("refresh_token", "access_token"), "a consent is withdrawn")
    token = kept["refresh_token"] or kept["access_token"]
    if token:
        async with oauth.client_of(grant.provider) as client:
            await client.revoke(token)
    async with transaction():
        await OAuthGrant.filter(id=grant.id, status=OAuthStatus.REVOKED).update(
            access_token=None, refresh_token=None, expires_at=None
        )


async def _taken(actor: Actor, session_id: UUID, state: str) -> OAuthRequest:
    """What was begun, which nobody takes again. Raises Conflict, the same for any reason."""
    async with transaction():
        request = (
            await OAuthRequest.filter(
                organization_id=actor.organization_id, membership_id=actor.membership_id, session_id=session_id,
                state_hash=_hash(state), used_at=None, expires_at__gt=datetime.now(UTC),
            ).select_for_update().first()
        )  # fmt: skip
        if request is None:
            raise Conflict(OVER, field="input.state")
        if request.for_organization:
            actor.require(Permission.INTEGRATIONS_WRITE)  # their role may be another since they began
        request.used_at = datetime.now(UTC)
        await request.save(update_fields=["used_at"])
    return request


async def _kept(request: OAuthRequest, tokens: Tokens, asked: tuple[str, ...]) -> OAuthGrant | None:
    """In the row that there is of it, in the open transaction; None where its person was removed meanwhile. The
    membership is locked first, then the grant. Raises Conflict where two come at once."""
    if not await Membership.filter(id=request.membership_id, active=True).select_for_update(no_key=True):
        return None
    membership_id = None if request.for_organization else request.membership_id
    whose = {"organization_id": request.organization_id, "provider": request.provider, "membership_id": membership_id}
    known = await OAuthGrant.filter(**whose).select_for_update().first()
    grant = known or OAuthGrant(**whose)
    grant.status, grant.connected_at, grant.scopes = OAuthStatus.CONNECTED, datetime.now(UTC), "\n".join(asked)
    oauth.put(grant, tokens)
    await grant.save(force_create=known is None)
    return grant


def _ours(redirect_uri: str | None) -> str:
    """An address of ours or of a front end's that may be named. Raises Invalid."""
    settings = outside().settings
    if redirect_uri is None:
        return settings.account_url or f"{settings.app_url}/account"
    at = urlsplit(redirect_uri)
    if f"{at.scheme}://{at.netloc}".lower() not in settings.own_origins or at.fragment:
        raise Invalid(
            "Name a page of APP_URL or of one of ALLOWED_ORIGINS, without a fragment.", field="input.redirectUri"
        )
    return redirect_uri


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
