"""Says to all processes that something was committed, through Redis. A ring that is lost costs a second: who listens
also looks by itself."""

import asyncio
import logging
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger("comptoir.bell")

CHANNEL = "comptoir:changes"
TIMEOUT = 2.0  # seconds
AWAY = 2.0  # seconds in which Redis is not asked again
GATHERED = 0.02  # seconds in which all rings but the first are one
PING_EVERY = 10.0  # seconds: a connection that died without a word is noticed


class Bell:
    """One connection to ring by and one to listen by, however many listen; both opened when they are first needed."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, health_check_interval=PING_EVERY
        )
        self._heard = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._again = False

    def ring(self) -> None:
        """Ring at once, or soon after the last time."""
        self._again = True
        if self._ringing is None:
            self._ringing = asyncio.create_task(self._ring())

    async def wait(self, seconds: float) -> None:
        """Until it rings, or so long. One at a time may wait."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()

    async def close(self) -> None:
        for task in (self._listening, self._ringing):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._redis.aclose()

    async def _ring(self) -> None:
        try:
            while self._again:
                self._again = False
                await self._redis.publish(CHANNEL, b"")
                await asyncio.sleep(GATHERED)
        except (RedisError, OSError) as error:
            log.warning("nobody was told of a change: Redis is away (%r); they will look by themselves", error)
            await asyncio.sleep(AWAY)
        finally:
            self._ringing = None

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    self._heard.set()  # who knows what was rung before
                    while True:
                        if await channel.get_message(ignore_subscribe_messages=True, timeout=PING_EVERY):
                            self._heard.set()
            except (RedisError, OSError) as error:
                log.warning("nothing is heard of changes: Redis is away (%r); looking without", error)
                await asyncio.sleep(AWAY)
