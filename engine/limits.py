"""What a document may ask for, checked once before anything is done: tokens while parsing, size and depth after.

Fragments are weighed once each, however often they are spread: a document that doubles at each level is refused in the
time that it takes to read it.
"""

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)

from errors import ErrorCode

TOKENS_MOST = 2000
FIELDS_MOST = 1000  # with every fragment written out
DEPTH_MOST = 15
ROOTS_MOST = 20

Size = tuple[int, int]  # (fields, depth) of a selection, fragments written out


class Bounded(ValidationRule):
    """Refuses operations that are too large or too deep."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._fragments: dict[str, Size] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
        fields, depth = self._size(node.selection_set)
        roots = len(node.selection_set.selections)
        for what, size, most in (
            ("root fields", roots, ROOTS_MOST),
            ("levels", depth, DEPTH_MOST),
            ("fields", fields, FIELDS_MOST),
        ):
            if size > most:
                message = f"This operation has more than {most} {what}: ask for less at once."
                self.report_error(GraphQLError(message, node, extensions={"code": ErrorCode.LIMITED.value}))
                return

    def _size(self, selected: SelectionSetNode | None) -> Size:
        fields = depth = 0
        for node in selected.selections if selected else ():
            if isinstance(node, FieldNode):
                inner, below = self._size(node.selection_set)
                inner, below = inner + 1, below + 1
            elif isinstance(node, FragmentSpreadNode):
                inner, below = self._size_of_fragment(node.name.value)
            else:
                assert isinstance(node, InlineFragmentNode)
                inner, below = self._size(node.selection_set)
            fields, depth = fields + inner, max(depth, below)
        return fields, depth

    def _size_of_fragment(self, name: str) -> Size:
        if name not in self._fragments:
            self._fragments[name] = (0, 0)  # a cycle ends here; another rule refuses it
            fragment = self.context.get_fragment(name)
            if isinstance(fragment, FragmentDefinitionNode):
                self._fragments[name] = self._size(fragment.selection_set)
        return self._fragments[name]
