"""Values of variables come out exactly as graphql-core coerces them, whichever way they took."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, get_variable_values, parse

from engine.variables import Variables

SCHEMA = build_schema(
    """
    type Query { f(a: String, b: ID, c: Float): Int }
    enum Colour { RED GREEN }
    input Point { x: Int! y: Int = 2 colour: Colour more: [Point!] }
    scalar Any
    """
)
TYPES = [
    "String", "String!", "ID", "ID!", "Int", "Int!", "Boolean", "Boolean!", "Float", "Float!", "Colour", "Any", "Any!",
    "Point", "Point!", "[Int]", "[Int!]!", "[Point!]", 'String = "x"', "Int! = 3", "Int = null", "ID = 5",
    "Colour = RED", "Point = { x: 1 }", "[Int] = [1, 2]", "Boolean! = true",
]  # fmt: skip
ABSENT = object()
VALUES: list[Any] = [
    ABSENT, None, "text", "", "RED", 0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 10**30, 1.0, 1.5, True, False,
    [], [1, None], ["1"], {}, {"x": 1}, {"x": "1"}, {"x": 1, "z": 1}, [{"x": 1}], float("inf"), "é\U0001f600",
]  # fmt: skip


@pytest.mark.parametrize("suggestions", [True, False])
@pytest.mark.parametrize("type_", TYPES)
def test_a_value_is_coerced_as_graphql_core_does(type_: str, suggestions: bool) -> None:
    operation = parse(f"query ($v: {type_}, $other: String) {{ f }}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    variables = Variables(SCHEMA, operation)

    for value in VALUES:
        for other in ({}, {"other": "text"}, {"other": 5}):
            given = other if value is ABSENT else {"v": value, **other}
            ours = variables.values(given, suggestions=suggestions)
            theirs = get_variable_values(SCHEMA, operation.variable_definitions or (), given, 50, not suggestions)

            assert said(ours) == said(theirs), value


def test_a_default_that_may_change_is_made_anew_for_each_request() -> None:
    operation = parse("query ($v: [Int] = [1]) { f }").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    variables = Variables(SCHEMA, operation)
    first, second = variables.values({}), variables.values({})
    assert not isinstance(first, list)
    assert not isinstance(second, list)

    first.coerced["v"].append(2)

    assert second.coerced == {"v": [1]}


def said(values: Any) -> Any:
    """Everything that can be told of the values: types too, since 1, 1.0 and True are equal."""
    if isinstance(values, list):
        return [error.formatted for error in values]
    sources = {name: (source.signature.name, str(source.signature.type), repr(source.value))
               for name, source in values.sources.items()}  # fmt: skip
    return sources, repr(values.coerced)
