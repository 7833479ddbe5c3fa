"""Exports for accountants, and the accounts that they name."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.fields.data import JSON_DUMPS, JSON_LOADS
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from migrations._known import Known
from models.export import ExportKind, ExportStatus

KINDS = "FEC INVOICES_CSV PAYMENTS_CSV PDF_ZIP"
STATUSES = "PENDING RUNNING READY FAILED"

CHECKS = {
    "kind": f"kind IN ({', '.join(map(repr, KINDS.split()))})",
    "status": f"status IN ({', '.join(map(repr, STATUSES.split()))})",
    "period": "starts_on <= ends_on AND ends_on - starts_on <= 731",
    "progress": "total >= 0 AND done >= 0 AND left_out >= 0",
    "finished": "(finished_at IS NOT NULL) = (status IN ('READY', 'FAILED'))",
    "failed": "(error IS NOT NULL) = (status = 'FAILED')",
    "file": "num_nonnulls(file_key, file_sha256, file_bytes) = (status = 'READY')::int * 3",
}

RULES = [
    "ALTER TABLE organizations ADD COLUMN account_numbers jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE exports DROP CONSTRAINT exports_organization_id_fkey,"
    " DROP CONSTRAINT exports_requested_by_id_fkey, ADD CONSTRAINT exports_organization"
    " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT exports_requested_by_id"
    " FOREIGN KEY (organization_id, requested_by_id) REFERENCES memberships (organization_id, id),"
    " ADD CONSTRAINT exports_tenant UNIQUE (organization_id, id)",
    *(f"ALTER TABLE exports ADD CONSTRAINT exports_{name}_check CHECK ({rule})" for name, rule in CHECKS.items()),
    "CREATE INDEX exports_requested_by_id_index ON exports (requested_by_id)",
    "CREATE INDEX exports_created_at ON exports (created_at)",
    "CREATE INDEX payments_paid_at ON payments (organization_id, live, paid_at, id)",
    audited("exports", "Export", ignored=("total", "done", "left_out")),
    "CREATE TRIGGER exports_created AFTER INSERT ON exports FOR EACH ROW EXECUTE FUNCTION note_change('CREATED')",
    "CREATE TRIGGER exports_changed AFTER UPDATE ON exports FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)"
    " EXECUTE FUNCTION note_change('CHANGED')",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0022_reconciliations")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Export",
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
                ("kind", fields.CharEnumField(description="What is in it", enum_type=ExportKind, max_length=20)),
                (
                    "status",
                    fields.CharEnumField(
                        default=ExportStatus.PENDING, description="How far it is", enum_type=ExportStatus, max_length=20
                    ),
                ),
                ("starts_on", fields.DateField(description="The first day, where the organization is")),
                ("ends_on", fields.DateField(description="The last day")),
                (
                    "live",
                    fields.BooleanField(
                        description="Whether it is of real sales; those of test mode are never among them"
                    ),
                ),
                ("total", fields.IntField(default=0, description="How many documents and payments there are to read")),
                ("done", fields.IntField(default=0, description="How many of them are read")),
                (
                    "left_out",
                    fields.IntField(
                        default=0, description="How many are not in it, being in another currency than the euro"
                    ),
                ),
                ("filename", fields.CharField(description="What the file is called", max_length=100)),
                ("file_key", fields.CharField(null=True, description="Where it is stored", max_length=255)),
                (
                    "file_sha256",
                    fields.CharField(null=True, description="SHA-256 of the file, hexadecimal", max_length=64),
                ),
                ("file_bytes", fields.BigIntField(null=True, description="How large it is, in bytes")),
                ("error", fields.CharField(null=True, description="Why it could not be made", max_length=500)),
                (
                    "finished_at",
                    fields.DatetimeField(
                        null=True, description="When it was ready, or failed", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "requested_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="requested_by_id",
                        null=True,
                        description="Who asked for it; null for a server",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "exports",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A file of what happened in a period, in test or in live mode.",
            },
            bases=["Owned"],
        ),
        Known(
            model_name="Organization",
            name="account_numbers",
            field=fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=JSON_LOADS),
        ),
        ops.RunSQL(RULES, []),
    ]
