"""Telling workers that there is work. A wake-up that is lost costs seconds: workers also look by themselves."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from functools import cache

from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError

from models import Lane

log = logging.getLogger("comptoir.wake")

JOB = "wake"  # the arq function of workers/settings.py
EXPIRES = 60  # seconds after which a wake-up is worth nothing
TIMEOUT = 2.0  # seconds
PACE = 0.02  # seconds: wake-ups of a lane that come closer together are one


def redis_settings(url: str) -> RedisSettings:
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout, settings.conn_retries, settings.conn_retry_delay = 1, 1, 0
    return settings


def serialize(job: dict[str, object]) -> bytes:
    return json.dumps(job).encode()


def deserialize(raw: bytes) -> dict[str, object]:
    job: dict[str, object] = json.loads(raw)
    return job


class Wake:
    """Wakes the workers of a lane through arq, best effort; nobody waits for it."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._pool: ArqRedis | None = None
        self._asked: set[Lane] = set()
        self._telling: asyncio.Task[None] | None = None
        self.of = cache(self._of)

    async def told(self) -> None:
        """Until all who were asked for are woken, as far as Redis lets us."""
        if self._telling is not None:
            await asyncio.wait([self._telling])

    async def close(self) -> None:
        await self.told()
        if self._pool is not None:
            await self._pool.aclose()

    def _of(self, lane: Lane) -> Callable[[], Awaitable[None]]:
        async def wake() -> None:
            self._asked.add(lane)
            if self._telling is None or self._telling.done():
                self._telling = asyncio.get_running_loop().create_task(self._tell(), context=Context())

        return wake

    async def _tell(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, set()
            for lane in asked:
                await self._tell_of(lane)
            await asyncio.sleep(PACE)

    async def _tell_of(self, lane: Lane) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                await (await self._opened()).enqueue_job(JOB, lane.value, _expires=EXPIRES)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("no wake-up for %s: Redis is away (%r); workers will look by themselves", lane, error)

    async def _opened(self) -> ArqRedis:
        self._pool = self._pool or await create_pool(
            redis_settings(self._url), job_serializer=serialize, job_deserializer=deserialize
        )
        return self._pool
