"""Which pages may ask, and as whom: CORS, as the Fetch standard has it (https://fetch.spec.whatwg.org/#http-cors-protocol).

Pages of any origin may ask with a token that they were given. Cookies are for our own front ends: only to their origins
browsers are told that these may be sent, and who comes by cookie must come from there (`must_be_ours`).
"""

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.negotiation import is_json
from errors import Forbidden

REMEMBERED = 7200  # seconds: as long as Chromium remembers a preflight
METHODS, HEADERS = ("GET", "POST"), ("Authorization", "Content-Type", "X-Organization")


class Origins:
    """An ASGI app around another: pages of `ours` may send cookies. Who comes from no page passes straight through."""

    def __init__(self, app: ASGIApp, *, ours: Collection[str]) -> None:
        self._app, self._ours = app, frozenset(origin.encode() for origin in ours)
        self._for_ours = CORSMiddleware(
            app,
            allow_origins=list(ours),
            allow_methods=METHODS,
            allow_headers=HEADERS,
            allow_credentials=True,
            max_age=REMEMBERED,
        )
        self._for_pages = CORSMiddleware(
            app, allow_origins=["*"], allow_methods=METHODS, allow_headers=HEADERS, max_age=REMEMBERED
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        if origin is None:
            await self._app(scope, receive, send)
        else:
            await (self._for_ours if origin in self._ours else self._for_pages)(scope, receive, send)


def must_be_ours(request: HTTPConnection, ours: Collection[str]) -> None:
    """To be asked before a cookie is believed: browsers send it with whatever a page makes them ask.

    Raises Forbidden unless a page of `ours` asks, which browsers say as `Origin`, or, with a GET to the page's own
    origin, as `Sec-Fetch-Site`; and unless what is sent is JSON, which no form can send.
    """
    origin = request.headers.get("origin")
    at_home = origin is None and request.headers.get("sec-fetch-site") == "same-origin"
    if not at_home and origin not in ours:
        raise Forbidden("A cookie is good from our own pages only. Add the page's origin to ALLOWED_ORIGINS.")
    posted = request.scope["type"] == "http" and request.scope["method"] not in ("GET", "HEAD")
    if posted and not is_json(request.headers.get("content-type", "").encode("latin-1")):
        raise Forbidden("With a cookie, send the operation as application/json.")
