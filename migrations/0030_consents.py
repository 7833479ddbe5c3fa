"""Consents at other services (OAuth 2.0): those that were given, and those that somebody was sent to give."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.oauth import OAuthStatus

STATUSES = "'CONNECTED', 'DISCONNECTED', 'REVOKED'"


def of_member(table: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey,"
        f" DROP CONSTRAINT {table}_membership_id_fkey, ADD CONSTRAINT {table}_organization"
        f" FOREIGN KEY (organization_id) REFERENCES organizations (id), ADD CONSTRAINT {table}_membership_id"
        f" FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id),"
        f" ADD CONSTRAINT {table}_tenant UNIQUE (organization_id, id)"
    )


RULES = [
    of_member("oauth_grants"),
    of_member("oauth_requests"),
    "CREATE INDEX oauth_grants_membership_id_index ON oauth_grants (membership_id)",
    "CREATE INDEX oauth_requests_membership_id_index ON oauth_requests (membership_id)",
    "CREATE INDEX oauth_requests_created_at_index ON oauth_requests (created_at)",
    "ALTER TABLE oauth_grants ADD CONSTRAINT oauth_grants_of_member"
    " UNIQUE (organization_id, provider, membership_id),"
    f" ADD CONSTRAINT oauth_grants_status_check CHECK (status IN ({STATUSES})),"
    " ADD CONSTRAINT oauth_grants_connected_check CHECK (status <> 'CONNECTED' OR access_token IS NOT NULL),"
    " ADD CONSTRAINT oauth_grants_disconnected_check"
    " CHECK (status <> 'DISCONNECTED' OR num_nonnulls(access_token, refresh_token, expires_at) = 0),"
    " ADD CONSTRAINT oauth_grants_lease_check CHECK (leased_by IS NULL OR leased_until IS NOT NULL)",
    "CREATE UNIQUE INDEX oauth_grants_of_organization ON oauth_grants (organization_id, provider)"
    " WHERE membership_id IS NULL",
    audited(
        "oauth_grants",
        "OAuthGrant",
        redacted=("access_token", "refresh_token"),
        ignored=("expires_at", "refreshed_at", "leased_until", "leased_by", "reason"),
    ),
]


def row() -> list[tuple[str, Any]]:
    return [
        ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
        ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
        ("organization", to("Organization", "organization_id", "The tenant that it belongs to")),
    ]


def to(model: str, column: str, description: str, **options: Any) -> Any:
    return fields.ForeignKeyField(
        f"models.{model}",
        source_field=column,
        description=description,
        db_constraint=False,
        to_field="id",
        related_name=False,
        on_delete=OnDelete.RESTRICT,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0029_stripe_accounts")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="OAuthGrant",
            fields=[
                *row(),
                ("provider", fields.CharField(description="The provider's key in the catalogue", max_length=50)),
                (
                    "membership",
                    to("Membership", "membership_id", "Whose it is; null: the organization's", null=True),
                ),
                (
                    "scopes",
                    fields.TextField(unique=False, description="What was allowed, in the provider's words, one a line"),
                ),
                ("access_token", fields.TextField(null=True, unique=False, description="Good for a while, sealed")),
                (
                    "refresh_token",
                    fields.TextField(
                        null=True, unique=False, description="For the next one, sealed; null where there is none"
                    ),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(
                        null=True,
                        description="Until when the access token is good; null: no end is known",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=OAuthStatus.CONNECTED,
                        description="Whether it holds",
                        enum_type=OAuthStatus,
                        max_length=20,
                    ),
                ),
                (
                    "reason",
                    fields.CharField(
                        null=True, description="What the other side said where it does not", max_length=500
                    ),
                ),
                (
                    "connected_at",
                    fields.DatetimeField(description="When it was given last", auto_now=False, auto_now_add=False),
                ),
                (
                    "refreshed_at",
                    fields.DatetimeField(
                        null=True,
                        description="When its access token was last refreshed",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "leased_until",
                    fields.DatetimeField(
                        null=True,
                        description="Until when one caller refreshes it, or nobody shall",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "leased_by",
                    fields.UUIDField(null=True, description="Which one; null while it rests after a failure"),
                ),
            ],
            options={
                "table": "oauth_grants",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A person's consent, or the organization's, at one provider; the same row when it"
                " is given again.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="OAuthRequest",
            fields=[
                *row(),
                ("provider", fields.CharField(description="The provider's key in the catalogue", max_length=50)),
                ("membership", to("Membership", "membership_id", "Who asked")),
                (
                    "for_organization",
                    fields.BooleanField(description="Whether the consent is to be the organization's"),
                ),
                ("session_id", fields.UUIDField(description="The session that asked")),
                (
                    "state_hash",
                    fields.CharField(unique=True, description="SHA-256 of the state, hexadecimal", max_length=64),
                ),
                ("code_verifier", fields.TextField(unique=False, description="PKCE's (RFC 7636), sealed")),
                (
                    "redirect_uri",
                    fields.CharField(description="Where the provider sends them back to", max_length=2048),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(description="Until when it is good", auto_now=False, auto_now_add=False),
                ),
                (
                    "used_at",
                    fields.DatetimeField(
                        null=True, description="When somebody came back with it", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "oauth_requests",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A consent that somebody was sent to give: good once, in the session that asked.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
