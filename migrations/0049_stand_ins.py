"""Products that stand for services, formules and opportunities on orders are none of the catalogue."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from migrations._known import Known
from models.product import StandIn

RULES = [
    "ALTER TABLE products ADD COLUMN stands_for varchar(20),"
    " ADD CONSTRAINT products_stands_for_check CHECK (stands_for IN ('SERVICE', 'FORMULE', 'OPPORTUNITY')),"
    " ADD CONSTRAINT products_stand_in_check CHECK (stands_for IS NULL OR NOT active)",
    "CREATE INDEX products_of_catalogue ON products (organization_id, id) WHERE stands_for IS NULL",
    *(
        f"UPDATE products SET stands_for = '{kind}', active = false"
        f" WHERE id IN (SELECT product_id FROM {table} WHERE product_id IS NOT NULL)"
        for kind, table in (("SERVICE", "services"), ("FORMULE", "formules"), ("OPPORTUNITY", "opportunities"))
    ),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0048_quotes_of_orders")]

    initial = False

    operations: list[Any] = [
        ops.RunSQL(RULES, []),
        Known(
            model_name="Product",
            name="stands_for",
            field=fields.CharEnumField(
                null=True,
                description="What it stands for on orders; null for what is in the catalogue",
                enum_type=StandIn,
                max_length=20,
            ),
        ),
    ]
