"""Plans at work: parents' statements first, then lists are put together from the innermost out."""

from asyncio import get_running_loop
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql.execution.values import VariableValues

from engine import metrics
from engine.lists import Place, Slice
from engine.plans.state import Compiled, Level
from engine.roots import Groups


@dataclass(frozen=True)
class Paged:
    """Where a page stands, and which part of the list it is."""

    place: Place
    part: Slice


class Plan:
    """A compiled root field, as functions."""

    def __init__(self, compiled: Compiled) -> None:
        self.levels, self.dynamic = compiled.levels, compiled.dynamic
        namespace = dict(compiled.names)
        exec(self.source, namespace)  # noqa: S102 - see compiler.py for what it is made of
        self.assemblers: list[Callable[..., Any]] = [namespace[level.name] for level in self.levels]
        self.arguments: list[Callable[..., Any]] = [_evaluated(level) for level in self.levels]
        self.counts = [_evaluated(level.count) if level.count else None for level in self.levels]
        metrics.PLANS_COMPILED.inc()

    @property
    def source(self) -> str:
        """Its Python."""
        return "\n\n".join(level.assembler for level in self.levels)


def _evaluated(level: Level) -> Callable[..., Any]:
    return eval(level.arguments)  # type: ignore[no-any-return]  # noqa: S307 - numbers of ours, see statements.py


class Reading:
    """A request: its variables, who reads, by which connection, until when a statement may begin, and how much."""

    __slots__ = ("characters", "connection", "context", "until", "values", "values_read")

    def __init__(self, values: VariableValues, context: Any, connection: Any, until: float) -> None:
        self.values, self.context, self.connection, self.until = values, context, connection, until
        self.values_read = self.characters = 0

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        """The rows of a statement. Raises TooLate and TooMuch."""
        if get_running_loop().time() >= self.until:
            raise TooLate
        rows: list[Any] = await self.connection.fetch(sql, *arguments)
        if rows:
            self._weigh(rows)
        return rows

    def _weigh(self, rows: list[Any]) -> None:
        """What an answer will hold is only known now: the cost was an estimate. Few rows are not looked into, but for
        one alone, which may have lists nested in it."""
        self.values_read += len(rows) * len(rows[0])
        if len(rows) > ROWS_LOOKED_INTO or len(rows) == 1:
            self.characters += sum(len(value) for row in rows for value in row if type(value) is str)
        if self.values_read > VALUES_MOST or self.characters > CHARACTERS_MOST:
            raise TooMuch


ROWS_LOOKED_INTO = 200  # fewer cannot hold much, however often they are asked for within the limits of a document
VALUES_MOST = 400_000  # of all statements of an operation
CHARACTERS_MOST = 8_000_000


class TooLate(Exception):
    """There is no time for another statement."""


class TooMuch(Exception):
    """One answer cannot hold what was found."""


class Run:
    """One reading of a plan."""

    def __init__(self, plan: Plan, reading: Reading, values: Sequence[Any], parts: Sequence[Paged | None]) -> None:
        self.plan, self.reading = plan, reading
        self.facts, self.values, self.parts = reading.context.viewer.facts, values, parts
        self.slices = [part and part.part for part in parts]
        self.given = [get(reading.values) for get in plan.dynamic]
        self.rows: list[Any] = [None] * len(plan.levels)
        self.keys: list[Any] = [None] * len(plan.levels)
        self.totals: list[Any] = [None] * len(plan.levels)
        self.lists: list[Any] = [None] * len(plan.levels)

    async def one(self, key: Any) -> Any:
        """The row of an id, or None."""
        await self._fetch(0, key)
        if len(self.plan.levels) > 1:
            await self._behind()
        return self.plan.assemblers[0](self.rows[0], self.lists, self.given)

    async def several(self, keys: list[Any]) -> dict[Any, Any]:
        """Rows by their ids."""
        await self._fetch(0, keys)
        await self._behind()
        rows: dict[Any, Any] = self.plan.assemblers[0](self.rows[0], self.lists, self.given)
        return rows

    async def page(self) -> Any:
        """A page of a list."""
        await self._fetch(0, None)
        counted = self.plan.levels[0].count
        total = await self._counted(counted.sql, self.plan.counts[0]) if counted else None
        self.rows[0], before, after = self._trimmed(self.rows[0], 0)
        await self._behind()
        cursor = self.parts[0].place.cursor  # type: ignore[union-attr]
        return self.plan.assemblers[0](self.rows[0], self.lists, self.given, cursor, before, after, total)

    async def board(self, groups: Groups) -> Any:
        """All groups of a board. A row begins with its group, its id or null, and the sums of its group."""
        await self._fetch(0, groups.values)
        found, place = self.rows[0], self.plan.levels[0].paged
        sums = {row[0]: orjson.loads(row[2]) if row[2] else [] for row in found}
        there = {group: [row for row in found if row[0] == group and row[1] is not None] for group in groups.values}
        self.rows[0] = {
            group: self._trimmed(rows, place) if place else (rows, False, False) for group, rows in there.items()
        }
        await self._behind()
        told = [
            (groups.make(group, sums[group], None), *page, sum(number for _, number, _ in sums[group]))
            for group, page in self.rows[0].items()
        ]
        cursor = self.parts[place].place.cursor if place else None  # type: ignore[union-attr]
        return self.plan.assemblers[0](told, self.lists, self.given, cursor)

    async def _behind(self) -> None:
        """Everything behind the root's rows: statements from the outside in, lists from the inside out."""
        levels = self.plan.levels
        for number in range(1, len(levels)):
            level = levels[number]
            at = level.parent_key
            keys = list(dict.fromkeys(row[at] for row in self._parents(level) if row[at] is not None))
            await self._fetch(number, keys)
            if level.paged is not None:
                await self._divide(number, level)
        for number in range(len(levels) - 1, 0, -1):
            self.lists[number] = self._assembled(number)

    def _parents(self, level: Level) -> Any:
        """The rows of which a list is: after trimming, where they were pages themselves."""
        parent = level.parent or 0
        rows = self.rows[parent]
        return [row for part, *_ in rows.values() for row in part] if isinstance(rows, dict) else rows

    async def _fetch(self, number: int, keys: Any) -> None:
        """The rows of a level; `keys` are their parents' (none: no rows), or the one that is asked for."""
        self.keys[number] = keys
        if keys is not None and not keys:
            self.rows[number] = []
            return
        arguments = self.plan.arguments[number](self.facts, self.values, keys, self.slices)
        self.rows[number] = await self.reading.fetch(self.plan.levels[number].sql, arguments)

    async def _divide(self, number: int, level: Level) -> None:
        """The rows of lists of pages, by parent, each trimmed to its page."""
        by_key: dict[Any, list[Any]] = {key: [] for key in self.keys[number]}
        for row in self.rows[number]:
            by_key[row[0]].append(row)
        self.rows[number] = {key: self._trimmed(rows, level.paged or 0) for key, rows in by_key.items()}
        if level.count and by_key:
            arguments = self.plan.counts[number](self.facts, self.values, self.keys[number], self.slices)  # type: ignore[misc]
            found = await self.reading.fetch(level.count.sql, arguments)
            self.totals[number] = {row[0]: row[1] for row in found}

    def _assembled(self, number: int) -> Any:
        level, assemble = self.plan.levels[number], self.plan.assemblers[number]
        if level.paged is None:
            return assemble(self.rows[number], self.lists, self.given)
        cursor = self.parts[level.paged].place.cursor  # type: ignore[union-attr]
        totals = self.totals[number] or {}
        return {
            key: assemble(rows, self.lists, self.given, cursor, before, after, totals.get(key, 0))
            for key, (rows, before, after) in self.rows[number].items()
        }

    def _trimmed(self, rows: list[Any], place: int) -> tuple[list[Any], bool, bool]:
        part: Slice = self.slices[place]  # type: ignore[assignment]
        before, after = part.sides(len(rows) > part.size)
        rows = rows[: part.size]
        if part.backward:
            rows.reverse()
        return rows, before, after

    async def _counted(self, sql: str, arguments: Any) -> int:
        (row,) = await self.reading.fetch(sql, arguments(self.facts, self.values, None, self.slices))
        return int(row[0])
