"""What lists can be narrowed by, and in which orders they come. Made from models, like everything published.

@filter(models.Order)
class OrderFilter:
    status: among          # any of these: `status: [PAID]`
    live: auto             # this
    client: ID             # of this row, by global id
    total: between         # `total: { least: 1000 }`, of `total_cents`
    created_at: between    # `createdAt: { after: …, before: … }`
    subject: names(…, "…") # of a row of several kinds, by global id
    active: holds(…, "…")  # of which something is true at this moment, or is not
    status: meets(…, "…")  # of which something computed has a value

OrderOrder = order(models.Order, created_at="id", number="number")
"""

import enum
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET
from strawberry.types.arguments import StrawberryArgument
from strawberry.utils.str_converters import to_camel_case
from tortoise import fields
from tortoise.expressions import Q
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model
from tortoise.queryset import QuerySet

from engine.lists import Order, step
from errors import Invalid, Limited
from models.base import in_words
from policy import row_id
from schema.base import auto, column_type, described
from schema.base import enum as enumeration
from schema.connections import argument
from schema.scalars import Date, DateTime

T = TypeVar("T")

AMONG_MOST = 100
Narrow = Callable[[Any, str], dict[str, Any] | Q]


class among:  # noqa: N801 - read as a word of a declaration
    """Any of these values of a column."""


class between:  # noqa: N801
    """A range of a column: of moments, of days, or of numbers."""


@strawberry.input(description="From a moment on, until another.")
class DateTimeRange:
    after: DateTime | None = strawberry.field(description="At this moment or later.", default=UNSET)
    before: DateTime | None = strawberry.field(description="Before this moment.", default=UNSET)


@strawberry.input(description="From a day on, to another.")
class DateRange:
    first: Date | None = strawberry.field(description="This day or later.", default=UNSET)
    last: Date | None = strawberry.field(description="This day or earlier.", default=UNSET)


@strawberry.input(description="From a number on, to another.")
class IntRange:
    least: int | None = strawberry.field(description="This or more.", default=UNSET)
    most: int | None = strawberry.field(description="This or less.", default=UNSET)


@strawberry.enum(description="Which end comes first.")
class OrderDirection(enum.Enum):
    ASC = strawberry.enum_value("ASC", description="The smallest, first or oldest one.")
    DESC = strawberry.enum_value("DESC", description="The largest, last or newest one.")


class is_set:  # noqa: N801
    """Whether a column that may be null holds a value: `resolved: is_set("resolved_at")`."""

    def __init__(self, column: str) -> None:
        self.column = column


class names:  # noqa: N801
    """A row of several kinds, by global id, in a way of its own: `subject: names(about, "What it is about.")`, where
    `about` makes conditions of the id."""

    def __init__(self, narrow: Callable[[str], dict[str, Any]], description: str) -> None:
        self.narrow, self.description = narrow, description


class holds:  # noqa: N801
    """Whether something is true of the row at this moment: `active: holds(usable, "…")`, where `usable` makes a
    condition of it."""

    def __init__(self, condition: Callable[[], Q], description: str) -> None:
        self.condition, self.description = condition, description


class meets:  # noqa: N801
    """Whether something with a few values has one: `status: meets(Status, of_status, "…")`, where `of_status` makes a
    condition of the value."""

    def __init__(self, kind: Any, condition: Callable[[Any], Q], description: str) -> None:
        self.kind, self.condition, self.description = kind, condition, description


def filter(model: type[Model]) -> Callable[[type[T]], type[T]]:
    """An input that narrows a list of the model. Every part of it may be left out; null is as left out."""

    def declare(cls: type[T]) -> type[T]:
        narrows: dict[str, Narrow] = {}
        for name, annotation in list(cls.__annotations__.items()):
            kind, narrows[name], description = _narrowing(model, name, annotation)
            cls.__annotations__[name] = kind | None
            setattr(cls, name, strawberry.field(description=description, default=UNSET))
        cls.__narrows__ = narrows  # type: ignore[attr-defined]
        return strawberry.input(cls, description=inspect.getdoc(cls))

    return declare


def filtered(rows: QuerySet[Any], given: Any) -> QuerySet[Any]:
    """The rows that a filter leaves. Raises Limited for a list of values that is too long."""
    if not given:
        return rows
    conditions = []
    for name, narrow in given.__narrows__.items():
        value = getattr(given, name)
        if value is not UNSET and value is not None:
            found = narrow(value, f"filter.{to_camel_case(name)}")
            conditions.append(found if isinstance(found, Q) else Q(**found))
    return rows.filter(*conditions) if conditions else rows


def order(model: type[Model], **columns: str) -> Any:
    """The orders of a list: names, and the columns behind them, each never null and with an index that ends in the id.
    `created_at="id"`: ids are by time."""
    for column in columns.values():
        if model._meta.fields_map[column].null:
            raise TypeError(f"{model.__name__}.{column} may be null: no list can be in its order")
    name = model.__name__
    values = {
        each.upper(): strawberry.enum_value(column, description=described(model, each if column == "id" else column))
        for each, column in columns.items()
    }
    choices: Any = enum.Enum(f"{name}OrderField", values)  # type: ignore[misc]
    field = strawberry.enum(choices, description=f"What {_plural(name)} can be sorted by.")

    class Chosen:
        field: Any = strawberry.field(description="Sorted by this.")
        direction: OrderDirection = strawberry.field(description="Which end comes first.", default=OrderDirection.DESC)

        @property
        def order(self) -> Order:
            return Order(self.field.value, self.direction is OrderDirection.DESC)

    Chosen.__annotations__["field"] = field
    Chosen.__name__ = f"{name}Order"
    return strawberry.input(Chosen, description=f"The order of {_plural(name)}; newest first unless told.")


def ordered(order: Any) -> StrawberryArgument:
    """The argument of a list by which its order is chosen."""
    return argument("order_by", order | None, "In which order; newest first unless told.")


def _narrowing(model: type[Model], name: str, annotation: Any) -> tuple[Any, Narrow, str]:
    """(GraphQL type, value → conditions, description) of a part of a filter."""
    if isinstance(annotation, is_set):
        column_name = annotation.column
        return (
            bool,
            lambda value, _: {f"{column_name}__isnull": not value},
            f"{described(model, column_name)} Whether it was.",
        )
    if isinstance(annotation, holds):
        condition = annotation.condition
        return bool, lambda value, _: condition() if value else ~condition(), annotation.description
    if isinstance(annotation, meets):
        meeting = annotation.condition
        return enumeration(annotation.kind), lambda value, _: meeting(value), annotation.description
    if isinstance(annotation, names):
        narrow = annotation.narrow
        return strawberry.ID, lambda value, _: narrow(value), annotation.description
    if name not in model._meta.fields_map:
        name = f"{name}_cents"
    column = model._meta.fields_map[name]
    if annotation is among:
        return list[_kind(model, name)], _among(name), f"{described(model, name)} Any of these."  # type: ignore[misc]
    if annotation is between and isinstance(column, fields.DatetimeField):
        return DateTimeRange, _range(name, after="gte", before="lt"), described(model, name)
    if annotation is between and isinstance(column, fields.DateField):
        return DateRange, _range(name, first="gte", last="lte"), described(model, name)
    if annotation is between:
        return IntRange, _range(name, least="gte", most="lte"), described(model, name)
    if isinstance(column, ForeignKeyFieldInstance):
        target: Any = column.related_model
        return strawberry.ID, _named(name, target), f"{described(model, name)} By global id."
    if annotation is not auto:
        raise TypeError(f"{model.__name__}.{name}: a filter is auto, among, between, or an ID for a relation")
    return _kind(model, name), _exactly(name, column), described(model, name)


def _exactly(name: str, column: Any) -> Callable[[Any, str], dict[str, Any]]:
    most = getattr(column, "max_length", None)

    def narrow(value: Any, blamed: str) -> dict[str, Any]:
        if most and isinstance(value, str) and len(value) > most:
            raise Invalid(f"This is longer than {most} characters, and so is of no row.", field=blamed)
        return {name: value}

    return narrow


def _among(name: str) -> Callable[[Any, str], dict[str, Any]]:
    def narrow(values: list[Any], blamed: str) -> dict[str, Any]:
        if len(values) > AMONG_MOST:
            raise Limited(f"Name {AMONG_MOST} values at most.", field=blamed)
        # Filled up with the last one: lists of all lengths share a few shapes, and so their plans.
        return {f"{name}__in": values and [*values, *values[-1:] * (step(len(values)) - len(values))]}

    return narrow


def _named(name: str, target: type[Model]) -> Callable[[Any, str], dict[str, Any]]:
    return lambda key, _: {f"{name}_id": row_id(target, key)}


def _range(name: str, **ends: str) -> Callable[[Any, str], dict[str, Any]]:
    def narrow(given: Any, blamed: str) -> dict[str, Any]:
        values = ((side, getattr(given, end)) for end, side in ends.items())
        return {f"{name}__{side}": value for side, value in values if value is not UNSET and value is not None}

    return narrow


def _kind(model: type[Model], name: str) -> Any:
    """The type of a column's value, never null."""
    kind = column_type(model, name)
    return next(part for part in kind.__args__ if part is not type(None)) if model._meta.fields_map[name].null else kind


def _plural(name: str) -> str:
    return f"{in_words(name)}s"
