"""Consents at other services (OAuth 2.0)."""

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Unauthenticated
from policy import Permission, row_id
from schema.consents import (
    OAuthChanged,
    OAuthFinishInput,
    OAuthGrant,
    OAuthRevokeInput,
    OAuthStarted,
    OAuthStartInput,
)
from schema.context import Info, actor
from schema.roots import Wanted, connection, exchange, mutation, one
from schema.scalars import URL
from services import consents


@connection(OAuthGrant, requires=Permission.MEMBER)
def oauth_grants(info: Info) -> QuerySet[models.OAuthGrant]:
    """Consents at other services, newest first: one's own, and for those who run the shop everybody's."""
    return actor(info).rows(models.OAuthGrant)


@one(OAuthGrant, requires=Permission.MEMBER)
def oauth_grant(id: strawberry.ID) -> Wanted:
    """One consent at another service."""
    return models.OAuthGrant, row_id(models.OAuthGrant, id)


@mutation(OAuthStarted, requires=Permission.HOURS_WRITE, idempotent=True)
async def oauth_start(info: Info, input: OAuthStartInput) -> OAuthStarted:
    """Begin to connect another service by a person's consent."""
    if input.for_organization:
        actor(info).require(Permission.INTEGRATIONS_WRITE)
    session_id = info.context.session_id
    if session_id is None:
        raise Unauthenticated("Sign in as a person first: a consent belongs to a session.")
    url = await consents.begin(
        actor(info), session_id, input.provider,
        for_organization=input.for_organization, redirect_uri=input.redirect_uri or None,
    )  # fmt: skip
    return OAuthStarted(authorization_url=URL(url))


@exchange(OAuthChanged, requires=Permission.HOURS_WRITE)
async def oauth_finish(info: Info, input: OAuthFinishInput) -> OAuthChanged:
    """Connect the service that a person came back from, in the session that began it. What is given again takes the
    place of what was given before."""
    session_id = info.context.session_id
    if session_id is None:
        raise Unauthenticated("Sign in as a person first: a consent belongs to a session.")
    grant = await consents.finish(actor(info), session_id, input.code, input.state, input.iss or None)
    return OAuthChanged(oauth_grant=grant)  # type: ignore[arg-type]


@mutation(OAuthChanged, requires=Permission.MEMBER)
async def oauth_revoke(info: Info, input: OAuthRevokeInput) -> OAuthChanged:
    """Withdraw a consent: nothing uses it from now on, and the service is told."""
    grant = await actor(info).get(models.OAuthGrant, input.oauth_grant, field="input.oauthGrant", for_update=True)
    return OAuthChanged(oauth_grant=await consents.withdraw(grant))  # type: ignore[arg-type]
