"""Exports of clients' data are ordered by people alone: a private link orders none."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0052_flagged_payments")]

    initial = False

    operations: list[Any] = [
        ops.AlterField(
            model_name="ClientDataExport",
            name="requested_by",
            field=fields.ForeignKeyField(
                "models.Membership",
                source_field="requested_by_id",
                null=True,
                description="Who ordered it, and alone may fetch it",
                db_constraint=False,
                to_field="id",
                related_name=False,
                on_delete=OnDelete.RESTRICT,
            ),
        ),
    ]
