"""Reads: a scoped queryset and a selection become one query for the page and one for each relation asked for.

Every hop over a relation goes through `scope`, so that no relation shows a row that its own list would not. The one
module that touches Tortoise's private names; `tests/test_reads.py` pins them.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from strawberry.types.nodes import SelectedField, Selection
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model
from tortoise.query_utils import Prefetch
from tortoise.queryset import QuerySet

from engine.views import VIEWS, View
from errors import Invalid

Scope = Callable[[type[Model]], QuerySet[Any]]

PAGE_DEFAULT, PAGE_MOST = 20, 100


@dataclass(frozen=True)
class Page:
    """A slice of a list, newest first."""

    rows: Sequence[Model]
    before: bool
    after: bool
    everything: QuerySet[Any]


async def read_one(rows: QuerySet[Any], selections: Iterable[Selection], scope: Scope) -> Model | None:
    """The first row, with what is asked of it."""
    return await rows.prefetch_related(*prefetches(VIEWS[rows.model], selections, scope)).first()


async def read_page(
    rows: QuerySet[Any],
    selections: Iterable[Selection],
    scope: Scope,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Page:
    """A page by keyset over the id (UUIDv7, so by time), newest first; `last` counts from the oldest."""
    size, backward = _size(first, last)
    page = rows.order_by("id" if backward else "-id").limit(size + 1)
    if after is not None:
        page = page.filter(id__lt=_position(after, rows.model, "after"))
    if before is not None:
        page = page.filter(id__gt=_position(before, rows.model, "before"))
    found = await page.prefetch_related(*prefetches(VIEWS[rows.model], selections, scope))
    more, found = len(found) > size, found[:size]
    if backward:
        return Page(found[::-1], before=more or after is not None, after=before is not None, everything=rows)
    return Page(found, before=after is not None, after=more or before is not None, everything=rows)


def cursor(row: Model) -> str:
    """Opaque position of a row in its list."""
    return base64.urlsafe_b64encode(f"{type(row).__name__}@{row.pk}".encode()).decode().rstrip("=")


def prefetches(view: View, selections: Iterable[Selection], scope: Scope) -> list[Prefetch]:
    """What to load beside the rows of a view for a selection: one query a relation, nested ones too."""
    wanted: dict[str, list[Selection]] = {}
    for field in fields_of(view.name, selections):
        if path := view.relations.get(field.name):
            wanted.setdefault(path, []).extend(field.selections)
        for path in view.needs.get(field.name, ()):
            wanted.setdefault(path, [])
    return [_prefetch(view.model, path, inner, scope) for path, inner in wanted.items()]


def fields_of(type_name: str | None, selections: Iterable[Selection]) -> Iterator[SelectedField]:
    """The fields asked of a type (of any: None), fragments opened."""
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield selection
        elif type_name is None or selection.type_condition in (None, type_name, "Node"):
            yield from fields_of(type_name, selection.selections)


def always_named(view: View) -> list[type[Model]]:
    """The models that a row of the view shows one of, never null."""
    hops = (view.model._meta.fields_map[path] for path in view.relations.values() if "__" not in path)
    return [hop.related_model for hop in hops if isinstance(hop, ForeignKeyFieldInstance) and not hop.null]


def loaded(row: Model, relation: str) -> Any:
    """What a relation of a row holds. Raises LookupError where it was not read with the row."""
    if relation not in row._meta.backward_fk_fields:
        return row.__dict__[f"_{relation}"]
    many = getattr(row, relation)
    if not many._fetched:
        raise LookupError(f"{type(row).__name__}.{relation} was not read")
    return many.related_objects


def _prefetch(model: type[Model], path: str, selections: Iterable[Selection], scope: Scope) -> Prefetch:
    hop, _, rest = path.partition("__")
    target: type[Model] = model._meta.fields_map[hop].related_model  # type: ignore[attr-defined]
    inner = [_prefetch(target, rest, selections, scope)] if rest else prefetches(VIEWS[target], selections, scope)
    rows = scope(target) if target._meta.ordering else scope(target).order_by("id")  # else the oldest first
    return Prefetch(hop, queryset=rows.prefetch_related(*inner))


def _size(first: int | None, last: int | None) -> tuple[int, bool]:
    if first is not None and last is not None:
        raise Invalid("Give `first` or `last`, not both.", field="last")
    name, size = ("last", last) if last is not None else ("first", PAGE_DEFAULT if first is None else first)
    if not 1 <= (size or 0) <= PAGE_MOST:
        raise Invalid(f"`{name}` is 1 to {PAGE_MOST}.", field=name)
    return size or 0, last is not None


def _position(text: str, model: type[Model], field: str) -> UUID:
    try:
        padded = text + "=" * (-len(text) % 4)
        name, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("@")
        if name == model.__name__:
            return UUID(key)
    except (ValueError, binascii.Error, UnicodeDecodeError):
        pass
    raise Invalid("This cursor is not of this list. Take one from `pageInfo` or `edges`.", field=field)
