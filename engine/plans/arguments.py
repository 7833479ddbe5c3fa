"""Arguments, coerced by graphql-core and Strawberry themselves: once where they are constant, and not at all where a
variable of a built-in scalar is handed through."""

from collections.abc import Callable
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLString,
    Undefined,
    VariableNode,
    Visitor,
    get_nullable_type,
    is_non_null_type,
    visit,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from engine.documents import Operation

Given = Callable[[VariableValues], dict[str, Any]]  # Python's arguments of a field, for a request's variables

_NONE = VariableValues({}, {})
_BUILT_IN = (GraphQLString, GraphQLID, GraphQLInt, GraphQLBoolean)


def given(schema: strawberry.Schema, field: GraphQLField, node: FieldNode) -> tuple[Given, bool]:
    """(how a field's arguments are had, whether they are the same for every request)."""
    declared: StrawberryField = field.extensions["strawberry-definition"]
    registry, config = schema.schema_converter.scalar_registry, schema.config

    def convert(values: VariableValues) -> dict[str, Any]:
        coerced = get_argument_values(field, node, values)
        return convert_arguments(coerced, declared.arguments, scalar_registry=registry, config=config)

    if not any(_names_variables(argument) for argument in node.arguments or ()):
        constant = convert(_NONE)
        return lambda values: constant, True
    handed = _handed_through(field, node)
    if handed is None:
        return convert, False
    names = {config.name_converter.from_argument(argument): argument.python_name for argument in declared.arguments}
    return _handing({names[argument]: variable for argument, variable in handed.items()}, convert), False


def deciding(operation: Operation) -> tuple[str, ...]:
    """The variables that say which fields are answered: those of `@skip` and `@include`, fragments included."""
    names: dict[str, None] = {}

    class Finder(Visitor):
        def enter_directive(self, node: Any, *_: Any) -> None:
            arguments = node.arguments or ()
            names.update((a.value.name.value, None) for a in arguments if isinstance(a.value, VariableNode))

    for part in (operation.node, *operation.fragments.values()):
        visit(part, Finder())
    return tuple(names)


def _handed_through(field: GraphQLField, node: FieldNode) -> dict[str, str] | None:
    """The variables behind a field's arguments, where all are of built-in scalars and no default comes in between."""
    handed = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name, value in handed.items():
        type_ = get_nullable_type(field.args[name].type)
        if not isinstance(value, VariableNode) or type_ not in _BUILT_IN:
            return None
    without = (argument for name, argument in field.args.items() if name not in handed)
    if any(argument.default_value is not Undefined or is_non_null_type(argument.type) for argument in without):
        return None
    return {name: value.name.value for name, value in handed.items() if isinstance(value, VariableNode)}


def _handing(variables: dict[str, str], convert: Given) -> Given:
    def hand(values: VariableValues) -> dict[str, Any]:
        coerced = values.coerced
        found = {name: coerced.get(variable) for name, variable in variables.items()}
        # Absent, or null: what that means is graphql-core's to say.
        return convert(values) if None in found.values() else found

    return hand


def _names_variables(argument: Any) -> bool:
    found = []

    class Finder(Visitor):
        def enter_variable(self, variable: VariableNode, *_: Any) -> None:
            found.append(variable.name.value)

    visit(argument, Finder())
    return bool(found)
