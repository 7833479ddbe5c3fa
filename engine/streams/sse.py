"""GraphQL over Server-Sent Events, distinct connections: one operation, one response.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: each result is an event `next`, the end an event
`complete`; a comment is sent now and then, so that nobody in between takes the connection for dead. What GraphQL
refuses is told as a result, since browsers read nothing of a response that is not 200.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from engine.execution import Answer, Asked, Engine, Prepared
from engine.masking import refusal_of
from engine.parameters import Refusal
from engine.streams.channel import Channel, Left
from engine.streams.hub import Hub
from errors import DomainError, Limited

KEEP_ALIVE_SECONDS = 15.0

log = logging.getLogger("comptoir.streams")


class EventStreams:
    """Answers operations with a stream of events."""

    def __init__(self, engine: Engine, hub: Hub) -> None:
        self.engine, self.hub = engine, hub

    async def __call__(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises Refusal, before anything was sent, where there is no room."""
        stream = _Stream(self, scope, send)
        try:
            self.hub.enter(stream)
        except DomainError as refusal:
            raise Refusal(429 if isinstance(refusal, Limited) else 503, refusal.message, code=refusal.code) from refusal
        try:
            await stream.run(asked, HTTPConnection(scope), receive, mutations=scope["method"] != "GET")
        except Left:
            log.debug("a client left its stream")
        finally:
            stream.gone()


class _Stream(Channel):
    """One client, one operation."""

    def __init__(self, app: EventStreams, scope: Scope, send: Send) -> None:
        super().__init__(app.hub, scope["client"][0] if scope["client"] else None)
        self._app, self._sending = app, send
        self._ending, self._over = False, asyncio.Event()

    async def run(self, asked: Asked, connection: HTTPConnection, receive: Receive, *, mutations: bool) -> None:
        """Until the operation is over, or the client leaves."""
        await self._put({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await self._send(_COMMENT)  # the headers go with it
        try:
            await self._begin(asked, connection, mutations)
        except Left:
            raise
        except Exception as error:
            await self.send_error("", [refusal_of(error)])
        leaving = asyncio.create_task(self._left(receive))
        try:
            while not self._over.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await self._over.wait()
                if not self._over.is_set():
                    await self._send(_COMMENT)
        finally:
            leaving.cancel()

    async def send_next(self, id: str, body: str) -> None:
        await self._send(f"event: next\ndata: {body}\n\n".encode())

    async def send_error(self, id: str, errors: list[Any]) -> None:
        await self.send_next(id, orjson.dumps({"errors": errors}).decode())
        await self.send_complete(id)

    async def send_complete(self, id: str) -> None:
        if self._ending:
            return
        self._ending = True
        try:
            await self._put({"type": "http.response.body", "body": b"event: complete\ndata:\n\n"})
        finally:
            self._over.set()

    async def close(self, why: DomainError | None) -> None:
        if why:
            await self.send_error("", [refusal_of(why)])
        else:
            await self.send_complete("")

    def drop(self) -> None:
        self._ending = True
        self._over.set()

    async def _begin(self, asked: Asked, connection: HTTPConnection, mutations: bool) -> None:
        caller = await self.hub.identify(self, connection)
        prepared = self._app.engine.prepare(asked, mutations=mutations, subscriptions=True)
        if isinstance(prepared, Prepared) and prepared.operation.kind is OperationType.SUBSCRIPTION:
            await self.hub.open("", self, prepared)
            return
        if isinstance(prepared, Answer):
            answer = prepared
        else:
            answer = await self._app.engine.answer(asked, caller.look_up, mutations=mutations)
        await self.send_next("", answer.body.decode())
        await self.send_complete("")

    async def _left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._over.set()

    async def _send(self, chunk: bytes) -> None:
        if not self._ending:
            self.sending_since = asyncio.get_running_loop().time()
            await self._put({"type": "http.response.body", "body": chunk, "more_body": True})
            self.sending_since = None

    async def _put(self, message: dict[str, Any]) -> None:
        try:
            await self._sending(message)
        except OSError as gone:
            raise Left from gone


_COMMENT = b":\n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back
    (b"x-content-type-options", b"nosniff"),
]
