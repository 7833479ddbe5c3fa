"""Keys under which mutations are asked once; numbers of companies, of kinds of their own."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from models.fields import SiretField, VatNumberField

MADE = [
    "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_organization_id_fkey,"
    " ADD CONSTRAINT idempotency_keys_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT idempotency_keys_tenant UNIQUE (organization_id, id)",
    "CREATE UNIQUE INDEX idempotency_keys_key ON idempotency_keys (organization_id, caller, key)",
    "CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at)",
]


class KnownChange(ops.AlterField):
    """A column of another kind to us, the same to PostgreSQL."""

    async def database_forward(self, *state: Any, **editor: Any) -> None:
        pass

    async def database_backward(self, *state: Any, **editor: Any) -> None:
        pass


class Migration(migrations.Migration):
    dependencies = [("models", "0010_changes")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="IdempotencyKey",
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
                ("caller", fields.UUIDField(description="Whose key: `Actor.own_id`")),
                ("key", fields.CharField(description="The key, chosen by the caller", max_length=255)),
                ("mutation", fields.CharField(description="What was asked", max_length=100)),
                (
                    "input_hash",
                    fields.CharField(description="SHA-256 of the canonical input, hexadecimal", max_length=64),
                ),
                (
                    "lease_until",
                    fields.DatetimeField(
                        description="Until when who asked first is at work; then it is free",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "begun",
                    fields.CharField(
                        null=True, description="Global id of what an exchange made before it ended", max_length=100
                    ),
                ),
                (
                    "answer",
                    fields.TextField(
                        null=True, description="What was answered, sealed; null while under way", unique=False
                    ),
                ),
            ],
            options={
                "table": "idempotency_keys",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A key of one caller's: what was asked under it and, once that is done, the"
                " answer. Kept for a day.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(MADE, []),
        KnownChange("Organization", "siret", SiretField(description="SIRET, fourteen digits", max_length=14)),
        KnownChange(
            "Organization",
            "vat_number",
            VatNumberField(null=True, description="Intra-community VAT number (BT-31)", max_length=14),
        ),
    ]
