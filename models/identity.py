"""Who signs in: sessions, second factors, and those who are still to come in."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned, Row
from models.fields import Coded, EmailField, belongs_to
from models.organization import Membership, Role, User


class SessionEnd(Coded):
    """Why a session ended before its time."""

    SIGNED_OUT = "SIGNED_OUT", "The person signed out"
    ENDED = "ENDED", "The person ended it from another one"
    TOKEN_REUSED = "TOKEN_REUSED", "A refresh token came back that was used up: somebody has a copy"
    PASSWORD_CHANGED = "PASSWORD_CHANGED", "The password was changed, or set anew"


class Session(Row):
    """Signed in on one device. Of its refresh tokens the newest alone is good."""

    user_id: UUID
    user: User = belongs_to("User", "sessions", "Who is signed in")
    organization_id: UUID
    organization: Any = belongs_to("Organization", None, "Where to, unless a request names another")
    generation = fields.IntField(default=1, description="Number of the refresh token that is good")
    refreshed_at = fields.DatetimeField(auto_now_add=True, description="When that one was given")
    expires_at = fields.DatetimeField(description="Until when it lasts without being used")
    ended_at = fields.DatetimeField(null=True, description="When it was ended")
    end_reason = fields.CharEnumField(SessionEnd, max_length=20, null=True, description="Why")
    by_cookie = fields.BooleanField(default=False, description="Whether the browser keeps its tokens in cookies")
    address = fields.CharField(45, null=True, description="Address that it was last refreshed from")
    user_agent = fields.CharField(200, null=True, description="Program that it was last refreshed by")

    class Meta:
        table = "sessions"


class RecoveryCode(Row):
    """Stands in for a second factor that was lost, once."""

    user_id: UUID
    user: User = belongs_to("User", None, "Whose")
    code_hash = fields.CharField(64, description="SHA-256 of the code, hexadecimal")
    used_at = fields.DatetimeField(null=True, description="When it was used")

    class Meta:
        table = "recovery_codes"
        unique_together = (("user", "code_hash"),)


class Registration(Row):
    """An organization and its first owner, until the address is confirmed."""

    email = EmailField(description="Who registers")
    first_name = fields.CharField(100, description="First name")
    last_name = fields.CharField(100, description="Last name")
    organization: Any = fields.JSONField(description="Columns of the organization to be")
    confirmed_at = fields.DatetimeField(null=True, description="When the address was confirmed and both were made")

    class Meta:
        table = "registrations"


class PasswordRequest(Row):
    """Somebody says that they forgot an address's password, known here or not."""

    email = EmailField(description="Of which address")
    answered_at = fields.DatetimeField(null=True, description="When a letter was sent, or was not to be")

    class Meta:
        table = "password_requests"


class EmailChange(Row):
    """A person's new address, until they show that it is theirs."""

    user_id: UUID
    user: User = belongs_to("User", None, "Who")
    former = EmailField(description="The address until then")
    email = EmailField(description="The new address")
    confirmed_at = fields.DatetimeField(null=True, description="When it took the place of the old one")

    class Meta:
        table = "email_changes"


class Invitation(Owned):
    """Somebody is asked to become a member."""

    email = EmailField(description="Who is invited")
    role = fields.CharEnumField(Role, max_length=20, description="What they may do once they accept")
    invited_by_id: UUID
    invited_by: Membership = belongs_to("Membership", None, "Who invited them")
    expires_at = fields.DatetimeField(description="Until when it can be accepted")
    accepted_at = fields.DatetimeField(null=True, description="When it was accepted")
    revoked_at = fields.DatetimeField(null=True, description="When it was taken back")

    class Meta:
        table = "invitations"

    @property
    def is_open(self) -> bool:
        """Whether it can still be accepted."""
        return not (self.accepted_at or self.revoked_at) and self.expires_at > datetime.now(UTC)
