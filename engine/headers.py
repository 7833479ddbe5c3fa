"""What every answer tells browsers, where it does not say otherwise itself (MDN, "HTTP headers", Security).

nosniff                         nothing is taken for another type than it says
Referrer-Policy                 addresses of ours hold signed links: no other place is told them
Cross-Origin-Opener-Policy      a page of another origin has no hold on a window of ours
Cross-Origin-Resource-Policy    a page of another origin embeds nothing; what CORS opens to it stays open
Strict-Transport-Security       in production, HTTPS alone for two years
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
_OVER_HTTPS = {b"strict-transport-security": b"max-age=63072000"}


class SecurityHeaders:
    """An ASGI app around another; `https` where it is served over HTTPS alone."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app, self._told = app, _ALWAYS | (_OVER_HTTPS if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = dict(self._told)
                for name, _ in message.get("headers", ()):
                    said.pop(name.lower(), None)
                message["headers"] = [*message.get("headers", ()), *said.items()]
            await send(message)

        await self._app(scope, receive, answer)
