"""The API on a bad day, for clients to get over it."""

from starlette.types import ASGIApp, Receive, Scope, Send

ENDS_AT = 3


class Fickle:
    """Around the API: each third request that carries an access token finds that it has ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._requests = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if token := headers.get(b"authorization"):
            self._requests += 1
            if self._requests % ENDS_AT == 0:
                headers[b"authorization"] = token + b"ended"
        await self._app({**scope, "headers": list(headers.items())}, receive, send)
