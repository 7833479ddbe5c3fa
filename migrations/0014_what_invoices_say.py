"""What machine-read invoices have to say besides: goods or services, and VAT on debits."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from migrations._known import Known
from models.product import OperationCategory

COLUMNS = [
    "ALTER TABLE products ADD COLUMN operation_category varchar(20) NOT NULL DEFAULT 'SERVICES',"
    " ADD CONSTRAINT products_operation_category_check"
    " CHECK (operation_category IN ('GOODS', 'SERVICES', 'MIXED'))",
    "ALTER TABLE organizations ADD COLUMN vat_on_debits boolean NOT NULL DEFAULT false,"
    " ADD CONSTRAINT organizations_vat_on_debits_check CHECK (NOT vat_on_debits OR vat_regime <> 'FRANCHISE')",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0013_rights_elsewhere")]
    initial = False

    operations: list[Any] = [
        Known(
            model_name="Product",
            name="operation_category",
            field=fields.CharEnumField(
                default=OperationCategory.SERVICES,
                description="Goods, services or both",
                enum_type=OperationCategory,
                max_length=20,
            ),
        ),
        Known(
            model_name="Organization",
            name="vat_on_debits",
            field=fields.BooleanField(
                default=False,
                description="Whether it opted to owe VAT on services with the invoice, not with the payment",
            ),
        ),
        ops.RunSQL(COLUMNS, []),
    ]
