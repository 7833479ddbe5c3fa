"""Keys of storefronts, partners and servers."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.keys import (
    ApiKey,
    ApiKeyCreated,
    ApiKeyCreateInput,
    ApiKeyRevokeInput,
    ApiKeyUpdateInput,
    PartnerKey,
    PartnerKeyCreated,
    PartnerKeyCreateInput,
    PartnerKeyRevokeInput,
    PublishableKey,
    PublishableKeyCreateInput,
    PublishableKeyRevokeInput,
    PublishableKeyUpdateInput,
)
from schema.roots import Wanted, connection, mutation, one
from services import access_keys


@connection(PublishableKey, requires=Permission.KEYS_READ)
def publishable_keys(info: Info) -> QuerySet[models.PublishableKey]:
    """Keys of storefronts, newest first."""
    return actor(info).rows(models.PublishableKey)


@one(PublishableKey, requires=Permission.KEYS_READ)
def publishable_key(id: strawberry.ID) -> Wanted:
    """One key of a storefront."""
    return models.PublishableKey, row_id(models.PublishableKey, id)


@mutation(PublishableKey, requires=Permission.KEYS_WRITE, idempotent=True)
async def publishable_key_create(info: Info, input: PublishableKeyCreateInput) -> models.PublishableKey:
    """Make a key for a storefront, to be shown in its pages."""
    given(input)
    return await access_keys.create_publishable(actor(info).organization_id, input.name, input.origins)


@mutation(PublishableKey, requires=Permission.KEYS_WRITE)
async def publishable_key_update(info: Info, input: PublishableKeyUpdateInput) -> models.PublishableKey:
    """Change what a storefront's key is called, or where it may be used from. Both hold at once."""
    values = given(input)
    key = await actor(info).get(
        models.PublishableKey, input.publishable_key, field="input.publishableKey", for_update=True
    )
    return await access_keys.update_publishable(key, values.get("name", key.name), values.get("origins"))


@mutation(PublishableKey, requires=Permission.KEYS_WRITE)
async def publishable_key_revoke(info: Info, input: PublishableKeyRevokeInput) -> models.PublishableKey:
    """Withdraw a storefront's key, for good and at once."""
    key = await actor(info).get(
        models.PublishableKey, input.publishable_key, field="input.publishableKey", for_update=True
    )
    return await access_keys.revoke(key)


@mutation(PartnerKeyCreated, requires=Permission.KEYS_WRITE, idempotent=True)
async def partner_key_create(info: Info, input: PartnerKeyCreateInput) -> PartnerKeyCreated:
    """Make a key for a partner: with it they read what they were told. It is shown this once."""
    values = given(input)
    partner = await actor(info).get(models.Partner, input.partner, field="input.partner")
    kept, key = await access_keys.create_for_partner(partner, input.name, values.get("expires_at"))
    return PartnerKeyCreated(partner_key=kept, key=key)  # type: ignore[arg-type]


@mutation(PartnerKey, requires=Permission.KEYS_WRITE)
async def partner_key_revoke(info: Info, input: PartnerKeyRevokeInput) -> models.PartnerKey:
    """Withdraw a partner's key, for good and at once."""
    key = await actor(info).get(models.PartnerKey, input.partner_key, field="input.partnerKey", for_update=True)
    return await access_keys.revoke(key)


@connection(ApiKey, requires=Permission.KEYS_READ)
def api_keys(info: Info) -> QuerySet[models.ApiKey]:
    """API keys, newest first."""
    return actor(info).rows(models.ApiKey)


@one(ApiKey, requires=Permission.KEYS_READ)
def api_key(id: strawberry.ID) -> Wanted:
    """One API key."""
    return models.ApiKey, row_id(models.ApiKey, id)


@mutation(ApiKeyCreated, requires=Permission.KEYS_WRITE, idempotent=True)
async def api_key_create(info: Info, input: ApiKeyCreateInput) -> ApiKeyCreated:
    """Make an API key for a server of yours, with the scopes that it needs and no more. It is shown this once."""
    values = given(input)
    kept, key = await access_keys.create_api(actor(info), input.name, input.scopes, values.get("expires_at"))
    return ApiKeyCreated(api_key=kept, key=key)  # type: ignore[arg-type]


@mutation(ApiKey, requires=Permission.KEYS_WRITE)
async def api_key_update(info: Info, input: ApiKeyUpdateInput) -> models.ApiKey:
    """Change what an API key is called, what it may do, or until when. All hold at once."""
    values = given(input)
    values.pop("api_key")
    key = await actor(info).get(models.ApiKey, input.api_key, field="input.apiKey", for_update=True)
    return await access_keys.update_api(actor(info), key, values)


@mutation(ApiKey, requires=Permission.KEYS_WRITE)
async def api_key_revoke(info: Info, input: ApiKeyRevokeInput) -> models.ApiKey:
    """Withdraw an API key, for good and at once."""
    key = await actor(info).get(models.ApiKey, input.api_key, field="input.apiKey", for_update=True)
    return await access_keys.revoke(key)
