"""Partners that answer badly, each through the real courier: none costs more than its deadline and 64 KiB."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from providers.webhooks import ANSWER_MOST, Answer, Courier
from tests.providers.test_smtp import self_signed
from tests.security.surroundings import Names

Writes = Callable[[asyncio.StreamWriter], Awaitable[None]]
BODY = b"{}"


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    return context


@asynccontextmanager
async def partner(writes: Writes, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that reads a request's head, then writes what the function does; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await writes(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def told(writes: Writes, *, timeout: float = 1.0) -> Answer:
    async with partner(writes) as url:
        courier = Courier(sandbox_url=url, timeout=timeout)
        try:
            return await courier.post(f"{url}/hook", BODY, {})
        finally:
            await courier.close()


def writing(*parts: bytes, pause: float = 0.0, then: float = 0.0) -> Writes:
    async def write(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        await asyncio.sleep(then)

    return write


async def test_an_answer_of_a_gigabyte_is_read_to_64_kib_and_the_connection_closed() -> None:
    sent = 0

    async def gigabyte(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        part = bytes(64 * 1024)
        while sent < 1_000_000_000:
            writer.write(part)
            await writer.drain()
            sent += len(part)

    answer = await told(gigabyte, timeout=5)

    assert (answer.status, len(answer.body)) == (200, ANSWER_MOST)
    assert sent < 50_000_000  # what fits into the buffers of two sockets


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"
UNANSWERED: dict[str, Writes] = {
    "one byte a second": writing(HEAD, *[b"x"] * 60, pause=1.0),
    "a header that comes slowly": writing(*[bytes([each]) for each in HEAD], pause=0.2),
    "a header without end": writing(b"HTTP/1.1 200 OK\r\nX-Long: ", *[b"x" * 10_000] * 100),
    "no HTTP": writing(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "half a status line": writing(b"HTTP/1.1 2"),
    "nothing, and closed": writing(),
    "nothing, and open": writing(then=5.0),
    "closed within the body": writing(HEAD + b"only this"),
    "closed within a chunk": writing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nonly this"),
    "a length that is none": writing(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"),
}


@pytest.mark.parametrize("writes", UNANSWERED.values(), ids=UNANSWERED)
async def test_what_is_no_whole_answer_is_tried_again(writes: Writes) -> None:
    answer = await told(writes)

    assert (answer.status, answer.final, answer.accepted, answer.ill) == (None, False, False, True)
    assert answer.error
    assert answer.duration_ms < 3000


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "https://10.0.0.1/", "//[::1]/"]
)
async def test_a_redirect_into_a_private_network_is_an_answer_and_not_followed(where: str) -> None:
    answer = await told(writing(f"HTTP/1.1 307 Away\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()))

    assert (answer.status, answer.final, answer.error) == (307, True, None)


async def test_a_certificate_that_nobody_vouches_for_is_tried_again_and_sent_nothing(tls: ssl.SSLContext) -> None:
    asked = []

    async def note(writer: asyncio.StreamWriter) -> None:
        asked.append(writer)

    async with partner(note, tls) as url:
        courier = Courier(sandbox_url=url, timeout=2)
        try:
            answer = await courier.post(f"{url}/hook", BODY, {})
        finally:
            await courier.close()

    assert (answer.status, answer.ill, asked) == (None, True, [])
    assert "CERTIFICATE_VERIFY_FAILED" in str(answer.error)


async def test_a_name_that_leads_elsewhere_the_second_time_is_judged_the_second_time() -> None:
    """DNS says a public address while the address is set, and loopback when it is dialled (rebinding)."""

    class Changing(AbstractResolver):
        """Public first, then private."""

        def __init__(self) -> None:
            self.asked = 0

        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
            self.asked += 1
            return await Names(["93.184.215.14" if self.asked == 1 else "127.0.0.1"]).resolve(host, port, family)

        async def close(self) -> None:
            return None

    dns = Changing()
    assert (await dns.resolve("partner.example", 443))[0]["host"] == "93.184.215.14"
    async with partner(writing(HEAD)) as url:
        courier = Courier(resolver=dns, timeout=2)
        try:
            answer = await courier.post(f"https://partner.example:{url.rpartition(':')[2]}/", BODY, {})
        finally:
            await courier.close()

    assert (answer.refused, answer.status, dns.asked) == (True, None, 2)
