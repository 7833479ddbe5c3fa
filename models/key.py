"""Ways in without a person: a storefront's publishable key, a partner's own key."""

from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.fields import belongs_to
from models.partner import Partner


class PublishableKey(Owned):
    """What a storefront shows to the API from its own pages: no secret, bound to its origins."""

    name = fields.CharField(100, description="What it is for")
    key = fields.CharField(60, unique=True, description="The key itself, public like the pages that hold it")
    origins = fields.TextField(description="Where it may be used from, one origin a line")
    last_used_at = fields.DatetimeField(null=True, description="When it was used last, to the hour")
    revoked_at = fields.DatetimeField(null=True, description="When it was withdrawn")

    class Meta:
        table = "publishable_keys"

    @property
    def origin_list(self) -> list[str]:
        return self.origins.splitlines()


class PartnerKey(Owned):
    """A partner's own way to its notifications. The key is shown once; its hash is kept."""

    partner_id: UUID
    partner: Partner = belongs_to("Partner", "keys", "Whose key")
    name = fields.CharField(100, description="What it is for")
    prefix = fields.CharField(20, description="How it begins: enough to recognize it")
    key_hash = fields.CharField(64, unique=True, description="SHA-256 of the key, hexadecimal")
    expires_at = fields.DatetimeField(null=True, description="Until when it is good")
    last_used_at = fields.DatetimeField(null=True, description="When it was used last, to the hour")
    revoked_at = fields.DatetimeField(null=True, description="When it was withdrawn")

    class Meta:
        table = "partner_keys"
