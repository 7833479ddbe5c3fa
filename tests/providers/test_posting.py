"""Posts over connections that are kept: which are used again, and which answer is whose."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from providers.posting import BadAnswer, Poster, Target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSE = b""


class Server:
    """Writes the next of `answers` to each request; CLOSE closes the connection instead."""

    def __init__(self, *answers):
        self._answers, self.connections, self.asked = iter(answers), 0, []

    async def __call__(self, reader, writer):
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked.append(head)
                answer = next(self._answers)
                if answer is CLOSE:
                    break
                writer.write(answer)
                if b"until closed" in answer:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def post(self):
        """Posts nothing, to it; gives the reply."""
        poster = Poster(body_most=1000)
        async with await asyncio.start_server(self, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            target = Target("127.0.0.1", port, False, b"POST / HTTP/1.1\r\nHost: partner\r\n")

            async def post(**headers):
                return await poster.post(target, headers, b"", within=2)

            try:
                yield post
            finally:
                await poster.close()


async def test_a_connection_is_used_again():
    server = Server(OK, OK, OK)
    async with server.post() as post:
        bodies = [(await post()).body for _ in range(3)]

    assert (bodies, server.connections) == ([b"ok"] * 3, 1)


async def test_posts_at_the_same_time_have_connections_of_their_own():
    server = Server(*[OK] * 8)
    async with server.post() as post:
        await asyncio.gather(*(post() for _ in range(4)))
        await asyncio.gather(*(post() for _ in range(4)))

    assert (len(server.asked), server.connections) == (8, 4)


async def test_one_that_the_other_side_closes_is_not_kept():
    server = Server(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK)
    async with server.post() as post:
        await post()
        await post()

    assert server.connections == 2


async def test_a_post_that_a_kept_connection_swallowed_goes_by_a_new_one():
    server = Server(OK, CLOSE, OK)
    async with server.post() as post:
        await post()
        reply = await post()

    assert (reply.body, server.connections, len(server.asked)) == (b"ok", 2, 3)


async def test_a_post_that_a_new_connection_swallowed_is_not_repeated():
    server = Server(CLOSE, OK)
    async with server.post() as post:
        with pytest.raises(BadAnswer):
            await post()

    assert len(server.asked) == 1


@pytest.mark.parametrize("more", [OK.replace(b"ok", b"no"), b"HTTP/1.1 200", b"nothing of the kind"])
async def test_what_comes_after_an_answer_is_the_answer_to_nothing(more):
    server = Server(OK + more, OK)
    async with server.post() as post:
        first, second = await post(), await post()

    assert (first.body, second.body, server.connections) == (b"ok", b"ok", 2)


async def test_an_answer_that_nobody_asked_for_ends_a_kept_connection():
    late = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"

    async def twice(reader, writer):
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await asyncio.sleep(0.05)
            writer.write(late)

    async with Server().post() as _, await asyncio.start_server(twice, "127.0.0.1", 0) as listening:
        poster = Poster(body_most=1000)
        target = Target("127.0.0.1", listening.sockets[0].getsockname()[1], False, b"POST / HTTP/1.1\r\nHost: p\r\n")
        first = await poster.post(target, {}, b"", within=2)
        await asyncio.sleep(0.1)
        second = await poster.post(target, {}, b"", within=2)
        await poster.close()

    assert (first.body, second.body) == (b"ok", b"ok")


async def test_an_interim_answer_is_not_the_answer():
    async with Server(b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n" + OK).post() as post:
        reply = await post()

    assert (reply.status, reply.headers, reply.body) == (200, {b"content-length": b"2"}, b"ok")


async def test_a_body_without_a_length_ends_with_the_connection():
    async with Server(b"HTTP/1.1 200 OK\r\n\r\nuntil closed").post() as post:
        reply = await post()

    assert (reply.status, reply.body) == (200, b"until closed")


async def test_a_body_in_chunks_is_put_together():
    chunks = b"3\r\nuti\r\n1\r\nl\r\n0\r\n\r\n"
    server = Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, OK)
    async with server.post() as post:
        first, second = await post(), await post()

    assert (first.body, second.body, server.connections) == (b"util", b"ok", 1)


async def test_an_answer_that_goes_over_to_another_protocol_is_none():
    async with Server(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n").post() as post:
        with pytest.raises(BadAnswer):
            await post()


@pytest.mark.parametrize("value", ["a\r\nX-More: b", "a\nb", "a\rb", "a\0b"])
async def test_a_header_that_would_be_two_is_refused(value):
    server = Server(OK)
    async with server.post() as post:
        with pytest.raises(ValueError, match="line break"):
            await post(name=value)

    assert server.asked == []
