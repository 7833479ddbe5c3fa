"""What the ORM does not carry to PostgreSQL: tenant-safe foreign keys and their indexes, checks, unique rules.

The foreign keys that it did make (`db_constraint=False` is not honoured in migrations) give way to ours.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

OWNED = (
    "memberships", "clients", "products", "product_partners", "accesses", "orders", "order_lines", "conflicts",
    "attempts", "payments", "invoice_series", "invoices", "partners", "notifications", "notification_attempts",
    "secret_openings",
)  # fmt: skip

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("product_partners", "product_id", "products"),
    ("product_partners", "partner_id", "partners"),
    ("accesses", "client_id", "clients"),
    ("accesses", "product_id", "products"),
    ("accesses", "order_id", "orders"),
    ("orders", "client_id", "clients"),
    ("order_lines", "order_id", "orders"),
    ("order_lines", "product_id", "products"),
    ("conflicts", "order_id", "orders"),
    ("attempts", "order_id", "orders"),
    ("attempts", "client_id", "clients"),
    ("attempts", "product_id", "products"),
    ("payments", "order_id", "orders"),
    ("invoices", "order_id", "orders"),
    ("invoices", "partner_id", "partners"),
    ("invoices", "series_id", "invoice_series"),
    ("notifications", "partner_id", "partners"),
    ("notifications", "order_id", "orders"),
    ("notifications", "invoice_id", "invoices"),
    ("notification_attempts", "notification_id", "notifications"),
)

# (table, column, target): the target is nobody's, or the source may be.
ACROSS = (
    ("memberships", "user_id", "users"),
    ("outbox", "organization_id", "organizations"),
    ("outbox", "after_id", "outbox"),
)

ENUMS = (
    ("organizations", "vat_regime", "STANDARD FRANCHISE EXEMPT_TRAINING"),
    ("memberships", "role", "OWNER ADMIN CONSULTANT ACCOUNTANT BENEFICIARY"),
    ("orders", "kind", "PRODUCTS"),
    ("orders", "status", "OPEN PAID CANCELED"),
    ("conflicts", "kind", "AMOUNT_MISMATCH DUPLICATE_PAYMENT CANCELED_ORDER_PAID REACTION_FAILED"),
    ("attempts", "operation", "CREATE_CUSTOMER CREATE_PRODUCT CHECKOUT"),
    ("attempts", "status", "PENDING OPEN COMPLETED EXPIRED FAILED"),
    ("payments", "method", "STRIPE PAYPAL TRANSFER CHEQUE CASH CPF"),
    ("payments", "status", "SUCCEEDED FAILED"),
    ("invoices", "type", "INVOICE"),
    ("notifications", "status", "PENDING DELIVERED FAILED"),
    ("outbox", "lane", "EVENTS RENDER MAIL DELIVER SYNC"),
)

CHECKS = (
    ("organizations", "slug", "slug ~ '^[a-z0-9][a-z0-9-]*$'"),
    ("organizations", "siren", "siren ~ '^[0-9]{9}$'"),
    ("organizations", "siret", "siret ~ '^[0-9]{14}$'"),
    ("organizations", "invoice_prefix", "invoice_prefix ~ '^[A-Z0-9]{2,10}$'"),
    ("partners", "slug", "slug ~ '^[a-z0-9][a-z0-9-]*$'"),
    ("organizations", "brand_color", "brand_color ~ '^#[0-9a-fA-F]{6}$'"),
    ("partners", "brand_color", "brand_color ~ '^#[0-9a-fA-F]{6}$'"),
    ("users", "email", "email = lower(email)"),
    ("clients", "email", "email = lower(email)"),
    ("products", "price", "price_cents BETWEEN 0 AND 99999999"),
    ("products", "vat_rate", "vat_rate BETWEEN 0 AND 10000"),
    ("products", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("orders", "number", "number > 0"),
    ("orders", "total", "total_cents BETWEEN 0 AND 99999999"),
    ("orders", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("orders", "paid", "(status = 'PAID') = (paid_at IS NOT NULL AND event_id IS NOT NULL)"),
    ("order_lines", "quantity", "quantity BETWEEN 1 AND 9999"),
    ("order_lines", "total", "unit_price_cents >= 0 AND total_cents = quantity * unit_price_cents"),
    ("order_lines", "vat_rate", "vat_rate BETWEEN 0 AND 10000"),
    ("attempts", "subject", "num_nonnulls(order_id, client_id, product_id) = 1"),
    ("attempts", "number", "number > 0"),
    ("payments", "amount", "amount_cents > 0"),
    ("payments", "paid", "(status = 'SUCCEEDED') = (paid_at IS NOT NULL)"),
    ("invoice_series", "last_number", "last_number >= 0"),
    ("invoices", "total", "total_cents = net_cents + vat_cents AND net_cents >= 0 AND vat_cents >= 0"),
    ("invoices", "sequence", "sequence > 0"),
    ("invoices", "file", "num_nonnulls(file_key, file_sha256, rendered_at) IN (0, 3)"),
    ("notifications", "delivered", "(status = 'DELIVERED') = (delivered_at IS NOT NULL)"),
    ("notifications", "attempts_left", "attempts_left >= 0"),
    ("outbox", "ended", "done_at IS NULL OR given_up_at IS NULL"),
    ("outbox", "waits", "due_at IS NOT NULL OR after_id IS NOT NULL"),
)

INDEXES = (
    "CREATE UNIQUE INDEX clients_email ON clients (organization_id, email)",
    "CREATE UNIQUE INDEX partners_slug ON partners (organization_id, slug)",
    "CREATE UNIQUE INDEX attempts_order_number ON attempts (order_id, operation, number)",
    "CREATE UNIQUE INDEX attempts_client_number ON attempts (client_id, operation, number)",
    "CREATE UNIQUE INDEX attempts_product_number ON attempts (product_id, operation, number)",
    "CREATE UNIQUE INDEX attempts_granted ON attempts (stripe_account, live, stripe_id) WHERE operation = 'CHECKOUT'",
    "CREATE UNIQUE INDEX payments_stripe ON payments (stripe_account, live, stripe_id)",
    "CREATE UNIQUE INDEX invoices_number ON invoices (organization_id, stripe_account, live, number)",
    "CREATE INDEX outbox_due ON outbox (lane, due_at) WHERE done_at IS NULL AND given_up_at IS NULL",
    "CREATE INDEX outbox_token ON outbox (token) WHERE token IS NOT NULL",
    "CREATE UNIQUE INDEX invoices_brand ON invoices (order_id, partner_id) WHERE type = 'INVOICE'",
    "CREATE UNIQUE INDEX invoices_own_brand ON invoices (order_id) WHERE type = 'INVOICE' AND partner_id IS NULL",
    "CREATE INDEX outbox_subject ON outbox (subject_id)",
    "CREATE INDEX secret_openings_row ON secret_openings (row_id)",
)


def tenant(table: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey, ADD CONSTRAINT {table}_organization"
        " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
        f" ADD CONSTRAINT {table}_tenant UNIQUE (organization_id, id)"
    )


def within_tenant(table: str, column: str, target: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_fkey, ADD CONSTRAINT {table}_{column}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {target} (organization_id, id)"
    )


def across(table: str, column: str, target: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_fkey, ADD CONSTRAINT {table}_{column}"
        f" FOREIGN KEY ({column}) REFERENCES {target} (id)"
    )


def index(table: str, column: str) -> str:
    return f"CREATE INDEX {table}_{column}_index ON {table} ({column})"


def check(table: str, name: str, rule: str) -> str:
    return f"ALTER TABLE {table} ADD CONSTRAINT {table}_{name}_check CHECK ({rule})"


def one_of(table: str, column: str, values: str) -> str:
    return check(table, column, f"{column} IN ({', '.join(repr(value) for value in values.split())})")


class Migration(migrations.Migration):
    dependencies = [("models", "0001_tables")]
    initial = False

    operations = [
        ops.RunSQL(
            [
                *(tenant(table) for table in OWNED),
                *(within_tenant(*key) for key in WITHIN_TENANT),
                *(across(*key) for key in ACROSS),
                *(index(table, column) for table, column, _ in (*WITHIN_TENANT, *ACROSS)),
                *(one_of(*enum) for enum in ENUMS),
                *(check(*rule) for rule in CHECKS),
                *INDEXES,
            ]
        )
    ]
