"""How a published schema may change: what goes was deprecated before, until a day that was said.

A reason reads ``Use `total` instead. Goes on 2027-06-30.``: what replaces it, of the same type or as `Type.field`, and
the day from which on it may be taken out.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from graphql import (
    REMOVE,
    BreakingChangeType,
    DirectiveNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    StringValueNode,
    Visitor,
    build_ast_schema,
    build_schema,
    find_breaking_changes,
    parse,
    visit,
)

REASON = re.compile(r"Use `(?:(\w+)\.)?(\w+)` instead\. Goes on (\d{4}-\d{2}-\d{2})\.")


def broken(published: str, current: str, today: date) -> list[str]:
    """What clients of the published SDL lose in the current one, other than what was deprecated until today."""
    owed = build_ast_schema(visit(parse(published), _Past(today)), assume_valid_sdl=True)
    # A type goes with the last that leads to it, which is looked at by itself.
    return [
        change.description
        for change in find_breaking_changes(owed, build_schema(current))
        if change.type is not BreakingChangeType.TYPE_REMOVED
    ]


def unexplained(schema: GraphQLSchema) -> list[str]:
    """Deprecated fields, arguments and values whose reason does not name what replaces them, and a day."""
    return [where for where, parent, reason in _deprecated(schema) if not _explains(schema, parent, reason)]


class _Past(Visitor):
    """Takes out what was deprecated until a day that has come."""

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today

    def _enter(self, node: Any, *_: Any) -> Any:
        reason = next((_reason(each) for each in node.directives or () if each.name.value == "deprecated"), None)
        found = REASON.fullmatch(reason or "")
        return REMOVE if found and date.fromisoformat(found[3]) <= self._today else None

    enter_field_definition = enter_input_value_definition = enter_enum_value_definition = _enter


def _reason(directive: DirectiveNode) -> str:
    values = (each.value for each in directive.arguments or () if each.name.value == "reason")
    return next((value.value for value in values if isinstance(value, StringValueNode)), "")


def _deprecated(schema: GraphQLSchema) -> Iterator[tuple[str, str, str]]:
    """(where, the type that it is of, reason)."""
    for kind in schema.type_map.values():
        for name, member in _members(kind):
            if member.deprecation_reason is not None:
                yield f"{kind.name}.{name}", kind.name, member.deprecation_reason
            for argument, given in getattr(member, "args", {}).items():
                if given.deprecation_reason is not None:
                    yield f"{kind.name}.{name}({argument})", kind.name, given.deprecation_reason


def _members(kind: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        yield from kind.fields.items()
    elif isinstance(kind, GraphQLEnumType):
        yield from kind.values.items()


def _explains(schema: GraphQLSchema, parent: str, reason: str) -> bool:
    found = REASON.fullmatch(reason)
    if found is None:
        return False
    members = dict(_members(schema.type_map.get(found[1] or parent)))
    arguments = {name for _, member in members.items() for name in getattr(member, "args", {})}
    return found[2] in members or found[2] in arguments
