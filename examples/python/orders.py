"""Orders: all of them, page by page, and one of them as it changes."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator

from api import Api, ApiError
from comptoir import ErrorCode, GraphQLClientGraphQLMultiError, OrderChangedOrderChanged, OrderSummary
from session import Session
from websockets.exceptions import ConnectionClosed, WebSocketException

TRIES = 6  # in a row, to connect
SIGN_IN_AGAIN = 4403  # closed with this: the token is no longer good


async def pages(api: Api, first: int) -> AsyncIterator[list[OrderSummary]]:
    """All orders, newest first, `first` at a time: the next page is asked for when it is needed."""
    after: str | None = None
    while True:
        page = await api.orders(first=first, after=after)
        yield [*page.nodes]
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return


async def follow(session: Session, id: str) -> AsyncGenerator[OrderChangedOrderChanged]:
    """How an order is now, and whenever something happens to it; also what happened while the connection was lost."""
    after: str | None = None
    refused: str | None = None
    failures = 0
    async with session.api() as api:
        while failures < TRIES:
            token = await session.access_token(refused)
            api.ws_connection_init_payload = {"authorization": f"Bearer {token}"}
            code = None
            try:
                async for changed in api.order_changed(id=id, after=after):
                    after, failures = changed.cursor, 0
                    yield changed
            except (GraphQLClientGraphQLMultiError, WebSocketException, OSError) as error:
                code = _code_of(error)
            refused = token if code is ErrorCode.UNAUTHENTICATED else None
            if code is ErrorCode.EXPIRED:  # lost for more than a day: begin anew
                after = None
            await asyncio.sleep(random.random() * 2**failures)  # noqa: S311 - not all at once
            failures += 1
    raise ConnectionError("The connection was lost, and could not be made again.")


def _code_of(error: Exception) -> ErrorCode | None:
    """Why there are no more events; None where the connection was lost. Raises what trying again does not help."""
    if isinstance(error, GraphQLClientGraphQLMultiError):
        refusal = ApiError(error.errors[0].message, error.errors[0].extensions or {})
        if refusal.code in (ErrorCode.UNAUTHENTICATED, ErrorCode.EXPIRED):
            return refusal.code
        raise refusal from error
    closed = isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code == SIGN_IN_AGAIN
    return ErrorCode.UNAUTHENTICATED if closed else None
