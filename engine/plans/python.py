"""The Python of a plan: rows for computed fields, and what the generated code calls."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import strawberry
from graphql import GraphQLList, GraphQLNonNull
from tortoise import fields
from tortoise.models import Model

from engine.plans.scopes import Unplannable

NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")  # GraphQL's, and Python's


class Surprise(Exception):
    """A row is not as the plan takes it to be: another way answers."""


def surprise() -> Any:
    raise Surprise


def sure(value: Any) -> Any:
    """A value that is never null."""
    return surprise() if value is None else value


def key(name: str) -> str:
    """A response name as the source of a string. It is the client's: nothing but a name gets into the code."""
    if not NAME.fullmatch(name):
        raise Unplannable("a response name that is no name")
    return f'"{name}"'


def display(parts: Sequence[tuple[str, str]]) -> str:
    """The source of an object, of response names and sources of values."""
    return "{" + ", ".join(f"{key(name)}: {value}" for name, value in parts) + "}"


def function(name: str, parameters: str, lines: Sequence[str]) -> str:
    return f"def {name}({parameters}):\n" + "".join(f"    {line}\n" for line in lines)


def bare(model: type[Model], names: Sequence[str]) -> Callable[..., Any]:
    """Makes a row that holds these columns and no other, far faster than the ORM does: for Python that reads them."""
    read = [_from_database(model._meta.fields_map[name]) for name in names]
    new = object.__new__

    def make(*values: Any) -> Any:
        row = new(model)
        row.__dict__ = {
            name: value if convert is None else convert(value)
            for name, value, convert in zip(names, values, read, strict=True)
        }
        return row

    return make


def completer(type_: Any) -> Callable[[Any], Any]:
    """What graphql-core makes of a value of a leaf type, or of a list of them."""
    if isinstance(type_, GraphQLNonNull):
        inner = completer(type_.of_type)
        return lambda value: sure(inner(value))
    if isinstance(type_, GraphQLList):
        item = completer(type_.of_type)
        return lambda value: None if value is None else [item(each) for each in _listed(value)]
    return lambda value: None if value is None else sure(type_.coerce_output_value(value))


def resolver(definition: Any) -> Callable[..., Any]:
    """The plain function behind a Strawberry field. Raises Unplannable where there is more to it."""
    declared = definition.extensions["strawberry-definition"]
    found = declared.base_resolver
    if found is None or declared.extensions or found.is_async or found.info_parameter:
        raise Unplannable(f"{declared.name} is more than a function of its row")
    return found.wrapped_func  # type: ignore[no-any-return]


def serialized(scalar: Any) -> bool:
    """Whether a scalar changes a value on its way out, for all that PostgreSQL's is of the right type."""
    if scalar.name in _AS_IT_IS:
        return False
    definition = scalar.extensions.get("strawberry-definition")
    return definition is None or definition.serialize is not _UNCHANGED


_AS_IT_IS = {"String", "Int", "Boolean", "ID"}
# What Strawberry has for a scalar that says nothing of it.
_UNCHANGED: Any = strawberry.scalar(name="Unchanged").serialize


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else surprise()


def _from_database(column: Any) -> Callable[[Any], Any] | None:
    as_it_is = (fields.UUIDField, fields.IntField, fields.BooleanField, fields.DatetimeField)
    if isinstance(column, as_it_is) or type(column) in (fields.CharField, fields.TextField):
        return None
    return column.to_python_value  # type: ignore[no-any-return]
