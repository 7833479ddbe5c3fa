"""The plans of queries: found, made, or not to be had."""

import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
import strawberry
from graphql import GraphQLError, GraphQLObjectType, get_named_type
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from engine import metrics
from engine.documents import Operation
from engine.plans.arguments import deciding
from engine.plans.compiler import Scopes
from engine.plans.python import Surprise
from engine.plans.root import Field, TypeName
from engine.plans.running import Plan, Reading, TooLate, TooMuch
from engine.plans.scopes import Unplannable
from engine.roots import ROOTS, STREAMS, Kind, Root, Stream
from engine.views import Viewer
from errors import DomainError, Limited, Unreachable

PLANS_MOST = 150  # of all documents together
KINDS_MOST = 100  # of viewers
SELECTIONS_MOST = 8  # of one document: kinds of viewers, answers of `@skip` and `@include`

log = logging.getLogger("comptoir.engine")

Connect = Callable[[], AbstractAsyncContextManager[Any]]  # a connection for reads
Fields = list[tuple[str, Field | TypeName]]  # by response name
Event = tuple[str, Stream, list[tuple[str, str | Field | TypeName]]]  # response name, field, fields of an event


class Plans:
    """Answers queries. One for a schema."""

    def __init__(self, schema: strawberry.Schema, connect: Connect) -> None:
        self._schema, self._connect = schema, connect
        self._scopes, self._plans = Kept(KINDS_MOST), Kept(PLANS_MOST)

    async def data(
        self, operation: Operation, values: VariableValues, context: Any, until: float = math.inf
    ) -> dict[str, Any] | None:
        """The data of a query, or None where another way has to answer. Raises GraphQLError for what no other way
        would do better: the database is away, too slow, or too busy; and TimeoutError where a statement would begin
        after `until`, by the event loop's clock."""
        data: dict[str, Any] = {}
        name: str | None = None
        try:
            fields = self._fields(operation, values, context.viewer)
            # All refusals come before the first statement: then another way says them, and nothing was done twice.
            asked = [(name, field, field.asked_of(values, context)) for name, field in fields]
            async with self._connect() as connection:
                reading = Reading(values, context, connection, until)
                for name, field, what in asked:
                    data[name] = await field.read(what, reading)
            return data
        except TooLate:
            raise TimeoutError from None
        except TooMuch:
            metrics.limited("answer")
            refusal = Limited("This asks for more than one answer can hold: ask for shorter pages or fewer fields.")
            raise _at(name, operation, refusal) from None
        except _OF_THE_DATABASE as error:
            raise _at(name, operation, error) from error
        except Unplannable as why:
            log.debug("no plan: %s", why)
            metrics.UNPLANNABLE.inc()
        except Exception as error:  # a refusal, or a surprise: the ordinary executor says it in its own words
            _gave_up(error)
        return None

    async def event(
        self, operation: Operation, values: VariableValues, context: Any, told: Any, until: float = math.inf
    ) -> dict[str, Any] | None:
        """What a subscription tells of an event (`streams/hub.py`), or None where another way has to say it."""
        try:
            name, stream, fields = self._event(operation, values, context.viewer)
            stream.gate(context)
            shown = stream.plain(told)
            data = {}
            for response, field in fields:
                if isinstance(field, Field):
                    data[response] = await self._row(field, stream, told, values, context, until)
                else:
                    data[response] = shown[field] if isinstance(field, str) else await field.read()
            return {name: data}
        except Unplannable as why:
            log.debug("no plan: %s", why)
            metrics.UNPLANNABLE.inc()
        except Exception as error:  # said by the other way in its own words, if it is not better there
            _gave_up(error)
        return None

    async def _row(
        self, field: Field, stream: Stream, told: Any, values: VariableValues, context: Any, until: float
    ) -> Any:
        key = told.event.topic.row
        if key is None:
            return None
        async with self._connect() as connection:
            row = await field.read((stream.model, key), Reading(values, context, connection, until))
        told.seen = row is not None
        return row

    def compiled(self) -> list[Plan]:
        """The plans that are ready."""
        return list(self._plans)

    def _event(self, operation: Operation, values: VariableValues, viewer: Viewer) -> Event:
        """The root field of a subscription, compiled as the fields of queries are."""
        kept = operation.plans
        if not kept:
            kept["deciding"], kept["fields"] = deciding(operation), Kept(SELECTIONS_MOST)
        key = (viewer.kind, *[values.coerced.get(name) for name in kept["deciding"]])
        event: Event = kept["fields"].get(
            key, lambda: self._compiled_event(operation, _only(values, kept["deciding"]), viewer)
        )
        return event

    def _compiled_event(self, operation: Operation, values: VariableValues, viewer: Viewer) -> Event:
        schema = self._schema._schema
        assert schema.subscription_type
        fragments = {name: FragmentDetails(node) for name, node in operation.fragments.items()}
        roots = collect_fields(schema, fragments, values, schema.subscription_type, operation.node).grouped_field_set
        ((name, details),) = roots.items()
        stream = STREAMS[details[0].node.name.value]
        payload: Any = get_named_type(schema.subscription_type.fields[details[0].node.name.value].type)
        scopes = self._scopes.get(viewer.kind, lambda: Scopes(viewer))
        row = Root(Kind.ONE, lambda: None, stream.gate)
        asked = collect_subfields(schema, fragments, values, operation.node, payload, details).grouped_field_set
        fields: list[tuple[str, str | Field | TypeName]] = []
        for response, inner in asked.items():
            field = inner[0].node.name.value
            if field == "__typename":
                fields.append((response, TypeName(payload.name)))
            elif field == stream.member:
                reads = Field(
                    self._schema, self._plans.get, operation, values, scopes, row, inner, payload.fields[field]
                )
                fields.append((response, reads))
            else:
                fields.append((response, field))
        if not any(isinstance(field, Field) for _, field in fields):
            raise Unplannable("nothing is read that says whether the row is seen")
        return name, stream, fields

    def _fields(self, operation: Operation, values: VariableValues, viewer: Viewer) -> Fields:
        """The root fields, compiled for this kind of viewer and what `@skip` and `@include` say."""
        kept = operation.plans
        if not kept:
            kept["deciding"], kept["fields"] = deciding(operation), Kept(SELECTIONS_MOST)
        key = (viewer.kind, *[values.coerced.get(name) for name in kept["deciding"]])
        fields: Fields = kept["fields"].get(
            key, lambda: self._compiled(operation, _only(values, kept["deciding"]), viewer)
        )
        return fields

    def _compiled(self, operation: Operation, values: VariableValues, viewer: Viewer) -> Fields:
        schema = self._schema._schema
        assert schema.query_type
        fragments = {name: FragmentDetails(node) for name, node in operation.fragments.items()}
        asked = collect_fields(schema, fragments, values, schema.query_type, operation.node).grouped_field_set
        scopes = self._scopes.get(viewer.kind, lambda: Scopes(viewer))
        return [
            (name, self._field(details, operation, values, scopes, schema.query_type))
            for name, details in asked.items()
        ]

    def _field(self, asked: FieldDetailsList, operation: Operation, values: VariableValues, scopes: Scopes,
               query: GraphQLObjectType) -> Field | TypeName:  # fmt: skip
        name = asked[0].node.name.value
        if name == "__typename":
            return TypeName(query.name)
        if name not in ROOTS:
            raise Unplannable(f"the root field {name} is no read")
        return Field(self._schema, self._plans.get, operation, values, scopes, ROOTS[name], asked, query.fields[name])


class Kept:
    """The last things used, so many of them, each made when it is first asked for; and those that cannot be made."""

    def __init__(self, most: int) -> None:
        self._most, self._things = most, OrderedDict[Any, Any]()

    def __iter__(self) -> Iterator[Any]:
        return (thing for thing in self._things.values() if not isinstance(thing, Unplannable))

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Raises Unplannable, the second time without another try."""
        found = self._things.get(key)
        if found is None:
            found = self._things[key] = _made(make)
            if len(self._things) > self._most:
                self._things.popitem(last=False)
        else:
            self._things.move_to_end(key)
        if isinstance(found, Unplannable):
            raise Unplannable(str(found))  # anew: one that is kept would keep all that it was raised through
        return found


_OF_THE_DATABASE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, Unreachable)


def _only(values: VariableValues, names: tuple[str, ...]) -> VariableValues:
    """Some of a request's variables: what is compiled for it is kept, and the rest may be large."""
    return VariableValues(
        {name: value for name, value in values.sources.items() if name in names},
        {name: value for name, value in values.coerced.items() if name in names},
    )


def _made(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Unplannable as why:
        return Unplannable(str(why))
    except Exception as error:
        log.warning("a plan could not be compiled", exc_info=True)
        return Unplannable(repr(error))


def _gave_up(error: Exception) -> None:
    expected = isinstance(error, DomainError | GraphQLError | Surprise)
    log.log(logging.DEBUG if expected else logging.WARNING, "a plan gave up", exc_info=error)
    metrics.SURPRISED.inc()


def _at(name: str | None, operation: Operation, error: Exception) -> GraphQLError:
    """The error, at the root field that was being read."""
    if name is None:
        return GraphQLError(str(error), original_error=error)
    nodes = [
        node
        for node in operation.node.selection_set.selections
        if (getattr(node, "alias", None) or getattr(node, "name", None) or node).value == name  # type: ignore[union-attr]
    ]
    return GraphQLError(str(error), nodes or None, path=[name], original_error=error)
