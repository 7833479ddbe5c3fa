"""Opportunities, what came of them, and the quotes that are for them."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.fields import CurrencyField
from models.opportunity import OpportunityStage

TABLES = ("opportunities", "opportunity_moves")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("opportunities", "client_id", "clients"),
    ("opportunities", "owner_id", "memberships"),
    ("opportunities", "product_id", "products"),
    ("opportunities", "order_id", "orders"),
    ("opportunity_moves", "opportunity_id", "opportunities"),
    ("opportunity_moves", "author_id", "memberships"),
    ("quotes", "opportunity_id", "opportunities"),
)

STAGES = "('LEAD', 'QUALIFIED', 'PROPOSAL', 'NEGOTIATION', 'WON', 'LOST')"

CONFLICTS = (
    "'AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE',"
    " 'REFUND_FAILED', 'INVOICE_INCOMPLETE', 'DISPUTE_LOST', 'SLOT_LOST', 'REFUND_DUE', 'OPPORTUNITY_LOST'"
)

CHECKS = (
    ("opportunities", "stage", f"stage IN {STAGES}"),
    ("opportunities", "amount", "amount_cents > 0"),
    ("opportunities", "deposit", "deposit_cents = 0 OR deposit_cents > 0 AND deposit_cents < amount_cents"),
    ("opportunities", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("opportunities", "vat_rate", "vat_rate BETWEEN 0 AND 10000"),
    ("opportunities", "probability", "probability BETWEEN 0 AND 100"),
    ("opportunities", "won", "(stage = 'WON') = (won_at IS NOT NULL)"),
    (
        "opportunities",
        "lost",
        "(stage = 'LOST') = (lost_at IS NOT NULL) AND num_nonnulls(lost_at, lost_reason) IN (0, 2)",
    ),
    ("opportunity_moves", "from_stage", f"from_stage IN {STAGES}"),
    ("opportunity_moves", "to_stage", f"to_stage IN {STAGES}"),
    ("opportunity_moves", "stages", "from_stage <> to_stage"),
    ("opportunity_moves", "reason", "(to_stage = 'LOST') = (reason IS NOT NULL)"),
)

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
    *(f"ALTER TABLE {table} ADD CONSTRAINT {table}_{name}_check CHECK ({check})" for table, name, check in CHECKS),
    f"ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check,"
    f" ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ({CONFLICTS}))",
    "ALTER TABLE orders DROP CONSTRAINT orders_kind_check, ADD CONSTRAINT orders_kind_check"
    " CHECK (kind IN ('PRODUCTS', 'SUBSCRIPTION', 'BOOKING', 'BILAN', 'OPPORTUNITY'))",
    "CREATE INDEX opportunities_board ON opportunities (organization_id, stage, id)",
    "CREATE INDEX opportunities_of_client ON opportunities (client_id, id)",
    "CREATE INDEX opportunities_of_owner ON opportunities (owner_id, id)",
    "CREATE INDEX opportunities_product_id_index ON opportunities (product_id)",
    "CREATE UNIQUE INDEX opportunities_once ON opportunities (organization_id, order_id)",
    "CREATE INDEX opportunities_order_id_index ON opportunities (order_id)",
    "CREATE INDEX opportunity_moves_of_opportunity ON opportunity_moves (opportunity_id, id)",
    "CREATE INDEX opportunity_moves_author_id_index ON opportunity_moves (author_id)",
    "CREATE INDEX quotes_opportunity_id_index ON quotes (opportunity_id)",
    audited("opportunities", "Opportunity", ignored=("title", "description", "lost_reason")),
    audited("opportunity_moves", "OpportunityMove", ignored=("reason",)),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0042_client_search")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Opportunity",
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
                        description="Who may buy",
                        db_constraint=False,
                        to_field="id",
                        related_name="opportunities",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "title",
                    fields.CharField(
                        description="What it is, in a line; once won, the client reads it", max_length=200
                    ),
                ),
                (
                    "description",
                    fields.CharField(null=True, description="More of it; the client does not read it", max_length=2000),
                ),
                (
                    "stage",
                    fields.CharEnumField(
                        default=OpportunityStage.LEAD,
                        description="How far it has come",
                        enum_type=OpportunityStage,
                        max_length=20,
                    ),
                ),
                (
                    "amount_cents",
                    fields.IntField(null=True, description="What it comes to, TTC, in minor units; null until known"),
                ),
                (
                    "deposit_cents",
                    fields.IntField(default=0, description="To be paid first, TTC, in minor units; 0 for no deposit"),
                ),
                ("currency", CurrencyField(default="EUR", description="Currency of every amount", max_length=3)),
                (
                    "vat_rate",
                    fields.IntField(default=2000, description="VAT rate in hundredths of a percent: 2000 is 20 %"),
                ),
                (
                    "probability",
                    fields.IntField(default=50, description="How likely it is to be won, in percent, 0 to 100"),
                ),
                ("expected_on", fields.DateField(null=True, description="The day by which it should be decided")),
                (
                    "owner",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="owner_id",
                        null=True,
                        description="Who sees to it",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "won_at",
                    fields.DatetimeField(null=True, description="When it was won", auto_now=False, auto_now_add=False),
                ),
                (
                    "lost_at",
                    fields.DatetimeField(null=True, description="When it was lost", auto_now=False, auto_now_add=False),
                ),
                ("lost_reason", fields.CharField(null=True, description="Why it was lost", max_length=500)),
                (
                    "product",
                    fields.ForeignKeyField(
                        "models.Product",
                        source_field="product_id",
                        null=True,
                        description="What stands for it on orders",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        null=True,
                        description="The order by which it is paid",
                        db_constraint=False,
                        to_field="id",
                        related_name="opportunities",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "opportunities",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Something that a client may buy, at an amount TTC that is known sooner or later.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="OpportunityMove",
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
                    "opportunity",
                    fields.ForeignKeyField(
                        "models.Opportunity",
                        source_field="opportunity_id",
                        description="The opportunity",
                        db_constraint=False,
                        to_field="id",
                        related_name="moves",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "author",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="author_id",
                        null=True,
                        description="Who moved it; null for the client, and for a key",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "from_stage",
                    fields.CharEnumField(
                        null=True,
                        description="Where it stood before; null at its beginning",
                        enum_type=OpportunityStage,
                        max_length=20,
                    ),
                ),
                (
                    "to_stage",
                    fields.CharEnumField(
                        description="Where it stands since", enum_type=OpportunityStage, max_length=20
                    ),
                ),
                ("reason", fields.CharField(null=True, description="Why it was lost", max_length=500)),
            ],
            options={
                "table": "opportunity_moves",
                "app": "models",
                "pk_attr": "id",
                "table_description": "That an opportunity came from one stage to another, who moved it, and when.",
            },
            bases=["Owned"],
        ),
        ops.AddField(
            model_name="Quote",
            name="opportunity",
            field=fields.ForeignKeyField(
                "models.Opportunity",
                source_field="opportunity_id",
                null=True,
                description="The opportunity that it is for",
                db_constraint=False,
                to_field="id",
                related_name="quotes",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
