"""Arguments, coerced by graphql-core and Strawberry themselves: once where they are constant."""

from collections.abc import Callable
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLField, VariableNode, Visitor, visit
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from engine.documents import Operation

Given = Callable[[VariableValues], dict[str, Any]]  # Python's arguments of a field, for a request's variables

_NONE = VariableValues({}, {})


def given(schema: strawberry.Schema, field: GraphQLField, node: FieldNode) -> tuple[Given, bool]:
    """(how a field's arguments are had, whether they are the same for every request)."""
    declared: StrawberryField = field.extensions["strawberry-definition"]
    registry, config = schema.schema_converter.scalar_registry, schema.config

    def convert(values: VariableValues) -> dict[str, Any]:
        coerced = get_argument_values(field, node, values)
        return convert_arguments(coerced, declared.arguments, scalar_registry=registry, config=config)

    if names_variables(node):
        return convert, False
    constant = convert(_NONE)
    return lambda values: constant, True


def names_variables(node: FieldNode) -> bool:
    """Whether the field's own arguments name a variable."""
    found = []

    class Finder(Visitor):
        def enter_variable(self, variable: VariableNode, *_: Any) -> None:
            found.append(variable.name.value)

    for argument in node.arguments or ():
        visit(argument, Finder())
    return bool(found)


def deciding(operation: Operation) -> tuple[str, ...]:
    """The variables that say which fields are answered: those of `@skip` and `@include`, fragments included."""
    names: dict[str, None] = {}

    class Finder(Visitor):
        def enter_directive(self, node: Any, *_: Any) -> None:
            names.update(
                dict.fromkeys(a.value.name.value for a in node.arguments or () if isinstance(a.value, VariableNode))
            )

    for part in (operation.node, *operation.fragments.values()):
        visit(part, Finder())
    return tuple(names)
