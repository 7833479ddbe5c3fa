"""Clients' private links, made and withdrawn by those who run the shop."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.lists import filtered
from schema.portal_tokens import (
    PortalToken,
    PortalTokenCreated,
    PortalTokenCreateInput,
    PortalTokenFilter,
    PortalTokenRevokeInput,
)
from schema.roots import Wanted, connection, mutation, one
from services import access_keys
from services import portal_tokens as tokens


@connection(PortalToken, requires=Permission.KEYS_READ)
def portal_tokens(info: Info, filter: PortalTokenFilter | None = None) -> QuerySet[models.PortalToken]:
    """Clients' private links, newest first."""
    return filtered(actor(info).rows(models.PortalToken), filter)


@one(PortalToken, requires=Permission.KEYS_READ)
def portal_token(id: strawberry.ID) -> Wanted:
    """One private link of a client's."""
    return models.PortalToken, row_id(models.PortalToken, id)


@mutation(PortalTokenCreated, requires=Permission.KEYS_WRITE, idempotent=True)
async def portal_token_create(info: Info, input: PortalTokenCreateInput) -> PortalTokenCreated:
    """Make a private link for a client: with it they see what is theirs (`portal`), pay, book and ask. It is shown this
    once, and the one before is good for nothing from then on."""
    client = await actor(info).get(models.Client, input.client, field="input.client", for_update=True)
    kept, token = await tokens.create(client, given(input).get("expires_at"))
    return PortalTokenCreated(portal_token=kept, token=token)  # type: ignore[arg-type]


@mutation(PortalToken, requires=Permission.KEYS_WRITE)
async def portal_token_revoke(info: Info, input: PortalTokenRevokeInput) -> models.PortalToken:
    """Withdraw a client's private link, for good and at once."""
    token = await actor(info).get(models.PortalToken, input.portal_token, field="input.portalToken", for_update=True)
    return await access_keys.revoke(token)
