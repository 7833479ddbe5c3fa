"""What generated functions call on values: checks as graphql-core makes them, and a Surprise for all that fails one."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from graphql import GraphQLLeafType, GraphQLResolveInfo, Undefined
from strawberry.execution import optimized_is_awaitable
from tortoise.models import Model

Completer = Callable[[Any], Any]

# Neither awaitable, nor an error, nor able to change.
SIMPLE = frozenset((str, int, bool, float, datetime, date, time, timedelta, Decimal, UUID, type(None)))


class Surprise(Exception):
    """Not a value that a generated function completes: graphql-core does."""


class Unfit(Surprise):
    """Nor will it be next time, most likely: the function is of no use."""


def settled(value: Any) -> Any:
    """The value itself. Raises Surprise for null, for an error, and for what has to be awaited."""
    if value is None or value is Undefined or isinstance(value, Exception):
        raise Surprise
    if optimized_is_awaitable(value) and not isinstance(value, Model):  # a row is awaitable, and gives itself
        raise Unfit
    return value


def listed(value: Any) -> Any:
    """The list or tuple itself. Raises Surprise for all else, unread: it may be an iterator."""
    if type(value) is not list and type(value) is not tuple:
        settled(value)
        raise Unfit
    return value


def leaf(type_: GraphQLLeafType) -> Completer:
    """How a value that is not null becomes one of the answer, by the type's own function."""
    coerce = type_.coerce_output_value

    def complete(value: Any) -> Any:
        if type(value) not in SIMPLE or value is None:
            settled(value)
        completed = coerce(value)
        if type(completed) not in SIMPLE or completed is None:
            settled(completed)
        return completed

    return complete


def checked(is_type_of: Callable[[Any, Any], Any], info: "GraphQLResolveInfo[Any]") -> Completer:
    """The check of an object against its type."""

    def check(value: Any) -> Any:
        if is_type_of(settled(value), info) is not True:
            raise Surprise
        return value

    return check
