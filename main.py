"""The ASGI app: routes, lifespan, who is calling."""

import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from engine import graphiql
from engine.http import GraphQLApp
from engine.origins import AnyOrigin
from errors import NotConfigured
from resolvers import examples
from resolvers.schema import engine
from schema.context import Context
from services import files, identity, outside
from settings import Settings
from webhooks.stripe import stripe

log = logging.getLogger("comptoir.http")

BODY_MOST = 1024 * 1024  # bytes, where a body is read; more is refused with 413 before anything is done with it


def create_app(settings: Settings) -> Starlette:
    """The whole API for one installation."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with outside.connected(settings):
            yield

    explore = settings.environment == "development"
    explorer = graphiql.explorer("/graphql", tabs=examples.tabs(settings.app_url)) if explore else None
    graphql = GraphQLApp(
        engine(introspection=explore),
        context,
        body_most=BODY_MOST,
        page=explorer,
        invalid_status=settings.graphql_invalid_status,
    )
    routes: list[BaseRoute] = [
        Route("/graphql", AnyOrigin(graphql)),
        Route("/webhooks/stripe", stripe, methods=["POST"], max_body_size=BODY_MOST),
        Route("/files/{token}/{name}", file, methods=["GET"]),
        Route("/healthz", healthz, methods=["GET"]),
    ]
    if explore or settings.metrics_token:
        routes += [Route("/metrics", metrics(None if explore else settings.metrics_token), methods=["GET"])]
    if explore:
        routes += [Mount("/graphiql", graphiql.assets), Route("/", lambda request: RedirectResponse("/graphql"))]
    return Starlette(routes=routes, lifespan=lifespan)


async def context(request: HTTPConnection) -> Context:
    """Who is calling, and from where: the bearer of an access token or of a key, or nobody."""
    token = _bearer(request)
    actor = await identity.actor_of(token, request.headers.get("origin")) if token else None
    return Context(actor, request.client.host if request.client else None)


async def file(request: Request) -> Response:
    """A document by its signed link: sent from disk; in S3, shown where it lies."""
    invoice = await files.invoice_of_link(request.path_params["token"])
    if invoice is None or invoice.file_key is None:
        return PlainTextResponse("Ce lien n'est plus valable. / This link is no longer good.", 404)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    if address := await files.stored_at(invoice, files.OPENED_LIFE):
        return RedirectResponse(address, 302, headers)
    try:
        content = await files.load(invoice.file_key)
    except NotConfigured as missing:
        log.error("invoice %s cannot be shown: %s", invoice.number, missing)
        return PlainTextResponse("Ce document est momentanément indisponible. / Please try again later.", 503)
    headers["Content-Disposition"] = f'inline; filename="{invoice.number}.pdf"'
    return Response(content, media_type=files.PDF, headers=headers)


async def healthz(request: Request) -> Response:
    """The process serves."""
    return JSONResponse({"status": "ok"})


def metrics(token: SecretStr | None) -> Callable[[Request], Awaitable[Response]]:
    """What the process that answers has counted since its start, for Prometheus: open, or for the bearer of a token."""

    async def answer(request: Request) -> Response:
        if token and not hmac.compare_digest(_bearer(request).encode(), token.get_secret_value().encode()):
            return PlainTextResponse("Send METRICS_TOKEN as a bearer token.", 401, {"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer


def _bearer(request: HTTPConnection) -> str:
    """The bearer token that was sent; empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def __getattr__(name: str) -> Starlette:
    """`main:app`, for uvicorn: made from the environment when it is asked for, so that importing costs nothing."""
    if name == "app":
        return create_app(Settings())
    raise AttributeError(name)
