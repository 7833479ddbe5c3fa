"""The executor that graphql-core is given in the place of its own."""

from collections.abc import Awaitable, Sequence
from typing import Any

from graphql import GraphQLList, GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo, OperationType
from graphql.execution.collect_fields import DeferUsage, FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from engine.compiled.keeping import KEPT
from engine.compiled.running import Bound, Run
from engine.compiled.values import Unfit


class CompiledExecutor(StrawberryGraphQLCoreExecutionContext):
    """Completes objects and lists below the root fields by generated functions where it can.

    A function costs what graphql-core takes for some 20 values: it is made `after` so many.
    """

    after = 16

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._run = Run(self, KEPT.of(self.operation, self._state()), after=self.after) if self._simple() else None
        self._left: dict[int, Path] = {}

    def execute_collected_subfields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path,
        grouped_field_set: GroupedFieldSet,
        new_defer_usages: Sequence[DeferUsage],
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """The fields of an object: the plain ones by a function, the others by graphql-core."""
        bound = self._run.fields(parent_type, grouped_field_set) if self._run and not self._is_left(path) else None
        plain: dict[str, Any] | None = self._completed(bound, source_value, path)
        if bound is None or plain is None:
            return super().execute_collected_subfields(
                parent_type, source_value, path, grouped_field_set, new_defer_usages, position_context
            )
        if not bound.rest:
            return plain
        others = super().execute_collected_subfields(
            parent_type, source_value, path, bound.rest, new_defer_usages, position_context
        )
        # `plain` names them all, in their order.
        return plain | others if isinstance(others, dict) else _merged(plain, others)

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: "GraphQLResolveInfo[Any]",
        path: Path,
        result: Any,
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """A list, at once where all of it is plain."""
        if self._run and (type(result) is list or type(result) is tuple) and result and not self._is_left(path):
            bound = self._run.items(info.parent_type, return_type, field_details_list, len(result))
            completed: list[Any] | None = self._completed(bound, result, path)
            if completed is not None:
                return completed
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _completed(self, bound: Bound | None, value: Any, path: Path) -> Any:
        """What a generated function gives; None where there is none, and for graphql-core to start over and report."""
        if bound is None or bound.selection.bind is None:
            return None
        try:
            return bound.complete(value)
        except Exception as surprise:
            if isinstance(surprise, Unfit):
                bound.selection.bind = None
            self._left[id(path)] = path
            return None

    def _is_left(self, path: Path | None) -> bool:
        """Whether the value is in one that a function was surprised by. All of that is graphql-core's: errors come in
        the order in which what is awaited comes to its end, and that is as ever where nothing was taken out."""
        if self._left:
            while path is not None:
                if id(path) in self._left:
                    return True
                path = path.prev
        return False

    def _simple(self) -> bool:
        """Whether fields are resolved by nothing but their resolvers, and values delivered at once."""
        if self.operation.operation is OperationType.SUBSCRIPTION:
            return False
        if self.middleware_manager and self.middleware_manager.middlewares:
            return False
        if any(fragment.variable_signatures for fragment in self.fragments.values()):
            return False
        return not (self.schema.get_directive("defer") or self.schema.get_directive("stream"))

    def _state(self) -> tuple[tuple[str, bool], ...]:
        """What @skip and @include can ask for is among the Boolean variables."""
        return tuple((name, value) for name, value in self.variable_values.coerced.items() if type(value) is bool)


async def _merged(plain: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return plain | await others
