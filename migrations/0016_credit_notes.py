"""Credit notes, accesses of which each order grants its own, and what partners ask to be told."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint

from migrations._known import Known
from models.product import AccessWithdrawal

RULES = [
    # Credit notes
    "ALTER TABLE invoices DROP CONSTRAINT invoices_corrects_id_fkey, DROP CONSTRAINT invoices_type_check,"
    " ADD CONSTRAINT invoices_type_check CHECK (type IN ('INVOICE', 'PREPAYMENT', 'CREDIT_NOTE')),"
    " ADD CONSTRAINT invoices_corrects_id"
    " FOREIGN KEY (organization_id, corrects_id) REFERENCES invoices (organization_id, id),"
    " ADD CONSTRAINT invoices_corrects_check CHECK ((type = 'CREDIT_NOTE') = (corrects_id IS NOT NULL)),"
    " ADD CONSTRAINT invoices_credited_check CHECK (credited_cents BETWEEN 0 AND total_cents),"
    " ADD CONSTRAINT invoices_credit_of_credit_check CHECK (type <> 'CREDIT_NOTE' OR credited_cents = 0)",
    "CREATE INDEX invoices_of_corrects ON invoices (corrects_id, id)",
    # Accesses: one of each order
    "ALTER TABLE accesses ADD COLUMN starts_at timestamptz",
    "UPDATE accesses SET starts_at = created_at",
    "ALTER TABLE accesses ALTER COLUMN starts_at SET NOT NULL,"
    " ADD CONSTRAINT accesses_ends_check CHECK (ends_at > starts_at),"
    " ADD CONSTRAINT accesses_withdrawn_reason_check"
    " CHECK (withdrawn_reason IN ('REFUNDED', 'DISPUTED', 'DISPUTE_LOST')),"
    " ADD CONSTRAINT accesses_withdrawn_check CHECK (num_nonnulls(withdrawn_at, withdrawn_reason) IN (0, 2))",
    "DROP INDEX accesses_order_id_index",
    "CREATE INDEX accesses_of_client ON accesses (client_id, id)",
    "CREATE INDEX accesses_of_order ON accesses (order_id, id)",
    """
    INSERT INTO accesses (id, created_at, organization_id, client_id, product_id, order_id, live, starts_at)
    SELECT gen_random_uuid(), o.paid_at, o.organization_id, o.client_id, l.product_id, o.id, o.live, o.paid_at
    FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.status = 'PAID' AND o.kind = 'PRODUCTS'
    GROUP BY o.id, l.product_id ON CONFLICT (order_id, product_id) DO NOTHING
    """,
    # What partners ask to be told
    "ALTER TABLE partners ADD CONSTRAINT partners_events_check CHECK (events ~ '^[a-z_.]+(\\n[a-z_.]+)*$')",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0015_partner_endpoints")]
    initial = False

    operations: list[Any] = [
        ops.RemoveConstraint(
            model_name="Access",
            name=None,
            fields=["client", "product", "live"],
        ),
        ops.AlterModelOptions(
            name="Access",
            options={
                "table": "accesses",
                "app": "models",
                "unique_together": (("order", "product"),),
                "pk_attr": "id",
                "table_description": "What a client may use, from when to when: each order grants its own, and takes"
                " only its own back.",
            },
        ),
        ops.AddField(
            model_name="Access",
            name="ends_at",
            field=fields.DatetimeField(
                null=True,
                description="Until when; null for as long as it is not withdrawn",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        Known(
            model_name="Access",
            name="starts_at",
            field=fields.DatetimeField(description="From when on", auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Access",
            name="withdrawn_at",
            field=fields.DatetimeField(
                null=True, description="When it was withdrawn", auto_now=False, auto_now_add=False
            ),
        ),
        ops.AddField(
            model_name="Access",
            name="withdrawn_reason",
            field=fields.CharEnumField(
                null=True, description="Why it was withdrawn", enum_type=AccessWithdrawal, max_length=20
            ),
        ),
        ops.AddConstraint(
            model_name="Access",
            constraint=UniqueConstraint(fields=("order", "product"), name=None),
        ),
        ops.AlterModelOptions(
            name="Invoice",
            options={
                "table": "invoices",
                "app": "models",
                "unique_together": (("series", "year", "sequence"),),
                "pk_attr": "id",
                "table_description": "What the client owes or paid, fixed at issue; never changed, never deleted: a"
                " credit note corrects it.",
            },
        ),
        ops.AddField(
            model_name="Invoice",
            name="corrects",
            field=fields.ForeignKeyField(
                "models.Invoice",
                source_field="corrects_id",
                null=True,
                description="The invoice that a credit note corrects",
                db_constraint=False,
                to_field="id",
                related_name="credit_notes",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Invoice",
            name="credited_cents",
            field=fields.IntField(default=0, description="Taken off by credit notes, TTC, in minor units"),
        ),
        ops.RemoveConstraint(
            model_name="Notification",
            name=None,
            fields=["partner", "order", "event_type"],
        ),
        ops.AlterField(
            model_name="Notification",
            name="event_type",
            field=fields.CharField(description="What happened: `order.created`, `order.refunded`", max_length=50),
        ),
        ops.AddConstraint(
            model_name="Notification",
            constraint=UniqueConstraint(fields=("partner", "order", "event_type", "event_id"), name=None),
        ),
        ops.AddField(
            model_name="Partner",
            name="events",
            field=fields.TextField(
                default="order.created", description="What it is told, one event a line", unique=False
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
