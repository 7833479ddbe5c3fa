"""One process that serves the three ways side by side: the API, ordinary Strawberry over its schema, routes by hand.

/graphql        the API as it runs in production
/unlimited      the same API, which counts nothing
/stock          Strawberry's own view over the same schema and resolvers
/by-hand/…      benchmarks/handwritten.py
/bare/…         benchmarks/bare.py, among the API's own routes
/process        what this process has used: CPU and memory
"""

import gc
import os
import resource
from pathlib import Path
from typing import Any, cast

import orjson
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.asgi import GraphQL

import main
from benchmarks import bare, handwritten
from engine.execution import Engine
from engine.http import GraphQLApp
from engine.origins import Origins
from engine.plans import Plans
from engine.streams.websocket import SERVED
from models.database import reader
from resolvers.schema import build
from settings import Settings


class Stock(GraphQL[Any, None]):
    """Strawberry as it comes, told only who is calling."""

    async def get_context(self, request: Any, response: Any) -> Any:
        return await main.context(request)


def _unlimited() -> GraphQLApp:
    schema = build(introspection=False)
    engine = Engine(schema, plans=Plans(schema, reader), introspection=False)
    return GraphQLApp(engine, main.context, body_most=main.BODY_MOST)


class Ways:
    """Hands each request to its way. Thinner than a router, so that it weighs on none of them."""

    def __init__(self, settings: Settings) -> None:
        self.api = main.create_app(settings)
        self.api.router.routes += [*bare.ROUTES, Route("/unlimited", Origins(_unlimited(), ours=()))]
        self.stock = Stock(build(introspection=False), graphql_ide=None, subscription_protocols=())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.api(scope, receive, send)  # connects, for all
            return
        path, way = scope["path"], cast(ASGIApp, self.api)
        if path == "/stock":
            way = self.stock
        elif path.startswith("/by-hand/"):
            way, scope["path"] = handwritten.app, path.removeprefix("/by-hand")
        elif path == "/process":
            way = _used
        await way(scope, receive, send)


async def _used(scope: Scope, receive: Receive, send: Send) -> None:
    """Seconds of CPU since the start; bytes resident now, after a collection where `?collect` asks for one."""
    if "collect" in Request(scope).query_params:
        gc.collect()
    spent = resource.getrusage(resource.RUSAGE_SELF)
    body = orjson.dumps({"cpu": spent.ru_utime + spent.ru_stime, "resident": _resident()})
    await Response(body, media_type="application/json")(scope, receive, send)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    uvicorn.run(
        Ways(settings),
        port=settings.port,
        lifespan="on",
        loop="uvloop",
        proxy_headers=False,  # the app's own
        http="httptools",
        access_log=False,
        log_level="warning",
        **SERVED,
    )
