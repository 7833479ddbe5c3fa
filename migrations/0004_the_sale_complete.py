"""Partial payments, deposits, discounts and their codes, reminders, keys of storefronts and partners.

Columns are made by the SQL below and told to the ORM: left to itself, it adds constraints that we cannot use.
"""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from models.fields import CurrencyField
from models.order import ConflictProposal, OrderSource

NEW = ("discount_codes", "publishable_keys", "partner_keys", "reminders")

COLUMNS = (
    ("organizations", "iban", "varchar(34)"),
    ("organizations", "bic", "varchar(11)"),
    ("organizations", "payment_days", "int NOT NULL DEFAULT 30"),
    ("organizations", "reminder_every_days", "int NOT NULL DEFAULT 7"),
    ("organizations", "reminders_most", "int NOT NULL DEFAULT 3"),
    ("clients", "siren", "varchar(9)"),
    ("partners", "active", "boolean NOT NULL DEFAULT true"),
    ("attempts", "amount_cents", "int"),
    ("orders", "source", "varchar(20) NOT NULL DEFAULT 'BACK_OFFICE'"),
    ("orders", "subtotal_cents", "int"),
    ("orders", "discount_cents", "int NOT NULL DEFAULT 0"),
    ("orders", "discount_reason", "varchar(200)"),
    ("orders", "discount_code_id", "uuid"),
    ("orders", "holds_code", "boolean NOT NULL DEFAULT false"),
    ("orders", "deposit_cents", "int NOT NULL DEFAULT 0"),
    ("orders", "paid_cents", "int NOT NULL DEFAULT 0"),
    ("orders", "balance_cents", "int NOT NULL GENERATED ALWAYS AS (total_cents - paid_cents) STORED"),
    ("orders", "canceled_at", "timestamptz"),
    ("orders", "cancel_reason", "varchar(500)"),
    ("orders", "welcomed_at", "timestamptz"),
    ("order_lines", "discount_cents", "int NOT NULL DEFAULT 0"),
    ("order_lines", "share_cents", "int NOT NULL DEFAULT 0"),
    ("payments", "applied_cents", "int NOT NULL DEFAULT 0"),
    ("payments", "reference", "varchar(200)"),
    ("payments", "recorded_by_id", "uuid"),
    ("payments", "told_at", "timestamptz"),
    ("invoices", "due_on", "date"),
    ("invoices", "settled_at", "timestamptz"),
    ("conflicts", "payment_id", "uuid"),
    ("conflicts", "proposal", "varchar(20) NOT NULL DEFAULT 'LOOK'"),
    ("conflicts", "proposed_cents", "int NOT NULL DEFAULT 0"),
    ("conflicts", "currency", "varchar(3) NOT NULL DEFAULT 'EUR'"),
    ("conflicts", "resolution", "varchar(500)"),
    ("conflicts", "resolved_by_id", "uuid"),
    ("stripe_events", "flagged_at", "timestamptz"),
)

# What stands already was paid in full by one payment, and invoiced as it was paid.
FILLED = (
    "UPDATE orders SET subtotal_cents = total_cents, paid_cents = CASE status WHEN 'PAID' THEN total_cents ELSE 0 END",
    "UPDATE payments SET applied_cents = amount_cents FROM orders"
    " WHERE orders.id = payments.order_id AND orders.event_id = payments.event_id AND payments.status = 'SUCCEEDED'",
    "UPDATE invoices SET settled_at = issued_at, due_on = (issued_at AT TIME ZONE organizations.time_zone)::date"
    " FROM organizations WHERE organizations.id = invoices.organization_id",
)

REQUIRED = (("orders", "subtotal_cents"), ("invoices", "due_on"))

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("orders", "discount_code_id", "discount_codes"),
    ("payments", "recorded_by_id", "memberships"),
    ("conflicts", "payment_id", "payments"),
    ("conflicts", "resolved_by_id", "memberships"),
    ("partner_keys", "partner_id", "partners"),
    ("reminders", "order_id", "orders"),
    ("reminders", "invoice_id", "invoices"),
)
MADE_BY_THE_ORM = (("partner_keys", "partner_id"), ("reminders", "order_id"), ("reminders", "invoice_id"))

ENUMS = (
    ("orders", "source", "BACK_OFFICE STOREFRONT STRIPE"),
    ("conflicts", "proposal", "LOOK REFUND"),
)
# (table, column, all values): more than before.
WIDENED = (
    (
        "conflicts",
        "kind",
        "AMOUNT_MISMATCH DUPLICATE_PAYMENT OVERPAID CANCELED_ORDER_PAID REACTION_FAILED UNKNOWN_SALE",
    ),
    ("attempts", "operation", "CREATE_CUSTOMER CREATE_PRODUCT CREATE_COUPON CHECKOUT PAYMENT_INTENT"),
    ("attempts", "status", "PENDING OPEN PROCESSING COMPLETED EXPIRED CLOSED FAILED"),
    ("payments", "status", "PROCESSING SUCCEEDED FAILED CANCELED"),
    ("invoices", "type", "INVOICE PREPAYMENT"),
)

CHECKS = (
    ("organizations", "iban", "iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'"),
    ("organizations", "bic", "bic ~ '^[A-Z0-9]{8}([A-Z0-9]{3})?$'"),
    ("organizations", "payment_days", "payment_days BETWEEN 0 AND 60"),
    ("organizations", "reminders", "reminder_every_days BETWEEN 1 AND 90 AND reminders_most BETWEEN 0 AND 12"),
    ("clients", "siren", "siren ~ '^[0-9]{9}$'"),
    ("orders", "discount", "discount_cents >= 0 AND total_cents = subtotal_cents - discount_cents"),
    ("orders", "deposit", "deposit_cents >= 0 AND (deposit_cents = 0 OR deposit_cents < total_cents)"),
    ("orders", "balance", "paid_cents BETWEEN 0 AND total_cents AND (status <> 'PAID' OR paid_cents = total_cents)"),
    ("orders", "canceled", "(status = 'CANCELED') = (canceled_at IS NOT NULL)"),
    ("orders", "holds_code", "NOT holds_code OR discount_code_id IS NOT NULL"),
    ("order_lines", "share", "share_cents BETWEEN 0 AND total_cents"),
    ("attempts", "amount", "amount_cents > 0"),
    ("payments", "applied", "applied_cents BETWEEN 0 AND amount_cents AND (applied_cents = 0 OR status = 'SUCCEEDED')"),
    ("conflicts", "subject", "order_id IS NOT NULL OR kind = 'UNKNOWN_SALE'"),
    ("conflicts", "proposed", "(proposal = 'REFUND') = (proposed_cents > 0)"),
    ("conflicts", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("discount_codes", "code", "code = upper(code) AND code !~ '[[:space:]]' AND code <> ''"),
    ("discount_codes", "takes", "(percent BETWEEN 1 AND 10000) <> (amount_cents > 0) AND least(percent, amount_cents) = 0"),
    ("discount_codes", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("discount_codes", "minimum", "minimum_cents >= 0"),
    ("discount_codes", "most", "redemptions_most > 0 AND per_client_most > 0"),
    ("discount_codes", "redemptions", "redemptions >= 0 AND (redemptions_most IS NULL OR redemptions <= redemptions_most)"),
    ("publishable_keys", "key", "key ~ '^pk_[A-Za-z0-9_]{20,}$'"),
    ("publishable_keys", "origins", "origins <> ''"),
    ("partner_keys", "hash", "key_hash ~ '^[0-9a-f]{64}$'"),
    ("reminders", "number", "number > 0"),
)

INDEXES = (
    "CREATE UNIQUE INDEX discount_codes_code ON discount_codes (organization_id, code)",
    "CREATE UNIQUE INDEX invoices_prepayment_brand ON invoices (order_id, partner_id) WHERE type = 'PREPAYMENT'",
    "CREATE UNIQUE INDEX invoices_prepayment_own ON invoices (order_id) WHERE type = 'PREPAYMENT' AND partner_id IS NULL",
    "CREATE UNIQUE INDEX conflicts_of_no_order ON conflicts (organization_id, kind, reference) WHERE order_id IS NULL",
    "CREATE UNIQUE INDEX attempts_intent ON attempts (stripe_account, live, stripe_id) WHERE operation = 'PAYMENT_INTENT'",
    "CREATE INDEX products_stripe ON products (stripe_account, stripe_live, stripe_id) WHERE stripe_id IS NOT NULL",
    "CREATE INDEX clients_stripe ON clients (stripe_account, stripe_live, stripe_id) WHERE stripe_id IS NOT NULL",
    "CREATE INDEX conflicts_open ON conflicts (organization_id, id) WHERE resolved_at IS NULL",
    "CREATE INDEX stripe_events_flagged ON stripe_events (flagged_at) WHERE flagged_at IS NOT NULL",
    "CREATE INDEX orders_by_balance_cents ON orders (organization_id, balance_cents, id)",
    "CREATE INDEX outbox_given_up ON outbox (lane) WHERE given_up_at IS NOT NULL",
    "CREATE INDEX invoices_by_due_on ON invoices (organization_id, due_on, id)",
)


class Known(ops.AddField):
    """A column that the SQL makes, told to the ORM."""

    async def database_forward(self, *state: Any, **editor: Any) -> None:
        pass

    async def database_backward(self, *state: Any, **editor: Any) -> None:
        pass


class KnownChange(ops.AlterField):
    """A column that the SQL changes, told to the ORM."""

    async def database_forward(self, *state: Any, **editor: Any) -> None:
        pass

    async def database_backward(self, *state: Any, **editor: Any) -> None:
        pass


def column(table: str, name: str, type: str) -> str:
    return f"ALTER TABLE {table} ADD COLUMN {name} {type}"


def tenant(table: str) -> str:
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey, ADD CONSTRAINT {table}_organization"
        " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
        f" ADD CONSTRAINT {table}_tenant UNIQUE (organization_id, id)"
    )


def within_tenant(table: str, column: str, target: str) -> str:
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {target} (organization_id, id)"
    )


def check(table: str, name: str, rule: str) -> str:
    return f"ALTER TABLE {table} ADD CONSTRAINT {table}_{name}_check CHECK ({rule})"


def one_of(table: str, column: str, values: str) -> str:
    return check(table, column, f"{column} IN ({', '.join(repr(value) for value in values.split())})")


def drop_check(table: str, name: str) -> str:
    return f"ALTER TABLE {table} DROP CONSTRAINT {table}_{name}_check"


class Migration(migrations.Migration):
    dependencies = [("models", "0003_people_and_pages")]
    initial = False

    operations = [
        Known(
            model_name='Attempt',
            name='amount_cents',
            field=fields.IntField(null=True, description='What the client is asked to pay, in minor units'),
        ),
        Known(
            model_name='Client',
            name='siren',
            field=fields.CharField(null=True, description='SIREN of the company, nine digits (EN 16931 BT-47)', max_length=9),
        ),
        ops.AlterModelOptions(
            name='Conflict',
            options={'table': 'conflicts', 'app': 'models', 'unique_together': (('order', 'kind', 'reference'),), 'pk_attr': 'id', 'table_description': 'Something that a person must settle, nearly always about an order; the money stands as it is.'},
        ),
        KnownChange(
            model_name='Conflict',
            name='order',
            field=fields.ForeignKeyField('models.Order', source_field='order_id', null=True, description='The order, where there is one', db_constraint=False, to_field='id', related_name='conflicts', on_delete=OnDelete.RESTRICT),
        ),
        Known(
            model_name='Conflict',
            name='currency',
            field=CurrencyField(default='EUR', description='Currency of what is proposed', max_length=3),
        ),
        Known(
            model_name='Conflict',
            name='payment',
            field=fields.ForeignKeyField('models.Payment', source_field='payment_id', null=True, description='The payment that brought it', db_constraint=False, to_field='id', related_name='conflicts', on_delete=OnDelete.RESTRICT),
        ),
        Known(
            model_name='Conflict',
            name='proposal',
            field=fields.CharEnumField(default=ConflictProposal.LOOK, description='What to do about it', enum_type=ConflictProposal, max_length=20),
        ),
        Known(
            model_name='Conflict',
            name='proposed_cents',
            field=fields.IntField(default=0, description='How much to refund, in minor units; 0 where nothing is'),
        ),
        Known(
            model_name='Conflict',
            name='resolution',
            field=fields.CharField(null=True, description="How it was settled, in that person's words", max_length=500),
        ),
        Known(
            model_name='Conflict',
            name='resolved_by',
            field=fields.ForeignKeyField('models.Membership', source_field='resolved_by_id', null=True, description='Who settled it', db_constraint=False, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        Known(
            model_name='Invoice',
            name='due_on',
            field=fields.DateField(description='Until when it is to be paid'),
        ),
        Known(
            model_name='Invoice',
            name='settled_at',
            field=fields.DatetimeField(null=True, description='When all that it asks for was paid', auto_now=False, auto_now_add=False),
        ),
        Known(
            model_name='Order',
            name='balance_cents',
            field=fields.IntField(generated=True, description='Still to be paid, in minor units'),
        ),
        Known(
            model_name='Order',
            name='cancel_reason',
            field=fields.CharField(null=True, description='Why it was given up', max_length=500),
        ),
        Known(
            model_name='Order',
            name='canceled_at',
            field=fields.DatetimeField(null=True, description='When it was given up', auto_now=False, auto_now_add=False),
        ),
        Known(
            model_name='Order',
            name='deposit_cents',
            field=fields.IntField(default=0, description='To be paid first, TTC, in minor units; 0 for no deposit'),
        ),
        Known(
            model_name='Order',
            name='discount_cents',
            field=fields.IntField(default=0, description='Taken off the whole, TTC, in minor units'),
        ),
        Known(
            model_name='Order',
            name='discount_code',
            field=fields.ForeignKeyField('models.DiscountCode', source_field='discount_code_id', null=True, description='The code that gave the discount', db_constraint=False, to_field='id', related_name='orders', on_delete=OnDelete.RESTRICT),
        ),
        Known(
            model_name='Order',
            name='discount_reason',
            field=fields.CharField(null=True, description='What the discount on the whole is for: a code, a word', max_length=200),
        ),
        Known(
            model_name='Order',
            name='holds_code',
            field=fields.BooleanField(default=False, description="Whether it counts against the code's limits"),
        ),
        Known(
            model_name='Order',
            name='paid_cents',
            field=fields.IntField(default=0, description='Paid so far, in minor units'),
        ),
        Known(
            model_name='Order',
            name='source',
            field=fields.CharEnumField(default=OrderSource.BACK_OFFICE, description='Who began it', enum_type=OrderSource, max_length=20),
        ),
        Known(
            model_name='Order',
            name='subtotal_cents',
            field=fields.IntField(description='What the lines come to, TTC, in minor units'),
        ),
        Known(
            model_name='Order',
            name='welcomed_at',
            field=fields.DatetimeField(null=True, description='When the client was welcomed to what it opened', auto_now=False, auto_now_add=False),
        ),
        KnownChange(
            model_name='OrderLine',
            name='total_cents',
            field=fields.IntField(description="Price TTC of all, the line's discount taken off, in minor units"),
        ),
        Known(
            model_name='OrderLine',
            name='discount_cents',
            field=fields.IntField(default=0, description='Taken off the line, TTC, in minor units'),
        ),
        Known(
            model_name='OrderLine',
            name='share_cents',
            field=fields.IntField(default=0, description='Its share of the discount on the whole, TTC, in minor units'),
        ),
        Known(
            model_name='Organization',
            name='bic',
            field=fields.CharField(null=True, description='BIC of its bank (BT-86)', max_length=11),
        ),
        Known(
            model_name='Organization',
            name='iban',
            field=fields.CharField(null=True, description='Account that transfers go to (EN 16931 BT-84)', max_length=34),
        ),
        Known(
            model_name='Organization',
            name='payment_days',
            field=fields.IntField(default=30, description='Days to pay an invoice sent before the payment'),
        ),
        Known(
            model_name='Organization',
            name='reminder_every_days',
            field=fields.IntField(default=7, description='Days from the due date to a reminder, and to the next'),
        ),
        Known(
            model_name='Organization',
            name='reminders_most',
            field=fields.IntField(default=3, description='How many reminders are sent at most; 0 for none'),
        ),
        Known(
            model_name='Partner',
            name='active',
            field=fields.BooleanField(default=True, description='Whether it is told of new orders'),
        ),
        Known(
            model_name='Payment',
            name='applied_cents',
            field=fields.IntField(default=0, description='How much of it counts towards the order; what does not fit waits for a person'),
        ),
        Known(
            model_name='Payment',
            name='recorded_by',
            field=fields.ForeignKeyField('models.Membership', source_field='recorded_by_id', null=True, description='Who recorded it by hand', db_constraint=False, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        Known(
            model_name='Payment',
            name='reference',
            field=fields.CharField(null=True, description="What the bank says of it: a transfer's label, a cheque's number", max_length=200),
        ),
        Known(
            model_name='Payment',
            name='told_at',
            field=fields.DatetimeField(null=True, description='When the client was told that it failed', auto_now=False, auto_now_add=False),
        ),
        Known(
            model_name='StripeEvent',
            name='flagged_at',
            field=fields.DatetimeField(null=True, description='When it was left for an operator: money of nobody we know', auto_now=False, auto_now_add=False),
        ),
        ops.CreateModel(
            name='DiscountCode',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(description='When it was made', auto_now=False, auto_now_add=True)),
                ('organization', fields.ForeignKeyField('models.Organization', source_field='organization_id', description='The tenant that it belongs to', db_constraint=False, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('code', fields.CharField(description='What the client types, upper case', max_length=40)),
                ('name', fields.CharField(null=True, description='What it is for, as on the invoice', max_length=200)),
                ('percent', fields.IntField(default=0, description='Taken off, in hundredths of a percent; 0 where it is an amount')),
                ('amount_cents', fields.IntField(default=0, description='Taken off, TTC, in minor units; 0 where it is a share')),
                ('currency', CurrencyField(default='EUR', description='Currency of its amounts', max_length=3)),
                ('minimum_cents', fields.IntField(default=0, description='Only for orders of as much, TTC, in minor units')),
                ('starts_at', fields.DatetimeField(null=True, description='From when on it is good', auto_now=False, auto_now_add=False)),
                ('ends_at', fields.DatetimeField(null=True, description='Until when it is good', auto_now=False, auto_now_add=False)),
                ('redemptions_most', fields.IntField(null=True, description='How many orders may use it; null for any number')),
                ('per_client_most', fields.IntField(null=True, description='How many orders of one client may use it')),
                ('redemptions', fields.IntField(default=0, description='How many orders use it')),
                ('active', fields.BooleanField(default=True, description='Whether it can be used')),
            ],
            options={'table': 'discount_codes', 'app': 'models', 'pk_attr': 'id', 'table_description': 'A word that a client gives for a discount: a share of the whole, or an amount; within its limits.'},
            bases=['Owned'],
        ),
        ops.CreateModel(
            name='PartnerKey',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(description='When it was made', auto_now=False, auto_now_add=True)),
                ('organization', fields.ForeignKeyField('models.Organization', source_field='organization_id', description='The tenant that it belongs to', db_constraint=False, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('partner', fields.ForeignKeyField('models.Partner', source_field='partner_id', description='Whose key', db_constraint=False, to_field='id', related_name='keys', on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(description='What it is for', max_length=100)),
                ('prefix', fields.CharField(description='How it begins: enough to recognize it', max_length=20)),
                ('key_hash', fields.CharField(unique=True, description='SHA-256 of the key, hexadecimal', max_length=64)),
                ('expires_at', fields.DatetimeField(null=True, description='Until when it is good', auto_now=False, auto_now_add=False)),
                ('last_used_at', fields.DatetimeField(null=True, description='When it was used last, to the hour', auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, description='When it was withdrawn', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'partner_keys', 'app': 'models', 'pk_attr': 'id', 'table_description': "A partner's own way to its notifications. The key is shown once; its hash is kept."},
            bases=['Owned'],
        ),
        ops.CreateModel(
            name='PublishableKey',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(description='When it was made', auto_now=False, auto_now_add=True)),
                ('organization', fields.ForeignKeyField('models.Organization', source_field='organization_id', description='The tenant that it belongs to', db_constraint=False, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(description='What it is for', max_length=100)),
                ('key', fields.CharField(unique=True, description='The key itself, public like the pages that hold it', max_length=60)),
                ('origins', fields.TextField(description='Where it may be used from, one origin a line', unique=False)),
                ('last_used_at', fields.DatetimeField(null=True, description='When it was used last, to the hour', auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, description='When it was withdrawn', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'publishable_keys', 'app': 'models', 'pk_attr': 'id', 'table_description': 'What a storefront shows to the API from its own pages: no secret, bound to its origins.'},
            bases=['Owned'],
        ),
        ops.CreateModel(
            name='Reminder',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('created_at', fields.DatetimeField(description='When it was made', auto_now=False, auto_now_add=True)),
                ('organization', fields.ForeignKeyField('models.Organization', source_field='organization_id', description='The tenant that it belongs to', db_constraint=False, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('order', fields.ForeignKeyField('models.Order', source_field='order_id', description='The order that is not paid', db_constraint=False, to_field='id', related_name='reminders', on_delete=OnDelete.RESTRICT)),
                ('invoice', fields.ForeignKeyField('models.Invoice', source_field='invoice_id', description='The invoice that asks for it', db_constraint=False, to_field='id', related_name='reminders', on_delete=OnDelete.RESTRICT)),
                ('number', fields.IntField(description='Which one, from 1')),
                ('due_at', fields.DatetimeField(description='When it is to be sent', auto_now=False, auto_now_add=False)),
                ('sent_at', fields.DatetimeField(null=True, description='When it was sent', auto_now=False, auto_now_add=False)),
                ('message_id', fields.CharField(description='Message-ID of the letter, fixed beforehand', max_length=255)),
            ],
            options={'table': 'reminders', 'app': 'models', 'unique_together': (('invoice', 'number'),), 'pk_attr': 'id', 'table_description': 'A letter about an invoice that is overdue: when it is to go, and when it went.'},
            bases=['Owned'],
        ),
        ops.RunSQL(
            [
                *(column(*each) for each in COLUMNS),
                "ALTER TABLE conflicts ALTER COLUMN order_id DROP NOT NULL",
                *FILLED,
                *(f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL" for table, name in REQUIRED),
                *(tenant(table) for table in NEW),
                *(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{name}_fkey" for table, name in MADE_BY_THE_ORM),
                *(within_tenant(*key) for key in WITHIN_TENANT),
                *(
                    f"CREATE INDEX {table}_{name}_index ON {table} ({name})"
                    for table, name, _ in WITHIN_TENANT
                    if name != "invoice_id"  # the unique rule of reminders begins with it
                ),
                *(drop_check(table, name) for table, name, _ in WIDENED),
                *(one_of(*enum) for enum in (*WIDENED, *ENUMS)),
                drop_check("order_lines", "total"),
                check(
                    "order_lines",
                    "total",
                    "unit_price_cents >= 0 AND discount_cents >= 0 AND total_cents >= 0"
                    " AND total_cents = quantity * unit_price_cents - discount_cents",
                ),
                *(check(*rule) for rule in CHECKS),
                *INDEXES,
            ]
        ),
    ]
