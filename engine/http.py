"""The HTTP front of GraphQL: Strawberry's view and our explorer."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
import strawberry
from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from engine.graphiql import Tab, explorer
from errors import ErrorCode

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is no GraphQL request gets an error with a code as well."""
        try:
            response = await self.run(Request(scope, receive))
        except HTTPException as refusal:
            error = {"message": refusal.reason, "extensions": {"code": ErrorCode.INVALID.value}}
            body = self.encode_json({"errors": [error]})
            response = Response(body, refusal.status_code, media_type="application/json")
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        assert isinstance(request, Request)
        assert isinstance(response, Response)
        return await self._make_context(request, response)

    async def render_graphql_ide(self, request: Request) -> Response:
        return explorer(self._path, tabs=self._tabs)

    def decode_json(self, data: str | bytes) -> object:
        decoded = orjson.loads(data)
        if isinstance(data, bytes) and not isinstance(decoded, dict | list):  # a body, not a parameter of the address
            raise HTTPException(400, "The body must be a JSON object with a `query`.")
        return decoded

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)
