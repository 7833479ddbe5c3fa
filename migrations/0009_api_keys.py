"""API keys, and the places from which people are known."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited

RULES = [
    "ALTER TABLE api_keys DROP CONSTRAINT api_keys_organization_id_fkey, ADD CONSTRAINT api_keys_organization"
    " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT api_keys_tenant UNIQUE (organization_id, id)",
    "ALTER TABLE api_keys ADD CONSTRAINT api_keys_hash_check CHECK (key_hash ~ '^[0-9a-f]{64}$')",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0008_audit_log")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="ApiKey",
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
                ("name", fields.CharField(description="What it is for", max_length=100)),
                ("prefix", fields.CharField(description="How it begins: enough to recognize it", max_length=20)),
                (
                    "key_hash",
                    fields.CharField(unique=True, description="SHA-256 of the key, hexadecimal", max_length=64),
                ),
                ("scopes", fields.TextField(description="What it may do, one scope a line", unique=False)),
                (
                    "expires_at",
                    fields.DatetimeField(
                        null=True, description="Until when it is good", auto_now=False, auto_now_add=False
                    ),
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
                "table": "api_keys",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A way in for a server of the organization's, to what its scopes open. The key is"
                " shown once; its hash is kept.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="KnownPlace",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "place_hash",
                    fields.CharField(unique=True, description="HMAC-SHA256 of both, hexadecimal", max_length=64),
                ),
                (
                    "seen_at",
                    fields.DatetimeField(
                        db_index=True,
                        description="When it was proved last, to the day",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "known_places",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An address from which somebody proved who they are, with whom: as a keyed hash,"
                " which tells neither.",
            },
            bases=["Row"],
        ),
        ops.RunSQL([*RULES, audited("api_keys", "ApiKey", redacted=("key_hash",))], []),
    ]
