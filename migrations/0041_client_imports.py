"""Clients that are imported from files, and what is wrong with the lines of these."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS, JSON_LOADS
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.client_import import ClientImportProblem, ClientImportStatus, OnBrokenLine, OnExistingClient

TABLES = ("client_imports", "client_import_lines")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("client_imports", "file_id", "stored_files"),
    ("client_imports", "requested_by_id", "memberships"),
    ("client_import_lines", "client_import_id", "client_imports"),
)

UNDER_WAY = "('PENDING', 'CHECKING', 'IMPORTING')"
STATUSES = f"{UNDER_WAY[:-1]}, 'CHECKED', 'IMPORTED', 'REFUSED', 'FAILED')"
PROBLEMS = (
    "EMPTY", "LINE_TOO_LONG", "TOO_MANY_LINES", "NO_EMAIL_COLUMN", "UNKNOWN_COLUMN", "COLUMN_TWICE", "FILE_GONE",
    "MALFORMED", "TOO_MANY_CELLS", "MISSING", "EMAIL", "PHONE", "SIREN", "VAT_NUMBER", "COUNTRY", "LANGUAGE",
    "TOO_LONG", "CHARACTERS", "FORMULA", "DISAGREES", "DUPLICATE",
)  # fmt: skip

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
    "ALTER TABLE client_imports"
    f" ADD CONSTRAINT client_imports_status_check CHECK (status IN {STATUSES}),"
    " ADD CONSTRAINT client_imports_on_existing_check CHECK (on_existing IN ('SKIP', 'FILL', 'OVERWRITE')),"
    " ADD CONSTRAINT client_imports_on_broken_check CHECK (on_broken IN ('REFUSE', 'LEAVE_OUT')),"
    " ADD CONSTRAINT client_imports_progress_check"
    " CHECK (least(total, done, created, updated, unchanged, broken) >= 0),"
    " ADD CONSTRAINT client_imports_finished_check"
    f" CHECK ((finished_at IS NULL) = (status IN {UNDER_WAY})),"
    " ADD CONSTRAINT client_imports_dry_run_check"
    " CHECK ((status <> 'CHECKED' OR dry_run) AND (status NOT IN ('IMPORTING', 'IMPORTED', 'REFUSED') OR NOT dry_run)),"
    " ADD CONSTRAINT client_imports_file UNIQUE (file_id)",
    # Each is to find what the one before it wrote.
    f"CREATE UNIQUE INDEX client_imports_under_way ON client_imports (organization_id) WHERE status IN {UNDER_WAY}",
    "CREATE INDEX client_imports_requested_by_id_index ON client_imports (requested_by_id)",
    "ALTER TABLE client_import_lines"
    f" ADD CONSTRAINT client_import_lines_problem_check CHECK (problem IN {PROBLEMS}),"
    " ADD CONSTRAINT client_import_lines_line_check CHECK (line > 0 AND last_line >= line),"
    " ADD CONSTRAINT client_import_lines_first_check CHECK ((first_line IS NOT NULL) = (problem = 'DUPLICATE'))",
    "CREATE INDEX client_import_lines_of_import ON client_import_lines (client_import_id, line, id)",
    "CREATE INDEX client_import_lines_created_at ON client_import_lines (created_at)",
    audited(
        "client_imports", "ClientImport",
        ignored=("columns", "encoding", "delimiter", "total", "done", "created", "updated", "unchanged", "broken"),
    ),
    "CREATE TRIGGER client_imports_created AFTER INSERT ON client_imports FOR EACH ROW"
    " EXECUTE FUNCTION note_change('CREATED')",
    "CREATE TRIGGER client_imports_changed AFTER UPDATE ON client_imports FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)"
    " EXECUTE FUNCTION note_change('CHANGED')",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("models", "0040_who_was_told")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="ClientImport",
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
                ("filename", fields.CharField(description="What the file was called", max_length=200)),
                (
                    "file",
                    fields.ForeignKeyField(
                        "models.StoredFile",
                        source_field="file_id",
                        description="How it is kept",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=ClientImportStatus.PENDING,
                        description="How far it is",
                        enum_type=ClientImportStatus,
                        max_length=10,
                    ),
                ),
                ("dry_run", fields.BooleanField(description="Whether lines are only looked at")),
                (
                    "on_existing",
                    fields.CharEnumField(
                        description="What happens to clients who are there already",
                        enum_type=OnExistingClient,
                        max_length=10,
                    ),
                ),
                (
                    "on_broken",
                    fields.CharEnumField(
                        description="What happens where lines are wrong", enum_type=OnBrokenLine, max_length=10
                    ),
                ),
                (
                    "mapping",
                    fields.JSONField(
                        default=dict,
                        description="What columns say, as asked, by heading",
                        encoder=JSON_DUMPS,
                        decoder=JSON_LOADS,
                    ),
                ),
                (
                    "columns",
                    fields.JSONField(
                        default=list,
                        description="What each column was taken for, [heading, field or null]; none until it is read",
                        encoder=JSON_DUMPS,
                        decoder=JSON_LOADS,
                    ),
                ),
                (
                    "encoding",
                    fields.CharField(
                        null=True, description="How its characters are written; null until it is read", max_length=20
                    ),
                ),
                (
                    "delimiter",
                    fields.CharField(
                        null=True, description="What stands between its cells; null until it is read", max_length=1
                    ),
                ),
                (
                    "total",
                    fields.IntField(default=0, description="How many lines there are, about, until all are read"),
                ),
                ("done", fields.IntField(default=0, description="How many of them are looked at, or imported")),
                ("created", fields.IntField(default=0, description="How many clients were made, or would be")),
                ("updated", fields.IntField(default=0, description="How many clients were changed, or would be")),
                (
                    "unchanged",
                    fields.IntField(
                        default=0, description="How many clients were there already, and stayed as they are"
                    ),
                ),
                ("broken", fields.IntField(default=0, description="How many lines are wrong")),
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
                (
                    "finished_at",
                    fields.DatetimeField(
                        null=True, description="When it was done, refused or failed", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "client_imports",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Clients from a CSV file: first each line is looked at, then they are "
                "written, unless only that was asked.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="ClientImportLine",
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
                    "client_import",
                    fields.ForeignKeyField(
                        "models.ClientImport",
                        source_field="client_import_id",
                        description="The import",
                        db_constraint=False,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("line", fields.IntField(description="Where it begins in the file; the first is 1")),
                ("last_line", fields.IntField(description="Where it ends: values may go over several")),
                (
                    "heading",
                    fields.CharField(
                        null=True,
                        description="The column, as the file calls it; null for all of the line",
                        max_length=100,
                    ),
                ),
                ("value", fields.CharField(null=True, description="What it says, cut", max_length=100)),
                (
                    "problem",
                    fields.CharEnumField(description="What is wrong", enum_type=ClientImportProblem, max_length=20),
                ),
                (
                    "first_line",
                    fields.IntField(null=True, description="Of what comes twice, the line where it comes first"),
                ),
            ],
            options={
                "table": "client_import_lines",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What is wrong with a line of an import.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
