"""Connections to the database that are cut: what was under way fails, and nothing is lost but time."""

import asyncio
import subprocess
import sys
from typing import Any

import asyncpg
import pytest
from tortoise import connections

from models import Client
from models.database import transaction
from tests.shop import Shop

# Blocks our loop meanwhile: the pool must not learn that its connections are gone before it hands them out.
CUT = """
import asyncio, asyncpg, sys
async def cut():
    connection = await asyncpg.connect(sys.argv[1])
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
asyncio.run(cut())
"""


async def test_a_connection_cut_before_its_transaction_begins_is_given_back(shop: Shop, database_url: str) -> None:
    for _ in range(3):
        assert await Client.all().count() == 0  # one at least is connected
        subprocess.run([sys.executable, "-c", CUT, database_url], check=True, timeout=30)  # noqa: ASYNC221 - blocks on purpose
        with pytest.raises(Exception, match="connection was closed|terminating connection|reset by peer"):
            async with transaction():
                pass

    await all_are_given_back()
    async with transaction():
        await Client.create(organization=shop.organization, email="marie@example.com")
    assert await Client.all().count() == 1


async def test_a_transaction_given_up_before_it_begins_gives_its_connection_back(shop: Shop) -> None:
    for pause in range(20):
        opening = asyncio.create_task(nothing())
        for _ in range(pause):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])

    await all_are_given_back()


async def nothing() -> None:
    async with transaction():
        pass


async def all_are_given_back() -> None:
    """No connection of the pool is in anybody's hands. asyncpg gives back in a task that outlives who was cancelled."""
    pool: asyncpg.Pool[Any] = connections.get("default")._pool  # type: ignore[attr-defined]
    async with asyncio.timeout(20):
        while pool.get_size() != pool.get_idle_size():
            await asyncio.sleep(0.01)
