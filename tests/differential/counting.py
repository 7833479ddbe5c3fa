"""The statements behind an answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tortoise.fields.relational import BackwardFKRelation

from engine.plans.explaining import Watched
from engine.views import Paged, Relation, View, relation
from models.database import reader
from tests.differential.ways import Case, Ways


class Counted(Ways):
    """An engine whose statements are counted."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.given: list[tuple[Any, ...]] = []  # the values of each
        super().__init__(self._connect)

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Any]:
        async with reader() as connection:
            watched = Watched(connection)
            try:
                yield watched
            finally:
                self.made = [sql for sql, _ in watched.asked]
                self.given = [values for _, values in watched.asked]

    async def statements(self, case: Case) -> int:
        body = await self.by_plan(case)
        assert b'"errors":' not in body, body
        return len(self.made)


def everything_behind(view: View) -> str:
    """A selection of every relation and every list of pages, each row known by its id."""
    relations = [f"{name} {{ id }}" for name, source in view.fields.items() if isinstance(source, Relation)]
    return f"{{ id {' '.join([*relations, *(f'{name} {{ nodes {{ id }} }}' for name in paged(view))])} }}"


def to_many(view: View) -> list[str]:
    relations = ((name, path.partition("__")[0]) for name, path in view.relations.items())
    return [name for name, hop in relations if isinstance(relation(view.model, hop), BackwardFKRelation)]


def paged(view: View) -> list[str]:
    return [name for name, source in view.fields.items() if isinstance(source, Paged)]
