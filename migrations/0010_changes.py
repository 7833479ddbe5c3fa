"""What happened to orders, invoices and notifications, and to rights: written by the database in the transaction that
does it, so that nothing is forgotten. Read by `services/changes.py`; no model, since its rows are nobody else's.
"""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = [
    # No foreign key: a log says what was, and is emptied by a clock.
    """
    CREATE TABLE changes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        organization_id uuid,
        subject text NOT NULL,
        row_id uuid NOT NULL,
        happened text NOT NULL
    )
    """,
    "CREATE INDEX changes_position ON changes (transaction, id)",
    "CREATE INDEX changes_topic ON changes (organization_id, subject, transaction, id)",
    "CREATE INDEX changes_at ON changes USING brin (at)",
    """
    CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES (NEW.organization_id, TG_TABLE_NAME, NEW.id, TG_ARGV[0]);
        RETURN NULL;
    END $$
    """,
    # Of what belongs to an order.
    """
    CREATE FUNCTION note_change_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES (NEW.organization_id, 'orders', NEW.order_id, 'CHANGED');
        RETURN NULL;
    END $$
    """,
    # Somebody may do more or less than before; of a table without organizations, anybody.
    """
    CREATE FUNCTION note_rights() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES ((to_jsonb(NEW) ->> 'organization_id')::uuid, 'rights', NEW.id, 'CHANGED');
        RETURN NULL;
    END $$
    """,
]

# (table, what happened, when an UPDATE is that)
UPDATES = [
    ("orders", "PAID", "OLD.status <> NEW.status AND NEW.status = 'PAID'"),
    ("orders", "CANCELED", "OLD.status <> NEW.status AND NEW.status = 'CANCELED'"),
    ("orders", "CHANGED", "OLD.status = NEW.status AND OLD IS DISTINCT FROM NEW"),
    ("invoices", "READY", "OLD.file_key IS NULL AND NEW.file_key IS NOT NULL"),
    ("invoices", "SENT", "OLD.emailed_at IS NULL AND NEW.emailed_at IS NOT NULL"),
    ("invoices", "SETTLED", "OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL"),
    (
        "invoices", "CHANGED",
        "OLD IS DISTINCT FROM NEW AND (OLD.file_key IS NULL) = (NEW.file_key IS NULL)"
        " AND (OLD.emailed_at IS NULL) = (NEW.emailed_at IS NULL)"
        " AND (OLD.settled_at IS NULL) = (NEW.settled_at IS NULL)",
    ),
    ("notifications", "DELIVERED", "OLD.status <> NEW.status AND NEW.status = 'DELIVERED'"),
    ("notifications", "FAILED", "OLD.status <> NEW.status AND NEW.status = 'FAILED'"),
    (
        "notifications", "CHANGED",
        "OLD IS DISTINCT FROM NEW AND (OLD.status = NEW.status OR NEW.status = 'PENDING')",
    ),
]  # fmt: skip

TRIGGERS = [
    *(
        f"CREATE TRIGGER {table}_created AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION note_change('CREATED')"
        for table in ("orders", "invoices", "notifications")
    ),
    *(
        f"CREATE TRIGGER {table}_{happened.lower()} AFTER UPDATE ON {table} FOR EACH ROW WHEN ({when})"
        f" EXECUTE FUNCTION note_change('{happened}')"
        for table, happened, when in UPDATES
    ),
    *(
        f"CREATE TRIGGER {table}_of_order AFTER INSERT OR UPDATE ON {table} FOR EACH ROW"
        " WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION note_change_of_order()"
        for table in ("payments", "conflicts")
    ),
    *(
        f"CREATE TRIGGER {table}_rights AFTER UPDATE OF {columns} ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION note_rights()"
        for table, columns in (
            ("memberships", "active, role"),
            ("sessions", "ended_at"),
            ("api_keys", "revoked_at, expires_at, scopes"),
            ("publishable_keys", "revoked_at, origins"),
            ("partner_keys", "revoked_at, expires_at"),
        )
    ),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0009_api_keys")]
    initial = False

    operations: list[Any] = [ops.RunSQL([*TABLE, *TRIGGERS], [])]
