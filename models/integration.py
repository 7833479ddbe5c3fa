"""Outside systems as an organization's own: what is connected, by which secrets, and how it goes."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.fields import Coded, belongs_to


class IntegrationStatus(Coded):
    """How an integration does."""

    CONNECTED = "CONNECTED", "It worked when it was last tried"
    ERROR = "ERROR", "It failed when it was last tried, and is tried again: `reason` says why"
    DISCONNECTED = "DISCONNECTED", "Its keys are refused: it is used again once they are replaced"
    OFF = "OFF", "It is switched off, and nothing uses it"
    UNTESTED = "UNTESTED", "It was not tried yet with what it is set to"


class Integration(Owned):
    """A provider that an organization set up. Once removed it stays, switched off and without its secrets."""

    provider = fields.CharField(50, description="The provider's key in the catalogue")
    enabled = fields.BooleanField(default=False, description="Whether it is switched on")
    status = fields.CharEnumField(
        IntegrationStatus, max_length=20, default=IntegrationStatus.OFF, description="How it does"
    )
    detail = fields.CharField(500, null=True, description="What the other side said last, where it failed")
    settings: Any = fields.JSONField(default=dict, description="What its form holds that is no secret")
    configured_at = fields.DatetimeField(description="When what it is set to was last changed")
    checked_at = fields.DatetimeField(null=True, description="When it was last tried")
    next_check_at = fields.DatetimeField(null=True, description="When it is tried next by the clock")
    failing_since = fields.DatetimeField(null=True, description="Since when it fails")
    alerted_at = fields.DatetimeField(null=True, description="When we told ourselves that it fails")
    removed_at = fields.DatetimeField(null=True, description="When it was removed, and its secrets destroyed")

    class Meta:
        table = "integrations"

    @property
    def is_usable(self) -> bool:
        """Whether features may count on it: one that fails is still tried, one whose keys are refused is not."""
        return self.enabled and self.status is not IntegrationStatus.DISCONNECTED


class IntegrationSecret(Owned):
    """A key of an integration, sealed. Once destroyed it stays, empty: the access log names it."""

    integration_id: UUID
    integration: Integration = belongs_to("Integration", "secrets", "Whose key")
    provider = fields.CharField(50, description="The provider's key in the catalogue")
    field = fields.CharField(63, description="Which field of the provider's form")
    sealed = fields.TextField(null=True, description="The key itself, sealed; null once destroyed")
    last_four = fields.CharField(
        4, null=True, description="Its last four characters; null where it is short, and once it is destroyed"
    )
    rotated_at = fields.DatetimeField(description="When it was set last")
    destroyed_at = fields.DatetimeField(null=True, description="When it was destroyed")

    class Meta:
        table = "integration_secrets"

    @property
    def bound_to(self) -> str:
        """What else a ciphertext is bound to, beside its row: moved to another provider or field, it does not open."""
        return f"{self.provider}/{self.field}"
