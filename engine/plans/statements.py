"""One SQL statement of a plan: rows of a model in an order, rows joined to one, lists nested in a single row.

Names in the SQL are those of columns and our own aliases; every value is a parameter.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.lists import NEWEST_FIRST, Order, Slice
from engine.plans.scopes import Condition, Scope
from engine.roots import Groups

ARGUMENTS_MOST = 90  # PostgreSQL takes 100 in a call of json_build_array


class Parameters:
    """The parameters of a statement: each source has its number, however often it is named."""

    def __init__(self) -> None:
        self.sources: list[Hashable] = []

    def number(self, source: Hashable) -> str:
        if source not in self.sources:
            self.sources.append(source)
        return f"${self.sources.index(source) + 1}"

    def source(self) -> str:
        """The source of the function that gives the statement its parameters."""
        return f"lambda facts, values, keys, parts: ({''.join(f'{_said(each)}, ' for each in self.sources)})"


def _said(source: Any) -> str:
    match source:
        case "keys" | "key":
            return "keys"
        case ("value", int(place)):
            return f"values[{place}]"
        case ("fact", int(place)):
            return f"facts[{place}]"
        case ("constant", value):
            return repr(value)
        case ("limit", int(place)):
            return f"parts[{place}].size + 1"
        case ("after" | "before" as side, int(place), int(at)):
            return f"parts[{place}].{side}[{at}]"
    raise AssertionError(source)


@dataclass
class Source:
    """A table as the viewer sees it, under an alias; `columns` are SQL over its own columns, by name."""

    alias: str
    condition: Condition
    sources: Sequence[Hashable] | None  # of the parameters, as a scope has them; None: they are the root's values
    columns: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> str:
        """A column of the table under its own name."""
        self.columns[name] = f'"{name}"'
        return name

    def shown(self, hint: str, sql: str) -> str:
        """The name of an expression: never that of a column, by which the statement sorts and joins."""
        name = f"shown_{hint}"
        while self.columns.get(name, sql) != sql:
            name += "_"
        self.columns[name] = sql
        return name

    def select(self, parameters: Parameters, more: str = "") -> str:
        columns = ", ".join(sql if sql == f'"{name}"' else f'{sql} AS "{name}"' for name, sql in self.columns.items())

        def number(place: int) -> str:
            return parameters.number(("value", place) if self.sources is None else self.sources[place])

        return self.condition.select(columns, number, more)


@dataclass
class Join:
    """A row to one of another: `left` holds the key."""

    source: Source
    left: str  # `t0."client_id"`
    inner: bool = False


@dataclass
class Statement:
    """What is selected, in the order in which the assembler takes it apart."""

    source: Source
    joins: list[Join] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)  # variable of the assembler → SQL
    order: Sequence[str] = ()  # of a list in a relation: columns
    nested: bool = False  # within another, as JSON

    def take(self, source: Source, column: str, sql: str | None = None) -> str:
        """A column of a source, or an expression over it, as a variable of the assembler."""
        name = source.column(column) if sql in (None, f'"{column}"') else source.shown(column, sql or "")
        return self.output(f"{source.alias}_{name}", f'{source.alias}."{name}"')

    def output(self, variable: str, sql: str) -> str:
        self.outputs[variable] = sql
        return variable

    def place(self, variable: str) -> int:
        """Where a row holds what is unpacked into a variable."""
        return list(self.outputs).index(variable)

    def unpacked(self, *first: str) -> str:
        """The source of what a row is taken apart into."""
        return f"({', '.join((*first, *self.outputs)) or '_'},)"


def scoped(alias: str, scope: Scope) -> Source:
    return Source(alias, scope.condition, scope.sources)


def one(statement: Statement, parameters: Parameters) -> str:
    """The row of an id."""
    inner = statement.source.select(parameters, f'"id" = {parameters.number("key")}')
    return f"{_select(statement)}\nFROM ({inner}) {_from(statement, parameters)}"


def page(statement: Statement, parameters: Parameters, order: Order, part: Slice) -> str:
    """A page by keyset. A row more than asked for says whether there are more."""
    for name in order.columns:
        statement.source.column(name)
    inner = statement.source.select(parameters, " AND ".join(_beyond(order, part, parameters)))
    limited = f"{inner} ORDER BY {_by(order, part)} LIMIT {part.reach + 1:d}"
    by = _by(order, part, statement.source.alias)
    return f"{_select(statement)}\nFROM ({limited}) {_from(statement, parameters)}\nORDER BY {by}"


def behind(statement: Statement, parameters: Parameters, key: str) -> str:
    """The rows of a relation to many, for all the parents at once; `key` is the column that names the parent."""
    more = f'"{key}" = ANY({parameters.number("keys")})'
    for name in (key, *statement.order):
        statement.source.column(name)
    order = ", ".join(f'{statement.source.alias}."{name}"' for name in statement.order)
    inner = statement.source.select(parameters, more)
    select = _select(statement, f'{statement.source.alias}."{key}"')
    ordered = f"\nORDER BY {order}" if order else ""
    return f"{select}\nFROM ({inner}) {_from(statement, parameters)}{ordered}"


def nested(statement: Statement, parameters: Parameters, key: str, parent: str) -> str:
    """The same for one parent, as a JSON array of arrays within the parent's own statement."""
    for name in (key, *statement.order):
        statement.source.column(name)
    alias = statement.source.alias
    order = ", ".join(f'{alias}."{name}"' for name in statement.order)
    values = ", ".join(statement.outputs.values())
    return (
        f"(SELECT coalesce(json_agg(json_build_array({values}) ORDER BY {order}), '[]')"
        f"\n  FROM ({statement.source.select(parameters)}) {_from(statement, parameters)}"
        f'\n  WHERE {alias}."{key}" = {parent})'
    )


def pages_behind(statement: Statement, parameters: Parameters, key: str, order: Order, part: Slice, place: int) -> str:
    """A page of each parent's list: `place` is that of the list among the plan's."""
    for name in (key, *order.columns):
        statement.source.column(name)
    conditions = [f'"{key}" = parent.id', *_beyond(order, part, parameters, place)]
    inner = statement.source.select(parameters, " AND ".join(conditions))
    limit = parameters.number(("limit", place))
    return (
        f"{_select(statement, 'parent.id')}\nFROM unnest({parameters.number('keys')}::uuid[]) AS parent (id)"
        f"\nCROSS JOIN LATERAL ({inner} ORDER BY {_by(order, part)} LIMIT {limit}) {_from(statement, parameters)}"
        f"\nORDER BY {_by(order, part, statement.source.alias)}"
    )


def board(statement: Statement, parameters: Parameters, groups: Groups, part: Slice | None, place: int | None,
          summed: bool) -> str:  # fmt: skip
    """All groups: of each its sums, as a JSON array in the order of currencies, and a page of its rows, none without a
    `part`. A group that has none is a row of nulls."""
    source, conditions, by, limit = statement.source, [f'"{groups.by}" = parent.id'], "", "0"
    if part:
        conditions += _beyond(NEWEST_FIRST, part, parameters, place or 0)
        by, limit = _by(NEWEST_FIRST, part, source.alias), parameters.number(("limit", place))
    inner = source.select(parameters, " AND ".join(conditions))
    sums = f"\nLEFT JOIN ({_sums(source, parameters, groups)}) AS sums ON sums.id = parent.id" if summed else ""
    ordered = f" ORDER BY {_by(NEWEST_FIRST, part)}" if part else ""
    return (
        f"{_select(statement, 'parent.id')}\nFROM unnest({parameters.number('keys')}::text[]) WITH ORDINALITY"
        f" AS parent (id, place){sums}"
        f"\nLEFT JOIN LATERAL ({inner}{ordered} LIMIT {limit}) {_from(statement, parameters)} ON true"
        f"\nORDER BY parent.place{', ' if by else ''}{by}"
    )


def count(source: Source, parameters: Parameters) -> str:
    """How many rows there are."""
    bare = Source(source.alias, source.condition, source.sources, {"id": '"id"'})
    return f"SELECT count(*) FROM ({bare.select(parameters)}) AS {source.alias}"


def counts_behind(source: Source, parameters: Parameters, key: str) -> str:
    """How many rows each parent's list has."""
    bare = Source(source.alias, source.condition, source.sources, {key: f'"{key}"'})
    more = f'"{key}" = ANY({parameters.number("keys")})'
    return f'SELECT "{key}", count(*) FROM ({bare.select(parameters, more)}) AS {source.alias} GROUP BY 1'


def _sums(source: Source, parameters: Parameters, groups: Groups) -> str:
    columns = {groups.by: f'"{groups.by}"', groups.currency: f'"{groups.currency}"', "number": "count(*)",
               "amount": f'sum("{groups.amount}")'}  # fmt: skip
    counted = Source(source.alias, source.condition, source.sources, columns).select(parameters)
    sums = f'json_agg(json_build_array("{groups.currency}", "number", "amount") ORDER BY "{groups.currency}")'
    return f'SELECT "{groups.by}" AS id, {sums} AS found FROM ({counted} GROUP BY 1, 2) AS counted GROUP BY 1'


def _select(statement: Statement, *first: str) -> str:
    return f"SELECT {', '.join((*first, *statement.outputs.values())) or 'true'}"


def _from(statement: Statement, parameters: Parameters) -> str:
    """The alias of the table just written, and what is joined to it."""
    joins = (
        f"\n{'JOIN' if join.inner else 'LEFT JOIN'} ({join.source.select(parameters)}) AS {join.source.alias}"
        f' ON {join.source.alias}."id" = {join.left}'
        for join in statement.joins
    )
    return f"AS {statement.source.alias}" + "".join(joins)


def _by(order: Order, part: Slice, alias: str | None = None) -> str:
    """The order in which a slice is read: from its far end where it is counted from there."""
    direction = " DESC" if order.descending != part.backward else ""
    return ", ".join(f'{alias + "." if alias else ""}"{name}"{direction}' for name in order.columns)


def _beyond(order: Order, part: Slice, parameters: Parameters, place: int = 0) -> list[str]:
    """The conditions that `after` and `before` are: rows compared as wholes, which an index serves."""
    columns = ", ".join(f'"{name}"' for name in order.columns)
    ends = (("after", part.after, not order.descending), ("before", part.before, order.descending))
    return [
        f"({columns}) {'>' if upwards else '<'} ("
        + ", ".join(parameters.number((side, place, at)) for at in range(len(order.columns)))
        + ")"
        for side, position, upwards in ends
        if position is not None
    ]
