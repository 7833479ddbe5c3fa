"""The ASGI app: routes, lifespan, who is calling."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict
from email.utils import format_datetime
from functools import partial
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Lifespan
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

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
from errors import Conflict, DomainError, Expired, Limited, NotConfigured, NotFound, ProviderError
from models.base import global_id
from providers import registry
from resolvers import examples
from resolvers.schema import engine
from schema.context import Context
from services import (
    calendar_feeds,
    calendar_files,
    cookies,
    document_access,
    files,
    generations,
    identity,
    import_reports,
    limits,
    outside,
    pages,
    pay_page,
    quote_page,
    survey_page,
    uploads,
)
from services.backlog import Backlog
from services.changes import Changes
from services.file_types import WrongType
from services.health import Health
from services.rendering import Renderer
from settings import Settings
from telemetry import exposition
from telemetry.exposition import bearer
from telemetry.requests import Requests
from webhooks.stripe import stripe, stripe_of

log = logging.getLogger("comptoir.http")

ORGANIZATION = "x-organization"  # header: slug of the organization meant, by who belongs to several
USER_AGENT_MOST = 200  # characters
FORM_MOST = 16 * 1024  # bytes of a page's form
PREVIEW_TIMEOUT = 20.0  # seconds
BODY_MOST = 1024 * 1024  # bytes, where a body is read; more is refused with 413 before anything is done with it

# Of the payload of `connection_init`, for `context`: browsers give a WebSocket no headers.
PASSED_ON = {"authorization": b"authorization", "organization": b"x-organization"}

NOT_KEPT = {"Cache-Control": "private, no-store"}

# An upload's address is all that it takes: pages of any origin may send a file there, without cookies.
ANY_PAGE_SENDS = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["PUT"], allow_headers=["Content-Type"])

# What an upload is refused with; anything else that is wrong with it is 400.
UPLOAD_REFUSED: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404), (Conflict, 409), (Expired, 410), (uploads.TooLarge, 413), (WrongType, 415), (Limited, 429),
    (NotConfigured, 503),
)  # fmt: skip


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
        Route("/files/{token}/{name}", file, methods=["GET"]),
        Route("/reports/{token}/{name}", report, methods=["GET"]),
        Route("/uploads/{token}", upload, methods=["PUT", "OPTIONS"], middleware=[ANY_PAGE_SENDS]),
        Route("/documents/{token}", document, methods=["GET"]),
        Route("/calendars/{token}.ics", calendar, methods=["GET"]),
        Route("/pay/{token}", so_often(pay), methods=["GET", "POST"]),
        Route("/quote/{token}", so_often(quote), methods=["GET", "POST"], max_body_size=FORM_MOST),
        Route("/survey/{token}", so_often(survey), methods=["GET", "POST"], max_body_size=FORM_MOST),
        Route("/account", account, methods=["GET"]),
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


async def file(request: Request) -> Response:
    """A document by its signed link: sent from disk; in S3, shown where it lies."""
    document = await files.document_of_link(request.path_params["token"])
    if document is None:
        return PlainTextResponse("Ce lien n'est plus valable. / This link is no longer good.", 404)
    headers = NOT_KEPT
    if address := await files.stored_at(document, files.OPENED_LIFE):
        return RedirectResponse(address, 302, headers)
    try:
        path = await files.path(document)
    except NotConfigured as missing:
        log.error("%s cannot be shown: %s", document.filename, missing)
        return PlainTextResponse("Ce document est momentanément indisponible. / Please try again later.", 503)
    if path is None:
        raise RuntimeError("a store that gives no address has files of this machine")
    return FileResponse(
        path, media_type=document.content_type, headers=headers, filename=document.filename,
        content_disposition_type="inline" if document.content_type == files.PDF else "attachment",
    )  # fmt: skip


async def report(request: Request) -> Response:
    """What is wrong with the lines of an import, by its signed link, written as it is read."""
    client_import = await import_reports.of_link(request.path_params["token"])
    if client_import is None:
        return PlainTextResponse("Ce lien n'est plus valable. / This link is no longer good.", 404)
    headers = {**NOT_KEPT, "Content-Disposition": 'attachment; filename="rapport-import.csv"'}
    return StreamingResponse(
        import_reports.lines(client_import), media_type=import_reports.CONTENT_TYPE, headers=headers
    )


async def upload(request: Request) -> Response:
    """A file, sent to its signed address: taken in as it comes. What is refused says why, as errors of GraphQL do."""
    if request.method != "PUT":
        return Response(status_code=204, headers={"Allow": "PUT, OPTIONS"})
    told, length = request.headers.get("content-type", ""), request.headers.get("content-length", "")
    try:
        received = await uploads.receive(
            request.path_params["token"], told.partition(";")[0].strip().lower(),
            int(length) if length.isascii() and length.isdigit() else None, request.stream(),
            request.client.host if request.client else None,
        )  # fmt: skip
    except DomainError as refusal:
        status = next((status for kind, status in UPLOAD_REFUSED if isinstance(refusal, kind)), 400)
        waiting = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, Limited) else {}
        return _upload_refused(status, refusal.message, waiting, **refusal.extensions)
    except TimeoutError:
        return _upload_refused(408, "Nothing came for too long. Send the file again, to the same address.")
    except ClientDisconnect:
        return Response(status_code=400)  # to nobody
    except ProviderError as away:
        log.error("a file could not be stored: %s", away)
        return _upload_refused(503, "The file could not be kept. Send it again in a moment, to the same address.")
    return JSONResponse({"id": global_id(received), "sha256": received.file.sha256}, 201, NOT_KEPT)


def _upload_refused(
    status: int, message: str, headers: Mapping[str, str] = MappingProxyType({}), **extensions: object
) -> Response:
    """The connection ends with it: what was still coming is not waited for."""
    return JSONResponse(
        {"message": message, "extensions": extensions}, status, {**NOT_KEPT, **headers, "Connection": "close"}
    )


async def document(request: Request) -> Response:
    """A document of a bilan by its signed link, decrypted as it is sent. Nothing is sent before its beginning is
    proven."""
    try:
        opening = await document_access.opened(
            request.path_params["token"], request.client.host if request.client else None, read=request.method == "GET"
        )
        if request.method == "HEAD":  # by a mail server, say, that looks where links lead
            return Response(headers={**NOT_KEPT, **opening.headers})
        first = await anext(opening.pieces)
    except NotFound as refusal:
        return PlainTextResponse(refusal.message, 404)
    except Limited as limited:
        return PlainTextResponse(limited.message, 429, {"Retry-After": str(limited.retry_after)})
    except (NotConfigured, ProviderError) as trouble:
        log.error("a document cannot be shown: %s", trouble)
        return PlainTextResponse("Ce document est momentanément indisponible. / Please try again later.", 503)

    async def pieces() -> AsyncIterator[bytes]:
        yield first
        async for piece in opening.pieces:
            yield piece

    return StreamingResponse(pieces(), headers={**NOT_KEPT, **opening.headers})


async def calendar(request: Request) -> Response:
    """A feed of somebody's appointments by its secret address; nothing but that it is the same for who has it."""
    try:
        feed = await calendar_feeds.opened(
            request.path_params["token"], request.client.host if request.client else None
        )
    except Limited as limited:
        return PlainTextResponse(limited.message, 429, {"Retry-After": str(limited.retry_after)})
    if feed is None:
        return PlainTextResponse("Ce lien n'est plus valable. / This link is no longer good.", 404)
    headers = {
        "Cache-Control": "private, no-cache", "ETag": feed.etag,
        "Last-Modified": format_datetime(feed.changed_at, usegmt=True),
    }  # fmt: skip
    if feed.is_known(request.headers.get("if-none-match"), request.headers.get("if-modified-since")):
        return Response(status_code=304, headers=headers)
    return Response(feed.content, media_type=calendar_files.CONTENT_TYPE, headers=headers)


def so_often(page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """A page of a link, opened and answered so often and no more; 429 beyond that."""

    async def answer(request: Request) -> Response:
        kind = "answers" if request.method == "POST" else "pages"
        try:
            await limits.spend_link(kind, request.path_params["token"], request.client.host if request.client else None)
        except Limited as limited:
            return PlainTextResponse(limited.message, 429, {**NOT_KEPT, "Retry-After": str(limited.retry_after)})
        return await page(request)

    return answer


async def pay(request: Request) -> Response:
    """The page where a client pays an order, by its signed link; its button leads to Stripe."""
    token = request.path_params["token"]
    if request.method == "POST":
        started = await pay_page.start(token)
        if isinstance(started, str):
            return RedirectResponse(started, 303)
        status, view = started
    else:
        status, view = await pay_page.show(token, back="back" in request.query_params)
    return HTMLResponse(pages.pay(view), status, pages.headers(view))


async def quote(request: Request) -> Response:
    """The page where a client reads a quote, by its signed link, and accepts or refuses it."""
    token = request.path_params["token"]
    if request.method == "POST":
        asked_from = request.client.host if request.client else None
        status, view = await quote_page.answer(token, await _form(request), asked_from)
    else:
        status, view = await quote_page.show(token)
    return HTMLResponse(pages.quote(view), status, pages.headers(view))


async def survey(request: Request) -> Response:
    """The page where a beneficiary says what they think of their bilan, by its signed link."""
    token = request.path_params["token"]
    if request.method == "POST":
        status, view = await survey_page.answer(token, await _form(request))
    else:
        status, view = await survey_page.show(token)
    return HTMLResponse(pages.survey(view), status, pages.headers(view))


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


async def account(request: Request) -> Response:
    """The page where a person confirms, by a letter's link, what they asked for about their account."""
    page, headers = pages.account()
    return HTMLResponse(page, headers=headers)


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
