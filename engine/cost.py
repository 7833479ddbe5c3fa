"""What an operation may cost: how many fields and rows its answer may hold, told before anything is done.

Each field counts 1, and each row of a list 1; what is asked of a row counts for every row. A page (a field that takes
`first` or `last`) has as many rows as asked for, a list without pages `LIST_ASSUMED`. Pages whose size comes from a
variable stay open: the estimate is made once, as a polynomial, and costs an addition for each request.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from engine.limits import limited
from engine.lists import PAGE_DEFAULT, PAGE_MOST

COST_MOST = 30_000
LIST_ASSUMED = 10
PAGING = ("first", "last")


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a page has: what `first` or `last` says, literally or by variables with their defaults."""

    literal: int | None
    variables: tuple[tuple[str, int | None], ...] = ()

    def rows(self, variables: Mapping[str, Any]) -> int:
        """Never more than the longest page. What is no number is refused by others; here it counts as not given."""
        size = self.literal
        for name, default in self.variables:
            given = _number(variables[name]) if name in variables else default
            if given is not None and (size is None or given > size):
                size = given
        return PAGE_DEFAULT if size is None else max(0, min(size, PAGE_MOST))


@dataclass(frozen=True, slots=True)
class Cost:
    """A number, and terms that stand for one row each of nested pages of sizes yet to be known."""

    constant: int
    terms: tuple[tuple[int, tuple[Size, ...]], ...] = ()

    def of(self, variables: Mapping[str, Any]) -> int:
        cost = self.constant
        for number, sizes in self.terms:
            for size in sizes:
                number *= size.rows(variables)
            cost += number
        return cost


def estimated(
    schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Cost:
    """The cost of an operation that is valid and within `limits`."""
    root = schema.get_root_type(operation.operation)
    assert root is not None
    estimate = _Estimate(schema, operation, fragments)
    estimate.add(operation.selection_set, root, _Rows(1), None)
    sums = estimate.sums
    return Cost(sums.pop((), 0), tuple((number, sizes) for sizes, number in sums.items()))


def too_dear(cost: int) -> GraphQLError:
    """The refusal of an operation over the budget."""
    message = f"This operation may cost {cost}, and {COST_MOST} is the most: ask for shorter pages or fewer fields."
    return limited("cost", message)


def told(cost: int) -> dict[str, Any]:
    """An answer's `extensions`."""
    return {"cost": {"requested": cost, "most": COST_MOST}}


@dataclass(frozen=True, slots=True)
class _Rows:
    """How often something is in the answer."""

    times: int
    sizes: tuple[Size, ...] = ()

    def each(self, size: Size) -> "_Rows":
        if size.variables:
            return _Rows(self.times, (*self.sizes, size))
        return _Rows(self.times * size.rows({}), self.sizes)


class _Estimate:
    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self.schema, self.fragments = schema, fragments
        self.defaults = {
            definition.variable.name.value: _literal(definition.default_value)
            for definition in operation.variable_definitions or ()
        }
        self.sums: defaultdict[tuple[Size, ...], int] = defaultdict(int)

    def add(self, selected: SelectionSetNode, parent: GraphQLCompositeType, rows: _Rows, page: Size | None) -> None:
        """All that is selected of `rows` objects; `page`: the size of the lists directly on them, where one is."""
        for node in selected.selections:
            if isinstance(node, FieldNode):
                self._add_field(node, parent, rows, page)
            elif isinstance(node, FragmentSpreadNode):
                self._add_fragment(self.fragments[node.name.value], parent, rows, page)
            elif isinstance(node, InlineFragmentNode):
                self._add_fragment(node, parent, rows, page)

    def _add_fragment(
        self,
        node: InlineFragmentNode | FragmentDefinitionNode,
        parent: GraphQLCompositeType,
        rows: _Rows,
        page: Size | None,
    ) -> None:
        narrowed = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
        assert is_composite_type(narrowed)
        self.add(node.selection_set, narrowed, rows, page)

    def _add_field(self, node: FieldNode, parent: GraphQLCompositeType, rows: _Rows, page: Size | None) -> None:
        self.sums[rows.sizes] += rows.times
        field = self.schema.get_field(parent, node.name.value)
        assert field is not None
        named = get_named_type(field.type)
        if node.selection_set is None or not is_composite_type(named):
            return
        size = self._size(node, field)
        if is_list_type(get_nullable_type(field.type)) and not named.name.startswith("__"):
            rows, size = rows.each(size or page or Size(LIST_ASSUMED)), None
            self.sums[rows.sizes] += rows.times
        self.add(node.selection_set, named, rows, size)

    def _size(self, node: FieldNode, field: GraphQLField) -> Size | None:
        if not any(name in field.args for name in PAGING):
            return None
        given = [argument.value for argument in node.arguments or () if argument.name.value in PAGING]
        literals = [number for value in given if (number := _literal(value)) is not None]
        names = [value.name.value for value in given if isinstance(value, VariableNode)]
        return Size(max(literals, default=None), tuple((name, self.defaults[name]) for name in names))


def _literal(node: ValueNode | Node | None) -> int | None:
    return int(node.value) if isinstance(node, IntValueNode) else None


def _number(value: Any) -> int | None:
    """As GraphQL's Int reads it: 5.0 is 5."""
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None
