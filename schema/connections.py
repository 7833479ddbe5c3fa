"""Relay's Cursor Connections over pages that the engine reads."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from engine.reading import Page, cursor

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


@strawberry.type(description="A page of a list, newest first.")
class Connection(Generic[T]):
    page: strawberry.Private[Page]

    @strawberry.field(description="The rows of the page with their positions.")
    def edges(self) -> list[Edge[T]]:
        return [Edge(cursor=cursor(row), node=row) for row in self.page.rows]  # type: ignore[arg-type]

    @strawberry.field(description="The rows of the page.")
    def nodes(self) -> list[T]:
        return list(self.page.rows)  # type: ignore[arg-type]

    @strawberry.field(description="Where the page stands.")
    def page_info(self) -> PageInfo:
        rows = self.page.rows
        return PageInfo(
            has_next_page=self.page.after,
            has_previous_page=self.page.before,
            start_cursor=cursor(rows[0]) if rows else None,
            end_cursor=cursor(rows[-1]) if rows else None,
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
