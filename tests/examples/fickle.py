"""The API on a bad day, for clients to get over it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENDS_AT = 3


class Fickle:
    """Around the API: each third request or connection finds that its access token has ended, and a connection is lost
    after each event."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._came = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if scope["type"] == "websocket":
            receive, send = self._connection(receive, send)
        elif token := headers.get(b"authorization"):
            headers[b"authorization"] = token + self._spoiling().encode()
        await self._app({**scope, "headers": list(headers.items())}, receive, send)

    def _connection(self, receive: Receive, send: Send) -> tuple[Receive, Send]:
        lost = False

        async def receive_spoilt() -> Message:
            message = await receive()
            if "connection_init" in (text := message.get("text") or ""):
                message["text"] = text.replace("Bearer ", f"Bearer {self._spoiling()}")
            return message

        async def send_once(message: Message) -> None:
            nonlocal lost
            if lost:
                return
            await send(message)
            if '"type":"next"' in message.get("text", ""):
                lost = True
                await send({"type": "websocket.close", "code": 1012})

        return receive_spoilt, send_once

    def _spoiling(self) -> str:
        self._came += 1
        return "" if self._came % ENDS_AT else "ended"
