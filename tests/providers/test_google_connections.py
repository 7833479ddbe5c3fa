"""What becomes of a call to Google by a connection that was kept, and that the other side closed meanwhile."""

import asyncio
import socket
import struct

from providers import google

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CALLS = google.THREADS + 4  # more than there are threads: some go by a connection that was kept


async def answer_once(reader, writer):
    """And reset the connection."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    await asyncio.sleep(0.02)  # it is read before the reset overtakes it
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def get(url):
    return await google.run(lambda http: http.request(url)[1])


async def test_a_call_by_a_kept_connection_that_was_closed_goes_by_another():
    async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for _ in range(CALLS):
            assert await get(url) == b"{}"
            await asyncio.sleep(0.04)
