"""Querysets as SQL: their WHERE is compiled once for each shape, and later only walked for its values.

Building SQL from a queryset costs 40 to 200 µs, walking its filters about 10. Like `engine/reading.py` it relies on
names that are Tortoise's own; `tests/engine/test_plans.py` pins them.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

from pypika_tortoise.terms import PseudoColumn
from tortoise.expressions import F, Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

from engine.views import Viewer


class Unplannable(Exception):
    """This is for another way to answer; says why."""


# What a comparison says in SQL whatever its value, null aside.
_COMPARISONS = {"gt", "gte", "lt", "lte", "in"}


@dataclass(frozen=True)
class Condition:
    """The table and the WHERE of a queryset; `$1` and on are its parameters, in order."""

    table: str
    where: str
    parameters: int

    def select(self, columns: str, number: Callable[[int], str], more: str = "") -> str:
        """`SELECT columns FROM table WHERE …`; `number(i)` is the statement's name of parameter i."""
        where = _PARAMETER.sub(lambda found: number(int(found[1]) - 1), self.where)
        both = " AND ".join(part for part in (where, more) if part)
        return f'SELECT {columns} FROM "{self.table}"' + (f" WHERE {both}" if both else "")


@dataclass(frozen=True)
class Scope:
    """What a kind of viewer sees of a model. Each parameter is a fact of the viewer, by its place, or a constant:
    `("fact", 0)`, `("constant", True)`."""

    condition: Condition
    sources: tuple[Hashable, ...]


def shape(rows: QuerySet[Any]) -> tuple[Hashable, list[Any]]:
    """(what decides the SQL of a queryset, its values in the order of the parameters). Raises Unplannable."""
    if (
        rows._orderings or rows._limit is not None or rows._offset is not None or rows._annotations
        or rows._distinct or rows._select_for_update or rows._custom_filters or rows._prefetch_map
    ):  # fmt: skip
        raise Unplannable("a queryset that is more than a filter")
    values: list[Any] = []
    return (rows.model, *[_walk(q, values) for q in rows._q_objects]), values


def condition(rows: QuerySet[Any], values: list[Any]) -> Condition:
    """The SQL of a queryset whose shape gave these values. Raises Unplannable where it says anything else."""
    rows = rows.all()
    rows._choose_db_if_not_chosen()
    rows._make_query()
    query: Any = rows.query
    if query._joins:
        raise Unplannable("a queryset that joins")
    query._selects, query._orderbys = [PseudoColumn("1")], []
    sql, parameters = query.get_parameterized_sql()
    if len(parameters) != len(values) or not all(map(_same, values, parameters)):
        raise Unplannable("a queryset whose parameters are not its values")
    table = rows.model._meta.db_table
    start = f'SELECT 1 FROM "{table}"'
    if not sql.startswith(start):
        raise Unplannable(f"a queryset that does not begin as expected: {sql[:80]}")
    return Condition(table, sql[len(start) :].removeprefix(" WHERE "), len(values))


def scope(viewer: Viewer, model: type[Model]) -> Scope:
    """What viewers of this kind see of a model, found by asking as two made-up ones. Raises Unplannable where it is
    not a function of the facts, and of constants, as parameters."""
    first, second = (_probed(viewer, model, tuple(uuid4() for _ in viewer.facts)) for _ in range(2))
    if first != second:
        raise Unplannable(f"the scope of {model.__name__} depends on more than its viewer's facts")
    return first


def _probed(viewer: Viewer, model: type[Model], facts: tuple[UUID, ...]) -> Scope:
    rows = viewer.having(facts).rows(model)
    _, values = shape(rows)
    compiled = condition(rows, values)
    if any(value not in facts and value not in viewer.constants for value in values):
        raise Unplannable(f"the scope of {model.__name__} has a value that is no fact of its viewer")
    sources = (("fact", facts.index(value)) if value in facts else ("constant", value) for value in values)
    return Scope(compiled, tuple(sources))


def _walk(q: Q, values: list[Any]) -> Hashable:
    parts: list[Hashable] = [q.join_type, q._is_negated]
    for name, value in q.filters.items():
        parts.append((name, _of_value(name, value, values)))
    parts.extend(_walk(child, values) for child in q.children)
    return tuple(parts)


def _of_value(name: str, value: Any, values: list[Any]) -> Hashable:
    comparison = name.rpartition("__")[2] if "__" in name else ""
    if comparison == "isnull":
        return bool(value)
    if comparison and comparison not in _COMPARISONS:
        raise Unplannable(f"a filter by {comparison}")
    if value is None:
        return None
    if isinstance(value, Subquery):
        inner: Any = value.query
        if inner._orderings or inner._limit is not None or inner._offset is not None or inner._distinct:
            raise Unplannable("a subquery that is more than a filter")
        fields = tuple(sorted(inner._fields_for_select.items())) if inner._fields_for_select else ()
        return inner.model, fields, tuple(_walk(q, values) for q in inner._q_objects)
    if isinstance(value, F):
        return str(value.name)
    if isinstance(value, list | tuple | set | frozenset):
        values.extend(value)
        return len(value)
    values.append(value)
    return True


def _same(value: Any, parameter: Any) -> bool:
    """Whether the database is told this value."""
    if isinstance(value, UUID):
        return bool(str(value) == parameter)
    if isinstance(value, datetime):
        return isinstance(parameter, datetime) and value.tzinfo is not None and bool(value == parameter)
    if isinstance(value, Enum):
        return bool(value.value == parameter)
    return type(value) is type(parameter) and bool(value == parameter)


_PARAMETER = re.compile(r"\$(\d+)")
