"""Errors as clients see them: refusals of ours as they are, everything else masked and logged under an id."""

import logging
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any
from uuid import uuid4

from graphql import GraphQLError

from errors import DomainError, ErrorCode

log = logging.getLogger("comptoir.errors")

ERRORS_MOST = 20


def shown(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """The first errors of an answer, masked."""
    return [masked(error) for error in islice(errors, ERRORS_MOST)]


def refusal_of(error: Exception) -> dict[str, Any]:
    """An error outside any answer, as clients see it."""
    return dict(masked(GraphQLError(str(error), original_error=error)).formatted)


def masked(error: GraphQLError) -> GraphQLError:
    """The error for clients: what is neither GraphQL's own complaint about the request nor a DomainError loses its
    words, is logged and gets an id."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, DomainError):
        error.message, error.extensions = cause.message, _blamed(error) | cause.extensions
        return error
    if cause is None or isinstance(cause, GraphQLError):
        error.extensions = {"code": ErrorCode.INVALID.value} | _blamed(error) | (error.extensions or {})
        return error
    error_id = uuid4().hex
    log.error("error %s at %s", error_id, error.path, exc_info=cause, extra={"error_id": error_id})
    return GraphQLError(
        f"Something went wrong on our side. If it lasts, tell us this id: {error_id}",
        nodes=error.nodes,
        path=error.path,
        extensions={"code": ErrorCode.INTERNAL.value, "id": error_id},
    )


def _blamed(error: GraphQLError) -> dict[str, str]:
    """The part of a variable that could not be read, as `field`: `input.lines.0.quantity`."""
    named = _VARIABLE.match(error.message)
    return {"field": re.sub(r"\[(\d+)\]", r".\1", "".join(named.groups("")))} if named else {}


# graphql-core says it in words only: "Variable '$input' has invalid value at .lines[0].quantity: …"
_VARIABLE = re.compile(r"Variable '\$(\w+)' has invalid value(?: at (\S+))?: ")
