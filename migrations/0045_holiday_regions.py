"""The region whose own public holidays an organization has."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from migrations._known import Known


class Migration(migrations.Migration):
    dependencies = [("models", "0044_quality")]

    initial = False

    operations: list[Any] = [
        ops.RunSQL(
            [
                "ALTER TABLE organizations ADD COLUMN holiday_region varchar(20),"
                " ADD CONSTRAINT organizations_holiday_region_check CHECK (holiday_region <> '')"
            ],
            [],
        ),
        Known(
            model_name="Organization",
            name="holiday_region",
            field=fields.CharField(
                null=True,
                description="Region of its country whose own public holidays it has too, by its code of ISO 3166-2:"
                " 6AE (Alsace), 57 (Moselle), 974 (La Réunion)",
                max_length=20,
            ),
        ),
    ]
