"""Keys of storefronts and partners."""

from typing import Any

import strawberry

import models
from schema.base import auto, computed, input, node
from schema.partners import Partner


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
