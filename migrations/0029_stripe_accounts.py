"""Organizations' own accounts at Stripe. Attempts that made a twin are found by it: each account keeps its twins."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited

RULES = [
    "ALTER TABLE stripe_accounts DROP CONSTRAINT stripe_accounts_organization_id_fkey,"
    " ADD CONSTRAINT stripe_accounts_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT stripe_accounts_tenant UNIQUE (organization_id, id),"
    " ADD CONSTRAINT stripe_accounts_account_check CHECK (account ~ '^acct_[A-Za-z0-9_]+$'),"
    " ADD CONSTRAINT stripe_accounts_current_check CHECK (secret_key IS NOT NULL OR NOT current)",
    "CREATE UNIQUE INDEX stripe_accounts_current ON stripe_accounts (organization_id) WHERE current",
    "CREATE INDEX attempts_twins ON attempts (stripe_account, live, stripe_id)"
    " WHERE operation IN ('CREATE_CUSTOMER', 'CREATE_PRODUCT')",
    audited(
        "stripe_accounts",
        "StripeAccount",
        redacted=("secret_key", "webhook_secrets"),
        ignored=("version", "refused_at"),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0028_key_generations")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="StripeAccount",
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
                ("account", fields.CharField(description="Stripe's id of the account: `acct_…`", max_length=255)),
                ("live", fields.BooleanField(description="Whether its keys move real money")),
                (
                    "name",
                    fields.CharField(null=True, description="What the account is called at Stripe", max_length=200),
                ),
                ("current", fields.BooleanField(default=False, description="Whether new sales are paid there")),
                (
                    "secret_key",
                    fields.TextField(null=True, description="Secret or restricted key, sealed", unique=False),
                ),
                (
                    "publishable_key",
                    fields.CharField(
                        null=True, description="`pk_…`, for front ends with their own payment form", max_length=255
                    ),
                ),
                (
                    "webhook_secrets",
                    fields.TextField(
                        null=True,
                        description="What signs its events, sealed: the newest first, two at most, comma-separated",
                        unique=False,
                    ),
                ),
                (
                    "endpoint_id",
                    fields.CharField(null=True, description="The webhook endpoint that we made there", max_length=255),
                ),
                ("version", fields.IntField(default=1, description="Goes up with each change of a key")),
                (
                    "refused_at",
                    fields.DatetimeField(
                        null=True,
                        description="When Stripe refused its key last; null since it took it",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "stripe_accounts",
                "app": "models",
                "unique_together": (("account", "live"),),
                "pk_attr": "id",
                "table_description": "An account and mode of Stripe's that an organization connected.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
