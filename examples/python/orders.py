"""Orders: all of them, page by page."""

from collections.abc import AsyncIterator

from api import Api
from comptoir import OrderSummary


async def pages(api: Api, first: int) -> AsyncIterator[list[OrderSummary]]:
    """All orders, newest first, `first` at a time: the next page is asked for when it is needed."""
    after: str | None = None
    while True:
        page = await api.orders(first=first, after=after)
        yield [*page.nodes]
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return
