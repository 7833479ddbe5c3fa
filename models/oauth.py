"""What people let us do in their name at other services (OAuth 2.0, RFC 6749), and what was asked of them for it."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.fields import Coded, belongs_to


class OAuthStatus(Coded):
    """Whether a consent still holds."""

    CONNECTED = "CONNECTED", "It holds"
    DISCONNECTED = "DISCONNECTED", "The other side does not take it any more: connect again"
    REVOKED = "REVOKED", "It was withdrawn here"


class OAuthGrant(Owned):
    """A person's consent, or the organization's, at one provider; the same row when it is given again."""

    provider = fields.CharField(50, description="The provider's key in the catalogue")
    membership_id: UUID | None
    membership: Any = belongs_to("Membership", None, "Whose it is; null: the organization's", null=True)
    scopes = fields.TextField(description="What was allowed, in the provider's words, one a line")
    access_token = fields.TextField(null=True, description="Good for a while, sealed")
    refresh_token = fields.TextField(null=True, description="For the next one, sealed; null where there is none")
    expires_at = fields.DatetimeField(
        null=True, description="Until when the access token is good; null: no end is known"
    )
    status = fields.CharEnumField(
        OAuthStatus, max_length=20, default=OAuthStatus.CONNECTED, description="Whether it holds"
    )
    reason = fields.CharField(500, null=True, description="What the other side said where it does not")
    connected_at = fields.DatetimeField(description="When it was given last")
    refreshed_at = fields.DatetimeField(null=True, description="When its access token was last refreshed")
    leased_until = fields.DatetimeField(null=True, description="Until when one caller refreshes it, or nobody shall")
    leased_by = fields.UUIDField(null=True, description="Which one; null while it rests after a failure")

    class Meta:
        table = "oauth_grants"

    @property
    def scope_list(self) -> list[str]:
        return self.scopes.splitlines()


class OAuthRequest(Owned):
    """A consent that somebody was sent to give: good once, in the session that asked."""

    provider = fields.CharField(50, description="The provider's key in the catalogue")
    membership_id: UUID
    membership: Any = belongs_to("Membership", None, "Who asked")
    for_organization = fields.BooleanField(description="Whether the consent is to be the organization's")
    session_id = fields.UUIDField(description="The session that asked")
    state_hash = fields.CharField(64, unique=True, description="SHA-256 of the state, hexadecimal")
    code_verifier = fields.TextField(description="PKCE's (RFC 7636), sealed")
    redirect_uri = fields.CharField(2048, description="Where the provider sends them back to")
    expires_at = fields.DatetimeField(description="Until when it is good")
    used_at = fields.DatetimeField(null=True, description="When somebody came back with it")

    class Meta:
        table = "oauth_requests"
