"""Lists in pages: sizes, orders, and the cursors that say where a page stands (Relay Cursor Connections).

A page is read by keyset: the rows beyond the position of a cursor in the list's order, which ends with the id. The
last page of a list costs what the first does, and rows that come in between move nothing.
"""

import base64
import binascii
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
from tortoise import fields
from tortoise.models import Model

from errors import Invalid

PAGE_DEFAULT, PAGE_MOST = 20, 100
PAGING = ("first", "after", "last", "before")
_MARK = 8  # bytes


@dataclass(frozen=True)
class Order:
    """By a column that is never null, then by id, both in one direction: an index serves it."""

    column: str = "id"
    descending: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        return ("id",) if self.column == "id" else (self.column, "id")


NEWEST_FIRST = Order()  # ids are UUIDv7: by time


@dataclass(frozen=True)
class Slice:
    """Which part of a list is asked for; positions are values of the order's columns."""

    size: int
    backward: bool
    after: tuple[Any, ...] | None
    before: tuple[Any, ...] | None

    @property
    def reach(self) -> int:
        """How many rows are read for it: sizes share their SQL by steps, and what is too much is cut off."""
        return step(self.size)

    def sides(self, more: bool) -> tuple[bool, bool]:
        """(whether rows come before, whether rows come after), when the reading found `more` than the size."""
        if self.backward:
            return more or self.after is not None, self.before is not None
        return self.after is not None, more or self.before is not None


@dataclass(frozen=True)
class Place:
    """The list that a cursor belongs to: a field of the schema (`Query.orders`), in an order, of a tenant."""

    field: str
    model: type[Model]
    order: Order
    tenant: Hashable

    def cursor(self, position: Sequence[Any]) -> str:
        """Opaque; the position is of values that `written` made."""
        return base64.urlsafe_b64encode(_mark(self) + orjson.dumps(position)).decode().rstrip("=")

    def slice(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Slice:
        """What the arguments ask for. Raises Invalid, naming the argument to blame."""
        size, backward = _size(first, last)
        return Slice(
            size, backward,
            None if after is None else self._position(after, "after"),
            None if before is None else self._position(before, "before"),
        )  # fmt: skip

    def _position(self, text: str, argument: str) -> tuple[Any, ...]:
        try:
            whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            if whole.startswith(_mark(self)):
                values = orjson.loads(whole[_MARK:])
                columns = self.order.columns
                if isinstance(values, list) and len(values) == len(columns):
                    return tuple(
                        _read(self.model._meta.fields_map[name], value)
                        for name, value in zip(columns, values, strict=True)
                    )
        except (ValueError, TypeError, OverflowError, binascii.Error):
            pass
        message = "This cursor is not of this list in this order. Take one from `pageInfo` or `edges`."
        raise Invalid(message, field=argument)


def step(number: int) -> int:
    """The next of a few numbers up to the longest page: what differs by a number alone need not differ in SQL."""
    return next(each for each in _STEPS if each >= number)


_STEPS = (1, 5, 10, 20, 50, PAGE_MOST)


@lru_cache(maxsize=4096)
def _mark(place: Place) -> bytes:
    """What binds a cursor to its list. Not a secret: a made-up position shows rows of one's own list alone."""
    name = f"{place.field} {place.order.column} {place.order.descending} {place.tenant}"
    return blake2b(name.encode(), digest_size=_MARK).digest()


def _size(first: int | None, last: int | None) -> tuple[int, bool]:
    if first is not None and last is not None:
        raise Invalid("Give `first` or `last`, not both.", field="last")
    name, size = ("last", last) if last is not None else ("first", PAGE_DEFAULT if first is None else first)
    if not 1 <= (size or 0) <= PAGE_MOST:
        raise Invalid(f"`{name}` is 1 to {PAGE_MOST}.", field=name)
    return size or 0, last is not None


# Positions are of JSON values: an id is its text, a moment its microseconds since 1970, a day as ISO 8601 has it.


def written(column: Any, value: Any) -> Any:
    """A value of a column, as a cursor has it."""
    if isinstance(column, fields.UUIDField):
        return str(value)
    if isinstance(column, fields.DatetimeField):
        return (value - _EPOCH) // _MICROSECOND
    return value.isoformat() if isinstance(column, fields.DateField) else value


def written_sql(column: Any, name: str) -> str:
    """The same, said by PostgreSQL."""
    if isinstance(column, fields.UUIDField):
        return f"{name}::text"
    if isinstance(column, fields.DatetimeField):
        return f"(extract(epoch FROM {name}) * 1000000)::bigint"
    if isinstance(column, fields.DateField):
        return f"to_char({name}, 'YYYY-MM-DD')"
    return name


def _read(column: Any, value: Any) -> Any:
    """A position's value as the column compares it. Raises ValueError, TypeError or OverflowError."""
    if isinstance(column, fields.DatetimeField):
        if type(value) is not int:
            raise ValueError(value)
        return _EPOCH + value * _MICROSECOND
    if isinstance(column, fields.IntField):
        if type(value) is not int or not -(2**31) <= value < 2**31:
            raise ValueError(value)
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError(value)
    if isinstance(column, fields.DateField):
        return date.fromisoformat(value)
    return UUID(value) if isinstance(column, fields.UUIDField) else value


_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
