"""Relay's Cursor Connections over pages that the engine reads."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.extensions import FieldExtension
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from tortoise.queryset import QuerySet

from engine.lists import NEWEST_FIRST, Order, Place
from engine.reading import Page, fields_of, read_page
from schema.context import Info

T = TypeVar("T")


@strawberry.type(description="Where a page stands in its list (Relay).")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more come after this page.")
    has_previous_page: bool = strawberry.field(description="Whether some came before this page.")
    start_cursor: str | None = strawberry.field(description="Position of the first row.")
    end_cursor: str | None = strawberry.field(description="Position of the last row: the next page's `after`.")


@strawberry.type(description="A row at its place in a list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Opaque position in the list.")
    node: T = strawberry.field(description="The row.")


@strawberry.type(description="A page of a list, newest first unless another order is asked for.")
class Connection(Generic[T]):
    page: strawberry.Private[Page]

    @strawberry.field(description="The rows of the page with their positions.")
    def edges(self) -> list[Edge[T]]:
        return [Edge(cursor=self.page.cursor(row), node=row) for row in self.page.rows]  # type: ignore[arg-type]

    @strawberry.field(description="The rows of the page.")
    def nodes(self) -> list[T]:
        return list(self.page.rows)  # type: ignore[arg-type]

    @strawberry.field(description="Where the page stands.")
    def page_info(self) -> PageInfo:
        rows = self.page.rows
        return PageInfo(
            has_next_page=self.page.after,
            has_previous_page=self.page.before,
            start_cursor=self.page.cursor(rows[0]) if rows else None,
            end_cursor=self.page.cursor(rows[-1]) if rows else None,
        )

    @strawberry.field(description="How many rows the whole list has; counted only when asked.")
    async def total_count(self) -> int:
        return await self.page.everything.count()


def argument(name: str, annotation: Any, description: str) -> StrawberryArgument:
    return StrawberryArgument(
        python_name=name,
        graphql_name=None,
        type_annotation=StrawberryAnnotation(annotation),
        description=description,
        default=strawberry.UNSET,
    )


PAGING: Sequence[StrawberryArgument] = (
    argument("first", int | None, "How many from the newest on, 1 to 100; 20 unless told."),
    argument("after", str | None, "Only what comes after this cursor."),
    argument("last", int | None, "How many from the oldest back, 1 to 100."),
    argument("before", str | None, "Only what comes before this cursor."),
)


class Paginated(FieldExtension):
    """Makes pages of the queryset that a resolver returns: adds `first`, `after`, `last`, `before`."""

    def apply(self, field: StrawberryField) -> None:
        field.arguments = [*field.arguments, *PAGING]

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        paging = {argument.python_name: arguments.pop(argument.python_name, None) for argument in PAGING}
        rows = next_(source, info, **arguments)
        return await page(await rows if inspect.iscoroutine(rows) else rows, info, NEWEST_FIRST, paging)


async def page(rows: QuerySet[Any], info: Info, order: Order, paging: dict[str, Any]) -> Any:
    """A page of the rows, for the field that is being resolved."""
    viewer, parent = info.context.viewer, info._raw_info.parent_type.name
    place = Place(f"{parent}.{info.field_name}", rows.model, order, viewer.facts[0])
    return Connection(page=await read_page(rows, of_nodes(info), viewer, place, **paging))


def of_nodes(info: Info) -> list[Any]:
    """What a connection's selection asks of its rows, under `nodes` and `edges.node`."""
    asked: list[Any] = []
    for field in fields_of(None, [inner for asking in info.selected_fields for inner in asking.selections]):
        if field.name == "nodes":
            asked.extend(field.selections)
        elif field.name == "edges":
            asked.extend(
                s for inner in fields_of(None, field.selections) if inner.name == "node" for s in inner.selections
            )
    return asked
