"""Reconciliations: how far each is, each run, and what stayed different."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from models.reconciliation import DriftKind

KINDS = "NOT_COUNTED NOT_PAID AMOUNT_DIFFERS NOT_HANDLED NOT_ANSWERED"


def of_tenant(table: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey,"
        f" ADD CONSTRAINT {table}_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
        f" ADD CONSTRAINT {table}_tenant UNIQUE (organization_id, id)"
    )


def named(table: str, column: str, other: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_fkey, ADD CONSTRAINT {table}_{column}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {other} (organization_id, id)"
    )


RULES = [
    of_tenant("reconciliations"),
    of_tenant("drifts"),
    named("drifts", "reconciliation_id", "reconciliations"),
    named("drifts", "order_id", "orders"),
    "CREATE INDEX reconciliations_organization_id_index ON reconciliations (organization_id, id)",
    "CREATE INDEX reconciliations_created_at_index ON reconciliations (created_at)",
    "CREATE INDEX drifts_order_id_index ON drifts (order_id)",
    "ALTER TABLE reconciliations"
    " ADD CONSTRAINT reconciliations_counts_check CHECK ("
    "events_missed >= 0 AND orders_mended >= 0 AND unexplained >= 0),"
    " ADD CONSTRAINT reconciliations_times_check CHECK (since <= started_at AND started_at <= ended_at)",
    f"ALTER TABLE drifts ADD CONSTRAINT drifts_kind_check CHECK (kind IN ({', '.join(map(repr, KINDS.split()))}))",
    "ALTER TABLE reconciliation_points ADD CONSTRAINT reconciliation_points_lease_check"
    " CHECK ((token IS NULL) = (leased_until IS NULL))",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0021_subscriptions")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Reconciliation",
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
                ("stripe_account", fields.CharField(description="Stripe account that was asked", max_length=255)),
                ("live", fields.BooleanField(description="Whether about real money")),
                (
                    "since",
                    fields.DatetimeField(
                        description="From when on events and payments were compared", auto_now=False, auto_now_add=False
                    ),
                ),
                ("started_at", fields.DatetimeField(description="When it began", auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(description="When it was done", auto_now=False, auto_now_add=False)),
                ("events_missed", fields.IntField(description="Events that had never come, and are handled now")),
                ("orders_mended", fields.IntField(description="Orders that Stripe's answer brought up to date")),
                ("unexplained", fields.IntField(description="What stays different")),
            ],
            options={
                "table": "reconciliations",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One run: Stripe's list of events and what is stuck were compared with what we"
                " know.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Drift",
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
                    "reconciliation",
                    fields.ForeignKeyField(
                        "models.Reconciliation",
                        source_field="reconciliation_id",
                        description="The run that found it",
                        db_constraint=False,
                        to_field="id",
                        related_name="drifts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        description="The order that it is about",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharEnumField(description="What is different", enum_type=DriftKind, max_length=20)),
                ("reference", fields.CharField(description="Stripe's id of what it is about", max_length=255)),
                ("message", fields.CharField(description="What is different, in words", max_length=500)),
            ],
            options={
                "table": "drifts",
                "app": "models",
                "unique_together": (("reconciliation", "kind", "reference"),),
                "pk_attr": "id",
                "table_description": "What a reconciliation could not explain.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="ReconciliationPoint",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                ("stripe_account", fields.CharField(description="Stripe account", max_length=255)),
                ("live", fields.BooleanField(description="Stripe's livemode")),
                (
                    "reached_at",
                    fields.DatetimeField(
                        description="Of events made before this none is missing", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True, description="When a run came to its end last", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "leased_until",
                    fields.DatetimeField(
                        null=True, description="Until when a process is at it", auto_now=False, auto_now_add=False
                    ),
                ),
                ("token", fields.UUIDField(null=True, description="Which one")),
            ],
            options={
                "table": "reconciliation_points",
                "app": "models",
                "unique_together": (("stripe_account", "live"),),
                "pk_attr": "id",
                "table_description": "How far a Stripe account and mode is reconciled, and who does it now.",
            },
            bases=["Row"],
        ),
        ops.RunSQL(RULES, []),
    ]
