"""A plan for people to read: its Python, its SQL, and how many rows PostgreSQL expected and met."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import strawberry
from graphql.execution.values import VariableValues

from engine.documents import Operation
from engine.plans.planning import Plans, log


@dataclass
class Explained:
    """What answers an operation: `why_not` where no plan does."""

    python: list[str] = field(default_factory=list)
    statements: list[tuple[str, list[str]]] = field(default_factory=list)  # SQL, and a line for each step of it
    why_not: str | None = None


async def explained(
    schema: strawberry.Schema, connection: Any, operation: Operation, values: VariableValues, context: Any
) -> Explained:
    """Run a query once by its plan, and each of its statements once more under EXPLAIN ANALYZE."""
    watched, heard = Watched(connection), Heard()

    @asynccontextmanager
    async def connect() -> AsyncIterator[Watched]:
        yield watched

    plans = Plans(schema, connect)
    level = log.level
    log.addHandler(heard)
    log.setLevel(logging.DEBUG)
    try:
        data = await plans.data(operation, values, context)
    finally:
        log.removeHandler(heard)
        log.setLevel(level)
    if data is None:
        return Explained(why_not="; ".join(heard.lines))
    statements = [(sql, await _steps(connection, sql, arguments)) for sql, arguments in watched.asked]
    run = {sql for sql, _ in statements}
    compiled = (level for plan in plans.compiled() for level in plan.levels)
    statements += [(level.sql, ["Not run: no row led to it"]) for level in compiled if level.sql not in run]
    return Explained([plan.source for plan in plans.compiled()], statements)


class Watched:
    """A connection that remembers what it was asked."""

    def __init__(self, connection: Any) -> None:
        self._connection, self.asked = connection, list[tuple[str, tuple[Any, ...]]]()

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        self.asked.append((sql, arguments))
        return await self._connection.fetch(sql, *arguments)

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        self.asked.append((sql, arguments))
        return await self._connection.fetchrow(sql, *arguments)


class Heard(logging.Handler):
    """Why there was no plan."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[1]
        self.lines.append(record.getMessage() + (f" ({error!r})" if error else ""))


async def _steps(connection: Any, sql: str, arguments: tuple[Any, ...]) -> list[str]:
    found = await connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", *arguments)
    return list(_lines(orjson.loads(found)[0]["Plan"], 0))


def _lines(step: dict[str, Any], depth: int) -> Iterator[str]:
    on = step.get("Index Name") or step.get("Relation Name") or step.get("Alias")
    name = f"{step['Node Type']} on {on}" if on else step["Node Type"]
    met = step["Actual Rows"] * step["Actual Loops"]
    yield f"{'  ' * depth}{name}: {step['Plan Rows'] * step['Actual Loops']} rows expected, {met:g} met"
    for inner in step.get("Plans", ()):
        yield from _lines(inner, depth + 1)
