"""Files that people send to signed addresses, and how they are kept: encrypted, each under a key of its own."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from models.upload import UploadPurpose

TABLES = ("stored_files", "uploads")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (("uploads", "created_by_id", "memberships"), ("uploads", "file_id", "stored_files"))

RULES = [
    *(
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey, ADD CONSTRAINT {table}_organization"
        " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
        f" ADD CONSTRAINT {table}_tenant UNIQUE (organization_id, id)"
        for table in TABLES
    ),
    *(
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_fkey, ADD CONSTRAINT {table}_{column}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {target} (organization_id, id)"
        for table, column, target in WITHIN_TENANT
    ),
    # Destroyed is what has no key, and nothing else.
    "ALTER TABLE stored_files ADD CONSTRAINT stored_files_destroyed_check"
    " CHECK ((data_key IS NULL) = (destroyed_at IS NOT NULL) AND (deleted_at IS NULL OR destroyed_at IS NOT NULL)),"
    " ADD CONSTRAINT stored_files_size_check CHECK (size_bytes >= 0),"
    " ADD CONSTRAINT stored_files_digest_check CHECK (sha256 ~ '^[0-9a-f]{64}$' AND stored_sha256 ~ '^[0-9a-f]{64}$')",
    "CREATE INDEX stored_files_due ON stored_files (destroy_at) WHERE destroyed_at IS NULL",
    "ALTER TABLE uploads ADD CONSTRAINT uploads_purpose_check CHECK (purpose IN ('CLIENT_IMPORT', 'DOCUMENT')),"
    " ADD CONSTRAINT uploads_size_check CHECK (size_bytes > 0),"
    " ADD CONSTRAINT uploads_received_check CHECK ((received_at IS NULL) = (file_id IS NULL)),"
    " ADD CONSTRAINT uploads_used_check CHECK (used_at IS NULL OR received_at IS NOT NULL),"
    " ADD CONSTRAINT uploads_file UNIQUE (file_id)",
    "CREATE INDEX uploads_created_at_index ON uploads (created_at)",
    "CREATE INDEX uploads_created_by_id_index ON uploads (created_by_id)",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0034_notices_and_packs")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="StoredFile",
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
                ("place", fields.CharField(unique=True, description="Its key in the store", max_length=255)),
                (
                    "data_key",
                    fields.TextField(null=True, description="Its key, sealed; null once it is destroyed", unique=False),
                ),
                ("content_type", fields.CharField(description="What it is (IANA media type)", max_length=100)),
                ("size_bytes", fields.IntField(description="How large it is, in bytes, before it was encrypted")),
                ("sha256", fields.CharField(description="SHA-256 of what was sent, hexadecimal", max_length=64)),
                (
                    "stored_sha256",
                    fields.CharField(
                        null=True, description="SHA-256 of what lies in the store; null before it does", max_length=64
                    ),
                ),
                (
                    "destroy_at",
                    fields.DatetimeField(
                        null=True,
                        description="When a clock destroys it; null: something else decides",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "destroyed_at",
                    fields.DatetimeField(
                        null=True, description="When its key was destroyed", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "deleted_at",
                    fields.DatetimeField(
                        null=True, description="When the store had deleted it, too", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "stored_files",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A file in the store, encrypted under a key of its own: without the key "
                "it is noise.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Upload",
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
                    "purpose",
                    fields.CharEnumField(description="What it is sent for", enum_type=UploadPurpose, max_length=20),
                ),
                ("name", fields.CharField(description="What the file is called, with its extension", max_length=200)),
                (
                    "content_type",
                    fields.CharField(description="What it is (IANA media type): `application/pdf`", max_length=100),
                ),
                ("size_bytes", fields.IntField(description="How large it is, in bytes: exactly")),
                (
                    "created_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="created_by_id",
                        null=True,
                        description="Who sends it; null for a server",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(description="Until when it can be sent", auto_now=False, auto_now_add=False),
                ),
                (
                    "received_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was received, whole, and found to be what it says",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "used_at",
                    fields.DatetimeField(
                        null=True,
                        description="When something was made of it: it cannot be used again",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        null=True,
                        description="How it is kept",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "uploads",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A file that somebody is about to send, to a signed address that takes "
                "it once, and no other.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
