"""From a selection to a plan: which statements are run, and the Python that puts their rows together.

The generated code is made of names of columns, numbers of ours and response names; these are checked to be GraphQL
names. Anything else that a client wrote reaches it as a value. Its answer is the ordinary executor's, or an exception:
then another way answers.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues
from tortoise import fields as columns
from tortoise.fields.relational import BackwardFKRelation, ForeignKeyFieldInstance
from tortoise.models import Model

from engine.documents import Operation
from engine.lists import NEWEST_FIRST, Order, Slice, written_sql
from engine.plans import statements
from engine.plans.arguments import Given, given
from engine.plans.scopes import Condition, Scope, Unplannable, scope
from engine.plans.statements import ARGUMENTS_MOST, Join, Parameters, Source, Statement, scoped
from engine.views import (
    VIEWS,
    Column,
    Computed,
    Expression,
    Paged,
    Parts,
    Relation,
    View,
    Viewer,
    relation,
)

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


class Surprise(Exception):
    """A row is not as the plan takes it to be: another way answers."""


class _NotNested(Exception):
    """This list cannot stand within its parent's statement."""


@dataclass
class Level:
    """One statement and its assembler."""

    name: str
    sql: str
    arguments: str  # source of `lambda facts, value, keys, part: (…)`
    assembler: str  # source of a function
    parent: int | None = None
    parent_key: int = 0  # where the parent's rows hold the key
    keyed: bool = True  # whether its own rows begin with the key of their parent
    paged: int | None = None  # which slice this is a page of
    count: "Level | None" = None


@dataclass
class Compiled:
    """What a root field's plan is made of, before it is Python."""

    levels: list[Level]
    names: dict[str, Any]  # of the assemblers
    dynamic: list[Given]  # arguments of Python fields that name variables


@dataclass
class Nested:
    """A list of pages within a row, found beforehand: its slice decides the SQL."""

    key: tuple[str, ...]  # path of response names
    field: str
    model: type[Model]
    given: Given


@dataclass
class Compiler:
    """Compiles one root field for a kind of viewer."""

    schema: strawberry.Schema
    operation: Operation
    values: VariableValues  # of the request that it is compiled for: `@skip` and `@include` are decided by it
    scopes: "Scopes"
    slices: dict[tuple[str, ...], tuple[int, Slice]] = field(default_factory=dict)
    levels: list[Level] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    dynamic: list[Given] = field(default_factory=list)
    _aliases: int = 0

    # What is compiled

    def one(self, model: type[Model], condition: Condition, asked: FieldDetailsList) -> Compiled:
        """The first row; lists within it are part of the one statement where they can be."""
        statement, parameters = self._statement(condition), Parameters()
        self._level("row").keyed = False
        row = self._row(0, statement, parameters, statement.source, VIEWS[model], asked, nests=True)
        sql = statements.one(statement, parameters)
        self._finish(0, sql, parameters, _function("row", "rows, S, A", [
            "for " + _unpacked(statement) + " in rows:",
            f"    return {row}",
            "return None",
        ]))  # fmt: skip
        return self._compiled()

    def several(self, model: type[Model], asked: FieldDetailsList) -> Compiled:
        """Rows by their ids."""
        statement, parameters = self._statement(self.scopes.of(model)), Parameters()
        self._level("rows")
        row = self._row(0, statement, parameters, statement.source, VIEWS[model], asked)
        sql = statements.behind(statement, parameters, "id")
        self._finish(0, sql, parameters, _function("rows", "rows, S, A", [
            f"return {{key: {row} for ({_first(statement)}) in rows}}",
        ]))  # fmt: skip
        return self._compiled()

    def page(self, model: type[Model], condition: Condition, order: Order, part: Slice, asked: FieldDetailsList,
             connection: GraphQLObjectType) -> Compiled:  # fmt: skip
        """A page of a list."""
        statement, parameters = self._statement(condition), Parameters()
        own = self._level("page")
        own.paged, own.keyed = 0, False
        lines, counted = self._connection(0, statement, parameters, order, asked, connection, first=False, path=())
        sides = _sides(order, part)
        sql = statements.page(statement, parameters, order, size=part.size, sides=sides, backward=part.backward)
        self._finish(0, sql, parameters, _function("page", "rows, S, A, cursor, before, after, total", lines))
        if counted:
            counting = Parameters()
            sql = statements.count(statement.source, counting)
            own.count = Level("count", sql, _arguments(counting), "")
        return self._compiled()

    def nested_pages(
        self, asked: FieldDetailsList, type_: GraphQLObjectType, path: tuple[str, ...] = ()
    ) -> list[Nested]:
        """The lists of pages within a selection of rows, to be sliced before it is compiled."""
        view, found = _view(type_), list[Nested]()
        for key, details in self._fields(asked, type_).items():
            source = view.fields.get(details[0].node.name.value) if view else None
            definition = type_.fields.get(details[0].node.name.value)
            if isinstance(source, Relation) and definition:
                inner: Any = get_named_type(definition.type)
                found += self.nested_pages(details, inner, (*path, key))
            elif isinstance(source, Paged) and view and definition:
                arguments, _ = given(self.schema, definition, details[0].node)
                field_name = f"{type_.name}.{details[0].node.name.value}"
                found.append(Nested((*path, key), field_name, view.target(source.path), arguments))
                connection: Any = get_named_type(definition.type)
                found += self.nested_in_connection(details, connection, (*path, key))
        return found

    def nested_in_connection(
        self, asked: FieldDetailsList, type_: GraphQLObjectType, path: tuple[str, ...]
    ) -> list[Nested]:
        found: list[Nested] = []
        for key, details in self._fields(asked, type_).items():
            name = details[0].node.name.value
            if name in ("nodes", "edges", "node"):
                inner: Any = get_named_type(type_.fields[name].type)
                if _view(inner):
                    found += self.nested_pages(details, inner, (*path, key))
                else:
                    found += self.nested_in_connection(details, inner, (*path, key))
        return found

    # Rows

    def _row(self, level: int, statement: Statement, parameters: Parameters, source: Source, view: View,
             asked: FieldDetailsList, *, nests: bool = False, path: tuple[str, ...] = ()) -> str:  # fmt: skip
        """A row as the source of a dict display; adds what it needs to the statement."""
        type_: Any = self.schema._schema.type_map[view.name]
        parts = []
        for key, details in self._fields(asked, type_).items():
            name = details[0].node.name.value
            if name == "__typename":
                value = repr(view.name)
            else:
                definition, found = type_.fields[name], view.fields.get(name)
                here = (level, statement, parameters, source, view)
                if isinstance(found, Column | Expression):
                    value = self._leaf(definition.type, statement, source, found, view)
                elif isinstance(found, Parts):
                    value = self._parts(definition, details, statement, source, found, view)
                elif isinstance(found, Computed):
                    value = self._computed(definition, details, statement, source, found, view)
                elif isinstance(found, Relation):
                    value = self._relation(here, definition, details, found.path, nests, (*path, key))
                elif isinstance(found, Paged):
                    value = self._paged(here, details, definition, found.path, nests, (*path, key))
                else:
                    raise Unplannable(f"{view.name}.{name} is not of the view")
            parts.append(f"{_key(key)}: {value}")
        return "{" + ", ".join(parts) + "}"

    def _leaf(self, type_: Any, statement: Statement, source: Source, found: Column | Expression, view: View) -> str:
        variable = statement.take(source, found.name, found.sql)
        named = get_named_type(type_)
        plain = isinstance(found, Column) and found.sql == _sql_of(view.model, found.name)
        if not is_leaf_type(get_nullable_type(type_)):
            raise Unplannable("a column that is no scalar")
        if isinstance(named, GraphQLEnumType):
            known = {getattr(each.value, "value", each.value): name for name, each in named.values.items()}
            if not isinstance(type_, GraphQLNonNull):
                known[None] = None
            return f"{self._name(named.name, known)}[{variable}]"  # KeyError: a surprise
        if (plain or isinstance(found, Expression)) and named.name not in _AS_IT_IS and _serializes(named):
            raise Unplannable(f"PostgreSQL does not say {named.name} as it is serialized")
        # A column that is never null is not, whatever the client is told of its type; what is made of it might be.
        return f"sure({variable})" if isinstance(type_, GraphQLNonNull) and not plain else variable

    def _parts(self, definition: Any, asked: FieldDetailsList, statement: Statement, source: Source, found: Parts,
               view: View) -> str:  # fmt: skip
        type_: Any = get_named_type(definition.type)
        known = {name: Column(column, _sql_of(view.model, column)) for name, column in found.columns.items()}
        parts = []
        for key, details in self._fields(asked, type_).items():
            name = details[0].node.name.value
            if name == "__typename":
                value = repr(type_.name)
            elif name in known:
                value = self._leaf(type_.fields[name].type, statement, source, known[name], view)
            else:
                taken = (f"{part}={statement.take(source, c.name, c.sql)}" for part, c in known.items())
                made = f"{self._name(type_.name, found.make)}({', '.join(taken)})"
                resolver = _resolver(type_.fields[name])
                value = self._called(resolver, made, type_.fields[name], details)
            parts.append(f"{_key(key)}: {value}")
        return "{" + ", ".join(parts) + "}"

    def _computed(self, definition: Any, asked: FieldDetailsList, statement: Statement, source: Source,
                  found: Computed, view: View) -> str:  # fmt: skip
        if statement.nested:
            raise _NotNested
        taken = [statement.take(source, _db_name(view.model, name)) for name in found.needs]
        bare = self._name(f"{view.name}_of_{'_'.join(found.needs)}", _bare(view.model, found.needs))
        return self._called(found.function, f"{bare}({', '.join(taken)})", definition, asked)

    def _called(self, function: Callable[..., Any], row: str, definition: Any, asked: FieldDetailsList) -> str:
        """A Python field of a row, completed as its type says."""
        if not is_leaf_type(get_named_type(definition.type)):
            raise Unplannable("a Python field that is an object")
        arguments = ""
        if definition.args:
            get, constant = given(self.schema, definition, asked[0].node)
            if constant:
                arguments = f", **{self._name('given', get(self.values))}"
            else:
                arguments = f", **A[{len(self.dynamic)}]"
                self.dynamic.append(get)
        complete = self._name("complete", _completer(definition.type))
        return f"{complete}({self._name(function.__name__, function)}({row}{arguments}))"

    # Relations

    def _relation(self, here: tuple[Any, ...], definition: Any, asked: FieldDetailsList, path: str, nests: bool,
                  at: tuple[str, ...]) -> str:  # fmt: skip
        level, statement, parameters, source, view = here
        hop, _, rest = path.partition("__")
        found = relation(view.model, hop)
        if isinstance(found, ForeignKeyFieldInstance) and not rest:
            joined = self._join(statement, source, view.model, hop)
            row = self._row(
                level, statement, parameters, joined, VIEWS[found.related_model], asked, nests=nests, path=at
            )
            here_ = statement.output(f"{joined.alias}_here", f'{joined.alias}."id" IS NOT NULL')
            missing = "surprise()" if isinstance(definition.type, GraphQLNonNull) else "None"
            return f"({row} if {here_} else {missing})"
        if not isinstance(found, BackwardFKRelation):
            raise Unplannable(f"{view.name}.{path} is a relation of another kind")
        if nests:
            before = (list(self.levels), dict(self.names), list(self.dynamic), self._aliases, list(parameters.sources))
            try:
                return self._nested(statement, parameters, source, found, rest, asked, at)
            except _NotNested:
                self.levels, self.names, self.dynamic, self._aliases, parameters.sources = before
        if statement.nested:
            raise _NotNested
        return self._behind(level, statement, source, found, rest, asked, at)

    def _join(
        self, statement: Statement, source: Source, model: type[Model], hop: str, *, inner: bool = False
    ) -> Source:
        """The table at the far side of a relation to one; the same for every field that follows it."""
        key = relation(model, hop).source_field or f"{hop}_id"
        left = f'{source.alias}."{source.column(key)}"'
        for join in statement.joins:
            if join.left == left:
                return join.source
        target: Any = relation(model, hop).related_model
        joined = scoped(self._alias(), self.scopes.scope(target))
        joined.column("id")
        statement.joins.append(Join(joined, left, inner))
        return joined

    def _many(self, found: BackwardFKRelation[Any], rest: str, *, nested: bool) -> tuple[Statement, Source, View]:
        """(statement, the source of its rows, their view) of a list, over one hop or two."""
        target: Any = found.related_model
        statement = Statement(scoped(self._alias(), self.scopes.scope(target)), nested=nested)
        statement.order = [_ordering(target, name) for name in target._meta.ordering or [("id", None)]]
        if not rest:
            return statement, statement.source, VIEWS[target]
        far: Any = relation(target, rest).related_model
        return statement, self._join(statement, statement.source, target, rest, inner=True), VIEWS[far]

    def _behind(self, level: int, statement: Statement, source: Source, found: BackwardFKRelation[Any], rest: str,
                asked: FieldDetailsList, at: tuple[str, ...]) -> str:  # fmt: skip
        """A statement of its own for the rows behind all of the parents."""
        own = self._level(f"list_{len(self.levels)}", level, statement, source)
        many, rows, view = self._many(found, rest, nested=False)
        parameters = Parameters()
        number = self.levels.index(own)
        row = self._row(number, many, parameters, rows, view, asked, path=at)
        sql = statements.behind(many, parameters, found.relation_source_field or found.relation_field)
        self._finish(number, sql, parameters, _function(own.name, "rows, S, A", [
            "lists = {}",
            f"for ({_first(many)}) in rows:",
            f"    row = {row}",
            "    if key in lists: lists[key].append(row)",
            "    else: lists[key] = [row]",
            "return lists",
        ]))  # fmt: skip
        return f"S[{number}].get({self._key_of(statement, source)}, nothing)"

    def _nested(self, statement: Statement, parameters: Parameters, source: Source, found: BackwardFKRelation[Any],
                rest: str, asked: FieldDetailsList, at: tuple[str, ...]) -> str:  # fmt: skip
        """The rows behind one parent, within its own statement."""
        many, rows, view = self._many(found, rest, nested=True)
        row = self._row(0, many, parameters, rows, view, asked, nests=True, path=at)
        if not 0 < len(many.outputs) <= ARGUMENTS_MOST:
            raise _NotNested
        parent = f'{source.alias}."{source.column("id")}"'
        sql = statements.nested(many, parameters, found.relation_source_field or found.relation_field, parent)
        variable = statement.output(f"{many.source.alias}_list", sql)
        array = variable if statement.nested else f"loads({variable})"
        return f"[{row} for {_unpacked(many)} in {array}]"

    def _paged(self, here: tuple[Any, ...], asked: FieldDetailsList, definition: Any, path: str, nests: bool,
               at: tuple[str, ...]) -> str:  # fmt: skip
        """A page behind each of the parents."""
        level, statement, _, source, view = here
        if statement.nested:
            raise _NotNested
        found: Any = relation(view.model, path)
        place, part = self.slices[at]
        own = self._level(f"pages_{len(self.levels)}", level, statement, source)
        own.paged, number = place, self.levels.index(own)
        many, parameters = Statement(scoped(self._alias(), self.scopes.scope(found.related_model))), Parameters()
        connection: Any = get_named_type(definition.type)
        lines, counted = self._connection(
            number, many, parameters, NEWEST_FIRST, asked, connection, first=True, path=at
        )
        key = found.relation_source_field or found.relation_field
        sql = statements.pages_behind(
            many, parameters, key, NEWEST_FIRST, sides=_sides(NEWEST_FIRST, part), backward=part.backward, place=place
        )
        signature = "rows, S, A, cursor, before, after, total"
        self._finish(number, sql, parameters, _function(own.name, signature, lines))
        if counted:
            counting = Parameters()
            sql = statements.counts_behind(many.source, counting, key)
            own.count = Level("counts", sql, _arguments(counting), "")
        return f"S[{number}][{self._key_of(statement, source)}]"

    # Connections

    def _connection(self, level: int, statement: Statement, parameters: Parameters, order: Order,
                    asked: FieldDetailsList, type_: GraphQLObjectType, *, first: bool,
                    path: tuple[str, ...]) -> tuple[list[str], bool]:  # fmt: skip
        """(the body of the function that makes a page of its rows, whether it says how many there are in all)."""
        model = self._model_of(type_)

        def position() -> list[str]:
            return [
                statement.take(statement.source, name, written_sql(model._meta.fields_map[name], _quoted(name)))
                for name in order.columns
            ]

        def places() -> list[int]:
            return [list(statement.outputs).index(each) + first for each in position()]

        known = {"__typename": repr(type_.name), "totalCount": "total"}
        rows: list[str] = []
        parts: list[str] = []
        for key, details in self._fields(asked, type_).items():
            name = details[0].node.name.value
            inner = (level, statement, parameters, VIEWS[model], position, (*path, key))
            if name == "nodes":
                rows.append(
                    self._row(level, statement, parameters, statement.source, VIEWS[model], details, path=(*path, key))
                )
                value = f"rows_{len(rows) - 1}"
            elif name == "edges":
                rows.append(self._edge(inner, details, type_))
                value = f"rows_{len(rows) - 1}"
            else:
                value = self._page_info(details, type_, places) if name == "pageInfo" else known[name]
            parts.append(f"{_key(key)}: {value}")
        lists = [f"rows_{number} = []" for number in range(len(rows))]
        appended = [f"    rows_{number}.append({row})" for number, row in enumerate(rows)]
        unpacked = f"({_first(statement)})" if first else _unpacked(statement)
        loop = [f"for {unpacked} in rows:", *appended] if rows else []
        counted = any(details[0].node.name.value == "totalCount" for details in self._fields(asked, type_).values())
        return [*lists, *loop, f"return {{{', '.join(parts)}}}"], counted

    def _edge(self, here: tuple[Any, ...], asked: FieldDetailsList, connection: GraphQLObjectType) -> str:
        level, statement, parameters, view, position, path = here
        type_: Any = get_named_type(connection.fields["edges"].type)
        parts = []
        for key, details in self._fields(asked, type_).items():
            name = details[0].node.name.value
            if name == "node":
                value = self._row(level, statement, parameters, statement.source, view, details, path=(*path, key))
            else:
                value = repr(type_.name) if name == "__typename" else f"cursor([{', '.join(position())}])"
            parts.append(f"{_key(key)}: {value}")
        return "{" + ", ".join(parts) + "}"

    def _page_info(
        self, asked: FieldDetailsList, connection: GraphQLObjectType, places: Callable[[], list[int]]
    ) -> str:
        type_: Any = get_named_type(connection.fields["pageInfo"].type)

        def cursor(row: int) -> str:
            return f"cursor([{', '.join(f'rows[{row}][{place}]' for place in places())}]) if rows else None"

        known = {"__typename": repr(type_.name), "hasNextPage": "after", "hasPreviousPage": "before"}
        parts = []
        for key, details in self._fields(asked, type_).items():
            name = details[0].node.name.value
            value = cursor(_ENDS[name]) if name in _ENDS else known[name]
            parts.append(f"{_key(key)}: {value}")
        return "{" + ", ".join(parts) + "}"

    def _model_of(self, connection: GraphQLObjectType) -> type[Model]:
        named = get_named_type(connection.fields["nodes"].type).name
        return next(model for model, view in VIEWS.items() if view.name == named)

    # Bookkeeping

    def _fields(self, asked: FieldDetailsList, type_: GraphQLObjectType) -> dict[str, FieldDetailsList]:
        fragments = {name: FragmentDetails(node) for name, node in self.operation.fragments.items()}
        return collect_subfields(
            self.schema._schema, fragments, self.values, self.operation.node, type_, asked
        ).grouped_field_set

    def _statement(self, condition: Condition | Scope) -> Statement:
        if isinstance(condition, Scope):
            return Statement(scoped(self._alias(), condition))
        return Statement(Source(self._alias(), condition, None))

    def _level(self, name: str, parent: int | None = None, statement: Statement | None = None,
               source: Source | None = None) -> Level:  # fmt: skip
        level = Level(name, "", "", "", parent)
        if statement and source:
            variable = self._key_of(statement, source)
            level.parent_key = list(statement.outputs).index(variable) + self.levels[parent or 0].keyed
        self.levels.append(level)
        return level

    def _finish(self, number: int, sql: str, parameters: Parameters, assembler: str) -> None:
        level = self.levels[number]
        level.sql, level.arguments, level.assembler = sql, _arguments(parameters), assembler

    def _key_of(self, statement: Statement, source: Source) -> str:
        return statement.take(source, "id")

    def _compiled(self) -> Compiled:
        names = {"sure": sure, "surprise": surprise, "nothing": [], "loads": orjson.loads} | self.names
        return Compiled(self.levels, names, self.dynamic)

    def _alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases - 1}"

    def _name(self, hint: str, value: Any) -> str:
        """The name under which the assemblers know a value."""
        for name, known in self.names.items():
            if known is value:
                return name
        name = f"{_NAME.match(hint.replace('<lambda>', 'call'))[0]}_{len(self.names)}"  # type: ignore[index]
        self.names[name] = value
        return name


class Scopes:
    """What a kind of viewer sees, each model asked for once."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer, self._known = viewer, {}  # type: ignore[var-annotated]

    def scope(self, model: type[Model]) -> Scope:
        if model not in self._known:
            self._known[model] = scope(self._viewer, model)
        return self._known[model]  # type: ignore[no-any-return]

    of = scope


def sure(value: Any) -> Any:
    return surprise() if value is None else value


def surprise() -> Any:
    raise Surprise


# What Strawberry has for a scalar that says nothing of it.
_UNCHANGED: Any = strawberry.scalar(name="Unchanged").serialize  # type: ignore[attr-defined]
_ENDS = {"startCursor": 0, "endCursor": -1}
_AS_IT_IS = {"String", "Int", "Boolean", "ID"}


def _serializes(scalar: Any) -> bool:
    """Whether a custom scalar changes a value on its way out."""
    definition = scalar.extensions.get("strawberry-definition")
    return definition is None or definition.serialize is not _UNCHANGED


def _completer(type_: Any) -> Callable[[Any], Any]:
    """What graphql-core makes of a value of a leaf type, or of a list of them."""
    if isinstance(type_, GraphQLNonNull):
        inner = _completer(type_.of_type)
        return lambda value: sure(inner(value))
    if isinstance(type_, GraphQLList):
        item = _completer(type_.of_type)
        return lambda value: None if value is None else [item(each) for each in _listed(value)]
    return lambda value: None if value is None else sure(type_.coerce_output_value(value))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else surprise()


def _resolver(definition: Any) -> Callable[..., Any]:
    """The plain function behind a Strawberry field. Raises Unplannable where there is more to it."""
    declared = definition.extensions["strawberry-definition"]
    resolver = declared.base_resolver
    if resolver is None or declared.extensions or resolver.is_async or resolver.info_parameter:
        raise Unplannable(f"{declared.name} is more than a function of its row")
    return resolver.wrapped_func  # type: ignore[no-any-return]


def _bare(model: type[Model], names: Sequence[str]) -> Callable[..., Any]:
    """Makes a row that holds these columns and no other, far faster than the ORM does: for Python that reads them."""
    read = [_from_database(model._meta.fields_map[name]) for name in names]
    new = object.__new__

    def make(*values: Any) -> Any:
        row = new(model)
        row.__dict__ = {
            name: value if convert is None else convert(value)
            for name, value, convert in zip(names, values, read, strict=True)
        }
        return row

    return make


def _from_database(column: Any) -> Callable[[Any], Any] | None:
    as_it_is = (columns.UUIDField, columns.IntField, columns.BooleanField, columns.DatetimeField)
    if isinstance(column, as_it_is) or type(column).__mro__[1:2] == (columns.CharField,):
        return None
    return column.to_python_value  # type: ignore[no-any-return]


def _sides(order: Order, part: Slice) -> list[tuple[str, bool]]:
    sides = [("after", not order.descending)] if part.after is not None else []
    return sides + ([("before", order.descending)] if part.before is not None else [])


def _ordering(model: type[Model], by: Any) -> str:
    name, direction = by if isinstance(by, tuple) else (by, None)
    if direction and "desc" in str(direction).lower():
        raise Unplannable(f"{model.__name__} is listed backwards")
    return _db_name(model, name)


def _view(type_: GraphQLObjectType) -> View | None:
    return next((view for view in VIEWS.values() if view.name == type_.name), None)


def _db_name(model: type[Model], name: str) -> str:
    return model._meta.fields_db_projection[name]


def _sql_of(model: type[Model], name: str) -> str:
    return _quoted(_db_name(model, name))


def _quoted(name: str) -> str:
    return f'"{name}"'


def _key(name: str) -> str:
    """A response name as the source of a string. Names are the client's: nothing but a GraphQL name gets here."""
    if not _NAME.fullmatch(name):
        raise Unplannable("a response name that is no name")
    return f'"{name}"'


def _unpacked(statement: Statement) -> str:
    return f"({', '.join(statement.outputs) or '_'},)"


def _first(statement: Statement) -> str:
    return f"key, {', '.join(statement.outputs)}" if statement.outputs else "key,"


def _function(name: str, parameters: str, lines: Sequence[str]) -> str:
    return f"def {name}({parameters}):\n" + "".join(f"    {line}\n" for line in lines)


def _arguments(parameters: Parameters) -> str:
    """The source of what gives a statement its parameters."""

    def source(of: Any) -> str:
        match of:
            case "keys":
                return "keys"
            case ("value", int(place)):
                return f"values[{place}]"
            case ("fact", int(place)):
                return f"facts[{place}]"
            case ("limit", int(place)):
                return f"parts[{place}].size + 1"
            case ("after" | "before" as side, int(place), int(at)):
                return f"parts[{place}].{side}[{at}]"
        raise AssertionError(of)

    listed = "".join(f"{source(each)}, " for each in parameters.sources)
    return f"lambda facts, values, keys, parts: ({listed})"
