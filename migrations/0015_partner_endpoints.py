"""Endpoints of partners: how telling them goes, what they asked for, and what is sent again."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.partner import RetryPolicy


def _owned_by_partner(table: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey, DROP CONSTRAINT {table}_partner_id_fkey,"
        f" ADD CONSTRAINT {table}_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
        f" ADD CONSTRAINT {table}_partner_id"
        " FOREIGN KEY (organization_id, partner_id) REFERENCES partners (organization_id, id),"
        f" ADD CONSTRAINT {table}_tenant UNIQUE (organization_id, id)"
    )


RULES = [
    _owned_by_partner("partner_endpoints"),
    _owned_by_partner("notification_replays"),
    "CREATE INDEX partner_endpoints_partner_id_index ON partner_endpoints (partner_id)",
    "CREATE INDEX notification_replays_partner_id_index ON notification_replays (partner_id)",
    "ALTER TABLE partner_endpoints"
    " ADD CONSTRAINT partner_endpoints_failures_check CHECK (failures >= 0 AND probes >= 0),"
    " ADD CONSTRAINT partner_endpoints_lease_check CHECK ((lease_id IS NULL) = (lease_until IS NULL)),"
    " ADD CONSTRAINT partner_endpoints_disabled_check CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))",
    "ALTER TABLE notification_replays"
    " ADD CONSTRAINT notification_replays_range_check CHECK (since < until),"
    " ADD CONSTRAINT notification_replays_replayed_check CHECK (replayed BETWEEN 0 AND total)",
    "ALTER TABLE partners"
    " ADD CONSTRAINT partners_retry_policy_check CHECK (retry_policy IN ('GUIDE', 'STANDARD')),"
    " ADD CONSTRAINT partners_max_per_minute_check CHECK (max_per_minute BETWEEN 1 AND 6000),"
    " ADD CONSTRAINT partners_breaker_threshold_check CHECK (breaker_threshold BETWEEN 1 AND 1000),"
    " ADD CONSTRAINT partners_previous_secret_check"
    " CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL))",
    "ALTER TABLE notifications DROP CONSTRAINT notifications_status_check, ADD CONSTRAINT notifications_status_check"
    " CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED', 'SKIPPED'))",
    "CREATE INDEX notifications_due ON notifications (partner_id, live, next_attempt_at)"
    " WHERE status = 'PENDING' AND next_attempt_at IS NOT NULL",
    "CREATE INDEX notifications_failed ON notifications (partner_id, id) WHERE status = 'FAILED'",
    "DROP TRIGGER audited ON partners",
    audited("partners", "Partner", redacted=("api_key", "signing_secret", "previous_secret")),
    audited(
        "partner_endpoints", "PartnerEndpoint",
        ignored=("failures", "opened_at", "probes", "held_until", "told_at", "alerted_at", "lease_until", "lease_id"),
    ),
    audited("notification_replays", "NotificationReplay", ignored=("replayed", "finished_at")),
    "CREATE TRIGGER notifications_skipped AFTER UPDATE ON notifications FOR EACH ROW"
    " WHEN (OLD.status <> NEW.status AND NEW.status = 'SKIPPED') EXECUTE FUNCTION note_change('CHANGED')",
    "INSERT INTO partner_endpoints (id, created_at, organization_id, partner_id, live, failures, probes)"
    " SELECT gen_random_uuid(), now(), organization_id, id, live, 0, 0 FROM partners,"
    " (VALUES (false), (true)) AS modes (live)",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("models", "0014_what_invoices_say")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="NotificationReplay",
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
                    "partner",
                    fields.ForeignKeyField(
                        "models.Partner",
                        source_field="partner_id",
                        description="Who is told again",
                        db_constraint=False,
                        to_field="id",
                        related_name="replays",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "since",
                    fields.DatetimeField(description="From when on they were made", auto_now=False, auto_now_add=False),
                ),
                (
                    "until",
                    fields.DatetimeField(description="Before when they were made", auto_now=False, auto_now_add=False),
                ),
                ("total", fields.IntField(description="How many had failed")),
                (
                    "replayed",
                    fields.IntField(default=0, description="How many of them were sent again, or are about to be"),
                ),
                (
                    "finished_at",
                    fields.DatetimeField(
                        null=True, description="When the last was", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "notification_replays",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What failed within a time, sent again: so many at once, until all are.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="PartnerEndpoint",
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
                    "partner",
                    fields.ForeignKeyField(
                        "models.Partner",
                        source_field="partner_id",
                        description="Whose address",
                        db_constraint=False,
                        to_field="id",
                        related_name="endpoints",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("live", fields.BooleanField(description="Production address, else staging")),
                ("failures", fields.IntField(default=0, description="Failures in a row: 5xx, 429, or no answer")),
                (
                    "opened_at",
                    fields.DatetimeField(
                        null=True, description="Since when the breaker is open", auto_now=False, auto_now_add=False
                    ),
                ),
                ("probes", fields.IntField(default=0, description="Probes that failed since the breaker opened")),
                (
                    "held_until",
                    fields.DatetimeField(
                        null=True,
                        description="Nothing is sent before: pace, breaker, or their wish",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "disabled_at",
                    fields.DatetimeField(
                        null=True,
                        description="Since when nothing is sent: what is due is kept",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("disabled_reason", fields.CharField(null=True, description="Why it is disabled", max_length=200)),
                (
                    "told_at",
                    fields.DatetimeField(
                        null=True, description="When it was told last", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "alerted_at",
                    fields.DatetimeField(
                        null=True,
                        description="When somebody was last alerted of this outage",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "lease_until",
                    fields.DatetimeField(
                        null=True, description="Until when a worker tells it", auto_now=False, auto_now_add=False
                    ),
                ),
                ("lease_id", fields.UUIDField(null=True, description="Whose turn it is: a worker's, for one round")),
            ],
            options={
                "table": "partner_endpoints",
                "app": "models",
                "unique_together": (("partner", "live"),),
                "pk_attr": "id",
                "table_description": "One of a partner's two addresses, and how telling it goes.",
            },
            bases=["Owned"],
        ),
        ops.AlterField(
            model_name="Notification",
            name="next_attempt_at",
            field=fields.DatetimeField(
                null=True,
                description="When the next try is due; null while it waits for its invoice, and at the end",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.AddField(
            model_name="Partner",
            name="breaker_threshold",
            field=fields.IntField(
                null=True, description="Failures in a row after which all wait for one probe to succeed; null for never"
            ),
        ),
        ops.AddField(
            model_name="Partner",
            name="max_per_minute",
            field=fields.IntField(null=True, description="Most notifications a minute; null for no bound"),
        ),
        ops.AddField(
            model_name="Partner",
            name="previous_secret",
            field=fields.TextField(
                null=True, description="Sealed: signs beside the other during a rotation", unique=False
            ),
        ),
        ops.AddField(
            model_name="Partner",
            name="previous_secret_until",
            field=fields.DatetimeField(
                null=True, description="Until when the secret before signs too", auto_now=False, auto_now_add=False
            ),
        ),
        ops.AddField(
            model_name="Partner",
            name="retry_policy",
            field=fields.CharEnumField(
                default=RetryPolicy.GUIDE,
                description="What comes after a failure",
                enum_type=RetryPolicy,
                max_length=20,
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
