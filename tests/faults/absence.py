"""A database that is away for a while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg


@asynccontextmanager
async def away(database_url: str) -> AsyncIterator[None]:
    """PostgreSQL shows the door to everyone in the database, and lets nobody in."""
    name = urlsplit(database_url).path.lstrip("/")
    beside = await asyncpg.connect(database_url, database="postgres")
    try:
        await beside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await beside.fetch("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1", name)
        yield
    finally:
        await beside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await beside.close()
