"""Clients who were erased; and that the audit log may lose what it held of them, and nothing else."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS, JSON_LOADS
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited

RULES = [
    "ALTER TABLE erasures DROP CONSTRAINT erasures_organization_id_fkey, ADD CONSTRAINT erasures_organization"
    " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT erasures_tenant UNIQUE (organization_id, id),"
    " DROP CONSTRAINT erasures_client_id_fkey, ADD CONSTRAINT erasures_client_id"
    " FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id),"
    " DROP CONSTRAINT erasures_erased_by_id_fkey, ADD CONSTRAINT erasures_erased_by_id"
    " FOREIGN KEY (organization_id, erased_by_id) REFERENCES memberships (organization_id, id),"
    " ADD CONSTRAINT erasures_client UNIQUE (client_id),"
    " ADD CONSTRAINT erasures_documents_check CHECK (documents >= 0)",
    "CREATE INDEX erasures_erased_by_id_index ON erasures (erased_by_id)",
    audited("erasures", "Erasure"),
    # Whatever writes of those who were erased, nothing comes back.
    "ALTER TABLE clients ADD CONSTRAINT clients_erased_check CHECK (email NOT LIKE '%@erased.invalid'"
    " OR num_nonnulls(first_name, last_name, company, siren, vat_number, electronic_address, phone, address,"
    " postal_code, city, delivery_address, delivery_postal_code, delivery_city, member_id) = 0)",
]

# The log keeps who did what and when. Of those who are erased its values go, and nothing else of it ever does.
LOG = [
    """
    CREATE OR REPLACE FUNCTION audit_entries_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'UPDATE' OR coalesce(current_setting('comptoir.erasing', true), '') = '' THEN
            RAISE EXCEPTION 'audit_entries is append-only: % is refused', TG_OP
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE FUNCTION audit_entries_erased() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF to_jsonb(OLD) - '{before,after}'::text[] <> to_jsonb(NEW) - '{before,after}'::text[] OR EXISTS (
            SELECT FROM (VALUES (OLD.before, NEW.before), (OLD.after, NEW.after)) AS sides (was, became),
                LATERAL jsonb_object_keys(was || became) AS name
            WHERE became -> name IS DISTINCT FROM was -> name AND became -> name IS DISTINCT FROM '"[erased]"'
        ) THEN
            RAISE EXCEPTION 'of an audit entry only values can be erased' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
    """,
    "CREATE TRIGGER erased BEFORE UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_entries_erased()",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0045_holiday_regions")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Erasure",
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
                        description="Who was erased; there is one of each",
                        db_constraint=False,
                        to_field="id",
                        related_name="erasures",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "deleted",
                    fields.JSONField(
                        description="How many rows were deleted, by type", encoder=JSON_DUMPS, decoder=JSON_LOADS
                    ),
                ),
                (
                    "blanked",
                    fields.JSONField(
                        description="How many rows had what they said of the person taken away, by type",
                        encoder=JSON_DUMPS,
                        decoder=JSON_LOADS,
                    ),
                ),
                (
                    "kept",
                    fields.JSONField(
                        description="How many rows were kept and why, as [type, count, reason]",
                        encoder=JSON_DUMPS,
                        decoder=JSON_LOADS,
                    ),
                ),
                ("documents", fields.IntField(default=0, description="How many documents were destroyed")),
                (
                    "erased_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="erased_by_id",
                        null=True,
                        description="Who erased them",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "stripe_erased_at",
                    fields.DatetimeField(
                        null=True,
                        description="When Stripe had deleted the customer, with the payment methods saved there",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "erasures",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What was taken away of a client and what was kept, and why."
                " It holds nothing of the person.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL([*RULES, *LOG], []),
    ]
