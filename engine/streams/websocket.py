"""graphql-transport-ws: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md

| closed with | |
| --- | --- |
| 1001 | this process leaves: connect again |
| 1011 | who calls could not be looked up: connect again |
| 4400 | a message that the protocol does not know |
| 4401 | `subscribe` before the connection was acknowledged |
| 4403 | credentials that are refused or no longer good: connect again with better ones |
| 4406 | another subprotocol |
| 4408 | no `connection_init` in time |
| 4409 | an id that is in use |
| 4429 | a second `connection_init`, or too many connections |

Queries and mutations may be sent too. The payload of `connection_init` says who calls.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import OperationType
from starlette.types import Receive, Scope, Send

from engine.execution import Answer, Asked, Engine, Prepared
from engine.masking import refusal_of
from engine.parameters import Refusal, asked_of
from engine.streams.callers import with_headers
from engine.streams.channel import Channel, Left
from engine.streams.hub import Hub
from engine.trusted import TrustedDocuments
from errors import DomainError, Forbidden, Limited, Unauthenticated

PROTOCOL = "graphql-transport-ws"
# How uvicorn has to be started. Compression would take 20 kB for each connection; its events are small.
SERVED: dict[str, Any] = {
    "ws": "websockets-sansio",
    "ws_max_size": 256 * 1024,
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    "ws_per_message_deflate": False,
}
INIT_SECONDS = 10.0
OPERATIONS_MOST = 50  # of a connection, subscriptions included
ID_MOST = 128  # characters of an operation's id
REASON_MOST = 123  # bytes of a close frame (RFC 6455, 5.5)

log = logging.getLogger("comptoir.streams")


class WebSocketApp:
    """An ASGI app. `passed_on` names what of the payload of `connection_init` becomes which header for
    `make_context`."""

    def __init__(
        self,
        engine: Engine,
        hub: Hub,
        passed_on: Mapping[str, bytes],
        trusted: TrustedDocuments | None = None,
        *,
        init_seconds: float = INIT_SECONDS,
    ) -> None:
        self.engine, self.hub, self.passed_on, self.init_seconds = engine, hub, passed_on, init_seconds
        self.trusted = trusted or TrustedDocuments()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # that it connects
        known = PROTOCOL in scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL if known else None})
        connection = _Connection(self, scope, receive, send)
        try:
            if not known:
                raise Closed(4406, f"Ask for the subprotocol {PROTOCOL}.")
            await connection.run()
        except Closed as closed:
            await connection.shut(closed.code, closed.reason)
        except Left:
            log.debug("a client left while it was answered")
        except asyncio.CancelledError:
            if not connection.dropped:
                raise
        except Exception as error:
            await connection.shut(1011, refusal_of(error)["message"])
        finally:
            connection.gone()


class Closed(Exception):
    """The connection has to be closed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class _Operation:
    """What is under way."""

    kind: OperationType
    task: asyncio.Task[None]

    def leave(self) -> None:
        """Nobody waits for it any more. A mutation is finished all the same."""
        if self.kind is not OperationType.MUTATION:
            self.task.cancel()


class _Connection(Channel):
    """One client."""

    def __init__(self, app: WebSocketApp, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(app.hub, scope["client"][0] if scope["client"] else None)
        self._app, self._scope, self._receive, self._sending = app, scope, receive, send
        self.dropped = False
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._operations: dict[str, _Operation] = {}

    async def run(self) -> None:
        """Until either side closes. Raises Closed, and Left where the client is gone."""
        try:
            self.hub.enter(self)
            await self._initialise()
            while True:
                await self._take(await self._message())
        except DomainError as refusal:
            raise _closed(refusal) from refusal

    async def send_next(self, id: str, body: str) -> None:
        await self._send(f'{{"id":{_quoted(id)},"type":"next","payload":{body}}}')

    async def send_error(self, id: str, errors: list[Any]) -> None:
        await self._send(orjson.dumps({"id": id, "type": "error", "payload": errors}).decode())

    async def send_complete(self, id: str) -> None:
        await self._send(f'{{"id":{_quoted(id)},"type":"complete"}}')

    async def close(self, why: DomainError | None) -> None:
        closed = _closed(why) if why else Closed(1001, "This server is going away. Connect again.")
        await self.shut(closed.code, closed.reason)

    def drop(self) -> None:
        self.dropped = True
        assert self._task is not None
        self._task.cancel()

    async def shut(self, code: int, reason: str) -> None:
        reason = reason.encode()[:REASON_MOST].decode(errors="ignore")
        try:
            await self._sending({"type": "websocket.close", "code": code, "reason": reason})
        except (OSError, RuntimeError):  # closed already, by either side
            log.debug("a connection was closed already")

    def gone(self) -> None:
        for operation in tuple(self._operations.values()):
            operation.leave()
        super().gone()

    async def _initialise(self) -> None:
        """The client says who it is."""
        try:
            async with asyncio.timeout(self._app.init_seconds):
                message = await self._message()
                while message["type"] in ("ping", "pong"):
                    await self._take(message)
                    message = await self._message()
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        if message["type"] != "connection_init":
            raise Closed(4401, "Unauthorized: send connection_init first.")
        await self.hub.identify(self, with_headers(self._scope, self._given(message.get("payload"))))
        assert self.caller is not None
        if self.caller.person is None and self._says_who(message.get("payload")):
            raise Closed(4403, "The access token is no longer good. Connect again with another.")
        await self._send('{"type":"connection_ack"}')

    def _given(self, payload: object) -> dict[bytes, str]:
        """The headers of a payload."""
        if payload is None:
            return {}
        if not isinstance(payload, dict):
            raise Closed(4400, "The payload of connection_init must be an object.")
        named = {name.lower(): value for name, value in payload.items()}
        given = {header: named[name] for name, header in self._app.passed_on.items() if named.get(name) is not None}
        if not all(isinstance(value, str) for value in given.values()):
            raise Closed(4400, f"In the payload of connection_init {', '.join(self._app.passed_on)} are text.")
        return given

    def _says_who(self, payload: object) -> bool:
        return b"authorization" in self._given(payload)

    async def _message(self) -> dict[str, Any]:
        """The next message."""
        received = await self._receive()
        if received["type"] == "websocket.disconnect":
            raise Left
        try:
            message = orjson.loads(received.get("text") or b"")
        except orjson.JSONDecodeError:
            raise Closed(4400, "Messages are JSON, as text.") from None
        if not isinstance(message, dict) or message.get("type") not in _TYPES:
            raise Closed(4400, f"A message is an object whose type is one of {', '.join(_TYPES)}.")
        return message

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                raise Closed(4429, "Too many initialisation requests")
            case "ping":
                answer = {"type": "pong"} | ({"payload": message["payload"]} if "payload" in message else {})
                await self._send(orjson.dumps(answer).decode())
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                self._complete(_id(message))

    async def _subscribe(self, message: dict[str, Any]) -> None:
        id = _id(message)
        if id in self._operations or id in self.subscriptions:
            raise Closed(4409, f"Subscriber for {id} already exists")
        try:
            asked = asked_of(message.get("payload"), self._app.trusted)
        except Refusal as refusal:
            raise Closed(4400, refusal.message) from None
        if len(self._operations) + len(self.subscriptions) >= OPERATIONS_MOST:
            too_many = Limited(f"A connection has at most {OPERATIONS_MOST} operations at once. Complete some.")
            await self.send_error(id, [refusal_of(too_many)])
            return
        prepared = self._app.engine.prepare(asked, subscriptions=True)
        if isinstance(prepared, Answer):
            await self.send_error(id, orjson.loads(prepared.body)["errors"])
            return
        kind = prepared.operation.kind
        self._operations[id] = _Operation(kind, asyncio.create_task(self._operate(id, asked, prepared)))
        self._operations[id].task.add_done_callback(lambda _: self._operations.pop(id, None))

    def _complete(self, id: str) -> None:
        """The client wants to hear no more."""
        if id in self.subscriptions:
            self.hub.end(self.subscriptions[id])
        elif id in self._operations:
            self._operations[id].leave()

    async def _operate(self, id: str, asked: Asked, prepared: Prepared) -> None:
        try:
            if prepared.operation.kind is OperationType.SUBSCRIPTION:
                await self.hub.open(id, self, prepared)
            else:
                await self._answer(id, asked)
        except Left:
            log.debug("a client left before it was answered")
        except Exception as error:
            await self.send_error(id, [refusal_of(error)])

    async def _answer(self, id: str, asked: Asked) -> None:
        """A query or a mutation."""
        assert self.caller is not None
        answer = await self._app.engine.answer(asked, self.caller.look_up)
        if answer.executed:
            await self.send_next(id, answer.body.decode())
            await self.send_complete(id)
        else:
            await self.send_error(id, orjson.loads(answer.body)["errors"])

    async def _send(self, text: str) -> None:
        self.sending_since = self._loop.time()
        try:
            await self._sending({"type": "websocket.send", "text": text})
        except OSError as gone:
            raise Left from gone
        self.sending_since = None


_TYPES = ("connection_init", "ping", "pong", "subscribe", "complete")


def _id(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= ID_MOST:
        raise Closed(4400, f"The id of an operation is text of 1 to {ID_MOST} characters.")
    return id


def _closed(refusal: DomainError) -> Closed:
    return Closed(4403 if isinstance(refusal, Unauthenticated | Forbidden) else 4429, refusal.message)


def _quoted(id: str) -> str:
    return orjson.dumps(id).decode()
