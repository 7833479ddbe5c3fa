"""Buckets that are filled by what is asked and empty with time: in Redis for all processes together, in each by itself
while Redis is away.

A bucket is a moment, the one at which it will be empty (GCRA, the generic cell rate algorithm of ITU-T I.371). What is
asked moves it on by its share of the rate's span, and it may never be further ahead of now than that span. So all of a
rate may be asked for at once, and then as much as time gives back.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

log = logging.getLogger("comptoir.limits")

CONNECTIONS_MOST = 10
TIMEOUT = 0.25  # seconds: somebody waits for what is counted
AWAY = 5.0  # seconds in which Redis is not asked again
LOCAL_MOST = 10_000  # about 2 MB


@dataclass(frozen=True)
class Rate:
    """So many in so many seconds."""

    number: int
    seconds: int


@dataclass(frozen=True)
class Charge:
    """So many, of a bucket."""

    bucket: str
    rate: Rate
    number: int

    @property
    def share(self) -> float:
        """Seconds until the bucket is rid of it."""
        return self.rate.seconds / self.rate.number * self.number


class Buckets:
    """Those that all processes share."""

    def __init__(self, redis_url: str) -> None:
        self._pool = BlockingConnectionPool.from_url(redis_url, max_connections=CONNECTIONS_MOST, timeout=TIMEOUT)
        self._take = Redis.from_pool(self._pool).register_script(TAKE)
        self._local, self._away_until = LocalBuckets(), 0.0

    async def take(self, charges: Sequence[Charge]) -> float:
        """Charge all of the buckets, or none: then in how many seconds it would do; else 0."""
        if not charges:
            return 0
        if time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(TIMEOUT):
                    arguments = [value for charge in charges for value in (charge.share, charge.rate.seconds)]
                    return float(await self._take([charge.bucket for charge in charges], arguments)) / 1000
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("Redis is away (%r): this process counts by itself for %g s", error, AWAY)
                self._away_until = time.monotonic() + AWAY
        return self._local.take(charges, time.monotonic())

    async def close(self) -> None:
        await self._pool.aclose()


class LocalBuckets:
    """Those of this process; of too many, the ones that were not asked of for longest are forgotten."""

    def __init__(self, most: int = LOCAL_MOST) -> None:
        self._empty_at, self._most = OrderedDict[str, float](), most

    def take(self, charges: Sequence[Charge], now: float) -> float:
        """The same, at a moment of a clock in seconds."""
        filled = {each.bucket: max(self._empty_at.get(each.bucket, now), now) + each.share for each in charges}
        wait = max(filled[each.bucket] - each.rate.seconds - now for each in charges)
        if wait > SLACK:
            return wait
        for bucket, empty_at in filled.items():
            self._empty_at[bucket] = empty_at
            self._empty_at.move_to_end(bucket)
        while len(self._empty_at) > self._most:
            self._empty_at.popitem(last=False)
        return 0


SLACK = 1e-6  # seconds: shares are no round numbers

# The same in Redis, by its clock, in microseconds. Gives milliseconds to wait.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local filled, wait = {}, 0
for i, bucket in ipairs(KEYS) do
  local share, span = ARGV[2 * i - 1] * 1000000, ARGV[2 * i] * 1000000
  filled[i] = math.max(tonumber(redis.call('GET', bucket) or now), now) + share
  wait = math.max(wait, filled[i] - span - now)
end
if wait > 1 then
  return math.ceil(wait / 1000)
end
for i, bucket in ipairs(KEYS) do
  redis.call('SET', bucket, string.format('%.0f', filled[i]), 'PX', math.ceil((filled[i] - now) / 1000))
end
return 0
"""
