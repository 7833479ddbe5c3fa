"""Boards: rows in groups, of each how many there are, what they come to, and a page of them. One statement gives all of
it; what is behind the rows has its own, as behind any page."""

from typing import TYPE_CHECKING, Any

from graphql import get_named_type
from graphql.execution.collect_fields import FieldDetailsList

from engine.lists import NEWEST_FIRST
from engine.plans import pages, rows, statements
from engine.plans.arguments import given
from engine.plans.python import display, function
from engine.plans.scopes import Condition, Unplannable
from engine.plans.state import Here
from engine.plans.statements import Parameters, Source, Statement
from engine.roots import Groups
from engine.views import VIEWS

if TYPE_CHECKING:
    from engine.plans.compiler import Compiler

List = tuple[tuple[str, ...], Any, FieldDetailsList]  # path, definition, where it is asked for


def board(plan: "Compiler", groups: Groups, condition: Condition, asked: FieldDetailsList, type_: Any) -> None:
    """Fills the plan's first level."""
    source = Source(plan.alias(), condition, None)
    here = Here(0, Statement(source), Parameters(), source, VIEWS[groups.model])
    level = plan.level("board")
    here.statement.take(source, "id")  # this first, then the sums: see `Run.board`
    here.statement.output("sums", "sums.found")
    shown, summed = _lists(plan, groups, asked, type_), _needs_sums(plan, groups, asked, type_)
    if len(shown) > 1:
        raise Unplannable("a board with several lists of the same rows")
    lines, part = [], None
    for path, definition, details in shown:
        level.paged, part = plan.slices[path]
        there = Here(0, here.statement, here.parameters, source, here.view, path=path)
        page, counted = pages.connection(plan, there, NEWEST_FIRST, details, get_named_type(definition.type))
        lines, summed = function("page", "rows, before, after, total", page).splitlines(), summed or counted
    if not summed:
        here.statement.output("sums", "NULL")
    lines.append(f"return {_board(plan, groups, asked, type_)}")
    sql = statements.board(here.statement, here.parameters, groups, part, level.paged, summed=summed)
    level.filled(sql, here.parameters, function(level.name, "groups, S, A, cursor", lines))


def within(plan: "Compiler", groups: Groups, asked: FieldDetailsList, type_: Any) -> list[pages.Within]:
    """The lists of pages within a selection on a board."""
    found = []
    for path, definition, details in _lists(plan, groups, asked, type_):
        arguments, _ = given(plan.schema, definition, details[0].node)
        column = get_named_type(type_.fields[groups.groups].type)
        found.append(pages.Within(path, f"{column.name}.{groups.rows}", groups.model, arguments))
        found += pages.within(plan, details, get_named_type(definition.type), path)
    return found


def _board(plan: "Compiler", groups: Groups, asked: FieldDetailsList, type_: Any) -> str:
    parts = []
    for key, name, details in plan.fields(asked, type_):
        value = repr(type_.name)
        if name == groups.groups:
            group = _group(plan, groups, details, get_named_type(type_.fields[name].type))
            value = f"[{group} for made, rows, before, after, total in groups]"
        parts.append((key, value))
    return display(parts)


def _group(plan: "Compiler", groups: Groups, asked: FieldDetailsList, type_: Any) -> str:
    """The object `made`, with the page of its rows."""
    parts = []
    for key, name, details in plan.fields(asked, type_):
        of_rows = name == groups.rows
        parts.append(
            (key, "page(rows, before, after, total)" if of_rows else rows.attribute(plan, type_, name, details))
        )
    return display(parts)


def _lists(plan: "Compiler", groups: Groups, asked: FieldDetailsList, type_: Any) -> list[List]:
    """Each list of the rows that is asked for."""
    return [
        ((at, key), column.fields[name], details)
        for at, column, inner in _columns(plan, groups, asked, type_)
        for key, name, details in plan.fields(inner, column)
        if name == groups.rows
    ]


def _needs_sums(plan: "Compiler", groups: Groups, asked: FieldDetailsList, type_: Any) -> bool:
    """Whether anything is asked of a group that only its sums tell."""
    told = {groups.rows, groups.by, "__typename"}
    return any(
        name not in told
        for _, column, inner in _columns(plan, groups, asked, type_)
        for _, name, _ in plan.fields(inner, column)
    )


def _columns(
    plan: "Compiler", groups: Groups, asked: FieldDetailsList, type_: Any
) -> list[tuple[str, Any, FieldDetailsList]]:
    """(response name, type, where it is asked for) of the groups."""
    return [
        (key, get_named_type(type_.fields[name].type), details)
        for key, name, details in plan.fields(asked, type_)
        if name == groups.groups
    ]
