"""Reads as plans: a document, an operation, a kind of viewer and the shape of the arguments become SQL and Python, once.

    root field → queryset, scoped by policy (scopes.py) → statements (statements.py) and assemblers (compiler.py)
               → rows → dicts (running.py), for orjson

A plan answers as the ordinary executor does, to the byte, or not at all: what it cannot do, and every surprise, is
answered by another way. No scope, no plan.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import asyncpg
import strawberry
from graphql import GraphQLObjectType, get_named_type
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails, collect_fields
from graphql.execution.values import VariableValues

from engine import metrics
from engine.documents import Operation
from engine.lists import NEWEST_FIRST, Place, Slice
from engine.plans.arguments import Given, deciding, given
from engine.plans.compiler import Compiled, Compiler, Nested, Scopes
from engine.plans.running import Paged, Plan, Run
from engine.plans.scopes import Unplannable, condition, shape
from engine.roots import ROOTS, Kind, Root
from engine.views import VIEWS, Viewer
from errors import Unreachable

_OF_THE_DATABASE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, Unreachable)
PLANS_MOST = 300  # of all documents together
SELECTIONS_MOST = 8  # of one document: kinds of viewers, answers of `@skip` and `@include`

log = logging.getLogger("comptoir.engine")

Connect = Callable[[], AbstractAsyncContextManager[Any]]  # a connection for reads


class Plans:
    """Answers queries. One for a schema; what it compiles is kept with the document."""

    def __init__(self, schema: strawberry.Schema, connect: Connect) -> None:
        self._schema, self._connect = schema, connect
        self._scopes: dict[Hashable, Scopes] = {}
        self._plans = Kept(PLANS_MOST)

    async def data(self, operation: Operation, values: VariableValues, context: Any) -> dict[str, Any] | None:
        """The data of a query, or None where another way has to answer. Raises what the database raises."""
        try:
            fields = self._fields(operation, values, context.viewer)
            async with self._connect() as connection:
                return {key: await field.read(values, context, connection) for key, field in fields}
        except _OF_THE_DATABASE:
            raise  # no other way would do better: the database is away, too slow, or too busy
        except Unplannable as why:
            log.debug("no plan: %s", why)
            metrics.UNPLANNABLE.inc()
        except Exception:  # a refusal, or a surprise: the ordinary executor says it in its own words
            log.debug("a plan gave up", exc_info=True)
            metrics.SURPRISED.inc()
        return None

    def compiled(self) -> list[Plan]:
        """The plans that are ready."""
        return list(self._plans)

    def _fields(self, operation: Operation, values: VariableValues, viewer: Viewer) -> "Fields":
        """The root fields, compiled for this kind of viewer and what `@skip` and `@include` say."""
        if not operation.plans:
            operation.plans["deciding"], operation.plans["fields"] = deciding(operation), Kept(SELECTIONS_MOST)
        key = (viewer.kind, *[values.coerced.get(name) for name in operation.plans["deciding"]])
        fields: Fields = operation.plans["fields"].get(key, lambda: self._compiled(operation, values, viewer))
        return fields

    def _compiled(self, operation: Operation, values: VariableValues, viewer: Viewer) -> "Fields":
        schema = self._schema._schema
        assert schema.query_type
        fragments = {name: FragmentDetails(node) for name, node in operation.fragments.items()}
        asked = collect_fields(schema, fragments, values, schema.query_type, operation.node).grouped_field_set
        scopes = self._scopes.setdefault(viewer.kind, Scopes(viewer))
        return [
            (key, self._field(details, operation, values, scopes, schema.query_type)) for key, details in asked.items()
        ]

    def _field(self, asked: FieldDetailsList, operation: Operation, values: VariableValues, scopes: Scopes,
               query: GraphQLObjectType) -> "Field | TypeName":  # fmt: skip
        name = asked[0].node.name.value
        if name == "__typename":
            return TypeName(query.name)
        root, definition = ROOTS.get(name), query.fields.get(name)
        if root is None or definition is None:
            raise Unplannable(f"the root field {name} is no read")
        get, _ = given(self._schema, definition, asked[0].node)
        return Field(self._schema, self._plans, operation, values, scopes, root, asked, definition, get)


class Field:
    """A root field of an operation, for a kind of viewer; its plans by shape of the arguments."""

    def __init__(self, schema: strawberry.Schema, plans: "Kept", operation: Operation, values: VariableValues,
                 scopes: Scopes, root: Root, asked: FieldDetailsList, definition: Any, given: Given) -> None:  # fmt: skip
        self._schema, self._plans = schema, plans
        self._operation, self._values, self._scopes = operation, values, scopes
        self._root, self._asked, self._given = root, asked, given
        self._type: Any = get_named_type(definition.type)
        self._coordinate = f"Query.{asked[0].node.name.value}"
        self._nested: dict[Any, list[Nested]] = {}
        self._told = "info" in root.function.__code__.co_varnames[: root.function.__code__.co_argcount]

    async def read(self, values: VariableValues, context: Any, connection: Any) -> Any:
        """Its value."""
        self._root.gate(context)
        arguments = dict(self._given(values))
        match self._root.kind:
            case Kind.PAGE:
                return await self._page(arguments, values, context, connection)
            case Kind.ONE:
                rows = self._rows(arguments, context)
                return None if rows is None else await self._one(rows, values, context, connection)
            case Kind.SEVERAL:
                return await self._several(self._rows(arguments, context), values, context, connection)

    def _rows(self, arguments: dict[str, Any], context: Any) -> Any:
        return self._root.function(Told(context), **arguments) if self._told else self._root.function(**arguments)

    async def _page(self, arguments: dict[str, Any], values: VariableValues, context: Any, connection: Any) -> Any:
        paging = {name: arguments.pop(name, None) for name in ("first", "after", "last", "before")}
        chosen = arguments.pop("order_by", None)
        order = chosen.order if chosen else NEWEST_FIRST
        rows = self._rows(arguments, context)
        facts = context.viewer.facts
        place = Place(self._coordinate, rows.model, order, facts[0])
        part = place.slice(**paging)
        inner, slices = self._slices(rows.model, values, facts)
        shaped, found = shape(rows)
        key = (shaped, order, part.size, _outline(part), *[_outline(each.part) for each in inner])
        plan = self._plan(key, slices, lambda compiler: compiler.page(
            rows.model, condition(rows, found), order, part, self._asked, self._type
        ))  # fmt: skip
        return await Run(plan, connection, facts, found, [Paged(place, part), *inner], values).page()

    async def _one(self, rows: Any, values: VariableValues, context: Any, connection: Any) -> Any:
        facts = context.viewer.facts
        inner, slices = self._slices(rows.model, values, facts)
        shaped, found = shape(rows)
        key = (shaped, *[_outline(each.part) for each in inner])
        plan = self._plan(key, slices, lambda compiler: compiler.one(rows.model, condition(rows, found), self._asked))
        return await Run(plan, connection, facts, found, [None, *inner], values).one()

    async def _several(self, wanted: Any, values: VariableValues, context: Any, connection: Any) -> Any:
        facts, found = context.viewer.facts, dict[Any, Any]()
        for model in dict.fromkeys(each[0] for each in wanted if each):
            inner, slices = self._slices(model, values, facts)
            key = (model, *[_outline(each.part) for each in inner])
            plan = self._plan(key, slices, partial(_several, model=model, asked=self._asked))
            keys = [each[1] for each in wanted if each and each[0] is model]
            rows = await Run(plan, connection, facts, [], [None, *inner], values).several(keys)
            found |= {(model, key): row for key, row in rows.items()}
        return [found.get(each) for each in wanted]

    def _slices(self, model: Any, values: VariableValues, facts: tuple[Any, ...]) -> tuple[list[Paged], "Slices"]:
        """The slices of the lists within, in the plan's order, and by path."""
        if model not in self._nested:
            compiler, type_ = self._compiler({}), self._schema._schema.type_map[VIEWS[model].name]
            if self._root.kind is Kind.PAGE:
                self._nested[model] = compiler.nested_in_connection(self._asked, self._type, ())
            else:
                self._nested[model] = compiler.nested_pages(self._asked, type_)  # type: ignore[arg-type]
        inner, slices = [], {}
        for number, nested in enumerate(self._nested[model], 1):
            place = Place(nested.field, nested.model, NEWEST_FIRST, facts[0])
            paging = {name: nested.given(values).get(name) for name in ("first", "after", "last", "before")}
            inner.append(Paged(place, place.slice(**paging)))
            slices[nested.key] = (number, inner[-1].part)
        return inner, slices

    def _plan(self, key: Hashable, slices: "Slices", compiled: Callable[[Compiler], Compiled]) -> Plan:
        """The plan for this shape. The key holds the field, which is like no other."""
        plan: Plan = self._plans.get((self, key), lambda: Plan(compiled(self._compiler(slices))))
        return plan

    def _compiler(self, slices: "Slices") -> Compiler:
        return Compiler(self._schema, self._operation, self._values, self._scopes, slices)


Fields = list[tuple[str, "Field | TypeName"]]
Slices = dict[tuple[str, ...], tuple[int, Slice]]


class TypeName:
    """`__typename` of the query itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def read(self, *_: Any) -> str:
        return self.name


class Told:
    """What a resolver is told: who is calling."""

    __slots__ = ("context",)

    def __init__(self, context: Any) -> None:
        self.context = context


def _several(compiler: Compiler, *, model: Any, asked: FieldDetailsList) -> Compiled:
    return compiler.several(model, asked)


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
            raise found
        return found


def _made(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Unplannable as why:
        return why
    except Exception as error:
        log.warning("a plan could not be compiled", exc_info=True)
        return Unplannable(repr(error))


def _outline(part: Slice) -> Hashable:
    """What of a slice decides the SQL, sizes aside."""
    return part.backward, part.after is None, part.before is None
