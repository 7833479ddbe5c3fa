"""Keys of storefronts, partners and servers."""

from typing import Any

import strawberry

import models
from models import ApiScope
from schema.base import auto, computed, enum, input, node
from schema.partners import Partner

SCOPE = enum(ApiScope)


@node(models.PublishableKey)
class PublishableKey:
    """What a storefront shows to the API from its own pages: no secret, bound to their origins."""

    name: auto
    key: auto
    last_used_at: auto
    revoked_at: auto
    created_at: auto

    @computed("The origins of the pages that it may be used from: `https://shop.example.com`.", needs=("origins",))
    def origins(root: Any) -> list[str]:
        listed: list[str] = root.origin_list
        return listed


@node(models.PartnerKey)
class PartnerKey:
    """A partner's own way to what it was told. The key itself was shown once."""

    name: auto
    prefix: auto
    partner: Partner
    expires_at: auto
    last_used_at: auto
    revoked_at: auto
    created_at: auto


@node(models.ApiKey)
class ApiKey:
    """A way in for a server of the organization's, to what its scopes open. The key itself was shown once."""

    name: auto
    prefix: auto
    expires_at: auto
    last_used_at: auto
    revoked_at: auto
    created_at: auto

    @computed("What it may do.", needs=("scopes",))
    def scopes(root: Any) -> list[SCOPE]:  # type: ignore[valid-type]
        listed: list[ApiScope] = root.scope_list
        return listed


@input(models.PublishableKey)
class PublishableKeyCreateInput:
    """A new key of a storefront."""

    name: auto
    origins: list[str] = strawberry.field(
        description="Where it may be used from, 1 to 20: scheme, host and maybe a port, like `https://shop.example.com`."
    )


@input(models.PublishableKey, partial=True)
class PublishableKeyUpdateInput:
    """What to change of a storefront's key; what is left out stays."""

    publishable_key: strawberry.ID = strawberry.field(description="The key's global id.")
    name: auto
    origins: list[str] | None = strawberry.field(
        description="Where it may be used from, in place of what it was.", default=strawberry.UNSET
    )


@strawberry.input(description="Which key of a storefront to withdraw.")
class PublishableKeyRevokeInput:
    publishable_key: strawberry.ID = strawberry.field(description="The key's global id.")


@input(models.PartnerKey)
class PartnerKeyCreateInput:
    """A new key of a partner."""

    partner: strawberry.ID = strawberry.field(description="The partner's global id.")
    name: auto
    expires_at: auto


@strawberry.type(description="A partner's key made.")
class PartnerKeyCreated:
    partner_key: PartnerKey = strawberry.field(description="What is kept of it.")
    key: str = strawberry.field(
        description="Sent as `Authorization: Bearer ptk_…`. Shown this once: give it to the partner."
    )


@strawberry.input(description="Which key of a partner to withdraw.")
class PartnerKeyRevokeInput:
    partner_key: strawberry.ID = strawberry.field(description="The key's global id.")


@input(models.ApiKey)
class ApiKeyCreateInput:
    """A new API key."""

    name: auto
    scopes: list[SCOPE] = strawberry.field(  # type: ignore[valid-type]
        description="What it may do: one scope at least, and none that opens more than you may yourself."
    )
    expires_at: auto


@input(models.ApiKey, partial=True)
class ApiKeyUpdateInput:
    """What to change of an API key; what is left out stays."""

    api_key: strawberry.ID = strawberry.field(description="The key's global id.")
    name: auto
    scopes: list[SCOPE] | None = strawberry.field(  # type: ignore[valid-type]
        description="What it may do, in place of what it might.", default=strawberry.UNSET
    )
    expires_at: auto


@strawberry.type(description="An API key made.")
class ApiKeyCreated:
    api_key: ApiKey = strawberry.field(description="What is kept of it.")
    key: str = strawberry.field(
        description="Sent as `Authorization: Bearer apk_…`. Shown this once: keep it where secrets are kept."
    )


@strawberry.input(description="Which API key to withdraw.")
class ApiKeyRevokeInput:
    api_key: strawberry.ID = strawberry.field(description="The key's global id.")
