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
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
asyncio.run(cut())
"""


async def test_a_connection_cut_before_its_transaction_begins_is_given_back(shop: Shop, database_url: str) -> None:
    before = busy()

    for _ in range(3):
        assert await Client.all().count() == 0  # one at least is connected
        subprocess.run([sys.executable, "-c", CUT, database_url], check=True, timeout=30)  # noqa: ASYNC221 - blocks on purpose
        with pytest.raises(Exception, match="connection was closed|terminating connection|reset by peer"):
            async with transaction():
                pass

    assert busy() == before
    async with transaction():
        await Client.create(organization=shop.organization, email="marie@example.com")
    assert await Client.all().count() == 1


async def test_a_transaction_given_up_before_it_begins_gives_its_connection_back(shop: Shop) -> None:
    before = busy()
    for pause in range(20):
        opening = asyncio.create_task(nothing())
        for _ in range(pause):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening])

    assert busy() == before


async def nothing() -> None:
    async with transaction():
        pass


def busy() -> int:
    """How many connections of the pool are in somebody's hands."""
    pool: asyncpg.Pool[Any] = connections.get("default")._pool  # type: ignore[attr-defined]
    return pool.get_size() - pool.get_idle_size()
