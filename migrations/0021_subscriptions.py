"""Subscriptions, products that recur, and the orders that pay a period."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.fields import CurrencyField, UrlField
from models.product import Interval
from models.subscription import SubscriptionStatus

INTERVALS = "'DAY', 'WEEK', 'MONTH', 'YEAR'"
STATUSES = "INCOMPLETE INCOMPLETE_EXPIRED TRIALING ACTIVE PAST_DUE UNPAID PAUSED CANCELED"
OPERATIONS = "CREATE_CUSTOMER CREATE_PRODUCT CREATE_PRICE CREATE_COUPON CHECKOUT PAYMENT_INTENT"


def one_of(values: str) -> str:
    return ", ".join(map(repr, values.split()))


RULES = [
    "ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_organization_id_fkey,"
    " DROP CONSTRAINT subscriptions_client_id_fkey, DROP CONSTRAINT subscriptions_product_id_fkey,"
    " ADD CONSTRAINT subscriptions_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT subscriptions_client_id"
    " FOREIGN KEY (organization_id, client_id) REFERENCES clients (organization_id, id),"
    " ADD CONSTRAINT subscriptions_product_id"
    " FOREIGN KEY (organization_id, product_id) REFERENCES products (organization_id, id),"
    " ADD CONSTRAINT subscriptions_tenant UNIQUE (organization_id, id),"
    f" ADD CONSTRAINT subscriptions_status_check CHECK (status IN ({one_of(STATUSES)})),"
    f' ADD CONSTRAINT subscriptions_interval_check CHECK ("interval" IN ({INTERVALS}) AND interval_count > 0),'
    " ADD CONSTRAINT subscriptions_amount_check CHECK (amount_cents >= 0 AND quantity > 0),"
    " ADD CONSTRAINT subscriptions_currency_check CHECK (currency ~ '^[A-Z]{3}$'),"
    " ADD CONSTRAINT subscriptions_period_check CHECK (current_period_end > current_period_start),"
    " ADD CONSTRAINT subscriptions_ended_check CHECK"
    " ((status IN ('CANCELED', 'INCOMPLETE_EXPIRED')) = (ended_at IS NOT NULL)),"
    " ADD CONSTRAINT subscriptions_open_invoice_check CHECK (num_nonnulls(open_invoice, pay_url) IN (0, 2))",
    "CREATE INDEX subscriptions_of_client ON subscriptions (client_id, id)",
    "CREATE INDEX subscriptions_of_product ON subscriptions (product_id, id)",
    "ALTER TABLE orders DROP CONSTRAINT orders_subscription_id_fkey, DROP CONSTRAINT orders_kind_check,"
    " DROP CONSTRAINT orders_source_check, ADD CONSTRAINT orders_subscription_id"
    " FOREIGN KEY (organization_id, subscription_id) REFERENCES subscriptions (organization_id, id),"
    " ADD CONSTRAINT orders_kind_check CHECK (kind IN ('PRODUCTS', 'SUBSCRIPTION')),"
    " ADD CONSTRAINT orders_source_check CHECK (source IN ('BACK_OFFICE', 'STOREFRONT', 'STRIPE', 'QUOTE',"
    " 'RENEWAL')),"
    " ADD CONSTRAINT orders_subscription_check CHECK (subscription_id IS NULL OR kind = 'SUBSCRIPTION')",
    "CREATE INDEX orders_of_subscription ON orders (subscription_id, id)",
    # Each of Stripe's invoices is one order of ours.
    "CREATE UNIQUE INDEX orders_stripe_invoice ON orders (stripe_account, live, stripe_invoice_id)",
    "ALTER TABLE order_lines"
    f' ADD CONSTRAINT order_lines_interval_check CHECK ("interval" IN ({INTERVALS}) AND interval_count > 0),'
    ' ADD CONSTRAINT order_lines_recurs_check CHECK (num_nonnulls("interval", interval_count) IN (0, 2)),'
    " ADD CONSTRAINT order_lines_period_check"
    " CHECK (num_nonnulls(period_start, period_end) IN (0, 2) AND period_end > period_start)",
    "ALTER TABLE products"
    f' ADD CONSTRAINT products_interval_check CHECK ("interval" IN ({INTERVALS}) AND interval_count > 0),'
    ' ADD CONSTRAINT products_recurs_check CHECK (num_nonnulls("interval", interval_count) IN (0, 2)),'
    ' ADD CONSTRAINT products_recurring_price_check CHECK ("interval" IS NULL OR price_cents > 0)',
    "ALTER TABLE organizations ALTER COLUMN grace_days SET DEFAULT 7,"
    " ADD CONSTRAINT organizations_grace_check CHECK (grace_days BETWEEN 0 AND 90)",
    "ALTER TABLE attempts DROP CONSTRAINT attempts_operation_check,"
    f" ADD CONSTRAINT attempts_operation_check CHECK (operation IN ({one_of(OPERATIONS)}))",
    audited("subscriptions", "ClientSubscription", ignored=("asked_at",)),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0020_legal_identity")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="ClientSubscription",
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
                        description="Who pays",
                        db_constraint=False,
                        to_field="id",
                        related_name="subscriptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "product",
                    fields.ForeignKeyField(
                        "models.Product",
                        source_field="product_id",
                        description="What they pay for",
                        db_constraint=False,
                        to_field="id",
                        related_name="subscriptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(description="Where it stands", enum_type=SubscriptionStatus, max_length=20),
                ),
                ("quantity", fields.IntField(description="How many, 1 or more")),
                ("amount_cents", fields.IntField(description="What each period costs TTC, in minor units")),
                ("currency", CurrencyField(description="Currency of the amount", max_length=3)),
                (
                    "interval",
                    fields.CharEnumField(
                        description="What its periods are counted in", enum_type=Interval, max_length=10
                    ),
                ),
                ("interval_count", fields.IntField(description="How many of these make a period")),
                (
                    "current_period_start",
                    fields.DatetimeField(
                        description="When the current period began", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "current_period_end",
                    fields.DatetimeField(
                        description="When the current period ends", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "cancel_at_period_end",
                    fields.BooleanField(default=False, description="Whether it ends with its current period"),
                ),
                (
                    "canceled_at",
                    fields.DatetimeField(
                        null=True, description="When somebody asked for its end", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "ended_at",
                    fields.DatetimeField(null=True, description="When it ended", auto_now=False, auto_now_add=False),
                ),
                (
                    "failed_at",
                    fields.DatetimeField(
                        null=True,
                        description="When a renewal was refused last; null once nothing is open",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "failure_code",
                    fields.CharField(null=True, description="Stripe's code for the latest refusal", max_length=100),
                ),
                (
                    "failure_message",
                    fields.CharField(null=True, description="Why it was refused, in words", max_length=500),
                ),
                (
                    "pay_url",
                    UrlField(
                        null=True,
                        description="Where the client pays what is open; null where nothing is",
                        max_length=2048,
                    ),
                ),
                (
                    "open_invoice",
                    fields.CharField(
                        null=True, description="Stripe's invoice that is open after a refusal", max_length=255
                    ),
                ),
                (
                    "told_of",
                    fields.CharField(
                        null=True,
                        description="Stripe's invoice of whose refusal the client was told last",
                        max_length=255,
                    ),
                ),
                ("stripe_id", fields.CharField(description="Id of the subscription at Stripe", max_length=255)),
                ("stripe_account", fields.CharField(description="Stripe account that is paid", max_length=255)),
                ("live", fields.BooleanField(description="Whether real money moves")),
                (
                    "asked_at",
                    fields.DatetimeField(
                        description="When Stripe was asked what we know: older answers change nothing",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "subscriptions",
                "app": "models",
                "unique_together": (("stripe_account", "live", "stripe_id"),),
                "pk_attr": "id",
                "table_description": "A product that a client pays for each period: Stripe asks for the money, and each"
                " payment is an order.",
            },
            bases=["Owned"],
        ),
        ops.AddField(
            model_name="Order",
            name="stripe_invoice_id",
            field=fields.CharField(null=True, description="Stripe's own invoice of that period", max_length=255),
        ),
        ops.AddField(
            model_name="Order",
            name="subscription",
            field=fields.ForeignKeyField(
                "models.ClientSubscription",
                source_field="subscription_id",
                null=True,
                description="The subscription of which it pays a period",
                db_constraint=False,
                to_field="id",
                related_name="orders",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="OrderLine",
            name="interval",
            field=fields.CharEnumField(
                null=True,
                description="What the periods of its subscription are counted in",
                enum_type=Interval,
                max_length=10,
            ),
        ),
        ops.AddField(
            model_name="OrderLine",
            name="interval_count",
            field=fields.IntField(null=True, description="How many of these make a period"),
        ),
        ops.AddField(
            model_name="OrderLine",
            name="period_end",
            field=fields.DatetimeField(
                null=True,
                description="Until when it is paid for, of a subscription",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.AddField(
            model_name="OrderLine",
            name="period_start",
            field=fields.DatetimeField(
                null=True,
                description="From when on it is paid for, of a subscription",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.AddField(
            model_name="Organization",
            name="grace_days",
            field=fields.IntField(
                default=7,
                description="Days that a subscription may be used beyond what is paid, while Stripe tries again",
            ),
        ),
        ops.AlterModelOptions(
            name="Product",
            options={
                "table": "products",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A thing in the catalogue, sold TTC: once, or each period of a subscription.",
            },
        ),
        ops.AddField(
            model_name="Product",
            name="interval",
            field=fields.CharEnumField(
                null=True,
                description="What the periods of its subscription are counted in; null where it is sold once",
                enum_type=Interval,
                max_length=10,
            ),
        ),
        ops.AddField(
            model_name="Product",
            name="interval_count",
            field=fields.IntField(
                null=True, description="How many of these make a period that the price pays; null where it is sold once"
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
