"""Money that goes back: refunds, disputes, and what orders know of both."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.fields import CurrencyField
from models.payment import PaymentMethod
from models.states import DisputeStatus, RefundStatus

METHODS = "'STRIPE', 'PAYPAL', 'TRANSFER', 'CHEQUE', 'CASH', 'CPF'"
OPERATIONS = (
    "'CREATE_CUSTOMER', 'CREATE_PRODUCT', 'CREATE_PRICE', 'CREATE_COUPON', 'CHECKOUT', 'PAYMENT_INTENT', 'REFUND'"
)
CONFLICTS = (
    "'AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE',"
    " 'REFUND_FAILED', 'DISPUTE_LOST'"
)


def _of_payment(table: str) -> list[str]:
    """A table about payments of orders."""
    return [
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey, DROP CONSTRAINT {table}_order_id_fkey,"
        f" DROP CONSTRAINT {table}_payment_id_fkey,"
        f" ADD CONSTRAINT {table}_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
        f" ADD CONSTRAINT {table}_order_id"
        " FOREIGN KEY (organization_id, order_id) REFERENCES orders (organization_id, id),"
        f" ADD CONSTRAINT {table}_payment_id"
        " FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id),"
        f" ADD CONSTRAINT {table}_tenant UNIQUE (organization_id, id),"
        f" ADD CONSTRAINT {table}_amount_check CHECK (amount_cents > 0),"
        f" ADD CONSTRAINT {table}_currency_check CHECK (currency ~ '^[A-Z]{{3}}$')",
        f"CREATE INDEX {table}_of_order ON {table} (order_id, id)",
        f"CREATE INDEX {table}_of_payment ON {table} (payment_id, id)",
        f"CREATE INDEX {table}_by_status ON {table} (organization_id, status, id)",
        f"CREATE TRIGGER {table}_of_order AFTER INSERT OR UPDATE ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION note_change_of_order()",
    ]


RULES = [
    *_of_payment("refunds"),
    *_of_payment("disputes"),
    "ALTER TABLE refunds DROP CONSTRAINT refunds_attempt_id_fkey, DROP CONSTRAINT refunds_requested_by_id_fkey,"
    " ADD CONSTRAINT refunds_attempt_id"
    " FOREIGN KEY (organization_id, attempt_id) REFERENCES attempts (organization_id, id),"
    " ADD CONSTRAINT refunds_requested_by_id"
    " FOREIGN KEY (organization_id, requested_by_id) REFERENCES memberships (organization_id, id),"
    " ADD CONSTRAINT refunds_status_check CHECK (status IN ('PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED')),"
    f" ADD CONSTRAINT refunds_method_check CHECK (method IN ({METHODS})),"
    " ADD CONSTRAINT refunds_refunded_check CHECK (status <> 'SUCCEEDED' OR refunded_at IS NOT NULL)",
    "CREATE INDEX refunds_attempt_id_index ON refunds (attempt_id)",
    "CREATE INDEX refunds_requested_by_id_index ON refunds (requested_by_id)",
    "CREATE UNIQUE INDEX refunds_stripe ON refunds (stripe_account, live, stripe_id)",
    "ALTER TABLE disputes ADD CONSTRAINT disputes_status_check CHECK (status IN ('OPEN', 'WON', 'LOST')),"
    " ADD CONSTRAINT disputes_closed_check CHECK ((status = 'OPEN') = (closed_at IS NULL))",
    "ALTER TABLE invoices DROP CONSTRAINT invoices_refund_id_fkey, ADD CONSTRAINT invoices_refund_id"
    " FOREIGN KEY (organization_id, refund_id) REFERENCES refunds (organization_id, id),"
    " ADD CONSTRAINT invoices_refund_check CHECK (refund_id IS NULL OR type = 'CREDIT_NOTE')",
    "CREATE INDEX invoices_of_refund ON invoices (refund_id, id)",
    f"ALTER TABLE attempts DROP CONSTRAINT attempts_operation_check,"
    f" ADD CONSTRAINT attempts_operation_check CHECK (operation IN ({OPERATIONS}))",
    f"ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check,"
    f" ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ({CONFLICTS}))",
    "ALTER TABLE orders DROP COLUMN balance_cents",
    "ALTER TABLE orders ADD COLUMN balance_cents int NOT NULL"
    " GENERATED ALWAYS AS (total_cents - waived_cents - paid_cents) STORED",
    "CREATE INDEX orders_by_balance_cents ON orders (organization_id, balance_cents, id)",
    "ALTER TABLE orders DROP CONSTRAINT orders_status_check, DROP CONSTRAINT orders_paid_check,"
    " DROP CONSTRAINT orders_balance_check,"
    " ADD CONSTRAINT orders_status_check CHECK (status IN ('OPEN', 'PAID', 'REFUNDED', 'CANCELED')),"
    " ADD CONSTRAINT orders_balance_check CHECK (paid_cents >= 0 AND waived_cents >= 0"
    " AND waived_cents + paid_cents <= total_cents"
    " AND (status NOT IN ('PAID', 'REFUNDED') OR waived_cents + paid_cents = total_cents)),"
    " ADD CONSTRAINT orders_paid_check"
    " CHECK ((status IN ('PAID', 'REFUNDED')) = (paid_at IS NOT NULL AND event_id IS NOT NULL)),"
    " ADD CONSTRAINT orders_refunded_check CHECK (refunded_cents >= 0 AND charged_back_cents >= 0"
    " AND refunded_cents + charged_back_cents <= paid_cents"
    " AND (status <> 'REFUNDED' OR refunded_cents + charged_back_cents = paid_cents)),"
    " ADD CONSTRAINT orders_credited_check CHECK (credited_cents >= 0"
    " AND written_off_cents BETWEEN 0 AND charged_back_cents"
    " AND waived_cents + credited_cents + written_off_cents <= total_cents)",
    # Given back, or back again, is told as a change.
    "DROP TRIGGER orders_paid ON orders",
    "DROP TRIGGER orders_changed ON orders",
    "CREATE TRIGGER orders_paid AFTER UPDATE ON orders FOR EACH ROW"
    " WHEN (OLD.status = 'OPEN' AND NEW.status = 'PAID') EXECUTE FUNCTION note_change('PAID')",
    "CREATE TRIGGER orders_changed AFTER UPDATE ON orders FOR EACH ROW"
    " WHEN (OLD IS DISTINCT FROM NEW AND (OLD.status = NEW.status OR 'REFUNDED' IN (OLD.status, NEW.status)))"
    " EXECUTE FUNCTION note_change('CHANGED')",
    audited("refunds", "Refund"),
    audited("disputes", "Dispute"),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0023_exports")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Dispute",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "created_at",
                    fields.DatetimeField(
                        description="When it was made",
                        auto_now=False,
                        auto_now_add=True,
                    ),
                ),
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
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        description="The order whose money it is",
                        db_constraint=False,
                        to_field="id",
                        related_name="disputes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "payment",
                    fields.ForeignKeyField(
                        "models.Payment",
                        source_field="payment_id",
                        description="The payment disputed",
                        db_constraint=False,
                        to_field="id",
                        related_name="disputes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=DisputeStatus.OPEN,
                        description="What came of it",
                        enum_type=DisputeStatus,
                        max_length=20,
                    ),
                ),
                ("amount_cents", fields.IntField(description="How much is asked back, in minor units")),
                ("currency", CurrencyField(description="Currency of the amount", max_length=3)),
                (
                    "reason",
                    fields.CharField(
                        description="Why, in Stripe's word: `fraudulent`",
                        max_length=100,
                    ),
                ),
                ("stripe_account", fields.CharField(description="Stripe account that was paid", max_length=255)),
                ("live", fields.BooleanField(description="Whether real money is asked for")),
                ("stripe_id", fields.CharField(description="Stripe's dispute", max_length=255)),
                (
                    "opened_at",
                    fields.DatetimeField(
                        description="When the bank asked",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "evidence_due_at",
                    fields.DatetimeField(
                        null=True,
                        description="Until when it can be answered, at Stripe",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "closed_at",
                    fields.DatetimeField(
                        null=True,
                        description="When the bank had decided",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "disputes",
                "app": "models",
                "unique_together": (("stripe_account", "live", "stripe_id"),),
                "pk_attr": "id",
                "table_description": "A client's bank asks for the money of a payment back.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Refund",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                (
                    "created_at",
                    fields.DatetimeField(
                        description="When it was made",
                        auto_now=False,
                        auto_now_add=True,
                    ),
                ),
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
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        description="The order whose money it was",
                        db_constraint=False,
                        to_field="id",
                        related_name="refunds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "payment",
                    fields.ForeignKeyField(
                        "models.Payment",
                        source_field="payment_id",
                        description="The payment given back, whole or in part",
                        db_constraint=False,
                        to_field="id",
                        related_name="refunds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "attempt",
                    fields.ForeignKeyField(
                        "models.Attempt",
                        source_field="attempt_id",
                        null=True,
                        description="How we asked Stripe for it",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=RefundStatus.PENDING,
                        description="What came of it",
                        enum_type=RefundStatus,
                        max_length=20,
                    ),
                ),
                (
                    "method",
                    fields.CharEnumField(
                        description="How it goes back",
                        enum_type=PaymentMethod,
                        max_length=20,
                    ),
                ),
                ("amount_cents", fields.IntField(description="Amount in minor units, more than 0")),
                (
                    "currency",
                    CurrencyField(
                        description="Currency of the amount, the payment's",
                        max_length=3,
                    ),
                ),
                (
                    "reason",
                    fields.CharField(
                        null=True,
                        description="Why, as the credit note says it",
                        max_length=500,
                    ),
                ),
                ("stripe_account", fields.CharField(description="Stripe account that was paid", max_length=255)),
                ("live", fields.BooleanField(description="Whether real money moves")),
                ("stripe_id", fields.CharField(null=True, description="Stripe's refund", max_length=255)),
                (
                    "event_id",
                    fields.CharField(
                        null=True,
                        description="What told that it went back: Stripe's event, or ours",
                        max_length=255,
                    ),
                ),
                (
                    "reference",
                    fields.CharField(
                        null=True,
                        description="What the bank says of it, where it was by hand",
                        max_length=200,
                    ),
                ),
                (
                    "requested_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="requested_by_id",
                        null=True,
                        description="Who asked for it; null for Stripe's dashboard",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "refunded_at",
                    fields.DatetimeField(
                        null=True,
                        description="When the money went back",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "failure_reason",
                    fields.CharField(
                        null=True,
                        description="Why it failed, in Stripe's word",
                        max_length=200,
                    ),
                ),
            ],
            options={
                "table": "refunds",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Money of one payment given back, by Stripe or by hand.",
            },
            bases=["Owned"],
        ),
        ops.AddField(
            model_name="Invoice",
            name="refund",
            field=fields.ForeignKeyField(
                "models.Refund",
                source_field="refund_id",
                null=True,
                description="The refund that it is for, where money went back",
                db_constraint=False,
                to_field="id",
                related_name="credit_notes",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AlterField(
            model_name="Order",
            name="paid_cents",
            field=fields.IntField(
                default=0,
                description="Paid so far, in minor units, what went back since included",
            ),
        ),
        ops.AddField(
            model_name="Order",
            name="charged_back_cents",
            field=fields.IntField(
                default=0,
                description="Taken back by banks in disputes that were lost, in minor units",
            ),
        ),
        ops.AddField(
            model_name="Order",
            name="credited_cents",
            field=fields.IntField(
                default=0,
                description="Taken off by credit notes for money that went back, or is to, in minor units",
            ),
        ),
        ops.AddField(
            model_name="Order",
            name="refunded_cents",
            field=fields.IntField(
                default=0,
                description="Given back of what counts, in minor units",
            ),
        ),
        ops.AddField(
            model_name="Order",
            name="waived_cents",
            field=fields.IntField(
                default=0,
                description="Taken off by credit notes before it was paid, in minor units: less is due",
            ),
        ),
        ops.AddField(
            model_name="Order",
            name="written_off_cents",
            field=fields.IntField(
                default=0,
                description="Of what banks took back: given up by credit notes, in minor units",
            ),
        ),
        ops.AddField(
            model_name="Organization",
            name="suspend_disputed",
            field=fields.BooleanField(
                default=False,
                description="Whether access is withdrawn while a payment is disputed, until that is won",
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
