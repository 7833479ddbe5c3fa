"""Columns that a migration's own SQL adds, told to the ORM: left to itself, it gives no defaults to the database."""

from typing import Any

from tortoise.migrations import operations as ops


class Known(ops.AddField):
    """A column that is there."""

    async def database_forward(self, *state: Any, **editor: Any) -> None:
        pass

    async def database_backward(self, *state: Any, **editor: Any) -> None:
        pass
