"""A root field of an operation, for a kind of viewer: what it reads, and its plans by shape of the arguments."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import strawberry
from graphql import get_named_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.values import VariableValues

from engine.documents import Operation
from engine.lists import NEWEST_FIRST, PAGING, Place, Slice
from engine.plans import boards, pages
from engine.plans.arguments import given
from engine.plans.compiler import Compiler, Scopes
from engine.plans.running import Paged, Plan, Reading, Run
from engine.plans.scopes import condition, shape
from engine.plans.state import Compiled
from engine.roots import Kind, Root
from engine.views import VIEWS

Keep = Callable[[Hashable, Callable[[], Any]], Any]
Slices = dict[tuple[str, ...], tuple[int, Slice]]  # the lists of pages within: place among the plan's, slice


class Field:
    """Reads by a plan."""

    def __init__(self, schema: strawberry.Schema, keep: Keep, operation: Operation, values: VariableValues,
                 scopes: Scopes, root: Root, asked: FieldDetailsList, definition: Any) -> None:  # fmt: skip
        self._schema, self._keep, self._operation, self._values = schema, keep, operation, values
        self._scopes, self._root, self._asked = scopes, root, asked
        self._given, _ = given(schema, definition, asked[0].node)
        self._type: Any = get_named_type(definition.type)
        self._coordinate = f"Query.{asked[0].node.name.value}"
        self._within: dict[Any, list[pages.Within]] = {}
        code = root.function.__code__
        self._told = "info" in code.co_varnames[: code.co_argcount]

    def asked_of(self, values: VariableValues, context: Any) -> Any:
        """What is to be read: which row, which rows, which part of a list. Raises for who may not, and for what is
        wrong with the arguments: before anything is read or compiled."""
        self._root.gate(context)
        arguments = self._given(values)
        function = self._root.function
        if self._root.kind is not Kind.PAGE:
            return function(Told(context), **arguments) if self._told else function(**arguments)
        arguments = dict(arguments)
        paging = {name: arguments.pop(name) for name in PAGING if name in arguments}
        chosen = arguments.pop("order_by", None)
        rows = function(Told(context), **arguments) if self._told else function(**arguments)
        order = chosen.order if chosen else NEWEST_FIRST
        place = Place(self._coordinate, rows.model, order, context.viewer.facts[0])
        return rows, place, place.slice(**paging)

    async def read(self, asked: Any, reading: Reading) -> Any:
        """Its value. Raises Unplannable, Surprise, TooLate, TooMuch, what Python fields raise and what asyncpg does."""
        match self._root.kind:
            case Kind.ONE:
                return await self._one(asked, reading)
            case Kind.SEVERAL:
                return await self._several(asked, reading)
            case Kind.PAGE:
                return await self._page(asked, reading)
            case Kind.BOARD:
                return await self._board(asked, reading)

    async def _page(self, asked: tuple[Any, Place, Slice], reading: Reading) -> Any:
        rows, place, part = asked
        order = place.order
        inner, slices = self._slices(rows.model, reading)
        shaped, found = shape(rows)
        plan = self._plan(
            (shaped, order, part.reach, *_outlines(part, slices)), slices,
            lambda compiler: compiler.page(
                rows.model, condition(rows, found), order, part, self._asked, self._type
            ),
        )  # fmt: skip
        return await Run(plan, reading, found, [Paged(place, part), *inner]).page()

    async def _one(self, wanted: Any, reading: Reading) -> Any:
        if wanted is None:
            return None
        model, key = wanted
        inner, slices = self._slices(model, reading)
        compiled = partial(Compiler.one, model=model, asked=self._asked)
        plan = self._plan((model, *_outlines(None, slices)), slices, compiled)
        return await Run(plan, reading, (), [None, *inner]).one(key)

    async def _several(self, wanted: Any, reading: Reading) -> Any:
        wanted = await wanted() if callable(wanted) else wanted
        found: dict[Any, Any] = {}
        for model in dict.fromkeys(each[0] for each in wanted if each):
            inner, slices = self._slices(model, reading)
            compiled = partial(Compiler.several, model=model, asked=self._asked)
            plan = self._plan((model, *_outlines(None, slices)), slices, compiled)
            keys = [each[1] for each in wanted if each and each[0] is model]
            rows = await Run(plan, reading, (), [None, *inner]).several(keys)
            found |= {(model, key): row for key, row in rows.items()}
        return [found.get(each) for each in wanted]

    async def _board(self, rows: Any, reading: Reading) -> Any:
        groups: Any = self._root.groups
        inner, slices = self._slices(rows.model, reading)
        shaped, found = shape(rows)
        plan = self._plan(
            (shaped, *_outlines(None, slices)), slices,
            lambda compiler: compiler.board(groups, condition(rows, found), self._asked, self._type),
        )  # fmt: skip
        return await Run(plan, reading, found, [None, *inner]).board(groups)

    def _slices(self, model: Any, reading: Reading) -> tuple[list[Paged], Slices]:
        """The slices of the lists of pages within."""
        if model not in self._within:
            self._within[model] = self._lists_within(model, self._compiler({}))
        inner: list[Paged] = []
        slices: Slices = {}
        for number, within in enumerate(self._within[model], 1):
            place = Place(within.field, within.model, NEWEST_FIRST, reading.context.viewer.facts[0])
            arguments = within.given(reading.values)
            inner.append(Paged(place, place.slice(**{name: arguments.get(name) for name in PAGING})))
            slices[within.path] = (number, inner[-1].part)
        return inner, slices

    def _lists_within(self, model: Any, compiler: Compiler) -> list[pages.Within]:
        if self._root.groups:
            return boards.within(compiler, self._root.groups, self._asked, self._type)
        type_ = self._type if self._root.kind is Kind.PAGE else compiler.type(VIEWS[model])
        return pages.within(compiler, self._asked, type_)

    def _plan(self, key: Hashable, slices: Slices, compiled: Callable[[Compiler], Compiled]) -> Plan:
        """The plan for this shape. The key holds the field, which is like no other."""
        plan: Plan = self._keep((self, key), lambda: Plan(compiled(self._compiler(slices))))
        return plan

    def _compiler(self, slices: Slices) -> Compiler:
        return Compiler(self._schema, self._operation, self._values, self._scopes, slices)


class TypeName:
    """`__typename` of the query itself."""

    def __init__(self, name: str) -> None:
        self._name = name

    def asked_of(self, *_: Any) -> None:
        """Nothing is to be read."""

    async def read(self, *_: Any) -> str:
        """Its value."""
        return self._name


class Told:
    """What a resolver is told: who is calling."""

    __slots__ = ("context",)

    def __init__(self, context: Any) -> None:
        self.context = context


def _outlines(part: Slice | None, slices: Slices) -> list[Hashable]:
    """What of the slices decides the SQL, sizes aside."""
    return [
        (each.backward, each.after is None, each.before is None)
        for each in ([part] if part else []) + [inner for _, inner in slices.values()]
    ]
