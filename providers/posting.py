"""HTTP/1.1 posts over connections that are kept (RFC 9112): what telling partners needs of a client, and no more.

The parser is llhttp, by httptools. Beside a full client it costs a fifth for each request, which is most of what a
delivery costs (`benchmarks/`, deliveries).
"""

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import aiohappyeyeballs
import httptools
from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver

HEAD_MOST = 64 * 1024  # bytes, all that comes before a body
KEPT_FOR = 15.0  # seconds that a connection is kept unused
EYES_APART = 0.25  # seconds until the next address of a host is tried beside the one before (RFC 8305)

SocketFactory = Callable[[Any], socket.socket]


class BadAnswer(OSError):
    """What came is no answer of HTTP/1.1, or not a whole one."""


class Stale(BadAnswer):
    """A kept connection ended before anything of an answer came."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post: `head` is the request line and the Host field, in bytes; a host as DNS knows it."""

    host: str
    port: int
    tls: bool
    head: bytes


@dataclass(slots=True)
class Reply:
    """`body` is what came of it, as it came, cut where the caller said."""

    status: int
    headers: dict[bytes, bytes]  # names in lower case; of several of a name the last
    body: bytes


@dataclass
class Poster:
    """Posts, and keeps connections. How many at once is the caller's to bound.

    `socket_factory` makes the socket of each connection, knowing the address: what it raises refuses it.
    """

    body_most: int
    resolver: AbstractResolver | None = None
    socket_factory: SocketFactory | None = None
    _kept: dict[Target, list["_Connection"]] = field(default_factory=lambda: defaultdict(list))
    _lookups: dict[tuple[str, int], asyncio.Task[list[Any]]] = field(default_factory=dict)
    _sweeping: asyncio.TimerHandle | None = None

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes, *, within: float) -> Reply:
        """The answer. A kept connection that its other side had closed is tried again by a new one: what is posted has
        an id by which they know it.

        Raises TimeoutError after `within` seconds, ValueError for a header that is none, OSError for all else that
        keeps an answer from coming, as the socket, TLS or BadAnswer says it.
        """
        asked = _written(target, headers, body)
        until = asyncio.get_running_loop().time() + within
        if (connection := self._kept_for(target)) is not None:
            try:
                return await connection.exchange(asked, until)
            except Stale:
                pass
        async with asyncio.timeout_at(until):
            connection = await self._connected(target)
        return await connection.exchange(asked, until)

    async def close(self) -> None:
        if self._sweeping:
            self._sweeping.cancel()
        for lookup in self._lookups.values():
            lookup.cancel()
        for kept in self._kept.values():
            while kept:
                kept.pop().abort()
        if self.resolver:
            await self.resolver.close()

    def keep(self, connection: "_Connection") -> None:
        """For the next post to the same target."""
        loop = asyncio.get_running_loop()
        connection.kept_until = loop.time() + KEPT_FOR
        self._kept[connection.target].append(connection)
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEPT_FOR, self._sweep)

    def forget(self, connection: "_Connection") -> None:
        """It ended while it was kept."""
        kept = self._kept.get(connection.target)
        if kept and connection in kept:
            kept.remove(connection)

    def _kept_for(self, target: Target) -> "_Connection | None":
        kept = self._kept.get(target)
        return kept.pop() if kept else None

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        for target, kept in list(self._kept.items()):
            for connection in [each for each in kept if each.kept_until <= now]:
                connection.abort()
                kept.remove(connection)
            if not kept:
                del self._kept[target]
        self._sweeping = asyncio.get_running_loop().call_later(KEPT_FOR, self._sweep) if self._kept else None

    async def _connected(self, target: Target) -> "_Connection":
        connected = await aiohappyeyeballs.start_connection(
            await self._addresses(target.host, target.port),
            happy_eyeballs_delay=EYES_APART, interleave=1, socket_factory=self.socket_factory,
        )  # fmt: skip
        try:
            encryption: dict[str, Any] = {"ssl": _trusting(), "server_hostname": target.host} if target.tls else {}
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self, target), sock=connected, **encryption
            )
        except BaseException:
            connected.close()
            raise
        return connection

    async def _addresses(self, host: str, port: int) -> list[Any]:
        """One lookup of a name at a time: one that hangs holds a thread, and no more."""
        key = host, port
        if (lookup := self._lookups.get(key)) is None:
            lookup = self._lookups[key] = asyncio.create_task(self._looked_up(host, port))
            lookup.add_done_callback(lambda ended: self._lookups.pop(key) and (ended.cancelled() or ended.exception()))
        return await asyncio.shield(lookup)

    async def _looked_up(self, host: str, port: int) -> list[Any]:
        self.resolver = self.resolver or ThreadedResolver()
        found = await self.resolver.resolve(host, port, socket.AF_UNSPEC)
        return [(each["family"], socket.SOCK_STREAM, each["proto"], "", (each["host"], each["port"])) for each in found]


class _Connection(asyncio.Protocol):
    """One exchange after the other. Attributes of a reply are those of the exchange that is under way."""

    def __init__(self, poster: Poster, target: Target) -> None:
        self.target, self.kept_until = target, 0.0
        self._poster = poster
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Reply] | None = None
        self._headers: dict[bytes, bytes] = {}
        self._used, self._received = False, 0

    async def exchange(self, asked: bytes, until: float) -> Reply:
        """Raises TimeoutError at `until`, by the loop's clock; Stale and BadAnswer."""
        if self._transport.is_closing():
            raise Stale("the connection was closed")
        self._status, self._headers, self._body = 0, {}, b""
        self._received, self._in_body = 0, False
        self._answer = self._loop.create_future()
        late = self._loop.call_at(until, self._end, TimeoutError())
        self._transport.write(asked)
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            late.cancel()

    def abort(self) -> None:
        self._transport.abort()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end(BadAnswer("the answer goes over to another protocol"))
        except httptools.HttpParserError as error:
            self._end(BadAnswer(f"the answer is not HTTP/1.1 ({type(error).__name__}: {error})"))
        else:
            if not self._in_body and self._received > HEAD_MOST:
                self._end(BadAnswer("the answer's head is longer than 64 KiB"))

    def connection_lost(self, error: Exception | None) -> None:
        self._poster.forget(self)
        if self._answer is None or self._answer.done():
            return
        if self._in_body and error is None and not {b"content-length", b"transfer-encoding"} & self._headers.keys():
            self._complete()  # its end is the connection's (RFC 9112, section 6.3)
        elif self._used and not self._received:
            self._end(Stale("the connection was closed"))
        else:
            self._end(error if isinstance(error, OSError) else BadAnswer("the connection was closed before its end"))

    # Called by the parser

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            raise BadAnswer("an answer to nothing that was asked")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._in_body = self._status >= 200

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) >= self._poster.body_most and self._answer and not self._answer.done():
            self._complete()
            self.abort()

    def on_message_complete(self) -> None:
        if self._status < 200:  # interim: the answer is still to come (RFC 9110, section 15.2)
            self._headers = {}
        elif self._answer and not self._answer.done():
            self._complete()
            if self._parser.should_keep_alive():
                self._used = True
                self._poster.keep(self)
            else:
                self.abort()

    def _complete(self) -> None:
        assert self._answer
        self._answer.set_result(Reply(self._status, self._headers, self._body[: self._poster.body_most]))

    def _end(self, error: Exception) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(error)
        self.abort()


def _written(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request. Raises ValueError for a header that would be two."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if fields.count("\n") != len(headers) or fields.count("\r") != len(headers) or "\0" in fields:
        raise ValueError("a header holds a line break")
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (target.head, fields.encode(), len(body), body)


@cache
def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context()
