"""From a selection to a plan: which statements are run, and the Python that puts their rows together.

    rows.py    a row: its columns, its Python, its relations to one
    lists.py   its relations to many, whole: a statement of their own, or nested in that of a single row
    pages.py   connections: of the root, and of its rows
    boards.py  rows in groups

The generated code is made of names of columns, numbers of ours and response names; these are checked to be GraphQL
names. Anything else that a client wrote reaches it as a value. Its answer is the ordinary executor's, or an exception:
then another way answers.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
import strawberry
from graphql import GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails, FieldDetailsList, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues
from tortoise.models import Model

from engine.documents import Operation
from engine.lists import Order, Slice
from engine.plans import boards, pages, rows, statements
from engine.plans.arguments import Given
from engine.plans.python import NAME, function, sure, surprise
from engine.plans.scopes import Condition, Scope, scope
from engine.plans.state import Compiled, Here, Level
from engine.plans.statements import Parameters, Source, Statement, scoped
from engine.roots import Groups
from engine.views import VIEWS, View, Viewer


class Scopes:
    """What a kind of viewer sees, each model asked for once, and may do."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer, self._known = viewer, dict[type[Model], Scope]()

    def of(self, model: type[Model]) -> Scope:
        if model not in self._known:
            self._known[model] = scope(self._viewer, model)
        return self._known[model]

    def may(self, permission: Any) -> bool:
        return self._viewer.may(permission)


@dataclass
class Compiler:
    """Compiles one root field for a kind of viewer."""

    schema: strawberry.Schema
    operation: Operation
    variables: VariableValues  # of the request that it is compiled for: `@skip` and `@include` are decided by them
    scopes: Scopes
    slices: dict[tuple[str, ...], tuple[int, Slice]]  # of the lists of pages within, by path
    levels: list[Level] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    dynamic: list[Given] = field(default_factory=list)
    _aliases: int = 0

    # Root fields

    def one(self, model: type[Model], asked: FieldDetailsList) -> Compiled:
        """A row by its id; lists within it are part of the one statement where they can be."""
        source = scoped(self.alias(), self.scopes.of(model))
        here = Here(0, Statement(source), Parameters(), source, VIEWS[model], nests=True)
        level = self.level("row", keyed=False)
        row = rows.row(self, here, asked)
        lines = [f"for {here.statement.unpacked()} in rows:", f"    return {row}", "return None"]
        sql = statements.one(here.statement, here.parameters)
        level.filled(sql, here.parameters, function("row", "rows, S, A", lines))
        return self._compiled()

    def several(self, model: type[Model], asked: FieldDetailsList) -> Compiled:
        """Rows by their ids."""
        source = scoped(self.alias(), self.scopes.of(model))
        here = Here(0, Statement(source), Parameters(), source, VIEWS[model])
        level = self.level("rows")
        row = rows.row(self, here, asked)
        lines = [f"return {{key: {row} for {here.statement.unpacked('key')} in rows}}"]
        sql = statements.behind(here.statement, here.parameters, "id")
        level.filled(sql, here.parameters, function("rows", "rows, S, A", lines))
        return self._compiled()

    def page(self, model: type[Model], condition: Condition, order: Order, part: Slice, asked: FieldDetailsList,
             connection: GraphQLObjectType) -> Compiled:  # fmt: skip
        """A page of a list."""
        source = Source(self.alias(), condition, None)
        here = Here(0, Statement(source), Parameters(), source, VIEWS[model])
        level = self.level("page", keyed=False, paged=0)
        lines, counted = pages.connection(self, here, order, asked, connection)
        sql = statements.page(here.statement, here.parameters, order, part)
        level.filled(sql, here.parameters, function("page", pages.SIGNATURE, lines))
        if counted:
            parameters = Parameters()
            level.count = Level("count", statements.count(source, parameters), parameters.source())
        return self._compiled()

    def board(self, groups: Groups, condition: Condition, asked: FieldDetailsList, type_: Any) -> Compiled:
        """Rows in groups, a page of each."""
        boards.board(self, groups, condition, asked, type_)
        return self._compiled()

    # What the parts of a plan share

    def fields(self, asked: FieldDetailsList, type_: Any) -> list[tuple[str, str, FieldDetailsList]]:
        """(response name, field, where it is asked for) of a selection on an object type, as graphql-core has it."""
        fragments = {name: FragmentDetails(node) for name, node in self.operation.fragments.items()}
        collected = collect_subfields(
            self.schema._schema, fragments, self.variables, self.operation.node, type_, asked
        ).grouped_field_set
        return [(name, _field(details), details) for name, details in collected.items()]

    def type(self, view: View) -> Any:
        """The GraphQL type of a view."""
        return self.schema._schema.type_map[view.name]

    def level(self, name: str, **options: Any) -> Level:
        self.levels.append(Level(name, **options))
        return self.levels[-1]

    def behind(self, here: Here, name: str) -> tuple[int, Level]:
        """(number, level) of a list behind the rows of a level."""
        number, parent = len(self.levels), self.levels[here.level]
        key = here.statement.place(here.statement.take(here.source, "id")) + parent.keyed
        return number, self.level(f"{name}_{number}", parent=here.level, parent_key=key)

    def alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases - 1}"

    def name(self, hint: str, value: Any) -> str:
        """The name under which the assemblers know a value."""
        for name, known in self.names.items():
            if known is value:
                return name
        found = NAME.match(hint)
        name = f"{found[0] if found else 'value'}_{len(self.names)}"
        self.names[name] = value
        return name

    def state(self) -> Any:
        return list(self.levels), dict(self.names), list(self.dynamic), self._aliases

    def restore(self, state: Any) -> None:
        self.levels, self.names, self.dynamic, self._aliases = state

    def _compiled(self) -> Compiled:
        names = {"sure": sure, "surprise": surprise, "nothing": _NOTHING, "loads": orjson.loads, **self.names}
        return Compiled(self.levels, names, self.dynamic)


_NOTHING: list[Any] = []


def _field(details: list[FieldDetails]) -> str:
    return details[0].node.name.value
