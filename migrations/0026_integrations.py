"""Outside systems as an organization's own, with their secrets; the access log names these."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.fields.data import JSON_DUMPS, JSON_LOADS
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from migrations._known import Known
from models.integration import IntegrationStatus

STATUSES = "'CONNECTED', 'ERROR', 'DISCONNECTED', 'OFF', 'UNTESTED'"
TOLD = "enabled, status, detail, settings, removed_at"

RULES = [
    "ALTER TABLE integrations DROP CONSTRAINT integrations_organization_id_fkey,"
    " ADD CONSTRAINT integrations_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT integrations_tenant UNIQUE (organization_id, id),"
    " ADD CONSTRAINT integrations_of_provider UNIQUE (organization_id, id, provider),"
    " ADD CONSTRAINT integrations_once UNIQUE (organization_id, provider),"
    f" ADD CONSTRAINT integrations_status_check CHECK (status IN ({STATUSES})),"
    " ADD CONSTRAINT integrations_enabled_check CHECK (enabled = (status <> 'OFF')),"
    " ADD CONSTRAINT integrations_clock_check CHECK (enabled OR next_check_at IS NULL),"
    " ADD CONSTRAINT integrations_removed_check CHECK (removed_at IS NULL OR NOT enabled)",
    "CREATE INDEX integrations_to_check ON integrations (next_check_at) WHERE next_check_at IS NOT NULL",
    "ALTER TABLE integration_secrets DROP CONSTRAINT integration_secrets_organization_id_fkey,"
    " DROP CONSTRAINT integration_secrets_integration_id_fkey, ADD CONSTRAINT integration_secrets_organization"
    " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT integration_secrets_integration_id FOREIGN KEY (organization_id, integration_id, provider)"
    " REFERENCES integrations (organization_id, id, provider),"
    " ADD CONSTRAINT integration_secrets_tenant UNIQUE (organization_id, id),"
    " ADD CONSTRAINT integration_secrets_once UNIQUE (integration_id, field),"
    " ADD CONSTRAINT integration_secrets_sealed_check CHECK ((sealed IS NULL) = (destroyed_at IS NOT NULL)),"
    " ADD CONSTRAINT integration_secrets_last_four_check CHECK (last_four IS NULL OR sealed IS NOT NULL)",
    "CREATE INDEX integration_secrets_of_provider ON integration_secrets (provider)",
    "ALTER TABLE secret_openings ADD COLUMN secret_id uuid, ADD CONSTRAINT secret_openings_secret_id"
    " FOREIGN KEY (organization_id, secret_id) REFERENCES integration_secrets (organization_id, id)",
    "CREATE INDEX secret_openings_of_secret ON secret_openings (secret_id, id)",
    "CREATE FUNCTION name_secret() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN NEW.secret_id := NEW.row_id; RETURN NEW; END $$",
    "CREATE TRIGGER secret_named BEFORE INSERT ON secret_openings FOR EACH ROW"
    " WHEN (NEW.table_name = 'integration_secrets') EXECUTE FUNCTION name_secret()",
    audited(
        "integrations", "Integration", ignored=("checked_at", "next_check_at", "failing_since", "alerted_at", "detail")
    ),
    audited("integration_secrets", "IntegrationSecret", redacted=("sealed",)),
    "CREATE TRIGGER integrations_created AFTER INSERT ON integrations FOR EACH ROW"
    " EXECUTE FUNCTION note_change('CREATED')",
    "CREATE TRIGGER integrations_changed AFTER UPDATE ON integrations FOR EACH ROW"
    f" WHEN (({', '.join(f'OLD.{column}' for column in TOLD.split(', '))})"
    f" IS DISTINCT FROM ({', '.join(f'NEW.{column}' for column in TOLD.split(', '))}))"
    " EXECUTE FUNCTION note_change('CHANGED')",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0025_incomplete_invoices")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Integration",
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
                ("provider", fields.CharField(description="The provider's key in the catalogue", max_length=50)),
                ("enabled", fields.BooleanField(default=False, description="Whether it is switched on")),
                (
                    "status",
                    fields.CharEnumField(
                        default=IntegrationStatus.OFF,
                        description="How it does",
                        enum_type=IntegrationStatus,
                        max_length=20,
                    ),
                ),
                (
                    "detail",
                    fields.CharField(
                        null=True, description="What the other side said last, where it failed", max_length=500
                    ),
                ),
                (
                    "settings",
                    fields.JSONField(
                        default=dict,
                        description="What its form holds that is no secret",
                        encoder=JSON_DUMPS,
                        decoder=JSON_LOADS,
                    ),
                ),
                (
                    "configured_at",
                    fields.DatetimeField(
                        description="When what it is set to was last changed", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "checked_at",
                    fields.DatetimeField(
                        null=True, description="When it was last tried", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "next_check_at",
                    fields.DatetimeField(
                        null=True, description="When it is tried next by the clock", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "failing_since",
                    fields.DatetimeField(
                        null=True, description="Since when it fails", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "alerted_at",
                    fields.DatetimeField(
                        null=True,
                        description="When we told ourselves that it fails",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "removed_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was removed, and its secrets destroyed",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "integrations",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A provider that an organization set up. Once removed it stays, switched off and"
                " without its secrets.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="IntegrationSecret",
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
                    "integration",
                    fields.ForeignKeyField(
                        "models.Integration",
                        source_field="integration_id",
                        description="Whose key",
                        db_constraint=False,
                        to_field="id",
                        related_name="secrets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("provider", fields.CharField(description="The provider's key in the catalogue", max_length=50)),
                ("field", fields.CharField(description="Which field of the provider's form", max_length=63)),
                (
                    "sealed",
                    fields.TextField(
                        null=True, description="The key itself, sealed; null once destroyed", unique=False
                    ),
                ),
                (
                    "last_four",
                    fields.CharField(
                        null=True,
                        description="Its last four characters; null where it is short, and once it is destroyed",
                        max_length=4,
                    ),
                ),
                (
                    "rotated_at",
                    fields.DatetimeField(description="When it was set last", auto_now=False, auto_now_add=False),
                ),
                (
                    "destroyed_at",
                    fields.DatetimeField(
                        null=True, description="When it was destroyed", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "integration_secrets",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A key of an integration, sealed. Once destroyed it stays, empty: the access log"
                " names it.",
            },
            bases=["Owned"],
        ),
        Known(
            model_name="SecretOpening",
            name="secret",
            field=fields.ForeignKeyField(
                "models.IntegrationSecret",
                source_field="secret_id",
                null=True,
                description="The key of an integration, where it is one",
                db_constraint=False,
                to_field="id",
                related_name=False,
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
