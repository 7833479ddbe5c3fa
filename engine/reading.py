"""Reads through the ORM: the way of whatever no plan answers, and what plans are compared with.

A scoped queryset and a selection become one query for the page and one for each relation asked for. Every hop over a
relation goes through the viewer's `rows`, so that no relation shows a row that its own list would not. It and
`engine/plans/scopes.py` rely on names that are Tortoise's own; `tests/test_reads.py` and `tests/engine/test_plans.py`
pin them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from strawberry.types.nodes import SelectedField, Selection
from tortoise.expressions import Q, RawSQL
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model
from tortoise.query_utils import Prefetch
from tortoise.queryset import QuerySet

from engine.lists import Order, Place, written
from engine.views import VIEWS, Expression, Relation, View, Viewer, relation


@dataclass(frozen=True)
class Page:
    """A slice of a list."""

    rows: Sequence[Model]
    before: bool
    after: bool
    everything: QuerySet[Any]
    place: Place

    def cursor(self, row: Model) -> str:
        """The row's position in the list."""
        columns = row._meta.fields_map
        return self.place.cursor([written(columns[name], getattr(row, name)) for name in self.place.order.columns])


async def read_one(rows: QuerySet[Any], selections: Iterable[Selection], viewer: Viewer) -> Model | None:
    """The first row, with what is asked of it."""
    return await _with(rows, VIEWS[rows.model], selections, viewer).first()


async def read_all(rows: QuerySet[Any], selections: Iterable[Selection], viewer: Viewer) -> list[Model]:
    """The rows, with what is asked of them."""
    return await _with(rows, VIEWS[rows.model], selections, viewer)


async def read_page(
    rows: QuerySet[Any], selections: Iterable[Selection], viewer: Viewer, place: Place, **paging: Any
) -> Page:
    """A page of the list; `paging` as `Place.slice` takes it."""
    part = place.slice(**paging)
    order = place.order
    descending = order.descending != part.backward
    page = rows.order_by(*(f"-{name}" if descending else name for name in order.columns)).limit(part.size + 1)
    if part.after is not None:
        page = page.filter(_beyond(order, part.after, upwards=not order.descending))
    if part.before is not None:
        page = page.filter(_beyond(order, part.before, upwards=order.descending))
    found = await _with(page, VIEWS[rows.model], selections, viewer)
    more, found = len(found) > part.size, found[: part.size]
    before, after = part.sides(more)
    return Page(found[::-1] if part.backward else found, before, after, rows, place)


def fields_of(type_name: str | None, selections: Iterable[Selection]) -> Iterator[SelectedField]:
    """The fields asked of a type (of any: None), fragments opened."""
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield selection
        elif type_name is None or selection.type_condition in (None, type_name, "Node"):
            yield from fields_of(type_name, selection.selections)


def always_named(view: View) -> list[tuple[str, type[Model]]]:
    """What a row of the view shows one of, never null: (relation, its model)."""
    shown = (source.path for source in view.fields.values() if isinstance(source, Relation) and not source.optional)
    hops = ((path, view.model._meta.fields_map[path]) for path in shown if "__" not in path)
    return [
        (path, hop.related_model) for path, hop in hops if isinstance(hop, ForeignKeyFieldInstance) and not hop.null
    ]


def loaded(row: Model, relation: str) -> Any:
    """What a relation of a row holds. Raises LookupError where it was not read with the row."""
    if relation not in row._meta.backward_fk_fields:
        return row.__dict__[f"_{relation}"]
    many = getattr(row, relation)
    if not many._fetched:
        raise LookupError(f"{type(row).__name__}.{relation} was not read")
    return many.related_objects


def behind(row: Model, path: str, viewer: Viewer) -> QuerySet[Any]:
    """The rows at the far side of a relation to many."""
    hop = relation(type(row), path)
    return viewer.rows(hop.related_model).filter(**{hop.relation_field: row.pk})  # type: ignore[attr-defined]


def _with(rows: QuerySet[Any], view: View, selections: Iterable[Selection], viewer: Viewer) -> QuerySet[Any]:
    """The rows with what a selection asks of them: its expressions, one query a relation, nested ones too."""
    wanted: dict[str, list[Selection]] = {}
    for field in fields_of(view.name, selections):
        source = view.fields.get(field.name)
        if isinstance(source, Relation):
            wanted.setdefault(source.path, []).extend(field.selections)
        elif isinstance(source, Expression):
            rows = rows.annotate(**{source.name: RawSQL(source.sql)})
    return rows.prefetch_related(*(_prefetch(view.model, path, inner, viewer) for path, inner in wanted.items()))


def _prefetch(model: type[Model], path: str, selections: Iterable[Selection], viewer: Viewer) -> Prefetch:
    hop, _, rest = path.partition("__")
    target: Any = relation(model, hop).related_model
    rows = viewer.rows(target)
    if not target._meta.ordering:
        rows = rows.order_by("id")  # the oldest first
    if rest:
        return Prefetch(hop, queryset=rows.prefetch_related(_prefetch(target, rest, selections, viewer)))
    return Prefetch(hop, queryset=_with(rows, VIEWS[target], selections, viewer))


def _beyond(order: Order, position: tuple[Any, ...], *, upwards: bool) -> Q:
    """Rows after a position: of two columns, those beyond in the first, or even there and beyond in the second."""
    side = "gt" if upwards else "lt"
    *first, last = order.columns
    beyond = Q(**{f"{last}__{side}": position[-1]})
    return Q(**{f"{first[0]}__{side}": position[0]}) | Q(beyond, **{first[0]: position[0]}) if first else beyond
