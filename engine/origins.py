"""Pages of any origin may ask: CORS, as the Fetch standard has it (https://fetch.spec.whatwg.org/#http-cors-protocol).

For an app without cookies: browsers send it nothing of a person's by themselves, and a page comes as far as the token
that it was given.
"""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

REMEMBERED = 7200  # seconds: as long as Chromium remembers a preflight


class AnyOrigin:
    """An ASGI app around another. Who comes from no page passes straight through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._for_pages = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            max_age=REMEMBERED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from_page = any(name == b"origin" for name, _ in scope["headers"])
        await (self._for_pages if from_page else self._app)(scope, receive, send)
