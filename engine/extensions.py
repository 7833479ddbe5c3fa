"""The engine's rules for what goes through Strawberry's own execution and views: the same limits, cost and masking."""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult

from engine.cost import COST_MOST, told, too_dear
from engine.documents import DocumentErrors, Operation, operation_of, operations_of, refusals
from engine.limits import parsed
from engine.masking import masked, shown


class MaskErrors(SchemaExtension):
    """Errors as the engine shows them."""

    def on_operation(self) -> Iterator[None]:
        yield
        result = self.execution_context.result
        errors = getattr(result, "errors", None)
        if result is not None and errors:
            result.errors = shown(errors)


class Limits(SchemaExtension):
    """Nothing is validated that is too long, too deep or too much, and nothing run that costs too much."""

    _operation: Operation | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        try:
            context.graphql_document = parsed(context.query) if context.query else None
        except GraphQLError as error:
            raise masked(error) from None  # what is raised here passes no other extension
        yield

    def on_validate(self) -> Iterator[None]:
        context, schema = self.execution_context, self.execution_context.schema
        document = context.graphql_document
        assert document is not None
        errors = refusals(
            schema._schema, document, context.validation_rules, suggestions=not schema.config.disable_field_suggestions
        )
        if not errors:
            try:  # Strawberry's own answer to a name that is missing would be the first operation
                self._operation = operation_of(
                    operations_of(schema._schema, document), context._provided_operation_name
                )
            except DocumentErrors as refused:
                errors = refused.errors
        context.pre_execution_errors = errors  # not None: Strawberry does not validate again
        yield

    def on_execute(self) -> Iterator[None]:
        if self._cost > COST_MOST:
            self.execution_context.result = ExecutionResult(data=None, errors=[too_dear(self._cost)])
        yield

    def get_results(self) -> dict[str, Any]:
        return told(self._cost) if self._operation else {}

    @property
    def _cost(self) -> int:
        return self._operation.cost(self.execution_context.variables or {}) if self._operation else 0
