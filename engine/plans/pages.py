"""Connections: a page of a root list, and pages behind the rows of another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType, get_named_type
from graphql.execution.collect_fields import FieldDetailsList
from tortoise.models import Model

from engine.lists import NEWEST_FIRST, Order, written_sql
from engine.plans import lists, rows, statements
from engine.plans.arguments import Given, given
from engine.plans.python import display, function
from engine.plans.state import Here, Level
from engine.plans.statements import Parameters, Statement, scoped
from engine.views import VIEWS, Paged, Relation, View, relation

if TYPE_CHECKING:
    from engine.plans.compiler import Compiler

SIGNATURE = "rows, S, A, cursor, before, after, total"  # of an assembler of pages


@dataclass(frozen=True)
class Within:
    """A list of pages within a selection: how it is sliced is known before it is compiled."""

    path: tuple[str, ...]
    field: str
    model: type[Model]
    given: Given


def connection(plan: "Compiler", here: Here, order: Order, asked: FieldDetailsList,
               type_: GraphQLObjectType) -> tuple[list[str], bool]:  # fmt: skip
    """(the body of the function that makes a page of its rows, whether it says how many there are in all)."""
    position = _position(here, order)
    made: list[str] = []  # sources of what each row becomes
    parts, counted = [], False
    for key, name, details in plan.fields(asked, type_):
        there = here.under(key)
        match name:
            case "nodes":
                made.append(rows.row(plan, there, details))
                value = f"rows_{len(made) - 1}"
            case "edges":
                made.append(_edge(plan, there, position, details, get_named_type(type_.fields[name].type)))
                value = f"rows_{len(made) - 1}"
            case "pageInfo":
                keyed = plan.levels[here.level].keyed
                value = _page_info(
                    plan, here.statement, position, keyed, details, get_named_type(type_.fields[name].type)
                )
            case "totalCount":
                value, counted = "total", True
            case _:
                value = repr(type_.name)
        parts.append((key, value))
    lines = [f"rows_{number} = []" for number in range(len(made))]
    if made:
        lines.append(f"for {here.statement.unpacked(*(['key'] if plan.levels[here.level].keyed else []))} in rows:")
        lines += [f"    rows_{number}.append({row})" for number, row in enumerate(made)]
    return [*lines, f"return {display(parts)}"], counted


def behind(plan: "Compiler", here: Here, definition: Any, path: str, asked: FieldDetailsList) -> str:
    """A page behind each of the parents."""
    if here.statement.nested:
        raise lists.NotNested
    found: Any = relation(here.view.model, path)
    place, part = plan.slices[here.path]
    number, level = plan.behind(here, "pages")
    level.paged = place
    source = scoped(plan.alias(), plan.scopes.of(found.related_model))
    there = Here(number, Statement(source), Parameters(), source, VIEWS[found.related_model], path=here.path)
    lines, counted = connection(plan, there, NEWEST_FIRST, asked, get_named_type(definition.type))
    key = lists.foreign_key(found)
    sql = statements.pages_behind(there.statement, there.parameters, key, NEWEST_FIRST, part, place)
    level.filled(sql, there.parameters, function(level.name, SIGNATURE, lines))
    if counted:
        parameters = Parameters()
        level.count = Level("count", statements.counts_behind(source, parameters, key), parameters.source())
    return f"S[{number}][{here.statement.take(here.source, 'id')}]"


def within(plan: "Compiler", asked: FieldDetailsList, type_: Any, path: tuple[str, ...] = ()) -> list[Within]:
    """The lists of pages within a selection on a view or a connection, in the order in which they are compiled."""
    view = _view(type_)
    found = []
    for key, name, details in plan.fields(asked, type_):
        at, definition = (*path, key), type_.fields.get(name)
        inner: Any = definition and get_named_type(definition.type)
        source = view and view.fields.get(name)
        if view and isinstance(source, Paged):
            arguments, _ = given(plan.schema, definition, details[0].node)
            found.append(Within(at, f"{type_.name}.{name}", view.target(source.path), arguments))
        if isinstance(source, Relation | Paged) or (view is None and name in ("nodes", "edges", "node")):
            found += within(plan, details, inner, at)
    return found


def _edge(plan: "Compiler", here: Here, position: Callable[[], list[str]], asked: FieldDetailsList,
          type_: Any) -> str:  # fmt: skip
    parts = []
    for key, name, details in plan.fields(asked, type_):
        match name:
            case "node":
                value = rows.row(plan, here.under(key), details)
            case "cursor":
                value = f"cursor([{', '.join(position())}])"
            case _:
                value = repr(type_.name)
        parts.append((key, value))
    return display(parts)


def _page_info(plan: "Compiler", statement: Statement, position: Callable[[], list[str]], keyed: bool,
               asked: FieldDetailsList, type_: Any) -> str:  # fmt: skip
    def cursor(row: int) -> str:
        places = [statement.place(each) + keyed for each in position()]
        return f"cursor([{', '.join(f'rows[{row}][{place}]' for place in places)}]) if rows else None"

    parts = []
    for key, name, _ in plan.fields(asked, type_):
        match name:
            case "startCursor":
                value = cursor(0)
            case "endCursor":
                value = cursor(-1)
            case _:
                value = {"hasNextPage": "after", "hasPreviousPage": "before"}.get(name, repr(type_.name))
        parts.append((key, value))
    return display(parts)


def _position(here: Here, order: Order) -> Callable[[], list[str]]:
    """Takes the columns of a row's position, once they are asked for."""
    columns = here.view.model._meta.fields_map

    def take() -> list[str]:
        return [
            here.statement.take(here.source, name, written_sql(columns[name], f'"{name}"')) for name in order.columns
        ]

    return take


def _view(type_: Any) -> View | None:
    return next((view for view in VIEWS.values() if view.name == type_.name), None)
