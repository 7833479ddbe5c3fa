"""Buckets that are filled by what is asked and empty with time: in Redis for all processes together, in each by itself
while Redis is away.

A bucket is a moment, the one at which it will be empty (GCRA, the generic cell rate algorithm of ITU-T I.371). What is
asked moves it on by its share of the rate's span, and it may never be further ahead of now than that span. So all of a
rate may be asked for at once, and then as much as time gives back.

Of a rate with a lease a process takes several at once and spends them by itself: one script in so many requests. All
are charged when they are taken, so that what is asked in a span exceeds the rate by what the processes had left at
most: the lease, less one, for each of them.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

log = logging.getLogger("comptoir.limits")

CONNECTIONS_MOST = 10
TIMEOUT = 0.25  # seconds: somebody waits for what is counted
AWAY = 5.0  # seconds in which Redis is not asked again
LOCAL_MOST = 10_000  # about 2 MB


@dataclass(frozen=True)
class Rate:
    """So many in so many seconds, of which a process takes `lease` at once; exact where that is one."""

    number: int
    seconds: int
    lease: int = 1


class Charge(NamedTuple):
    """So many, of a bucket; fewer than none are given back."""

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
        self._leases, self._local, self._away_until = Leases(), LocalBuckets(), 0.0

    async def take(self, charges: Sequence[Charge]) -> float:
        """Charge all of the buckets, or none: then in how many seconds it would do; else 0."""
        now = time.monotonic()
        drawn = [self._leases.draw(charge, now) for charge in charges]
        short = [
            charge._replace(number=charge.number - had)
            for charge, had in zip(charges, drawn, strict=True)
            if had != charge.number
        ]
        wait = await self._charge(short, now) if short else 0
        if wait:
            for charge, had in zip(charges, drawn, strict=True):
                self._leases.put(charge, had, now)
        return wait

    async def close(self) -> None:
        await self._pool.aclose()

    async def _charge(self, charges: Sequence[Charge], now: float) -> float:
        """The same, in Redis; what comes in addition is leased."""
        if now >= self._away_until:
            try:
                async with asyncio.timeout(TIMEOUT):
                    wait, *got = await self._take([charge.bucket for charge in charges], _arguments(charges))
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("Redis is away (%r): this process counts by itself for %g s", error, AWAY)
                self._away_until = time.monotonic() + AWAY
            else:
                for charge, number in zip(charges, got, strict=False):  # none where there is a wait
                    self._leases.put(charge, number - charge.number, now)
                return float(wait) / 1000
        return self._local.take(charges, now)


class Leases:
    """What this process took and may spend by itself, until the bucket would be rid of it anyway. Of too many, those
    that were not asked of for longest are forgotten."""

    def __init__(self, most: int = LOCAL_MOST) -> None:
        self._held, self._most = OrderedDict[str, tuple[int, float]](), most

    def draw(self, charge: Charge, now: float) -> int:
        """Spend what is there of a charge, and how much that is."""
        held = self._held.get(charge.bucket)
        if held is None:
            return 0
        left, until = held
        if until <= now:
            del self._held[charge.bucket]
            return 0
        number = min(left, max(charge.number, 0))
        self._held[charge.bucket] = left - number, until
        self._held.move_to_end(charge.bucket)
        return number

    def put(self, charge: Charge, number: int, now: float) -> None:
        """Have so many more to spend, or again."""
        if number <= 0:
            return
        left, until = self._held.get(charge.bucket, (0, now + charge.rate.seconds))
        self._held[charge.bucket] = left + number, until
        self._held.move_to_end(charge.bucket)
        while len(self._held) > self._most:
            self._held.popitem(last=False)


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


def _arguments(charges: Sequence[Charge]) -> list[float]:
    """Of each: seconds of the rate's span, how many these are, how many at least, and at most."""
    return [
        value
        for charge in charges
        for value in (
            charge.rate.seconds,
            charge.rate.number,
            charge.number,
            max(charge.number, charge.rate.lease) if charge.number > 0 else charge.number,
        )
    ]


# The same in Redis, by its clock, in microseconds. Gives milliseconds to wait and, where these are none, how many were
# taken of each bucket.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local filled, answer = {}, {0}
for i, bucket in ipairs(KEYS) do
  local span, least, most = ARGV[4 * i - 3] * 1000000, tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  local each = span / ARGV[4 * i - 2]
  local from = math.max(tonumber(redis.call('GET', bucket) or now), now)
  local fit = math.floor((now + span - from + 1) / each)
  if fit < least then
    answer[1] = math.max(answer[1], math.ceil((from + least * each - span - now) / 1000))
  end
  answer[i + 1] = math.min(fit, most)
  filled[i] = from + answer[i + 1] * each
end
if answer[1] > 0 then
  return {answer[1]}
end
for i, bucket in ipairs(KEYS) do
  local left = math.ceil((filled[i] - now) / 1000)
  if left > 0 then
    redis.call('SET', bucket, string.format('%.0f', filled[i]), 'PX', left)
  else
    redis.call('DEL', bucket)
  end
end
return answer
"""
