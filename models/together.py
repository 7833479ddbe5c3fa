"""Writes of a transaction go to PostgreSQL together: a sale writes twelve rows, and a trip for each takes longer than
the rows.

What is put off is written before anything that could tell the difference: a statement that writes, one that names a
table which waits, a savepoint, the end. Errors come then, too.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import NestedTransactionContext, TransactionContext
from tortoise.backends.base_postgres.client import translate_exceptions

MOST = 24  # writes in one statement


class Together(TransactionWrapper):
    """Tortoise's transaction, which puts off what it is asked to."""

    def __init__(self, connection: AsyncpgDBClient) -> None:
        super().__init__(connection)
        self._writes: list[tuple[str, str, Sequence[Any]]] = []
        self._rows: set[Any] = set()

    async def put_off(self, table: str, row: Any, sql: str, values: Sequence[Any]) -> None:
        """Write a `row` of a table, new or not, at last when the transaction ends. One statement sees each row as it
        was before, so that a row waits once."""
        if row in self._rows or len(self._writes) == MOST:
            await self.write()
        self._writes.append((table, sql, values))
        self._rows.add(row)

    @translate_exceptions
    async def write(self) -> None:
        """What waits, now."""
        async with self.acquire_connection() as connection:
            await self._write(connection)

    async def before(self, sql: str) -> None:
        """What waits is written if `sql` could tell."""
        if not self._writes:
            return
        if not sql.startswith("SELECT") or any(table in _words(sql) for table, _, _ in self._writes):
            await self.write()

    def forget(self) -> None:
        """What waits is not to be written."""
        self._writes, self._rows = [], set()

    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, list[Any]]:
        await self.before(query)
        told: tuple[int, list[Any]] = await super().execute_query(query, values)
        return told

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> list[dict[str, Any]]:
        await self.before(query)
        told: list[dict[str, Any]] = await super().execute_query_dict(query, values)
        return told

    async def execute_insert(self, query: str, values: list[Any]) -> Any:
        await self.before(query)
        return await super().execute_insert(query, values)

    async def execute_many(self, query: str, values: list[Any]) -> None:
        await self.before(query)
        await super().execute_many(query, values)

    async def execute_script(self, query: str) -> None:
        await self.before(query)
        await super().execute_script(query)

    async def commit(self) -> None:
        try:
            await self.write()
        except BaseException:
            await self.rollback()
            raise
        await super().commit()

    def _in_transaction(self) -> TransactionContext:
        return NestedTransactionContext(_Savepoint(self))

    async def _write(self, connection: asyncpg.Connection) -> None:
        writes = self._writes
        self.forget()
        if writes:
            values = [value for _, _, given in writes for value in given]
            statement = _one_statement(tuple(sql for _, sql, _ in writes))
            self.log.debug("%s: %s", statement, values)
            await connection.fetch(statement, *values)


class _Savepoint(TransactionWrapper):
    """A part that may fail alone: with what was put off in it, and nothing of before."""

    _parent: Together

    async def begin(self) -> None:
        await self._parent.write()
        await super().begin()

    async def commit(self) -> None:
        try:
            await self._parent.write()
        except BaseException:
            await self.rollback()
            raise
        await super().commit()

    async def rollback(self) -> None:
        self._parent.forget()
        await super().rollback()


@lru_cache(maxsize=1000)
def _words(sql: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", sql))


@cache
def _one_statement(writes: tuple[str, ...]) -> str:
    """All at once, none seeing another; keys between them are checked when it ends. One alone is as it is."""
    if len(writes) == 1:
        return writes[0]
    parts, count = [], 0
    for place, sql in enumerate(writes):
        parts.append(f"w{place} AS ({_renumbered(sql, count)})")
        count += len(set(re.findall(r"\$\d+", sql)))
    return f"WITH {', '.join(parts)} SELECT 1"


def _renumbered(sql: str, by: int) -> str:
    return re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + by}", sql)
