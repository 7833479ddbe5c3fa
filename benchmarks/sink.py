"""A partner, as cheap as can be: `POST /<milliseconds>` is answered after so long, with a digest of what was sent.

The digest leaves out what says when: the timestamp, the signature over it, and the token of the invoice's link. Two
ways to tell that sent the same are answered the same.
"""

import asyncio
import hashlib
import os
from typing import cast

import uvloop

from benchmarks.bench import LINK

COMPARED = (b"content-type", b"user-agent", b"webhook-id", b"x-api-key")


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


class _Connection(asyncio.Protocol):
    """One request after the other; of a request only the length of its body is read to find its end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._received = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        if not end or len(body) < int(headers.get(b"content-length", 0)):
            return
        self._received = b""
        told = [*(headers.get(name, b"") for name in COMPARED), LINK.sub(b"/files/token/", body)]
        path = first.split()[1].strip(b"/")
        delay = int(path) / 1000 if path.isdigit() else 0
        asyncio.get_running_loop().call_later(delay, self._answer, hashlib.sha256(b"\n".join(told)).hexdigest())

    def _answer(self, digest: str) -> None:
        self._transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(digest)}\r\n\r\n{digest}".encode())


if __name__ == "__main__":
    uvloop.run(main())
