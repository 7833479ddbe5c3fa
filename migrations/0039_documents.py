"""Documents of bilans: shares, accesses and destructions of them."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.document import DestructionReason, DocumentKind
from models.fields import EmailField

TABLES = ("documents", "document_shares", "document_accesses", "destruction_records")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("documents", "bilan_id", "bilans"),
    ("documents", "file_id", "stored_files"),
    ("documents", "added_by_id", "memberships"),
    ("document_shares", "document_id", "documents"),
    ("document_shares", "consented_by_id", "memberships"),
    ("document_shares", "consent_document_id", "documents"),
    ("document_shares", "recorded_by_id", "memberships"),
    ("document_accesses", "document_id", "documents"),
    ("document_accesses", "membership_id", "memberships"),
    ("document_accesses", "share_id", "document_shares"),
    ("destruction_records", "document_id", "documents"),
    ("destruction_records", "destroyed_by_id", "memberships"),
)
# Of the first column of each there is an index already.
INDEXED = tuple(
    (table, column)
    for table, column, _ in WITHIN_TENANT
    if (table, column) not in (("documents", "file_id"), ("destruction_records", "document_id"))
)

KINDS = "kind IN ('SYNTHESIS', 'CONVENTION', 'CONSENT', 'EVIDENCE', 'OTHER')"
DIGEST = "sha256 ~ '^[0-9a-f]{64}$'"

KEPT = """
    CREATE FUNCTION kept() RETURNS trigger AS $$
    BEGIN
        RAISE EXCEPTION '% are kept as they are: % is refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END
    $$ LANGUAGE plpgsql
"""

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
    *(f"CREATE INDEX {table}_{column}_index ON {table} ({column})" for table, column in INDEXED),
    f"ALTER TABLE documents ADD CONSTRAINT documents_kind_check CHECK ({KINDS}),"
    f" ADD CONSTRAINT documents_digest_check CHECK ({DIGEST}),"
    " ADD CONSTRAINT documents_size_check CHECK (size_bytes >= 0),"
    " ADD CONSTRAINT documents_file UNIQUE (file_id)",
    # Nothing is shared without the beneficiary's consent: given here, or on paper that is kept.
    "ALTER TABLE document_shares ADD CONSTRAINT document_shares_consent_check"
    " CHECK (num_nonnulls(consented_by_id, consent_document_id) > 0)",
    "ALTER TABLE document_accesses ADD CONSTRAINT document_accesses_reason_check"
    " CHECK (granted = (reason IS NULL)),"
    " ADD CONSTRAINT document_accesses_who_check CHECK (num_nonnulls(membership_id, share_id) > 0)",
    f"ALTER TABLE destruction_records ADD CONSTRAINT destruction_records_kind_check CHECK ({KINDS}),"
    f" ADD CONSTRAINT destruction_records_digest_check CHECK ({DIGEST}),"
    " ADD CONSTRAINT destruction_records_reason_check"
    " CHECK (reason IN ('END_OF_BILAN', 'THREE_YEARS', 'ERASURE', 'MISTAKE')),"
    " ADD CONSTRAINT destruction_records_one UNIQUE (document_id)",
    # What was destroyed stays so, and what was written down of it, and of who opened it.
    KEPT,
    "CREATE TRIGGER kept BEFORE UPDATE ON documents FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL)"
    " EXECUTE FUNCTION kept()",
    "CREATE TRIGGER kept BEFORE UPDATE ON stored_files FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL AND"
    " (NEW.data_key IS NOT NULL OR NEW.destroyed_at IS DISTINCT FROM OLD.destroyed_at)) EXECUTE FUNCTION kept()",
    "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON document_accesses FOR EACH ROW EXECUTE FUNCTION kept()",
    "CREATE TRIGGER kept_whole BEFORE DELETE ON destruction_records FOR EACH ROW EXECUTE FUNCTION kept()",
    "CREATE TRIGGER kept BEFORE UPDATE ON destruction_records FOR EACH ROW WHEN (to_jsonb(OLD) - 'deleted_at'"
    " IS DISTINCT FROM to_jsonb(NEW) - 'deleted_at') EXECUTE FUNCTION kept()",
    audited("documents", "Document"),
    audited("document_shares", "DocumentShare"),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0038_bilans")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Document",
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
                        description="The bilan that it is of",
                        db_constraint=False,
                        to_field="id",
                        related_name="documents",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharEnumField(description="What it is", enum_type=DocumentKind, max_length=20)),
                (
                    "name",
                    fields.CharField(
                        description="What it is called; of what was destroyed, what it was", max_length=200
                    ),
                ),
                ("content_type", fields.CharField(description="What it is (IANA media type)", max_length=100)),
                ("size_bytes", fields.IntField(description="How large it is, in bytes")),
                ("sha256", fields.CharField(description="SHA-256 of its content, hexadecimal", max_length=64)),
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
                (
                    "destroyed_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was destroyed: nobody can open it any more",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "documents",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A document of a bilan. Its content is a stored file, which only some may open.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="DestructionRecord",
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
                    "document",
                    fields.ForeignKeyField(
                        "models.Document",
                        source_field="document_id",
                        description="What was destroyed",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharEnumField(description="What it was", enum_type=DocumentKind, max_length=20)),
                ("sha256", fields.CharField(description="SHA-256 of what it held, hexadecimal", max_length=64)),
                ("reason", fields.CharEnumField(description="Why", enum_type=DestructionReason, max_length=20)),
                (
                    "destroyed_at",
                    fields.DatetimeField(
                        description="When its key was destroyed: from then on nobody can read it",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "destroyed_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="destroyed_by_id",
                        null=True,
                        description="Who did it; null: a clock",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "deleted_at",
                    fields.DatetimeField(
                        null=True,
                        description="When the store had deleted what was left",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "destruction_records",
                "app": "models",
                "pk_attr": "id",
                "table_description": "That a document was destroyed, when, why and by whom. Only when the "
                "store had deleted it follows.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="DocumentShare",
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
                    "document",
                    fields.ForeignKeyField(
                        "models.Document",
                        source_field="document_id",
                        description="The document",
                        db_constraint=False,
                        to_field="id",
                        related_name="shares",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("recipient_name", fields.CharField(description="Who may open it", max_length=200)),
                ("recipient_email", EmailField(description="Their address", max_length=254)),
                (
                    "statement",
                    fields.TextField(description="What the beneficiary agreed to, word for word", unique=False),
                ),
                (
                    "consented_at",
                    fields.DatetimeField(description="When they agreed", auto_now=False, auto_now_add=False),
                ),
                (
                    "consented_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="consented_by_id",
                        null=True,
                        description="The beneficiary, who agreed here; null where it was on paper",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "consent_document",
                    fields.ForeignKeyField(
                        "models.Document",
                        source_field="consent_document_id",
                        null=True,
                        description="What they signed; null where they agreed here",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "recorded_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="recorded_by_id",
                        description="Who noted it",
                        null=True,
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(description="Until when it may be opened", auto_now=False, auto_now_add=False),
                ),
                (
                    "revoked_at",
                    fields.DatetimeField(
                        null=True, description="When it was taken back", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "document_shares",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody else may open a document, for a while, as its beneficiary agreed "
                "in writing. It is not changed, only",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="DocumentAccess",
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
                    "document",
                    fields.ForeignKeyField(
                        "models.Document",
                        source_field="document_id",
                        description="The document",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("granted", fields.BooleanField(description="Whether they were let in")),
                ("reason", fields.CharField(null=True, description="Why they were refused", max_length=500)),
                (
                    "membership",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="membership_id",
                        null=True,
                        description="Who asked, or noted that somebody did",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "share",
                    fields.ForeignKeyField(
                        "models.DocumentShare",
                        source_field="share_id",
                        null=True,
                        description="The share by which it was opened",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "requester",
                    fields.CharField(
                        null=True, description="Who asked, where it was nobody of the organization", max_length=200
                    ),
                ),
                (
                    "address",
                    fields.CharField(
                        null=True, description="The network address from which it was opened", max_length=64
                    ),
                ),
            ],
            options={
                "table": "document_accesses",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody opened a document, or asked for it and was refused. It is not changed.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
