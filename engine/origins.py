"""Which pages may ask: CORS, as the Fetch standard has it (https://fetch.spec.whatwg.org/#http-cors-protocol).

Pages of any origin may, with a token that they were given: browsers send them nothing of a person's by themselves.
Those of a few origins may use cookies besides.
"""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

REMEMBERED = 7200  # seconds: as long as Chromium remembers a preflight
HEADERS = ["Authorization", "Content-Type", "X-Organization"]


class Origins:
    """An ASGI app around another. Who comes from no page passes straight through."""

    def __init__(self, app: ASGIApp, *, with_cookies: Sequence[str] = ()) -> None:
        self._app, self._with_cookies = app, frozenset(origin.encode("latin-1") for origin in with_cookies)
        self._for_any = CORSMiddleware(
            app, allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=HEADERS, max_age=REMEMBERED
        )
        self._for_some = CORSMiddleware(
            app, allow_origins=list(with_cookies), allow_methods=["GET", "POST"], allow_headers=HEADERS,
            allow_credentials=True, max_age=REMEMBERED,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        for_pages = self._for_some if origin in self._with_cookies else self._for_any
        await (self._app if origin is None else for_pages)(scope, receive, send)
