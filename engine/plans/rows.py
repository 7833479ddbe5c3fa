"""A row as the source of a Python dict: its columns, its Python, and the rows that it names."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model

from engine.plans import lists, pages
from engine.plans.arguments import given
from engine.plans.python import bare, completer, display, resolver, serialized
from engine.plans.scopes import Unplannable
from engine.plans.state import Here
from engine.plans.statements import Join, Source, Statement, scoped
from engine.views import VIEWS, Column, Computed, Expression, Paged, Parts, Relation, relation

if TYPE_CHECKING:
    from engine.plans.compiler import Compiler


def row(plan: "Compiler", here: Here, asked: FieldDetailsList) -> str:
    """A row of a view; what it needs is added to the statement."""
    type_ = plan.type(here.view)
    parts = []
    for key, name, details in plan.fields(asked, type_):
        if name == "__typename":
            parts.append((key, repr(type_.name)))
        else:
            parts.append((key, _value(plan, here.under(key), type_.fields[name], name, details)))
    return display(parts)


def attribute(plan: "Compiler", type_: GraphQLObjectType, name: str, asked: FieldDetailsList) -> str:
    """A field of the object `made`."""
    if name == "__typename":
        return repr(type_.name)
    field = type_.fields[name]
    declared = field.extensions["strawberry-definition"]
    if declared.base_resolver:
        return _called(plan, resolver(field), "made", field, asked)
    made = f"made.{declared.python_name}"
    if not is_leaf_type(get_named_type(field.type)):
        return _objects(plan, made, field.type, asked)
    return f"{plan.name('complete', completer(field.type))}({made})"


def joined(plan: "Compiler", statement: Statement, source: Source, model: type[Model], hop: str, *,
           inner: bool = False) -> Source:  # fmt: skip
    """The table at the far side of a relation to one; the same for every field that follows it."""
    key = relation(model, hop).source_field or f"{hop}_id"
    left = f'{source.alias}."{source.column(key)}"'
    for join in statement.joins:
        if join.left == left:
            return join.source
    far = scoped(plan.alias(), plan.scopes.of(relation(model, hop).related_model))
    far.column("id")
    statement.joins.append(Join(far, left, inner))
    return far


def column_name(model: type[Model], name: str) -> str:
    """The name in the database of a model's column."""
    return model._meta.fields_db_projection[name]


def _value(plan: "Compiler", here: Here, definition: Any, name: str, asked: FieldDetailsList) -> str:
    match here.view.fields.get(name):
        case Column() | Expression() as leaf:
            return _leaf(plan, here, definition.type, leaf)
        case Parts() as parts:
            return _parts(plan, here, definition, parts, asked)
        case Computed() as computed:
            return _computed(plan, here, definition, computed, asked)
        case Relation(path):
            if not isinstance(here.view.model._meta.fields_map[path.partition("__")[0]], ForeignKeyFieldInstance):
                return lists.whole(plan, here, path, asked)
            return _named(plan, here, definition, path, asked)
        case Paged(path):
            return pages.behind(plan, here, definition, path, asked)
    raise Unplannable(f"{here.view.name}.{name} is not of the view")


def _leaf(plan: "Compiler", here: Here, type_: Any, leaf: Column | Expression) -> str:
    named = get_named_type(type_)
    if not is_leaf_type(get_nullable_type(type_)):
        raise Unplannable("a column that is no scalar")
    as_it_is = isinstance(leaf, Column) and leaf.sql == f'"{column_name(here.view.model, leaf.name)}"'
    name = column_name(here.view.model, leaf.name) if isinstance(leaf, Column) else leaf.name
    shown = leaf.shown if isinstance(leaf, Expression) else None
    variable = here.statement.take(here.source, name, shown or leaf.sql)
    if isinstance(named, GraphQLEnumType):
        # A value that the enum does not have is a KeyError, and so a surprise.
        return f"{plan.name(named.name, _names(named, isinstance(type_, GraphQLNonNull)))}[{variable}]"
    if (as_it_is or (isinstance(leaf, Expression) and not shown)) and serialized(named):
        raise Unplannable(f"PostgreSQL does not say {named.name} as it is serialized")
    # A column that is never null is not, whatever the client is told of its type; what is made of it might be.
    return f"sure({variable})" if isinstance(type_, GraphQLNonNull) and not as_it_is else variable


def _parts(plan: "Compiler", here: Here, definition: Any, parts: Parts, asked: FieldDetailsList) -> str:
    """An object made of columns: these are taken as they are; its Python is called on the object itself."""
    type_: Any = get_named_type(definition.type)
    names = {part: column_name(here.view.model, name) for part, name in parts.columns.items()}
    shown = []
    for key, name, details in plan.fields(asked, type_):
        if name == "__typename":
            value = repr(type_.name)
        elif name in names:
            value = _leaf(plan, here, type_.fields[name].type, Column(parts.columns[name], f'"{names[name]}"'))
        else:
            taken = (f"{part}={here.statement.take(here.source, column)}" for part, column in names.items())
            made = f"{plan.name(type_.name, parts.make)}({', '.join(taken)})"
            value = _called(plan, resolver(type_.fields[name]), made, type_.fields[name], details)
        shown.append((key, value))
    return display(shown)


def _computed(plan: "Compiler", here: Here, definition: Any, computed: Computed, asked: FieldDetailsList) -> str:
    """Python over a row that holds what it needs."""
    if computed.requires is not None and not plan.scopes.may(computed.requires):
        return "None"
    if here.statement.nested:
        raise lists.NotNested  # its columns would be JSON
    model = here.view.model
    taken = [here.statement.take(here.source, column_name(model, name)) for name in computed.needs]
    make = plan.name(here.view.name, _bare(model, computed.needs))
    return _called(plan, computed.function, f"{make}({', '.join(taken)})", definition, asked)


def _called(plan: "Compiler", function: Callable[..., Any], on: str, definition: Any, asked: FieldDetailsList) -> str:
    """A Python field, completed as its type says."""
    arguments = ""
    if definition.args:
        get, constant = given(plan.schema, definition, asked[0].node)
        if constant:
            arguments = f", **{plan.name('given', get(plan.variables))}"
        else:
            arguments = f", **A[{len(plan.dynamic)}]"
            plan.dynamic.append(get)
    made = f"{plan.name(function.__name__, function)}({on}{arguments})"
    if not is_leaf_type(get_named_type(definition.type)):
        return _objects(plan, made, definition.type, asked)
    return f"{plan.name('complete', completer(definition.type))}({made})"


def _objects(plan: "Compiler", made: str, type_: Any, asked: FieldDetailsList) -> str:
    """Objects that Python made: a list of them, or one, of a union perhaps."""
    nullable = not isinstance(type_, GraphQLNonNull)
    match get_nullable_type(type_):
        case GraphQLList(of_type=GraphQLNonNull(of_type=GraphQLObjectType() as each)) if not nullable:
            return f"[{_object(plan, each, asked)} for made in {made}]"
        case GraphQLObjectType() | GraphQLUnionType() as one:
            missing = "None" if nullable else "surprise()"
            return f"[{missing} if made is None else {_object(plan, one, asked)} for made in ({made},)][0]"
    raise Unplannable("a Python field that gives objects in another way")


def _object(plan: "Compiler", type_: GraphQLObjectType | GraphQLUnionType, asked: FieldDetailsList) -> str:
    """The object `made`: what is asked of it are its attributes, and Python over it."""
    if isinstance(type_, GraphQLUnionType):
        shown = "surprise()"
        for each in type_.types:
            made_of = plan.name(each.name, each.extensions["strawberry-definition"].origin)
            shown = f"{_object(plan, each, asked)} if type(made) is {made_of} else {shown}"
        return shown
    parts = [(key, attribute(plan, type_, name, details)) for key, name, details in plan.fields(asked, type_)]
    return display(parts)


def _named(plan: "Compiler", here: Here, definition: Any, hop: str, asked: FieldDetailsList) -> str:
    """The row that a row names: joined, and there only where the viewer sees it."""
    target: Any = relation(here.view.model, hop).related_model
    far = joined(plan, here.statement, here.source, here.view.model, hop)
    there = Here(here.level, here.statement, here.parameters, far, VIEWS[target], here.nests, here.path)
    found = row(plan, there, asked)
    seen = here.statement.output(f"{far.alias}_seen", f'{far.alias}."id" IS NOT NULL')
    missing = "surprise()" if isinstance(definition.type, GraphQLNonNull) else "None"
    return f"({found} if {seen} else {missing})"


@cache
def _bare(model: type[Model], needs: tuple[str, ...]) -> Callable[..., Any]:
    return bare(model, needs)


@cache
def _names(type_: GraphQLEnumType, never_null: bool) -> dict[Any, str | None]:
    """The names of an enum's values in the database."""
    names: dict[Any, str | None] = {
        getattr(each.value, "value", each.value): name for name, each in type_.values.items()
    }
    return names if never_null else {**names, None: None}
