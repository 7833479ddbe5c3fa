"""Quotes (devis): numbered, versioned, changed no more once they were sent."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.fields.data import JSON_DUMPS, JSON_LOADS
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.fields import CurrencyField
from models.quote import QuoteStatus

TABLES = ("quote_series", "quotes", "quote_lines")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("quotes", "series_id", "quote_series"),
    ("quotes", "client_id", "clients"),
    ("quotes", "accepted_by_id", "memberships"),
    ("quotes", "order_id", "orders"),
    ("quote_lines", "quote_id", "quotes"),
    ("quote_lines", "product_id", "products"),
)

STATUSES = "DRAFT SENT ACCEPTED REFUSED EXPIRED SUPERSEDED CANCELED"
SOURCES = "BACK_OFFICE STOREFRONT STRIPE QUOTE"

CHECKS = (
    ("organizations", "quote_days", "quote_days BETWEEN 1 AND 365"),
    ("quote_series", "last_number", "last_number >= 0"),
    ("quotes", "status", f"status IN ({', '.join(map(repr, STATUSES.split()))})"),
    ("quotes", "version", "version > 0"),
    ("quotes", "sequence", "sequence > 0"),
    ("quotes", "numbered", "num_nonnulls(series_id, number, year, sequence) IN (0, 4)"),
    ("quotes", "total", "total_cents = subtotal_cents - discount_cents AND total_cents BETWEEN 1 AND 99999999"),
    ("quotes", "discount", "discount_cents >= 0"),
    ("quotes", "deposit", "deposit_cents >= 0 AND deposit_cents < total_cents"),
    ("quotes", "currency", "currency ~ '^[A-Z]{3}$'"),
    (
        "quotes", "sent",
        "num_nonnulls(sent_at, content, content_sha256, message_id, expires_at) IN (0, 5)"
        " AND (sent_at IS NULL OR (number IS NOT NULL AND valid_until IS NOT NULL))"
        " AND (sent_at IS NOT NULL OR status IN ('DRAFT', 'CANCELED')) AND (sent_at IS NULL OR status <> 'DRAFT')",
    ),
    (
        "quotes", "accepted",
        "num_nonnulls(accepted_at, accepted_name, order_id) IN (0, 3)"
        " AND (order_id IS NOT NULL) = (status = 'ACCEPTED')"
        " AND (accepted_at IS NULL OR accepted_at < expires_at)",
    ),
    ("quotes", "refused", "(refused_at IS NOT NULL) = (status = 'REFUSED')"),
    ("quotes", "ended", "(ended_at IS NOT NULL) = (status IN ('EXPIRED', 'SUPERSEDED', 'CANCELED'))"),
    ("quotes", "file", "num_nonnulls(file_key, file_sha256, rendered_at) IN (0, 3)"),
    ("quote_lines", "quantity", "quantity BETWEEN 1 AND 9999"),
    ("quote_lines", "share", "share_cents BETWEEN 0 AND total_cents"),
    (
        "quote_lines", "total",
        "unit_price_cents >= 0 AND discount_cents >= 0 AND total_cents >= 0"
        " AND total_cents = quantity * unit_price_cents - discount_cents",
    ),
    ("quote_lines", "vat_rate", "vat_rate BETWEEN 0 AND 10000"),
)  # fmt: skip

INDEXES = (
    # Of a number one version is being written, and one is good, at most; an order comes of one quote.
    "CREATE UNIQUE INDEX quotes_draft ON quotes (series_id, year, sequence) WHERE status = 'DRAFT'",
    "CREATE UNIQUE INDEX quotes_good ON quotes (series_id, year, sequence) WHERE status IN ('SENT', 'ACCEPTED')",
    "CREATE UNIQUE INDEX quotes_order_id_index ON quotes (order_id, organization_id)",
    "CREATE INDEX quotes_client_id_page ON quotes (client_id, id)",
    "CREATE INDEX quotes_total_cents_page ON quotes (organization_id, total_cents, id)",
    "CREATE INDEX quotes_accepted_by_id_index ON quotes (accepted_by_id)",
    "CREATE INDEX quote_lines_product_id_index ON quote_lines (product_id)",
)

# What a client was sent stands, whoever asks: another version takes its place.
STANDS = (
    """
    CREATE FUNCTION quote_stands() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a quote that was sent is not changed' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    "CREATE TRIGGER quotes_stand AFTER UPDATE OF series_id, number, year, sequence, version, client_id, currency,"
    " subtotal_cents, discount_cents, discount_reason, total_cents, deposit_cents, live, note, valid_until, expires_at,"
    " content, content_sha256, message_id, sent_at ON quotes FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL AND"
    " (OLD.series_id, OLD.number, OLD.year, OLD.sequence, OLD.version, OLD.client_id, OLD.currency,"
    " OLD.subtotal_cents, OLD.discount_cents, OLD.discount_reason, OLD.total_cents, OLD.deposit_cents, OLD.live,"
    " OLD.note, OLD.valid_until, OLD.expires_at, OLD.content, OLD.content_sha256, OLD.message_id, OLD.sent_at)"
    " IS DISTINCT FROM (NEW.series_id, NEW.number, NEW.year, NEW.sequence, NEW.version, NEW.client_id, NEW.currency,"
    " NEW.subtotal_cents, NEW.discount_cents, NEW.discount_reason, NEW.total_cents, NEW.deposit_cents, NEW.live,"
    " NEW.note, NEW.valid_until, NEW.expires_at, NEW.content, NEW.content_sha256, NEW.message_id, NEW.sent_at))"
    " EXECUTE FUNCTION quote_stands()",
    """
    CREATE FUNCTION quote_lines_stand() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM quotes WHERE id = OLD.quote_id AND sent_at IS NOT NULL) THEN
            RAISE EXCEPTION 'a quote that was sent is not changed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER quote_lines_stand AFTER UPDATE OR DELETE ON quote_lines FOR EACH ROW"
    " EXECUTE FUNCTION quote_lines_stand()",
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
    *(f"ALTER TABLE {table} ADD CONSTRAINT {table}_{name}_check CHECK ({rule})" for table, name, rule in CHECKS),
    *INDEXES,
    *STANDS,
    audited("quotes", "Quote", ignored=("content",)),
    audited("quote_lines", "QuoteLine"),
    "ALTER TABLE orders DROP CONSTRAINT orders_source_check,"
    f" ADD CONSTRAINT orders_source_check CHECK (source IN ({', '.join(map(repr, SOURCES.split()))}))",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0016_credit_notes")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="QuoteSeries",
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
                ("prefix", fields.CharField(description="What its numbers begin with", max_length=12)),
                ("live", fields.BooleanField(description="Whether its quotes are real")),
                (
                    "year",
                    fields.IntField(default=0, description="Year of the newest quote, in the organization's time zone"),
                ),
                ("last_number", fields.IntField(default=0, description="The newest number of that year")),
            ],
            options={
                "table": "quote_series",
                "app": "models",
                "unique_together": (("organization", "prefix", "live"),),
                "pk_attr": "id",
                "table_description": "A run of quotes' numbers without a gap: per organization, mode and prefix; from 1"
                " each year.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Quote",
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
                    "series",
                    fields.ForeignKeyField(
                        "models.QuoteSeries",
                        source_field="series_id",
                        null=True,
                        description="The series of its number",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "number",
                    fields.CharField(
                        null=True,
                        description="Number, the same for all versions; null before it is sent",
                        max_length=40,
                    ),
                ),
                ("year", fields.IntField(null=True, description="Year of the number")),
                ("sequence", fields.IntField(null=True, description="Place in its series that year, from 1")),
                ("version", fields.IntField(default=1, description="Which version of it, from 1")),
                (
                    "client",
                    fields.ForeignKeyField(
                        "models.Client",
                        source_field="client_id",
                        description="To whom it is offered",
                        db_constraint=False,
                        to_field="id",
                        related_name="quotes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=QuoteStatus.DRAFT, description="Where it stands", enum_type=QuoteStatus, max_length=20
                    ),
                ),
                ("currency", CurrencyField(description="Currency of every amount", max_length=3)),
                ("subtotal_cents", fields.IntField(description="What the lines come to, TTC, in minor units")),
                ("discount_cents", fields.IntField(default=0, description="Taken off the whole, TTC, in minor units")),
                (
                    "discount_reason",
                    fields.CharField(null=True, description="What the discount on the whole is for", max_length=200),
                ),
                ("total_cents", fields.IntField(description="Total TTC, in minor units")),
                (
                    "deposit_cents",
                    fields.IntField(default=0, description="To be paid first, TTC, in minor units; 0 for no deposit"),
                ),
                (
                    "live",
                    fields.BooleanField(description="False: TEST stands across the page, and no real money will move"),
                ),
                (
                    "note",
                    fields.TextField(null=True, description="What the client reads above the lines", unique=False),
                ),
                (
                    "valid_until",
                    fields.DateField(
                        null=True,
                        description="The last day on which it can be accepted; of a draft, where one was asked for",
                    ),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(
                        null=True,
                        description="The end of that day, where the organization is",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "content",
                    fields.JSONField(
                        null=True,
                        description="All that the document says, as it was sent",
                        encoder=JSON_DUMPS,
                        decoder=JSON_LOADS,
                    ),
                ),
                (
                    "content_sha256",
                    fields.CharField(
                        null=True,
                        description="SHA-256 of what it says, hexadecimal: what the client agreed to",
                        max_length=64,
                    ),
                ),
                (
                    "message_id",
                    fields.CharField(null=True, description="Message-ID of the e-mail that carries it", max_length=255),
                ),
                ("file_key", fields.CharField(null=True, description="Where the PDF is stored", max_length=255)),
                (
                    "file_sha256",
                    fields.CharField(null=True, description="SHA-256 of the PDF, hexadecimal", max_length=64),
                ),
                (
                    "rendered_at",
                    fields.DatetimeField(
                        null=True, description="When the PDF was made", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "sent_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was sent: from then on it stands as it is",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "emailed_at",
                    fields.DatetimeField(
                        null=True, description="When the client was written to", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "accepted_at",
                    fields.DatetimeField(
                        null=True, description="When it was accepted", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "accepted_name",
                    fields.CharField(null=True, description="Who accepted it, as they gave their name", max_length=200),
                ),
                (
                    "accepted_from",
                    fields.CharField(
                        null=True,
                        description="The network address from which it was accepted; null where it was on paper",
                        max_length=64,
                    ),
                ),
                (
                    "accepted_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="accepted_by_id",
                        null=True,
                        description="Who noted what the client signed on paper",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "refused_at",
                    fields.DatetimeField(
                        null=True, description="When it was refused", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "refuse_reason",
                    fields.CharField(
                        null=True, description="Why it was refused, in the client's words", max_length=500
                    ),
                ),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it expired, was superseded or taken back",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        null=True,
                        description="The order that it became",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "quotes",
                "app": "models",
                "unique_together": (("series", "year", "sequence", "version"),),
                "pk_attr": "id",
                "table_description": "One version of a quote: lines at the prices of that day, TTC, in integer cents.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="QuoteLine",
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
                    "quote",
                    fields.ForeignKeyField(
                        "models.Quote",
                        source_field="quote_id",
                        description="The quote",
                        db_constraint=False,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("position", fields.IntField(description="Place on the quote, from 1")),
                (
                    "product",
                    fields.ForeignKeyField(
                        "models.Product",
                        source_field="product_id",
                        description="The product offered",
                        db_constraint=False,
                        to_field="id",
                        related_name="quote_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "description",
                    fields.CharField(description="Name of the product when it was offered", max_length=200),
                ),
                ("quantity", fields.IntField(description="How many, 1 or more")),
                ("unit_price_cents", fields.IntField(description="Price TTC of one, in minor units")),
                ("discount_cents", fields.IntField(default=0, description="Taken off the line, TTC, in minor units")),
                (
                    "share_cents",
                    fields.IntField(
                        default=0, description="Its share of the discount on the whole, TTC, in minor units"
                    ),
                ),
                ("currency", CurrencyField(description="Currency of the price, the quote's", max_length=3)),
                ("vat_rate", fields.IntField(description="VAT rate in hundredths of a percent")),
                (
                    "total_cents",
                    fields.IntField(description="Price TTC of all, the line's discount taken off, in minor units"),
                ),
            ],
            options={
                "table": "quote_lines",
                "app": "models",
                "unique_together": (("quote", "position"),),
                "pk_attr": "id",
                "table_description": "One thing offered, at the price that it had when the version was written.",
            },
            bases=["Owned"],
        ),
        ops.AddField(
            model_name="Organization",
            name="quote_days",
            field=fields.IntField(default=30, description="Days that a quote is good for, unless it says otherwise"),
        ),
        ops.RunSQL(RULES, []),
    ]
