"""Clients that follow orders over WebSockets, as cheap as can be: frames are written and read by hand (RFC 6455),
masked by zeros, and of an event only that it came is kept."""

import asyncio
import time
from collections.abc import Sequence
from typing import cast

import orjson

DOCUMENT = "subscription { orderChanged { happened cursor order { id number status total { formatted } } } }"
OPENING_AT_ONCE = 50
PING, TEXT, CLOSE = 0x9, 0x1, 0x8


class Subscriber(asyncio.Protocol):
    """One connection with one subscription."""

    def __init__(self, token: str) -> None:
        self._token, self._received, self._upgraded = token, b"", False
        self.follows: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard_at: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(_UPGRADE)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._upgraded:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._fail(head.decode())
                return
            self._upgraded, self._received = True, rest
            self._say({"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
        while (frame := self._frame()) is not None:
            self._hear(*frame)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("the server closed the connection")

    def _frame(self) -> tuple[int, bytes] | None:
        """(kind, content) of the next whole frame."""
        data = self._received
        if len(data) < 2:
            return None
        size, at = data[1] & 0x7F, 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        if len(data) < at + size:
            return None
        self._received = data[at + size :]
        return data[0] & 0xF, data[at : at + size]

    def _hear(self, kind: int, content: bytes) -> None:
        if kind == PING:
            self._write(0xA, content)
        elif kind == CLOSE:
            self._fail(content[2:].decode())
        elif b'"connection_ack"' in content:
            self._say({"id": "1", "type": "subscribe", "payload": {"query": DOCUMENT}})
        elif b'"next"' not in content or b'"errors"' in content:
            self._fail(content.decode())
        elif self.follows.done():
            self.heard_at.append(time.perf_counter())
        else:
            self.follows.set_result(None)

    def _say(self, message: object) -> None:
        self._write(TEXT, orjson.dumps(message))

    def _write(self, kind: int, content: bytes) -> None:
        size = bytes([0x80 | len(content)]) if len(content) < 126 else b"\xfe" + len(content).to_bytes(2, "big")
        self.transport.write(bytes([0x80 | kind]) + size + bytes(4) + content)

    def _fail(self, why: str) -> None:
        if not self.follows.done():
            self.follows.set_exception(ConnectionError(why))


async def subscribed(port: int, number: int, tokens: Sequence[str]) -> list[Subscriber]:
    """So many, each with one of the tokens in turn, once all follow. Raises ConnectionError."""
    loop = asyncio.get_running_loop()
    opened: list[Subscriber] = []
    while len(opened) < number:
        batch = range(len(opened), min(len(opened) + OPENING_AT_ONCE, number))
        made = [
            await loop.create_connection(lambda turn=turn: Subscriber(tokens[turn % len(tokens)]), "127.0.0.1", port)
            for turn in batch
        ]
        opened += [subscriber for _, subscriber in made]
        await asyncio.gather(*(subscriber.follows for _, subscriber in made))
    return opened


_UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: benchmark\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YmVuY2htYXJrIGJlbmNobQ==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
