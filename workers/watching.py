"""What a worker tells: a heartbeat in Redis for the API's /readyz, and /metrics of its own where a port is set."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import uvicorn
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.backlog import Backlog
from services.health import WORKER_SEEN, WORKER_SEEN_FOR
from settings import Settings
from telemetry import exposition

log = logging.getLogger("comptoir.workers")

HEARTBEAT = 10.0  # seconds
SERVED: dict[str, Any] = {
    "log_config": None, "access_log": False, "lifespan": "off", "limit_concurrency": 20, "timeout_graceful_shutdown": 1,
}  # fmt: skip


@asynccontextmanager
async def seen(redis: Redis) -> AsyncIterator[None]:
    """While the block runs, others can see that there is a worker."""
    beating = asyncio.create_task(_beat(redis))
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[None]:
    """While the block runs, /metrics and /healthz answer at WORKER_METRICS_PORT, if it is set and free."""
    listener = _listener(settings)
    if listener is None:
        yield
        return
    with listener:
        server = _Server(uvicorn.Config(_app(settings), **SERVED))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving


def _listener(settings: Settings) -> socket.socket | None:
    host, port = settings.worker_metrics_host, settings.worker_metrics_port
    try:
        return socket.create_server((host, port)) if port else None
    except OSError as error:
        log.error("this worker shows no metrics: WORKER_METRICS_PORT %s is not to be had (%s)", port, error)
        return None


async def _beat(redis: Redis) -> None:
    while True:
        try:
            await redis.set(WORKER_SEEN, 1, ex=WORKER_SEEN_FOR)
        except (RedisError, OSError) as error:
            log.warning("no heartbeat: Redis is away (%r)", error)
        await asyncio.sleep(HEARTBEAT)


class _Server(uvicorn.Server):
    """uvicorn inside a process that has its own way to end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _app(settings: Settings) -> Starlette:
    return Starlette(
        routes=[Route("/healthz", _healthz, methods=["GET"]), *exposition.routes(settings, Backlog().look)]
    )


async def _healthz(request: Request) -> Response:
    """The event loop runs."""
    return JSONResponse({"status": "ok"})
