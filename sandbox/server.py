"""uvicorn inside a loop that is already running, on loopback only."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HOST = "127.0.0.1"


class Server(uvicorn.Server):
    """Listening from `start` to `stop`. Signals stay the host's."""

    def __init__(self, app: Starlette, port: int) -> None:
        # httptools, named: `HangUp` looks its connections up.
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        app.state.server = self
        # The protocol named too: asyncio turns Nagle's delay (40 ms an answer) off only where it reads "TCP".
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((HOST, port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._serving: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        self._serving = asyncio.create_task(self.serve(sockets=[self._socket]))
        while not self.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self.should_exit = True
        self._stopping.set()
        if self._serving:
            await self._serving
        else:
            self._socket.close()

    async def main_loop(self) -> None:
        """As uvicorn's, but for stopping at once: tests open many."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=1)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HangUp(Response):
    """The connection cut without a byte of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server: Server = scope["app"].state.server
        for connection in list(server.server_state.connections):
            if isinstance(connection, HttpToolsProtocol) and connection.client == scope["client"]:
                connection.transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
