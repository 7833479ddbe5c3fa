"""Something invalid made of a valid request: of its document, or of its variables."""

import copy
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    NamedTypeNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableDefinitionNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from tests.differential.ways import Case

WRONG: tuple[Any, ...] = (
    None, "text", "", "\x00", 0, -1, 101, 1.5, 2**31, -(2**31) - 1, 2**53, 1e308, True, [], [None], ["x"], [[1]], {},
    {"field": "NUMBER"}, {"field": "NOT_ONE"}, {"unknown": 1}, {"status": "PAID"}, {"status": [None]}, {"after": "now"},
    {"least": 2**31}, {"least": "1"}, {"createdAt": {"after": "2026-01-31T09:00:00"}}, {"email": "no address"},
    {"status": ["PAID"] * 101}, ["x"] * 101, "😀", "\ud800",
)  # fmt: skip


def spoilt(case: Case, random: Random) -> Case:
    """A request that is refused, in most cases."""
    said = random.random()
    if said < 0.5 and case.variables:
        return _variables(case, random)
    if said < 0.55:
        return replace(case, operation_name=random.choice(("", "Other", "asked", None)))
    if said < 0.6:
        return replace(case, text=case.text[: random.randrange(len(case.text))])
    document = parse(case.text)
    spoil = random.choice(_OF_DOCUMENTS)
    spoil(document, random)
    return replace(case, text=print_ast(document))


def _variables(case: Case, random: Random) -> Case:
    values = copy.deepcopy(case.variables)
    for _ in range(random.choice((1, 1, 2))):
        name = random.choice(list(case.variables))
        said = random.random()
        if said < 0.15:
            values.pop(name, None)
        elif said < 0.25:
            values[random.choice(("unknown", "v99", ""))] = 1
        elif said < 0.6 and isinstance(values.get(name), dict | list) and values[name]:
            _within(values[name], random)
        else:
            values[name] = random.choice(WRONG)
    return replace(case, variables=values)


def _within(value: Any, random: Random) -> None:
    """Something wrong inside of an object or a list."""
    place = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
    inner = value[place]
    if isinstance(inner, dict | list) and inner and random.random() < 0.6:
        _within(inner, random)
    elif isinstance(value, dict) and random.random() < 0.2:
        value[random.choice(("unknown", "state", place + "s"))] = inner
    else:
        value[place] = random.choice(WRONG)


def _one(document: DocumentNode, kind: type[Any], random: Random, fits: Callable[[Any], Any] = bool) -> Any:
    """Some node of a kind, or None."""
    found: list[Node] = []

    class Finder(Visitor):
        def enter(self, node: Node, *_: Any) -> None:
            if isinstance(node, kind) and fits(node):
                found.append(node)

    visit(document, Finder())
    return random.choice(found) if found else None


def _set(node: Any, name: str, value: Any) -> None:
    """Nodes are not made to be changed; these are our own."""
    object.__setattr__(node, name, value)


def _name(text: str) -> NameNode:
    return NameNode(value=text)


def _unknown_field(document: DocumentNode, random: Random) -> None:
    field = _one(document, FieldNode, random)
    _set(field, "name", _name(random.choice((field.name.value + "s", field.name.value.upper(), "__schema", "secret"))))


def _another_name(document: DocumentNode, random: Random) -> None:
    """Two fields of one response name."""
    _set(_one(document, FieldNode, random), "alias", _name(_one(document, FieldNode, random).name.value))


def _unknown_argument(document: DocumentNode, random: Random) -> None:
    field = _one(document, FieldNode, random)
    name = _name(random.choice(("nope", "first", "id")))
    more = ArgumentNode(name=name, value=StringValueNode(value="x"))
    _set(field, "arguments", (*(field.arguments or ()), more))


def _without_arguments(document: DocumentNode, random: Random) -> None:
    field = _one(document, FieldNode, random, lambda node: node.arguments)
    if field:
        _set(field, "arguments", field.arguments[1:])


def _another_value(document: DocumentNode, random: Random) -> None:
    """A literal of another kind, or another's variable."""
    argument = _one(document, ArgumentNode, random)
    value = _one(document, ValueNode, random)
    if argument and value:
        _set(argument, "value", value)


def _without_selection(document: DocumentNode, random: Random) -> None:
    field = _one(document, FieldNode, random, lambda node: node.selection_set)
    if field:
        _set(field, "selection_set", None)


def _selection_on_anything(document: DocumentNode, random: Random) -> None:
    field, other = _one(document, FieldNode, random), _one(document, SelectionSetNode, random)
    _set(field, "selection_set", copy.deepcopy(other))


def _unknown_type(document: DocumentNode, random: Random) -> None:
    named = _one(document, NamedTypeNode, random)
    if named:
        _set(named, "name", _name(random.choice(("Nothing", "Int", "Order", "Node", "Query", "OrderFilter"))))


def _undeclared_variable(document: DocumentNode, random: Random) -> None:
    operation: Any = document.definitions[0]
    _set(operation, "variable_definitions", (operation.variable_definitions or ())[1:])


def _unused_variable(document: DocumentNode, random: Random) -> None:
    operation: Any = document.definitions[0]
    more = parse("query ($unused: Int, $v0: ID) { a }").definitions[0]
    assert isinstance(more, OperationDefinitionNode)
    more_of_it = more.variable_definitions or ()
    _set(operation, "variable_definitions", (*(operation.variable_definitions or ()), random.choice(more_of_it)))


def _variable_of_another_type(document: DocumentNode, random: Random) -> None:
    variable = _one(document, VariableDefinitionNode, random)
    if variable:
        other = random.choice(("Int", "[Int]", "String!", "ID", "Boolean", "OrderFilter", "Nothing"))
        given = parse(f"query ($a: {other}) {{ a }}").definitions[0]
        assert isinstance(given, OperationDefinitionNode)
        assert given.variable_definitions
        _set(variable, "type", given.variable_definitions[0].type)


def _unknown_fragment(document: DocumentNode, random: Random) -> None:
    spread = _one(document, FragmentSpreadNode, random)
    if spread:
        _set(spread, "name", _name("Nowhere"))


def _circle(document: DocumentNode, random: Random) -> None:
    fragment = _one(document, FragmentDefinitionNode, random)
    if fragment:
        around = FragmentSpreadNode(name=fragment.name, directives=())
        _set(fragment.selection_set, "selections", (*fragment.selection_set.selections, around))


def _directive(document: DocumentNode, random: Random) -> None:
    text = random.choice(("@nope", "@skip", '@include(if: "yes")', "@skip(if: null)", "@skip(if: $v0)", "@deprecated"))
    given: Any = parse(f"{{ a {text} {text} }}").definitions[0]
    directives: tuple[DirectiveNode, ...] = given.selection_set.selections[0].directives
    field = _one(document, FieldNode, random)
    _set(field, "directives", (*(field.directives or ()), *directives[: random.choice((1, 1, 2))]))


def _another_operation(document: DocumentNode, random: Random) -> None:
    more = ("query Asked { a }", "mutation { __typename }", "{ __typename }", "{ a }", "type A { a: Int }")
    _set(document, "definitions", (*document.definitions, *parse(random.choice(more)).definitions))


def _too_deep(document: DocumentNode, random: Random) -> None:
    field = _one(document, FieldNode, random, lambda node: node.selection_set)
    if field:
        for _ in range(random.choice((3, 15))):
            _set(field, "selection_set", SelectionSetNode(selections=(copy.deepcopy(field),)))


def _too_many(document: DocumentNode, random: Random) -> None:
    operation: Any = document.definitions[0]
    _set(operation.selection_set, "selections", operation.selection_set.selections * random.choice((2, 25)))


_OF_DOCUMENTS: tuple[Callable[[DocumentNode, Random], None], ...] = (
    _unknown_field, _another_name, _unknown_argument, _without_arguments, _another_value, _without_selection,
    _selection_on_anything, _unknown_type, _undeclared_variable, _unused_variable, _variable_of_another_type,
    _unknown_fragment, _circle, _directive, _another_operation, _too_deep, _too_many,
)  # fmt: skip
