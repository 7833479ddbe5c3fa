"""Connections for reading, outside any transaction: PostgreSQL refuses them every write.

A pool of ours: it keeps no state between two uses but prepared statements, and so has nothing to reset and nobody to
ask when a connection is given back. asyncpg's own pool costs twice a small statement. Nothing may be done here that
outlives a statement: no SET but SET LOCAL, no LISTEN, no advisory lock; `tests/test_database_reads.py` looks.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

import asyncpg

from errors import Unreachable

log = logging.getLogger("comptoir.sql")

T = TypeVar("T")

CONNECT_TIMEOUT = 10.0  # seconds
WAIT_MOST = 5.0  # seconds for a free connection
WAITING_MOST = 1000  # callers at once; who comes then is told at once
IDLE_MOST = 300.0  # seconds: firewalls forget a silent connection, PostgreSQL keeps its memory for it
# One for each shape of a read. A large plan takes 100 kB of PostgreSQL's memory, so a connection 10 MB at worst.
STATEMENTS_MOST = 100
STATEMENT_SIZE_MOST = 64 * 1024  # characters; a longer one is prepared each time

_SET = "SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS settings (name, value)"


class Reader:
    """One connection, which gives rows and nothing else. The log `comptoir.sql` is told the SQL, never the values."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """All rows; the statement stays prepared."""
        return await self._answer(sql, self._connection.fetch(sql, *values))

    async def fetchrow(self, sql: str, *values: Any) -> asyncpg.Record | None:
        """The first row."""
        return await self._answer(sql, self._connection.fetchrow(sql, *values))

    async def fetch_under(self, settings: dict[str, str], sql: str, *values: Any) -> list[asyncpg.Record]:
        """All rows, read under PostgreSQL's settings of these names, which end with the statement."""
        async with self._connection.transaction(readonly=True):
            await self.fetch(_SET, [*settings], [*settings.values()])
            return await self.fetch(sql, *values)

    async def _answer(self, sql: str, asked: Awaitable[T]) -> T:
        log.debug("%s", sql)
        try:
            return await asked
        except (asyncpg.PostgresError, asyncpg.InternalClientError) as error:
            # What PostgreSQL says as it leaves comes before the end of the connection does: nobody else shall have it.
            if getattr(error, "severity_en", "FATAL") in ("FATAL", "PANIC"):
                self._connection.terminate()
            raise


class Readers:
    """Connections opened as they are needed, `size` at most; `timeout` in seconds is a statement's.

    `credentials` as `asyncpg.connect` takes them.
    """

    def __init__(self, credentials: dict[str, Any], *, size: int, timeout: float, wait_most: float = WAIT_MOST) -> None:
        self._options: dict[str, Any] = {
            **credentials,
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": timeout + 5,  # PostgreSQL gives up first and says so, unless it is gone
            "statement_cache_size": STATEMENTS_MOST,
            "max_cached_statement_lifetime": 0,  # only the least used are forgotten
            "max_cacheable_statement_size": STATEMENT_SIZE_MOST,
            "server_settings": {
                "application_name": "comptoir reads",
                "default_transaction_read_only": "on",
                "statement_timeout": f"{round(timeout * 1000)}ms",
                "idle_in_transaction_session_timeout": f"{round(timeout * 1000)}ms",
                "jit": "off",  # compiling costs more than a page of rows
                # Planning anew for each set of values takes longer than most reads. What a better plan would need to
                # know is in the SQL: keys, and the size of a page.
                "plan_cache_mode": "force_generic_plan",
            },
        }
        self._wait_most = wait_most
        self._places = asyncio.Semaphore(size)
        self._waiting = 0
        self._free: list[tuple[asyncpg.Connection, float]] = []  # with when each came back, the last one last
        self._busy: set[asyncpg.Connection] = set()

    def reader(self) -> "Use":
        """A connection for the time of the block. Raises Unreachable where none becomes free in time."""
        return Use(self)

    async def take(self) -> asyncpg.Connection:
        await self._take_place()
        try:
            return await self._connection()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: asyncpg.Connection) -> None:
        self._give_back(connection)
        self._places.release()

    async def close(self) -> None:
        """Cut every connection: there is nothing to be finished that another cannot read again."""
        for connection in (*(free for free, _ in self._free), *self._busy):
            connection.terminate()
        self._free.clear()

    async def _take_place(self) -> None:
        if not self._places.locked():  # the way of nearly every read: nothing to wait for, no timer to set
            await self._places.acquire()
            return
        if self._waiting >= WAITING_MOST:
            raise _busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_most):
                await self._places.acquire()
        except TimeoutError:
            raise _busy() from None
        finally:
            self._waiting -= 1

    async def _connection(self) -> asyncpg.Connection:
        """The one that came back last, so that few are kept warm and the others grow old; else a new one."""
        oldest = asyncio.get_running_loop().time() - IDLE_MOST
        connection = None
        while self._free and connection is None:
            free, since = self._free.pop()
            if since > oldest and not free.is_closed():
                connection = free
            else:
                free.terminate()
        if connection is None:
            connection = await asyncpg.connect(**self._options)
        self._busy.add(connection)
        return connection

    def _give_back(self, connection: asyncpg.Connection) -> None:
        self._busy.discard(connection)
        if connection.is_closed() or connection.is_in_transaction():
            connection.terminate()
            return
        now = asyncio.get_running_loop().time()
        if self._free and self._free[0][1] < now - IDLE_MOST:
            self._free.pop(0)[0].terminate()
        self._free.append((connection, now))


class Use:
    """A block that uses a connection; written out, since a generator costs a tenth of a small statement."""

    __slots__ = ("_connection", "_readers")

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def __aenter__(self) -> Reader:
        self._connection = await self._readers.take()
        return Reader(self._connection)

    async def __aexit__(self, *_: object) -> None:
        self._readers.give_back(self._connection)


def _busy() -> Unreachable:
    return Unreachable("Too much is being read at once. Try again in a few seconds.")
