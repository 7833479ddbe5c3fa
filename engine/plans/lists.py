"""Relations to many, shown whole."""

from typing import TYPE_CHECKING, Any

from graphql.execution.collect_fields import FieldDetailsList
from tortoise.fields.relational import BackwardFKRelation
from tortoise.models import Model

from engine.plans import rows, statements
from engine.plans.python import function
from engine.plans.scopes import Unplannable
from engine.plans.state import Here
from engine.plans.statements import ARGUMENTS_MOST, Parameters, Source, Statement, scoped
from engine.views import VIEWS, View, relation

if TYPE_CHECKING:
    from engine.plans.compiler import Compiler


class NotNested(Exception):
    """This list cannot stand within its parent's statement."""


def whole(plan: "Compiler", here: Here, path: str, asked: FieldDetailsList) -> str:
    """A list, over one hop or two: within the statement of a single row where it can be, else by its own."""
    hop, _, rest = path.partition("__")
    found = relation(here.view.model, hop)
    if not isinstance(found, BackwardFKRelation):
        raise Unplannable(f"{here.view.name}.{path} is a relation of another kind")
    if here.nests:
        state, sources = plan.state(), list(here.parameters.sources)
        try:
            return _nested(plan, here, found, rest, asked)
        except NotNested:
            plan.restore(state)
            here.parameters.sources = sources
    if here.statement.nested:
        raise NotNested
    return _behind(plan, here, found, rest, asked)


def foreign_key(found: BackwardFKRelation[Any]) -> str:
    """The column behind a relation that names its parent."""
    return found.relation_source_field or found.relation_field


def _behind(plan: "Compiler", here: Here, found: BackwardFKRelation[Any], rest: str, asked: FieldDetailsList) -> str:
    """A statement for the rows behind all of the parents."""
    number, level = plan.behind(here, "list")
    statement, source, view = _rows(plan, found, rest, nested=False)
    parameters = Parameters()
    row = rows.row(plan, Here(number, statement, parameters, source, view, path=here.path), asked)
    lines = [
        "lists = {}",
        f"for {statement.unpacked('key')} in rows:",
        f"    row = {row}",
        "    if key in lists: lists[key].append(row)",
        "    else: lists[key] = [row]",
        "return lists",
    ]
    sql = statements.behind(statement, parameters, foreign_key(found))
    level.filled(sql, parameters, function(level.name, "rows, S, A", lines))
    return f"S[{number}].get({here.statement.take(here.source, 'id')}, nothing)"


def _nested(plan: "Compiler", here: Here, found: BackwardFKRelation[Any], rest: str, asked: FieldDetailsList) -> str:
    """The rows behind one parent, as JSON within its statement."""
    statement, source, view = _rows(plan, found, rest, nested=True)
    row = rows.row(plan, Here(here.level, statement, here.parameters, source, view, True, here.path), asked)
    if not 0 < len(statement.outputs) <= ARGUMENTS_MOST:
        raise NotNested
    parent = f'{here.source.alias}."{here.source.column("id")}"'
    sql = statements.nested(statement, here.parameters, foreign_key(found), parent)
    variable = here.statement.output(f"{statement.source.alias}_list", sql)
    array = variable if here.statement.nested else f"loads({variable})"
    return f"[{row} for {statement.unpacked()} in {array}]"


def _rows(
    plan: "Compiler", found: BackwardFKRelation[Any], rest: str, *, nested: bool
) -> tuple[Statement, Source, View]:
    """(statement, the source of its rows, their view). Of what is behind two hops, what is not seen is not there."""
    target: Any = found.related_model
    statement = Statement(scoped(plan.alias(), plan.scopes.of(target)), order=_order(target), nested=nested)
    if not rest:
        return statement, statement.source, VIEWS[target]
    far: Any = relation(target, rest).related_model
    return statement, rows.joined(plan, statement, statement.source, target, rest, inner=True), VIEWS[far]


def _order(model: type[Model]) -> list[str]:
    """The columns by which the model's lists are sorted; the oldest first where it says nothing."""
    for _, direction in model._meta.ordering:
        if direction.value != "ASC":
            raise Unplannable(f"{model.__name__} is listed backwards")
    return [rows.column_name(model, name) for name, _ in model._meta.ordering] or ["id"]
