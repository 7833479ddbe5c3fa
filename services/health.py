"""Whether this process can do its work: what is missing, what to be warned of, and what to do about each.

Answers name no host and no secret: anybody may ask.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

import errors
from models.database import fetch
from services import files, generations
from settings import Settings

log = logging.getLogger("comptoir.health")

TIMEOUT = 2.0  # seconds, each check
KEPT = 1.0  # seconds for which an answer is good: asking often costs nothing
FILES_KEPT = 60.0  # seconds, since it writes
KEYS_KEPT = 60.0  # seconds for which keys that fit are not looked at again: it counts what older ones sealed

WORKER_SEEN, WORKER_SEEN_FOR = "comptoir:worker-seen", 60  # key in Redis that workers set; seconds it lasts

MIGRATIONS = Path(__file__).parent.parent / "migrations"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be."""

    what: str
    problem: str
    do: str


@dataclass(frozen=True)
class Report:
    """`missing`: without it the process cannot do its work. `warnings`: it can, and something will not happen."""

    missing: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        return not self.missing


Check = Callable[[], Awaitable[Finding | None]]


class Health:
    """Looks for one process; to be closed at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redis = Redis.from_url(
            settings.redis_url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, max_connections=4
        )
        self._looking = asyncio.Lock()
        self._report: Report | None = None
        self._reported_at = 0.0
        self._files: Finding | None = None
        self._files_at = -FILES_KEPT
        self._keys_at = -KEYS_KEPT

    async def report(self) -> Report:
        """What was found within the last second, or now, by whoever comes first."""
        async with self._looking:
            if self._report is None or time.monotonic() - self._reported_at > KEPT:
                self._report = await self._look()
                self._reported_at = time.monotonic()
            return self._report

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def _look(self) -> Report:
        database, redis, worker, store = await asyncio.gather(
            _bounded(self._database, DATABASE), _bounded(self._answers, REDIS),
            _bounded(self._worker, REDIS), _bounded(self._store, FILES),
        )  # fmt: skip
        unset = [
            Finding(name, f"{name} is not set: {effect}.", "Set it in the environment and restart.")
            for name, effect in self._settings.unset().items()
        ]
        keys = None if database else await _bounded(self._keys, KEYS)
        missing = tuple(finding for finding in (database, redis, keys) if finding)
        if redis:
            worker = None  # who cannot ask has not seen
        return Report(missing, tuple(finding for finding in (worker, store, *unset) if finding))

    async def _database(self) -> Finding | None:
        """Reached, and as far as the code is. Further is fine: a newer version is being rolled out."""
        try:
            known = {row["name"] for row in await fetch(_APPLIED)}
        except asyncpg.UndefinedTableError:
            known = set()
        lacking = sorted({path.stem for path in MIGRATIONS.glob("[0-9]*.py")} - known)
        if not lacking:
            return None
        return Finding("migrations", f"Not applied: {', '.join(lacking)}.", "Run `bin/comptoir migrate`.")

    async def _keys(self) -> Finding | None:
        if time.monotonic() - self._keys_at >= KEYS_KEPT:
            await generations.must_fit()
            self._keys_at = time.monotonic()
        return None

    async def _answers(self) -> Finding | None:
        await self._redis.ping()
        return None

    async def _worker(self) -> Finding | None:
        return None if await self._redis.exists(WORKER_SEEN) else WORKER

    async def _store(self) -> Finding | None:
        if time.monotonic() - self._files_at >= FILES_KEPT:
            self._files_at, self._files = time.monotonic(), FILES
            await files.save("probe", b"Written by /readyz to see whether it can be.\n")
            self._files = None
        return self._files


async def _bounded(check: Check, otherwise: Finding) -> Finding | None:
    """What a check finds, or `otherwise` where it fails or takes too long."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await check()
    except (
        OSError,
        TimeoutError,
        RedisError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        errors.DomainError,
    ) as error:
        log.warning("not healthy: %s (%r)", otherwise.problem, error)
        return otherwise


_APPLIED = "SELECT name FROM tortoise_migrations WHERE app = 'models'"

DATABASE = Finding(
    "database", "PostgreSQL does not answer in time.", "See that it runs, and that DATABASE_URL leads to it."
)
KEYS = Finding(
    "keys", "A master key is missing, or is another than before.", "See the log, and mend COMPTOIR_MASTER_KEYS."
)
REDIS = Finding("redis", "Redis does not answer in time.", "See that it runs, and that REDIS_URL leads to it.")
WORKER = Finding("worker", "No worker has been seen for a minute.", "Start `bin/comptoir worker`, supervised.")
FILES = Finding(
    "files",
    "Documents cannot be stored.",
    "See that COMPTOIR_HOME can be written to and has room, or with S3_BUCKET that the store answers, and try again.",
)
