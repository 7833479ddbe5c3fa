"""Who looks after a client and who they are; whether an attempt was accepted; the indexes of pages."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("clients", "consultant_id", "memberships"),
    ("clients", "member_id", "memberships"),
)

# A page is read in the order of an index: the tenant, the column it is sorted by, the id where the column repeats.
# By id alone, the tenant's unique (organization_id, id) serves; by an order's number or an address, their own unique.
SORTED_BY = (
    ("orders", "total_cents"),
    ("products", "name"),
    ("products", "price_cents"),
    ("invoices", "number"),
    ("invoices", "issued_at"),
    ("invoices", "total_cents"),
    ("partners", "name"),
)

# Pages of what waits for somebody, newest first: few among many.
BY_STATUS = ("orders", "notifications")

# Pages of what belongs to one row, newest first.
BELONGING_TO = (
    ("clients", "consultant_id"),
    ("orders", "client_id"),
    ("invoices", "order_id"),
    ("invoices", "partner_id"),
    ("notifications", "order_id"),
    ("notifications", "partner_id"),
)

# Indexes of one column with which a longer one begins: those above, or a unique rule.
SUPERFLUOUS = (
    "orders_client_id_index", "invoices_order_id_index", "invoices_partner_id_index", "invoices_series_id_index",
    "notifications_order_id_index", "notifications_partner_id_index", "notification_attempts_notification_id_index",
    "order_lines_order_id_index", "conflicts_order_id_index", "accesses_client_id_index",
    "product_partners_product_id_index", "attempts_order_id_index", "attempts_client_id_index",
    "attempts_product_id_index",
)  # fmt: skip

ACCEPTED = "boolean NOT NULL GENERATED ALWAYS AS (coalesce(status_code BETWEEN 200 AND 299, false)) STORED"


def column(table: str, name: str, type: str) -> str:
    return f"ALTER TABLE {table} ADD COLUMN {name} {type}"


def within_tenant(table: str, column: str, target: str) -> str:
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {target} (organization_id, id)"
    )


def sorted_by(table: str, column: str) -> str:
    return f"CREATE INDEX {table}_by_{column} ON {table} (organization_id, {column}, id)"


def belonging_to(table: str, column: str) -> str:
    return f"CREATE INDEX {table}_of_{column.removesuffix('_id')} ON {table} ({column}, id)"


class Known(ops.AddField):
    """A column that the SQL below makes, told to the ORM: left to itself, it adds a constraint that we cannot use."""

    async def database_forward(self, *state: Any, **editor: Any) -> None:
        pass

    async def database_backward(self, *state: Any, **editor: Any) -> None:
        pass


def membership(column: str, description: str) -> Any:
    return fields.ForeignKeyField(
        "models.Membership", source_field=column, null=True, description=description, db_constraint=False,
        to_field="id", related_name=False, on_delete=OnDelete.RESTRICT,
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("models", "0002_constraints")]
    initial = False

    operations = [
        Known("Client", "consultant", membership("consultant_id", "Who looks after them")),
        Known(
            "Client",
            "member",
            membership("member_id", "Their own way in: the membership with which they sign in"),
        ),
        Known(
            "NotificationAttempt",
            "accepted",
            fields.BooleanField(generated=True, description="Whether the partner accepted it"),
        ),
        ops.RunSQL(
            [
                *(column(table, name, "uuid") for table, name, _ in WITHIN_TENANT),
                column("notification_attempts", "accepted", ACCEPTED),
                *(within_tenant(*key) for key in WITHIN_TENANT),
                "CREATE UNIQUE INDEX clients_member ON clients (member_id)",
                *(sorted_by(*page) for page in SORTED_BY),
                *(sorted_by(table, "status") for table in BY_STATUS),
                *(belonging_to(*page) for page in BELONGING_TO),
                *(f"DROP INDEX {name}" for name in SUPERFLUOUS),
            ]
        ),
    ]
