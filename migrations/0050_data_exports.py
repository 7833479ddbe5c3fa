"""All that is kept of a client, put together for them."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.export import ExportStatus

# (column, target): both rows belong to the same organization.
WITHIN_TENANT = (("client_id", "clients"), ("requested_by_id", "memberships"), ("file_id", "stored_files"))

RULES = [
    "ALTER TABLE client_data_exports DROP CONSTRAINT client_data_exports_organization_id_fkey,"
    " ADD CONSTRAINT client_data_exports_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT client_data_exports_tenant UNIQUE (organization_id, id),"
    " ADD CONSTRAINT client_data_exports_status_check"
    " CHECK (status IN ('PENDING', 'RUNNING', 'READY', 'FAILED')),"
    " ADD CONSTRAINT client_data_exports_ready_check CHECK ((status = 'READY') = (file_id IS NOT NULL)),"
    " ADD CONSTRAINT client_data_exports_finished_check"
    " CHECK ((status IN ('READY', 'FAILED')) = (finished_at IS NOT NULL))",
    *(
        f"ALTER TABLE client_data_exports DROP CONSTRAINT client_data_exports_{column}_fkey,"
        f" ADD CONSTRAINT client_data_exports_{column}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {target} (organization_id, id)"
        for column, target in WITHIN_TENANT
    ),
    *(
        f"CREATE INDEX client_data_exports_{column}_index ON client_data_exports ({column})"
        for column, _ in WITHIN_TENANT
    ),
    # However many ask at once, one is made at a time.
    "CREATE UNIQUE INDEX client_data_exports_under_way ON client_data_exports (client_id)"
    " WHERE status IN ('PENDING', 'RUNNING')",
    audited("client_data_exports", "ClientDataExport", ignored=("total", "done")),
    "CREATE TRIGGER client_data_exports_created AFTER INSERT ON client_data_exports FOR EACH ROW"
    " EXECUTE FUNCTION note_change('CREATED')",
    "CREATE TRIGGER client_data_exports_changed AFTER UPDATE ON client_data_exports FOR EACH ROW"
    " WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION note_change('CHANGED')",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0049_stand_ins")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="ClientDataExport",
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
                        description="Of whom",
                        db_constraint=False,
                        to_field="id",
                        related_name="data_exports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=ExportStatus.PENDING,
                        description="How far it is",
                        enum_type=ExportStatus,
                        max_length=20,
                    ),
                ),
                ("total", fields.IntField(default=0, description="How many files there are to put into it")),
                ("done", fields.IntField(default=0, description="How many of them are in it")),
                ("error", fields.CharField(null=True, description="Why it could not be made", max_length=500)),
                (
                    "finished_at",
                    fields.DatetimeField(
                        null=True, description="When it was ready, or failed", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "told_at",
                    fields.DatetimeField(
                        null=True,
                        description="When the client was written to that it is ready;"
                        " null where somebody else ordered it",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "requested_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="requested_by_id",
                        null=True,
                        description="Who ordered it, and alone may fetch it; null: the client, by their private link",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
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
                "table": "client_data_exports",
                "app": "models",
                "pk_attr": "id",
                "table_description": "All that is kept of a client as one file, for whoever ordered it;"
                " of each client one is made at a time.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
