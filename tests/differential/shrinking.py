"""From a case that fails to a smaller one: what can go without the answers becoming the same goes."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from tests.differential.ways import Case

TRIES_MOST = 400
Fails = Callable[[Case], Awaitable[bool]]


async def shrunk(case: Case, fails: Fails) -> Case:
    """The smallest case found that still fails."""
    tries, again = 0, True
    while again:
        again = False
        for smaller in smaller_than(case):
            tries += 1
            if tries > TRIES_MOST:
                return case
            if await fails(smaller):
                case, again = smaller, True
                break
    return case


def smaller_than(case: Case) -> Iterator[Case]:
    """The case without one selection, directive, argument or variable; what is then unused goes with it."""
    try:
        document = parse(case.text)
    except GraphQLError:
        return
    for path in _removable(document):
        text = print_ast(_tidied(_without(document, path)))
        if text != case.text:
            yield replace(case, text=text)
    for name in case.variables:
        yield replace(case, variables={other: value for other, value in case.variables.items() if other != name})


def _removable(document: DocumentNode) -> list[tuple[Any, ...]]:
    """Paths to what may go, the largest first."""
    found: list[tuple[Any, ...]] = []

    class Finder(Visitor):
        def enter(self, node: Node, key: Any, parent: Any, path: list[Any], ancestors: list[Any]) -> None:
            if node.kind in ("field", "fragment_spread", "inline_fragment", "argument", "directive", "object_field"):
                found.append(tuple(path))

    visit(document, Finder())
    return sorted(found, key=len)


def _without(document: DocumentNode, gone: tuple[Any, ...]) -> DocumentNode:
    class Remover(Visitor):
        def enter(self, node: Node, key: Any, parent: Any, path: list[Any], ancestors: list[Any]) -> Any:
            return Visitor.REMOVE if tuple(path) == gone else None

    changed: DocumentNode = visit(document, Remover())
    return changed


def _tidied(document: DocumentNode) -> DocumentNode:
    """Without empty selections, fragments and variables that nothing uses."""

    class Emptied(Visitor):
        def leave(self, node: Any, *_: Any) -> Any:
            selected = getattr(node, "selection_set", None)
            if isinstance(selected, SelectionSetNode) and not selected.selections:
                return Visitor.REMOVE
            return None

    while True:
        text = print_ast(document)
        document = visit(document, Emptied())
        used = _names(document, FragmentSpreadNode)
        variables = _names(document, VariableNode, outside_of="variable_definition")
        kept = [
            _with_variables(node, variables)
            for node in document.definitions
            if not isinstance(node, FragmentDefinitionNode) or node.name.value in used
        ]
        document = DocumentNode(definitions=tuple(kept))
        if print_ast(document) == text:
            return document


def _with_variables(node: Any, used: set[str]) -> Any:
    """An operation that declares no more than it uses; anything else as it is."""
    if not isinstance(node, OperationDefinitionNode):
        return node
    declared = tuple(each for each in node.variable_definitions or () if each.variable.name.value in used)
    return replace(node, variable_definitions=declared)


def _names(document: Node, kind: type[Any], outside_of: str = "") -> set[str]:
    found = set()

    class Finder(Visitor):
        def enter(self, node: Any, *_: Any) -> Any:
            if node.kind == outside_of:
                return Visitor.SKIP
            if isinstance(node, kind):
                found.add(node.name.value)
            return None

    visit(document, Finder())
    return found
