"""Files that are fetched, and taken in, by their signed addresses."""

import logging
from collections.abc import AsyncIterator, Mapping
from email.utils import format_datetime
from types import MappingProxyType

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from errors import Conflict, DomainError, Expired, Limited, NotConfigured, NotFound, ProviderError
from models.base import global_id
from services import calendar_feeds, calendar_files, document_access, files, import_reports, pages, uploads
from services.file_types import WrongType

log = logging.getLogger("comptoir.http")

NOT_KEPT = {"Cache-Control": "private, no-store"}

# An upload's address is all that it takes: pages of any origin may send a file there, without cookies.
ANY_PAGE_SENDS = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["PUT"], allow_headers=["Content-Type"])

# What an upload is refused with; anything else that is wrong with it is 400.
UPLOAD_REFUSED: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404), (Conflict, 409), (Expired, 410), (uploads.TooLarge, 413), (WrongType, 415), (Limited, 429),
    (NotConfigured, 503),
)  # fmt: skip


async def file(request: Request) -> Response:
    """A document by its signed link: sent from disk; in S3, shown where it lies."""
    document = await files.document_of_link(request.path_params["token"])
    if document is None:
        return _gone()
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


def _gone() -> Response:
    page, headers = pages.gone()
    return HTMLResponse(page, 404, headers)


async def report(request: Request) -> Response:
    """What is wrong with the lines of an import, by its signed link, written as it is read."""
    client_import = await import_reports.of_link(request.path_params["token"])
    if client_import is None:
        return _gone()
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
    except NotFound:
        return _gone()
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


ROUTES = (
    Route("/files/{token}/{name}", file, methods=["GET"]),
    Route("/reports/{token}/{name}", report, methods=["GET"]),
    Route("/uploads/{token}", upload, methods=["PUT", "OPTIONS"], middleware=[ANY_PAGE_SENDS]),
    Route("/documents/{token}", document, methods=["GET"]),
    Route("/calendars/{token}.ics", calendar, methods=["GET"]),
)
