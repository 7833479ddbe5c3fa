"""Clients' private links."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited

ACTORS = "PERSON PUBLISHABLE_KEY PARTNER_KEY API_KEY PORTAL_TOKEN SYSTEM"

RULES = [
    "ALTER TABLE portal_tokens DROP CONSTRAINT portal_tokens_organization_id_fkey,"
    " DROP CONSTRAINT portal_tokens_client_id_fkey, ADD CONSTRAINT portal_tokens_organization"
    " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT portal_tokens_client_id"
    " FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id),"
    " ADD CONSTRAINT portal_tokens_tenant UNIQUE (organization_id, id),"
    " ADD CONSTRAINT portal_tokens_hash_check CHECK (token_hash ~ '^[0-9a-f]{64}$'),"
    " ADD CONSTRAINT portal_tokens_expires_check CHECK (expires_at > created_at)",
    "CREATE INDEX portal_tokens_client_id_index ON portal_tokens (client_id)",
    "CREATE UNIQUE INDEX portal_tokens_one ON portal_tokens (organization_id, client_id) WHERE revoked_at IS NULL",
    "ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_actor_kind_check,"
    f" ADD CONSTRAINT audit_entries_actor_kind_check CHECK (actor_kind IN ({', '.join(map(repr, ACTORS.split()))}))",
    audited("portal_tokens", "PortalToken", redacted=("token_hash",), ignored=("last_used_at",)),
    "CREATE TRIGGER portal_tokens_rights AFTER UPDATE OF revoked_at, expires_at ON portal_tokens FOR EACH ROW"
    " EXECUTE FUNCTION note_rights()",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0011_idempotency_keys")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="PortalToken",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        description="The tenant that it belongs to",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "client",
                    fields.ForeignKeyField(
                        "models.Client",
                        source_field="client_id",
                        description="Whose link",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "token_hash",
                    fields.CharField(unique=True, description="SHA-256 of the token, hexadecimal", max_length=64),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(description="Until when it is good", auto_now=False, auto_now_add=False),
                ),
                (
                    "last_used_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was used last, to the hour",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "revoked_at",
                    fields.DatetimeField(
                        null=True, description="When it was withdrawn", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "portal_tokens",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A client's private link to their portal, one at a time. The token is shown once;"
                " its hash is kept.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
