"""Around the whole app: each request has an id, is counted and timed, and what nobody caught is an alert.

On bare ASGI, since every request passes here.
"""

import logging
import re
import secrets
from itertools import count
from time import perf_counter

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telemetry.context import log_context

log = logging.getLogger("comptoir.requests")

REQUESTS = Histogram(
    "comptoir_request_duration_seconds",
    "Requests, by the route that took them (none: no such address) and the status (none: the client left)",
    ["route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

HEADER = b"x-request-id"
_GOOD = re.compile(rb"[A-Za-z0-9_-]{1,64}")


class Requests:
    """ASGI middleware, the outermost. An id comes from the caller's X-Request-Id, or is made, and goes back in it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._counted: dict[tuple[str, int | None], Histogram] = {}  # `labels` costs as much as counting does

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, status, started = _id(scope), None, perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            await send(message)

        with log_context(request_id=request_id.decode()):
            try:
                await self._app(scope, receive, answer)
            except Exception:  # Starlette has answered 500, unless an answer was under way
                log.exception("a request failed: %s %s", scope["method"], _route(scope))
            finally:
                self._count(_route(scope), status, perf_counter() - started)

    def _count(self, route: str, status: int | None, seconds: float) -> None:
        counted = self._counted.get((route, status))
        if counted is None:
            counted = self._counted[route, status] = REQUESTS.labels(route, status or "none")
        counted.observe(seconds)


def _id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == HEADER and _GOOD.fullmatch(value):
            given: bytes = value
            return given
    return b"%s%08x" % (_PROCESS, next(_numbers))


# Unique, and no secret: a number behind random letters of the process costs a tenth of random letters each time.
_PROCESS = secrets.token_hex(4).encode()
_numbers = count(1)


def _route(scope: Scope) -> str:
    """The route's own path, `/files/{token}/{name}`: never the caller's."""
    return getattr(scope.get("route"), "path", "none")
