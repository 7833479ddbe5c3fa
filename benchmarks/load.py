"""A closed loop of requests over a few kept connections, as cheap as can be: whole requests are made beforehand, and
of an answer only the status and the length are read."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

ANSWER_MOST = 60.0  # seconds


@dataclass(frozen=True)
class Exchange:
    """A request as sent, and how long the body of its answer is (None: any length, without GraphQL errors)."""

    request: bytes
    length: int | None = None


class Failed(Exception):
    """An answer that was not the one verified beforehand, or none."""


def request(
    method: str, path: str, token: str | None = None, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """An HTTP/1.1 request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: benchmark\r\nAccept: application/json\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    for name, value in (headers or {}).items():
        head += f"{name}: {value}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


async def answer(port: int, sent: bytes) -> bytes:
    """The body of one answer. Raises Failed for a status other than 200, and for GraphQL errors."""
    (connection,) = await _drive(port, iter([Exchange(sent)]), connections=1, most=ANSWER_MOST)
    return connection.body


async def each(port: int, exchanges: Iterable[Exchange], *, connections: int, most: float) -> int:
    """Send each once, within `most` seconds; how many were answered. Raises Failed and TimeoutError."""
    driven = await _drive(port, iter(exchanges), connections=connections, most=most)
    return sum(connection.count for connection in driven)


async def sustained(port: int, exchanges: Iterator[Exchange], *, connections: int, seconds: float) -> tuple[int, float]:
    """(answers, seconds that they took), the requests in turn over all connections. Raises Failed and TimeoutError."""
    started = time.perf_counter()
    turns = _until(started + seconds, exchanges)
    driven = await _drive(port, turns, connections=connections, most=seconds + ANSWER_MOST)
    return sum(connection.count for connection in driven), time.perf_counter() - started


def _until(end: float, turns: Iterator[Exchange]) -> Iterator[Exchange]:
    while time.perf_counter() < end:
        yield next(turns)


async def _drive(port: int, turns: Iterator[Exchange], *, connections: int, most: float) -> "list[_Connection]":
    """Send until there are no more turns."""
    loop = asyncio.get_running_loop()
    opened: list[_Connection] = []
    try:
        async with asyncio.timeout(most):
            for _ in range(connections):
                _, connection = await loop.create_connection(lambda: _Connection(turns), "127.0.0.1", port)
                opened.append(connection)
            await asyncio.gather(*(connection.finished for connection in opened))
    finally:
        for connection in opened:
            connection.close()
    return opened


class _Connection(asyncio.Protocol):
    def __init__(self, turns: Iterator[Exchange]) -> None:
        self.turns = turns
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.count, self.body = 0, b""
        self._received, self._body_at, self._end = b"", 0, 0  # no end is known until the head is there

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if not self._end:
            self._read_head()
        if self._end and len(self._received) >= self._end and not self.finished.done():
            if self._length is None and b'"errors":' in self._received:
                self._fail(f"refused: {self._received[:600]!r}")
                return
            self.count += 1
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the server closed the connection: {error}")

    def close(self) -> None:
        self.finished.cancel()
        self.transport.close()

    def _send(self) -> None:
        exchange = next(self.turns, None)
        if exchange is None:
            self.body = self._received[self._body_at : self._end]
            self.finished.set_result(None)
            return
        self._received, self._end, self._length = b"", 0, exchange.length
        self.transport.write(exchange.request)

    def _read_head(self) -> None:
        body_at = self._received.find(b"\r\n\r\n") + 4
        if body_at < 4:
            return
        head = self._received[:body_at].lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if not head.startswith(b"http/1.1 200") or self._length not in (None, length):
            self._fail(f"{length} bytes instead of {self._length}: {self._received[:600]!r}")
        self._body_at, self._end = body_at, body_at + length

    def _fail(self, reason: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(Failed(reason))
