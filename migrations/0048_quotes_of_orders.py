"""Orders lead back to the quote that they were: known to the ORM, the same to PostgreSQL."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class KnownChange(ops.AlterField):
    """A relation that has a name on its far side."""

    async def database_forward(self, *state: Any, **editor: Any) -> None:
        pass

    async def database_backward(self, *state: Any, **editor: Any) -> None:
        pass


class Migration(migrations.Migration):
    dependencies = [("models", "0047_import_columns")]

    initial = False

    operations: list[Any] = [
        KnownChange(
            model_name="Quote",
            name="order",
            field=fields.ForeignKeyField(
                "models.Order",
                source_field="order_id",
                null=True,
                description="The order that it became",
                db_constraint=False,
                to_field="id",
                related_name="quotes",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
    ]
