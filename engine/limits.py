"""What a document may ask for, checked once before anything is done: tokens while parsing, size and depth after.

Fragments are written out while counting, and counting ends at the first number passed: what takes long to count is
never counted to its end. `REPEATS_MOST` is there for validation itself, which compares fields that share a place in
the answer two by two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    parse,
)

from engine import metrics
from errors import ErrorCode

SOURCE_MOST = 50_000  # characters
TOKENS_MOST = 2000
FIELDS_MOST = 1000  # of a document, with every fragment written out
DEPTH_MOST = 15
ROOTS_MOST = 20  # of an operation
ALIASES_MOST = 100
DIRECTIVES_MOST = 100
DIRECTIVES_MOST_HERE = 5  # on one field, fragment or variable
REPEATS_MOST = 2000  # pairs of fields at the same place of the answer
DIGITS_MOST = 100
VALUES_MOST = 200  # literal values, those within others too: each error prints all of an argument
VARIABLES_MOST = 100
FRAGMENTS_MOST = 100
OPERATIONS_MOST = 20


def parsed(text: str) -> DocumentNode:
    """The document. Raises GraphQLError, LIMITED where it is too long, for what does not parse."""
    try:
        return parse(text, max_lexical_tokens=TOKENS_MOST, max_comments=TOKENS_MOST, max_source_length=SOURCE_MOST)
    except GraphQLSyntaxError as error:
        if not error.message.endswith(_ABORTED):
            raise
    most = f"{TOKENS_MOST} tokens, {TOKENS_MOST} comments, {SOURCE_MOST} characters"
    raise limited("tokens", f"This document is too long or nests too deep ({most} at most): ask for less at once.")


def exceeded(document: DocumentNode) -> GraphQLError | None:
    """Why a document asks for too much; None where it does not."""
    try:
        _Count(document).all()
    except GraphQLError as error:
        return error
    return None


def limited(limit: str, message: str, node: Node | None = None) -> GraphQLError:
    """A refusal for too much, counted under the name of the limit."""
    metrics.limited(limit)
    return GraphQLError(message, node, extensions={"code": ErrorCode.LIMITED.value})


_ABORTED = "Parsing aborted."  # how graphql-core ends its message at each of its limits; pinned by a test


@dataclass(slots=True)
class _Place:
    """A place of the answer, and the fields of the document that land there."""

    times: int = 0
    below: dict[str, "_Place"] = field(default_factory=dict)


@dataclass(slots=True)
class _Level:
    """Selections to be counted: where they land, how deep, and the fragments that are open around them."""

    selections: SelectionSetNode
    places: dict[str, _Place]
    depth: int
    opened: tuple[str, ...]


class _Count:
    def __init__(self, document: DocumentNode) -> None:
        definitions = document.definitions
        self.operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        self.fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
        self.seen: set[str] = set()
        self.fields = self.aliases = self.directives = self.repeats = self.values = 0

    def all(self) -> None:
        """Raises GraphQLError at the first number that is passed."""
        _at_most(OPERATIONS_MOST, "operations", len(self.operations))
        _at_most(FRAGMENTS_MOST, "fragments", len(self.fragments))
        for operation in self.operations:
            variables = operation.variable_definitions or ()
            _at_most(VARIABLES_MOST, "variables", len(variables), operation)
            self._count_directives(operation.directives, operation)
            for variable in variables:
                self._count_directives(variable.directives, variable)
                self._count_values(variable.default_value)
            _at_most(ROOTS_MOST, "root fields", len(self._count(operation)), operation)
        for name, fragment in self.fragments.items():
            if name not in self.seen:  # validation reads it too, before it refuses it
                self._count(fragment)

    def _count(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> dict[str, _Place]:
        """Counts all that a definition selects; its places in the answer."""
        root: dict[str, _Place] = {}
        waiting = [_Level(definition.selection_set, root, 1, ())]
        while waiting:
            waiting.extend(self._level(waiting.pop(), definition))
        return root

    def _level(self, level: _Level, definition: Node) -> Iterator[_Level]:
        """Counts the selections of a level; the levels below."""
        for node in level.selections.selections:
            self.fields += 1
            _at_most(FIELDS_MOST, "fields", self.fields, definition)
            self._count_directives(node.directives, node)
            if isinstance(node, FieldNode):
                yield from self._field(node, level, definition)
            elif isinstance(node, InlineFragmentNode):
                yield _Level(node.selection_set, level.places, level.depth, level.opened)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                self.seen.add(name)
                if name in self.fragments and name not in level.opened:  # validation refuses the rest
                    opened = (*level.opened, name)
                    yield _Level(self.fragments[name].selection_set, level.places, level.depth, opened)

    def _field(self, node: FieldNode, level: _Level, definition: Node) -> Iterator[_Level]:
        _at_most(DEPTH_MOST, "levels", level.depth, definition)
        if node.alias:
            self.aliases += 1
            _at_most(ALIASES_MOST, "aliases", self.aliases, definition)
        for argument in node.arguments or ():
            self._count_values(argument.value)
        place = level.places.setdefault((node.alias or node.name).value, _Place())
        self.repeats += place.times
        place.times += 1
        _at_most(REPEATS_MOST, "repetitions of the same fields", self.repeats, node)
        if node.selection_set:
            yield _Level(node.selection_set, place.below, level.depth + 1, level.opened)

    def _count_directives(self, directives: Sequence[DirectiveNode] | None, node: Node) -> None:
        if directives:
            self.directives += len(directives)
            _at_most(DIRECTIVES_MOST_HERE, "directives in one place", len(directives), node)
            _at_most(DIRECTIVES_MOST, "directives", self.directives, node)
            for directive in directives:
                for argument in directive.arguments or ():
                    self._count_values(argument.value)

    def _count_values(self, value: ValueNode | None) -> None:
        waiting = [value] if value else []
        while waiting:
            value = waiting.pop()
            self.values += 1
            _at_most(VALUES_MOST, "literal values", self.values, value, "give them as variables")
            if isinstance(value, IntValueNode | FloatValueNode):  # Python reads no number of thousands of digits
                _at_most(DIGITS_MOST, "digits in a number", len(value.value), value, "no type of ours takes it")
            if isinstance(value, ListValueNode):
                waiting.extend(value.values)
            elif isinstance(value, ObjectValueNode):
                waiting.extend(member.value for member in value.fields)


def _at_most(most: int, what: str, number: int, node: Node | None = None, advice: str = "ask for less at once") -> None:
    if number > most:
        raise limited(what, f"This document has more than {most} {what}: {advice}.", node)
