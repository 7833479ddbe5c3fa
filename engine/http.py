"""The HTTP front of GraphQL: Strawberry's view and our explorer."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
import strawberry
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from engine.graphiql import Tab, explorer

MakeContext = Callable[[Request, Response], Awaitable[Any]]


class GraphQLApp(GraphQL[Any, None]):
    """POST (and GET for queries); a browser that asks for HTML gets GraphiQL where `explore` says so."""

    def __init__(
        self,
        schema: strawberry.Schema,
        make_context: MakeContext,
        *,
        path: str,
        explore: bool,
        tabs: Sequence[Tab] = (),
    ) -> None:
        super().__init__(schema, graphql_ide="graphiql" if explore else None, subscription_protocols=())
        self._make_context, self._path, self._tabs = make_context, path, tabs

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        assert isinstance(request, Request)
        assert isinstance(response, Response)
        return await self._make_context(request, response)

    async def render_graphql_ide(self, request: Request) -> Response:
        return explorer(self._path, tabs=self._tabs)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)
