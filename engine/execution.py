"""One operation, from its text to the bytes of its answer.

A plan answers what it can (`Way.PLAN`); the compiled executor the rest; graphql-core alone whatever asks for it. All
give the same answer to the byte. Limits and cost are looked at before anything is done, errors are masked, and an
operation that lasts too long is given up.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import orjson
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationType,
    execute,
)
from graphql.execution import Executor
from graphql.execution.values import VariableValues
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from engine import metrics
from engine.compiled import CompiledExecutor
from engine.cost import COST_MOST, told, too_dear
from engine.documents import DocumentErrors, Documents, Operation
from engine.masking import shown
from errors import Unreachable

OPERATION_SECONDS = 30.0
DOCUMENTS_MOST, CHARACTERS_MOST = 500, 90_000  # kept ready; parsed, a document weighs some 64 bytes a character

log = logging.getLogger("comptoir.engine")


class Way(Enum):
    """The best way that may be used. Each falls to the next where it cannot answer."""

    PLAN = "plan"
    COMPILED = "compiled"
    STOCK = "stock"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as GraphQL over HTTP has it."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON. Where nothing was `executed` it holds no data: the document did not parse (`parsed`), was refused, its
    variables were, or it would have changed something where nothing may be (`allowed`). `retry_after`: in how many
    seconds what was too much may be asked again."""

    body: bytes
    executed: bool
    retry_after: int = 0
    parsed: bool = True
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that may be run, with its variables as given and as they are meant, and what it may cost."""

    operation: Operation
    given: dict[str, Any]
    values: VariableValues
    cost: int


class Plans(Protocol):
    async def data(
        self, operation: Operation, values: VariableValues, context: Any, until: float
    ) -> dict[str, Any] | None:
        """The data of a query; None where another way has to answer. Raises GraphQLError, and TimeoutError where a
        statement would begin after `until`, by the event loop's clock."""
        ...

    async def event(
        self, operation: Operation, values: VariableValues, context: Any, told: Any, until: float
    ) -> dict[str, Any] | None:
        """What a subscription tells of an event; None where another way has to say it."""
        ...


Admit = Callable[[Operation, Any], Awaitable[None]]  # (operation, context): raises DomainError for what may not run


class Engine:
    """Runs the operations of a schema. Without `introspection` nothing of the schema is told, in errors neither.
    `admit` is asked once for each operation, before anything is done, whichever way answers."""

    def __init__(
        self,
        schema: strawberry.Schema,
        *,
        plans: Plans | None = None,
        admit: Admit | None = None,
        introspection: bool = True,
        seconds: float = OPERATION_SECONDS,
    ) -> None:
        self.schema = schema._schema
        self.documents = Documents(
            self.schema,
            () if introspection else (NoSchemaIntrospectionCustomRule,),
            documents_most=DOCUMENTS_MOST,
            characters_most=CHARACTERS_MOST,
            suggestions=introspection,
        )
        self._plans, self._admit, self._suggestions, self._seconds = plans, admit, introspection, seconds

    async def answer(
        self,
        asked: Asked,
        make_context: Callable[[], Awaitable[Any]],
        *,
        way: Way = Way.PLAN,
        mutations: bool = True,
    ) -> Answer:
        """Run what is asked. Never raises for what a client sends, nor for what fails while it runs."""
        try:
            return await self._answered(asked, make_context, way, mutations)
        except Exception as error:  # a mistake of ours before anything was run
            return _refusal([GraphQLError(str(error), original_error=error)])

    def prepare(self, asked: Asked, *, mutations: bool = True, subscriptions: bool = False) -> "Prepared | Answer":
        """What is asked, ready to be run; or why it may not be."""
        try:
            operation = self.documents.operation(asked.query, asked.operation_name)
        except DocumentErrors as refused:
            return _refusal(refused.errors, parsed=refused.parsed)
        given = asked.variables or {}
        cost = operation.cost(given)
        if operation.kind is OperationType.SUBSCRIPTION and not subscriptions:
            return _refusal([GraphQLError(_NO_STREAM)], cost)
        if operation.kind is OperationType.MUTATION and not mutations:
            return _refusal([GraphQLError("mutations are not allowed when using GET")], cost, allowed=False)
        if cost > COST_MOST:
            return _refusal([too_dear(cost)], cost)
        values = operation.variables.values(given, suggestions=self._suggestions)
        if isinstance(values, list):
            return _refusal(values, cost)
        return Prepared(operation, given, values, cost)

    async def admit(self, operation: Operation, context: Any) -> None:
        """Raises DomainError for what may not run."""
        if self._admit:
            await self._admit(operation, context)

    async def event(self, prepared: "Prepared", context: Any, root: Any, *, way: Way = Way.PLAN) -> tuple[bytes, bool]:
        """(what a subscription tells of an event, whether it could be read). Never raises; `root` is what the root
        field's resolver is given."""
        until = asyncio.get_running_loop().time() + self._seconds
        operation = prepared.operation
        try:
            if self._plans and way is Way.PLAN:
                data = await self._plans.event(operation, prepared.values, context, root, until)
                if data is not None:
                    metrics.operations(operation.kind, Way.PLAN).inc()
                    return _body(data, None, prepared.cost), True
            async with asyncio.timeout_at(until):
                result = await self._executed(operation, prepared.given, context, Way.COMPILED, root)
        except Exception as error:
            result = ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
        return _body(result.data, result.errors, prepared.cost), result.data is not None

    async def _answered(
        self, asked: Asked, make_context: Callable[[], Awaitable[Any]], way: Way, mutations: bool
    ) -> Answer:
        prepared = self.prepare(asked, mutations=mutations)
        if isinstance(prepared, Answer):
            return prepared
        result = await self._result(prepared.operation, prepared.given, prepared.values, make_context, way)
        waits = [getattr(error.original_error, "retry_after", None) or 0 for error in result.errors or ()]
        body = _body(result.data, result.errors, prepared.cost)
        return Answer(body, executed=True, retry_after=max(waits, default=0))

    async def _result(
        self,
        operation: Operation,
        given: dict[str, Any],
        values: VariableValues,
        make_context: Callable[[], Awaitable[Any]],
        way: Way,
    ) -> ExecutionResult:
        until = asyncio.get_running_loop().time() + self._seconds
        try:
            context = await make_context()
            await self.admit(operation, context)
            if way is Way.PLAN:
                if self._plans and operation.kind is OperationType.QUERY:
                    data = await self._plans.data(operation, values, context, until)
                    if data is not None:
                        metrics.operations(operation.kind, Way.PLAN).inc()
                        return ExecutionResult(data, None)
                way = Way.COMPILED
            async with asyncio.timeout_at(until):
                return await self._executed(operation, given, context, way)
        except GraphQLError as error:
            return ExecutionResult(None, [error])
        except Exception as error:
            if isinstance(error, TimeoutError) and asyncio.get_running_loop().time() >= until:
                return ExecutionResult(None, [self._given_up(operation)])
            return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])

    async def _executed(
        self, operation: Operation, given: dict[str, Any], context: Any, way: Way, root: Any = None
    ) -> ExecutionResult:
        """By graphql-core, called as Strawberry calls it."""
        metrics.operations(operation.kind, way).inc()
        result = execute(
            self.schema,
            operation.document,
            root,
            context_value=context,
            variable_values=given,
            operation_name=operation.name,
            executor_class=_EXECUTORS[way],
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # typed by Strawberry as a plain bool
            hide_suggestions=not self._suggestions,
            operation_extensions=None,
        )
        return result if isinstance(result, ExecutionResult) else await result

    def _given_up(self, operation: Operation) -> GraphQLError:
        metrics.GIVEN_UP.inc()
        log.warning("an operation was given up after %g s: %s", self._seconds, operation.name or "no name")
        message = f"This took longer than {self._seconds:g} seconds and was given up. Ask for less, or try again."
        return GraphQLError(message, original_error=Unreachable(message))


_NO_STREAM = (
    "A subscription needs a connection that stays open: the WebSocket at this address (graphql-transport-ws), or"
    " `Accept: text/event-stream`."
)
_EXECUTORS: dict[Way, type[Executor[Any]]] = {
    Way.COMPILED: CompiledExecutor,
    Way.STOCK: StrawberryGraphQLCoreExecutionContext,
}


def _refusal(
    errors: list[GraphQLError], cost: int | None = None, *, parsed: bool = True, allowed: bool = True
) -> Answer:
    """Nothing was executed: no data, not even null."""
    body: dict[str, Any] = {"errors": [error.formatted for error in shown(errors)]}
    if cost is not None:
        body["extensions"] = told(cost)
    return Answer(_bytes(body), False, parsed=parsed, allowed=allowed)


def _body(data: dict[str, Any] | None, errors: list[GraphQLError] | None, cost: int) -> bytes:
    if not errors:
        try:
            return orjson.dumps({"data": data, "extensions": told(cost)})
        except TypeError as error:  # a scalar of ours gave what JSON has no word for
            data, errors = None, [GraphQLError(str(error), original_error=error)]
    formatted = [error.formatted for error in shown(errors)]
    return _bytes({"data": data, "errors": formatted, "extensions": told(cost)})


def _bytes(body: dict[str, Any]) -> bytes:
    """An answer with errors, which repeat what was given: half of a surrogate pair has no UTF-8, but an escape."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body).encode()
