"""The values of an operation's variables, as graphql-core coerces them.

Most are of a built-in scalar and come as JSON has it: those are taken as they are, their definitions read once. All
else is coerced by graphql-core, which also says what is wrong with a value.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInputType,
    GraphQLInt,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    get_nullable_type,
    get_variable_values,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource

ERRORS_MOST = 50  # reported by graphql-core for one request, as it does unless told

_NONE_GIVEN = VariableValues({}, {})


class Variables:
    """What an operation that is valid takes."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema, self._definitions = schema, operation.variable_definitions or ()
        self._read = [_Variable.read(schema, definition) for definition in self._definitions]

    def values(self, given: Mapping[str, Any], *, suggestions: bool = True) -> VariableValues | list[GraphQLError]:
        """The values to run with; or what is wrong with what was given."""
        if not self._read:
            return _NONE_GIVEN
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for variable in self._read:
            value = given.get(variable.name, Undefined)
            if value is Undefined:
                if variable.must_be_given:
                    return self._coerced(given, suggestions)
                sources[variable.name] = variable.absent
                if variable.default is not Undefined:
                    coerced[variable.name] = variable.default
            elif variable.taken_as_it_is(value):
                sources[variable.name] = VariableValueSource(variable.signature, value)
                coerced[variable.name] = value
            else:
                return self._coerced(given, suggestions)
        return VariableValues(sources, coerced)

    def _coerced(self, given: Mapping[str, Any], suggestions: bool) -> VariableValues | list[GraphQLError]:
        return get_variable_values(self._schema, self._definitions, dict(given), ERRORS_MOST, not suggestions)


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    signature: GraphQLVariableSignature
    absent: VariableValueSource
    default: Any  # coerced; Undefined: none
    must_be_given: bool
    taken_as_it_is: Callable[[Any], bool]

    @classmethod
    def read(cls, schema: GraphQLSchema, definition: Any) -> "_Variable":
        signature = get_variable_signature(schema, definition)
        assert isinstance(signature, GraphQLVariableSignature)  # the document is valid
        required = is_non_null_type(signature.type)
        default = Undefined
        if signature.default:
            values = get_variable_values(schema, (definition,), {})
            assert isinstance(values, VariableValues)
            default = values.coerced[signature.name]
        return cls(
            signature.name,
            signature,
            VariableValueSource(signature),
            default,
            (required and default is Undefined) or isinstance(default, (dict, list)),  # nobody shares what may change
            _test(signature.type),
        )


def _test(type_: GraphQLInputType) -> Callable[[Any], bool]:
    """Tells the values that coercing would give back as they are."""
    test = _TESTS.get(get_nullable_type(type_), _never)
    return test if is_non_null_type(type_) else lambda value: value is None or test(value)


_TESTS: dict[Any, Callable[[Any], bool]] = {
    GraphQLString: lambda value: type(value) is str,
    GraphQLID: lambda value: type(value) is str,
    GraphQLBoolean: lambda value: type(value) is bool,
    GraphQLInt: lambda value: type(value) is int and -(2**31) <= value < 2**31,
}


def _never(_: Any) -> bool:
    return False
