"""Documents, made ready once: parsed, within limits, valid for the schema, their cost estimated; kept while in use."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Token,
    TokenKind,
    specified_rules,
    validate,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from engine import metrics
from engine.cost import Cost, estimated
from engine.limits import exceeded, parsed
from engine.masking import ERRORS_MOST
from engine.variables import Variables


class DocumentErrors(Exception):
    """The document cannot be run. `parsed`: it is GraphQL, only not for this schema, or too much of it."""

    def __init__(self, errors: list[GraphQLError], *, parsed: bool = True) -> None:
        super().__init__(errors[0].message)
        self.errors, self.parsed = errors, parsed


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """An operation that may be run. Compared by identity; what is compiled for it hangs on `plans` and dies with it."""

    document: DocumentNode
    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    kind: OperationType
    estimate: Cost
    variables: Variables
    roots: tuple[str, ...]  # the fields of its root, once for each name in the answer; those that may be skipped too
    plans: dict[Any, Any] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        return self.node.name.value if self.node.name else None

    def cost(self, variables: Mapping[str, Any]) -> int:
        """How many fields and rows the answer may hold."""
        return self.estimate.of(variables)


class Documents:
    """Operations by the text of their document. The last used are kept, in bounds; what is refused is not kept."""

    def __init__(
        self,
        schema: GraphQLSchema,
        rules: Sequence[type[ASTValidationRule]] = (),
        *,
        documents_most: int,
        characters_most: int,
        suggestions: bool = True,
    ) -> None:
        self._schema, self._rules, self._suggestions = schema, (*specified_rules, *rules), suggestions
        self._documents_most, self._characters_most = documents_most, characters_most
        self._kept: OrderedDict[str, dict[str | None, Operation]] = OrderedDict()
        self._characters = 0

    def __len__(self) -> int:
        return len(self._kept)

    def operation(self, text: str, name: str | None) -> Operation:
        """The operation of that name, or the only one. Raises DocumentErrors."""
        operations = self._kept.get(text)
        if operations is None:
            operations = self._prepare(text)
            self._keep(text, operations)
        else:
            self._kept.move_to_end(text)
            metrics.DOCUMENTS_FOUND.inc()
        return operation_of(operations, name)

    def check(self, text: str) -> None:
        """Raises DocumentErrors for one that cannot be run."""
        self._prepare(text)

    def _prepare(self, text: str) -> dict[str | None, Operation]:
        try:
            document = parsed(text)
        except GraphQLError as error:
            metrics.DOCUMENTS_INVALID.inc()
            raise DocumentErrors([error], parsed=False) from None
        errors = refusals(self._schema, document, self._rules, suggestions=self._suggestions)
        if errors:
            metrics.DOCUMENTS_INVALID.inc()
            raise DocumentErrors(errors)
        metrics.DOCUMENTS_PREPARED.inc()
        _forget_tokens(document)
        return operations_of(self._schema, document)

    def _keep(self, text: str, operations: dict[str | None, Operation]) -> None:
        self._kept[text] = operations
        self._characters += len(text)
        while len(self._kept) > self._documents_most or self._characters > self._characters_most:
            oldest, _ = self._kept.popitem(last=False)
            self._characters -= len(oldest)
            metrics.DOCUMENTS_EVICTED.inc()


def refusals(
    schema: GraphQLSchema,
    document: DocumentNode,
    rules: Sequence[type[ASTValidationRule]],
    *,
    suggestions: bool = True,
) -> list[GraphQLError]:
    """Why a document may not run: too much, or else what these rules and Strawberry's own say of it."""
    too_much = exceeded(document)
    if too_much:
        return [too_much]
    rules = (*rules, MaybeNullValidationRule, OneOfInputValidationRule)
    return validate(schema, document, rules, max_errors=ERRORS_MOST, hide_suggestions=not suggestions)


def operations_of(schema: GraphQLSchema, document: DocumentNode) -> dict[str | None, Operation]:
    """By name; where there is one alone, under None too."""
    definitions = document.definitions
    fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
    operations: dict[str | None, Operation] = {
        node.name.value if node.name else None: Operation(
            document, node, fragments, node.operation, estimated(schema, node, fragments), Variables(schema, node),
            tuple(_roots(node.selection_set, fragments).values()),
        )
        for node in definitions
        if isinstance(node, OperationDefinitionNode)
    }  # fmt: skip
    if len(operations) == 1:
        operations[None] = next(iter(operations.values()))
    return operations


def _roots(selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> dict[str, str]:
    """Fields by their names in the answer, fragments written out."""
    roots: dict[str, str] = {}
    for node in selected.selections:
        if isinstance(node, FieldNode):
            roots[(node.alias or node.name).value] = node.name.value
        elif isinstance(node, FragmentSpreadNode):
            roots |= _roots(fragments[node.name.value].selection_set, fragments)
        elif isinstance(node, InlineFragmentNode):
            roots |= _roots(node.selection_set, fragments)
    return roots


def operation_of(operations: Mapping[str | None, Operation], name: str | None) -> Operation:
    """The operation of that name, or the only one. Raises DocumentErrors, in graphql-core's words."""
    operation = operations.get(name)
    if operation is None:
        message = f"Unknown operation named '{name}'." if name is not None else _UNNAMED
        raise DocumentErrors([GraphQLError(message)])
    return operation


_UNNAMED = "Must provide operation name if query contains multiple operations."


def _forget_tokens(document: DocumentNode) -> None:
    """A third of what a document weighs is its tokens, which nothing reads once it is parsed: errors say line and
    column by the offsets that nodes keep."""
    waiting: list[Node] = [document]
    while waiting:
        node = waiting.pop()
        if node.loc:
            node.loc.start_token = node.loc.end_token = _NO_TOKEN
        for key in QUERY_DOCUMENT_KEYS.get(node.kind, ()):  # not vars(node): that would make a dictionary for each
            value = getattr(node, key)
            waiting.extend(value if isinstance(value, tuple) else [value] if value else ())


_NO_TOKEN = Token(TokenKind.SOF, 0, 0, 0, 0)
