"""The ASGI app: routes, lifespan, who is calling."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, cast

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Lifespan
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

import links
import telemetry
from engine import graphiql
from engine.execution import Engine
from engine.headers import SecurityHeaders
from engine.http import CHANGES_OF_COOKIES, GraphQLApp
from engine.origins import Origins, must_be_ours
from engine.streams import leaving
from engine.streams.hub import Bounds, Hub
from engine.streams.sse import EventStreams
from engine.streams.websocket import WebSocketApp
from engine.trusted import TrustedDocuments
from providers import registry
from resolvers import examples
from resolvers.schema import engine
from schema.context import Context
from services import cookies, generations, identity, outside, pages
from services.backlog import Backlog
from services.changes import Changes
from services.health import Health
from services.rendering import Renderer
from settings import Settings
from telemetry import exposition
from telemetry.exposition import bearer
from telemetry.requests import Requests
from webhooks.stripe import stripe, stripe_of

ORGANIZATION = "x-organization"  # header: slug of the organization meant, by who belongs to several
USER_AGENT_MOST = 200  # characters
PREVIEW_TIMEOUT = 20.0  # seconds
BODY_MOST = 1024 * 1024  # bytes, where a body is read; more is refused with 413 before anything is done with it

# Of the payload of `connection_init`, for `context`: browsers give a WebSocket no headers.
PASSED_ON = {"authorization": b"authorization", "organization": b"x-organization"}


def create_app(settings: Settings) -> Starlette:
    """The whole API for one installation."""

    health = Health(settings)
    explore = settings.environment == "development"
    operations = engine(introspection=explore)
    hub = Hub(operations, Changes(), context, _bounds(settings))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with outside.connected(settings) as opened, aclosing(health), aclosing(hub):
            await generations.must_fit_once_there()
            await asyncio.to_thread(registry.catalogue)  # vendors' libraries: a second, which no request is to wait for
            opened.renderer = Renderer(size=1, timeout=PREVIEW_TIMEOUT)  # its process begins with the first preview
            with leaving.told(hub.leave):
                yield

    tabs = examples.tabs(settings.app_url, settings.sandbox_url, smtp_port=settings.smtp_port)
    explorer = graphiql.explorer("/graphql", tabs=tabs) if explore else None
    trusted = trusted_documents(settings, operations)
    graphql = GraphQLApp(
        operations,
        context,
        body_most=BODY_MOST,
        page=explorer,
        streams=EventStreams(operations, hub),
        invalid_status=settings.graphql_invalid_status,
        trusted=trusted,
        texts_by_get=explore,
    )
    routes: list[BaseRoute] = [
        Route("/graphql", Origins(graphql, ours=settings.own_origins)),
        WebSocketRoute("/graphql", WebSocketApp(operations, hub, PASSED_ON, trusted)),
        Route("/webhooks/stripe", stripe, methods=["POST"], max_body_size=BODY_MOST),
        Route("/webhooks/stripe/{organization}", stripe_of, methods=["POST"], max_body_size=BODY_MOST),
        *links.ROUTES,
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz(health), methods=["GET"]),
        *exposition.routes(settings, Backlog().look),
    ]
    if explore:
        routes += [Mount("/graphiql", graphiql.assets), Route("/", lambda request: RedirectResponse("/graphql"))]
    return _App(settings, routes, lifespan)


def trusted_documents(settings: Settings, engine: Engine) -> TrustedDocuments:
    """Those of the manifest and of our own pages, each of which can be run. Raises NotConfigured, naming what is
    wrong."""
    manifest, only = settings.trusted_documents, settings.trusted_documents_only
    trusted = TrustedDocuments.read(manifest, only=only) if manifest else TrustedDocuments()
    trusted = trusted.and_ours(pages.ACCOUNT_DOCUMENTS.values())
    trusted.must_be_valid(engine.documents)
    return trusted


def _bounds(settings: Settings) -> Bounds:
    return Bounds(settings.streams_most, settings.streams_per_address, settings.streams_per_person)


class _App(Starlette):
    """Starlette, with what watches over requests around all of it: what it answers to errors is counted too. The
    client's address is what the last proxy that is trusted says it is (`X-Forwarded-For`)."""

    def __init__(self, settings: Settings, routes: list[BaseRoute], lifespan: Lifespan[Starlette]) -> None:
        super().__init__(routes=routes, lifespan=lifespan)
        self._proxies, self._https = list(settings.forwarded_allow_ips), settings.environment == "production"

    def build_middleware_stack(self) -> ASGIApp:
        watched: Any = Requests(SecurityHeaders(super().build_middleware_stack(), https=self._https))
        return cast(ASGIApp, ProxyHeadersMiddleware(watched, self._proxies))


async def context(request: HTTPConnection) -> Context:
    """Who is calling, and from where: the bearer of an access token or of a key, a session's cookie, or nobody."""
    headers = request.headers
    origin, token = headers.get("origin"), bearer(request)
    kept = cookies.Cookies(
        request.cookies if "cookie" in headers else {},
        partial(must_be_ours, request, outside.outside().settings.own_origins),
        request.scope.get(CHANGES_OF_COOKIES),
    )
    if not token and kept.access:
        kept.must_be_allowed()
        token = kept.access
    return Context(
        await identity.actor_of(token, origin, headers.get(ORGANIZATION)) if token else None,
        request.client.host if request.client else None,
        headers.get("user-agent", "")[:USER_AGENT_MOST] or None,
        identity.session_of(token) if token else None,
        kept,
    )


async def healthz(request: Request) -> Response:
    """The process serves."""
    return JSONResponse({"status": "ok"})


def readyz(health: Health) -> Callable[[Request], Awaitable[Response]]:
    """The process can do its work; else 503, with what is missing and what to do."""

    async def answer(request: Request) -> Response:
        report = await health.report()
        told = {"status": "ready" if report.ready else "not ready", **asdict(report)}
        return JSONResponse(told, 200 if report.ready else 503, {"Cache-Control": "no-store"})

    return answer


def __getattr__(name: str) -> Starlette:
    """`main:app`, for uvicorn: made from the environment when it is asked for, so that importing costs nothing."""
    if name == "app":
        settings = Settings()
        telemetry.start(settings)  # here, since uvicorn's processes begin here
        return create_app(settings)
    raise AttributeError(name)
