"""Bookings are paid by orders, expire, and are followed while one looks."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops

CONFLICTS = (
    "'AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE',"
    " 'REFUND_FAILED', 'INVOICE_INCOMPLETE', 'DISPUTE_LOST', 'SLOT_LOST', 'REFUND_DUE'"
)

# (table, what happened, when an UPDATE is that)
UPDATES = (
    ("appointments", "CANCELED", "OLD.status <> NEW.status AND NEW.status = 'CANCELED'"),
    ("appointments", "CHANGED", "OLD IS DISTINCT FROM NEW AND (OLD.status = NEW.status OR NEW.status = 'ACTIVE')"),
    ("bookings", "CANCELED", "OLD.status <> NEW.status AND NEW.status = 'CANCELED'"),
    ("bookings", "CHANGED", "OLD IS DISTINCT FROM NEW AND (OLD.status = NEW.status OR NEW.status <> 'CANCELED')"),
)

RULES = [
    f"ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check,"
    f" ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ({CONFLICTS}))",
    "ALTER TABLE orders DROP CONSTRAINT orders_kind_check,"
    " ADD CONSTRAINT orders_kind_check CHECK (kind IN ('PRODUCTS', 'SUBSCRIPTION', 'BOOKING'))",
    "ALTER TABLE services DROP CONSTRAINT services_product_id_fkey, ADD CONSTRAINT services_product_id"
    " FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id)",
    "CREATE INDEX services_product_id_index ON services (product_id)",
    "ALTER TABLE bookings DROP CONSTRAINT bookings_status_check, ADD CONSTRAINT bookings_status_check"
    " CHECK (status IN ('PENDING', 'CONFIRMED', 'EXPIRED', 'CANCELED', 'COMPLETED', 'NO_SHOW')),"
    " ADD CONSTRAINT bookings_hold_check CHECK (hold_expires_at IS NULL OR status = 'PENDING'),"
    " ADD CONSTRAINT bookings_fee_check CHECK (fee_cents = 0 OR status IN ('CANCELED', 'NO_SHOW'))",
    "DROP INDEX bookings_once",
    "CREATE UNIQUE INDEX bookings_once ON bookings (appointment_id, client_id)"
    " WHERE status NOT IN ('CANCELED', 'EXPIRED')",
    *(
        f"CREATE TRIGGER {table}_created AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION note_change('CREATED')"
        for table in ("appointments", "bookings")
    ),
    *(
        f"CREATE TRIGGER {table}_{happened.lower()} AFTER UPDATE ON {table} FOR EACH ROW WHEN ({when})"
        f" EXECUTE FUNCTION note_change('{happened}')"
        for table, happened, when in UPDATES
    ),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("models", "0031_providers_on")]
    initial = False

    operations: list[Any] = [
        ops.AddField(
            model_name="Service",
            name="product",
            field=fields.ForeignKeyField(
                "models.Product",
                source_field="product_id",
                null=True,
                db_constraint=False,
                related_name=False,
                on_delete=OnDelete.RESTRICT,
                description="What stands for it on orders",
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
