"""Rows of what is done most, by plain statements: each is made once, where Tortoise makes it anew each time, and takes
longer over it than PostgreSQL over the row. What is written is what `save` writes, field by field.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from tortoise import connections
from tortoise.exceptions import DoesNotExist
from tortoise.models import Model

from models.database import fetch
from models.together import Together

M = TypeVar("M", bound=Model)
Fields = tuple[Any, ...]


def made(model: type[M], row: Any) -> M:
    """The row that PostgreSQL gave: all columns of it, by name."""
    told: M = model._init_from_db(**row)
    return told


async def find(model: type[M], where: str, *values: Any) -> list[M]:
    """Rows of a table. `where` is what follows in the statement, an order and a lock included: one of few texts."""
    return [made(model, row) for row in await _run(_selected(model, where), values)]


async def find_one(model: type[M], where: str, *values: Any) -> M | None:
    """The row that a key names."""
    rows = await find(model, where, *values)
    return rows[0] if rows else None


async def read(model: type[M], where: str, *values: Any) -> M:
    """The row that is there, on a connection for reading, which costs less: of a transaction that is open here it sees
    nothing. Raises DoesNotExist."""
    found = await fetch(_selected(model, where), *values)
    if not found:
        raise DoesNotExist(model)
    return made(model, found[0])


async def lock(model: type[M], where: str, *values: Any) -> tuple[M, datetime] | None:
    """The row that a key names, locked until the transaction ends, and the time once it is (not the transaction's)."""
    rows = await _run(_locked(model, where), values)
    return (made(model, rows[0]), rows[0]["locked_at"]) if rows else None


async def find_together(models: Sequence[type[Model]], joined: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of several tables that are `joined`, a tuple for each; None for one that a LEFT JOIN did not find."""
    return [tuple(_parts(tuple(models), row)) for row in await _run(_selected_together(tuple(models), joined), values)]


async def insert(row: Model) -> None:
    """Write a new row, at last when the open transaction ends, or in one of its own."""
    await put(row, _inserted(type(row)), *_values(row, _fields(type(row))))
    row._saved_in_db = True


async def update(row: Model, *names: str) -> None:
    """Write these columns of a row that is there; all that it has, unless told. When, see `insert`."""
    fields = _fields(type(row), names) if names else _fields(type(row))[1:]
    await put(row, _updated(type(row), fields), *_values(row, fields), row.pk)


async def write(row: Model) -> None:
    """Write all of a row, new or there already."""
    await (update(row) if row._saved_in_db else insert(row))


async def put(row: Model, sql: str, *values: Any) -> None:
    """Write a row by a statement of few texts; when, see `insert`. Nothing is told of it."""
    connection = connections.get("default")
    if isinstance(connection, Together):
        await connection.put_off(row._meta.db_table, row.pk, sql, values)
    else:
        await connection.execute_query(sql, list(values))


async def _run(sql: str, values: Sequence[Any]) -> Sequence[Any]:
    _, rows = await connections.get("default").execute_query(sql, list(values))
    found: Sequence[Any] = rows
    return found


def _parts(models: tuple[type[Model], ...], row: Any) -> Any:
    values = iter(row)
    for model in models:
        names = _columns(model)
        part = dict(zip(names, islice(values, len(names)), strict=True))
        yield made(model, part) if part["id"] is not None else None


def _values(row: Model, fields: Fields) -> list[Any]:
    return [field.to_db_value(getattr(row, field.model_field_name), row) for field in fields]


@cache
def _columns(model: type[Model]) -> tuple[str, ...]:
    return tuple(model._meta.fields_db_projection.values())


@cache
def _fields(model: type[Model], names: tuple[str, ...] = ()) -> Fields:
    """Those that are written, the id first."""
    known = [model._meta.fields_map[name] for name in names or model._meta.fields_db_projection]
    return tuple(sorted((field for field in known if not field.generated or field.pk), key=lambda field: not field.pk))


@cache
def _selected(model: type[Model], where: str) -> str:
    return f"SELECT {_named(model)} FROM {model._meta.db_table} WHERE {where}"  # noqa: S608


@cache
def _locked(model: type[Model], where: str) -> str:
    """A part that locks is run by itself: the clock is read for what it gave, after any wait."""
    return (
        f"WITH locked AS MATERIALIZED ({_selected(model, where)} FOR UPDATE)"  # noqa: S608
        " SELECT locked.*, clock_timestamp() AS locked_at FROM locked"
    )


@cache
def _selected_together(models: tuple[type[Model], ...], joined: str) -> str:
    return f"SELECT {', '.join(map(_named, models))} FROM {joined}"  # noqa: S608


def _named(model: type[Model]) -> str:
    return ", ".join(f'{model._meta.db_table}."{column}"' for column in _columns(model))


@cache
def _inserted(model: type[Model]) -> str:
    columns = [f'"{_column(field)}"' for field in _fields(model)]
    numbered = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({numbered})"  # noqa: S608


@cache
def _updated(model: type[Model], fields: Fields) -> str:
    columns = ", ".join(f'"{_column(field)}" = ${place}' for place, field in enumerate(fields, start=1))
    return f"UPDATE {model._meta.db_table} SET {columns} WHERE id = ${len(fields) + 1}"  # noqa: S608


def _column(field: Any) -> str:
    name: str = field.source_field or field.model_field_name
    return name
