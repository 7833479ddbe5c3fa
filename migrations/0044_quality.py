"""Surveys of beneficiaries, evidence by indicator, and what an auditor is given."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.quality import ProofKind, QualityExportStatus, SurveyKind

TABLES = ("surveys", "quality_proofs", "quality_exports")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("surveys", "bilan_id", "bilans"),
    ("quality_proofs", "bilan_id", "bilans"),
    ("quality_proofs", "document_id", "documents"),
    ("quality_proofs", "added_by_id", "memberships"),
    ("quality_exports", "requested_by_id", "memberships"),
    ("quality_exports", "file_id", "stored_files"),
)

CHECKS = (
    ("surveys", "kind", "kind IN ('END', 'FOLLOW_UP')"),
    ("surveys", "marks", "satisfaction BETWEEN 1 AND 5 AND objectives BETWEEN 1 AND 5"
     " AND accompaniment BETWEEN 1 AND 5 AND recommends BETWEEN 0 AND 10"),
    ("surveys", "answered", "num_nonnulls(answered_at, satisfaction, objectives, accompaniment, recommends) IN (0, 5)"),
    ("quality_proofs", "kind", "kind IN ('PHONE', 'EMAIL', 'MEETING', 'TRAINING', 'REMARK', 'FILE')"),
    ("quality_proofs", "indicator", "indicator BETWEEN 1 AND 32"),
    ("quality_exports", "status", "status IN ('PENDING', 'RUNNING', 'READY', 'FAILED')"),
    ("quality_exports", "days", "ends_on >= starts_on"),
    ("quality_exports", "ready", "(status = 'READY') = (file_id IS NOT NULL)"),
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
    *(f"CREATE INDEX {table}_{column}_index ON {table} ({column})" for table, column, _ in WITHIN_TENANT),
    *(f"ALTER TABLE {table} ADD CONSTRAINT {table}_{name}_check CHECK ({rule})" for table, name, rule in CHECKS),
    "CREATE INDEX quality_proofs_by_indicator ON quality_proofs (organization_id, indicator, happened_on)",
    # What people said is not copied into a log that forgets nothing.
    audited("surveys", "Survey", redacted=("comment",)),
    audited("quality_proofs", "QualityProof", redacted=("title", "description")),
    audited("quality_exports", "QualityExport", ignored=("total", "done")),
    "CREATE TRIGGER quality_exports_created AFTER INSERT ON quality_exports FOR EACH ROW"
    " EXECUTE FUNCTION note_change('CREATED')",
    "CREATE TRIGGER quality_exports_changed AFTER UPDATE ON quality_exports FOR EACH ROW"
    " WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION note_change('CHANGED')",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0043_opportunities")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="QualityProof",
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
                ("indicator", fields.IntField(description="Which indicator of the référentiel, 1 to 32")),
                ("kind", fields.CharEnumField(description="What it is", enum_type=ProofKind, max_length=20)),
                ("title", fields.CharField(description="What it shows, in a line", max_length=200)),
                ("description", fields.CharField(null=True, description="What there is to say of it", max_length=2000)),
                ("happened_on", fields.DateField(description="The day on which it happened, or of which it is")),
                (
                    "bilan",
                    fields.ForeignKeyField(
                        "models.Bilan",
                        source_field="bilan_id",
                        null=True,
                        description="The bilan that it is of; null: of the organization",
                        db_constraint=False,
                        to_field="id",
                        related_name="evidence",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "document",
                    fields.ForeignKeyField(
                        "models.Document",
                        source_field="document_id",
                        null=True,
                        description="The document that shows it",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "added_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="added_by_id",
                        null=True,
                        description="Who added it",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "quality_proofs",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Something that shows that an indicator is met, of a bilan or the organization.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="QualityExport",
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
                    "status",
                    fields.CharEnumField(
                        default=QualityExportStatus.PENDING,
                        description="How far it is",
                        enum_type=QualityExportStatus,
                        max_length=20,
                    ),
                ),
                ("starts_on", fields.DateField(description="The first day, where the organization is")),
                ("ends_on", fields.DateField(description="The last day")),
                ("total", fields.IntField(default=0, description="How many pieces it has")),
                ("done", fields.IntField(default=0, description="How many of them are in it")),
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
                        description="Who asked for it",
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
                "table": "quality_exports",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What an auditor is given of a period: evidence by indicator, with an index.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Survey",
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
                    "bilan",
                    fields.ForeignKeyField(
                        "models.Bilan",
                        source_field="bilan_id",
                        description="The bilan",
                        db_constraint=False,
                        to_field="id",
                        related_name="surveys",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharEnumField(description="When they are asked", enum_type=SurveyKind, max_length=20)),
                (
                    "due_at",
                    fields.DatetimeField(description="From when on they are asked", auto_now=False, auto_now_add=False),
                ),
                (
                    "sent_at",
                    fields.DatetimeField(
                        null=True, description="When they were written to last", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "answered_at",
                    fields.DatetimeField(
                        null=True, description="When they answered", auto_now=False, auto_now_add=False
                    ),
                ),
                ("satisfaction", fields.IntField(null=True, description="How content they are, 1 to 5")),
                ("objectives", fields.IntField(null=True, description="How far their objectives were reached, 1 to 5")),
                ("accompaniment", fields.IntField(null=True, description="How well they were accompanied, 1 to 5")),
                ("recommends", fields.IntField(null=True, description="How likely they recommend it, 0 to 10")),
                ("comment", fields.CharField(null=True, description="What else they say", max_length=2000)),
            ],
            options={
                "table": "surveys",
                "app": "models",
                "unique_together": (("bilan", "kind"),),
                "pk_attr": "id",
                "table_description": "What a beneficiary thinks of their bilan, asked by a letter and answered once.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
