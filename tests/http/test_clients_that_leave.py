"""What a client that closes its connection leaves behind: of a query nothing, of a mutation what it asked for."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from main import create_app
from models.database import POOL
from settings import Settings
from tests.http.served import served
from tests.shop import Shop

CLIENTS = {"query": "{ clients { nodes { email } } }"}
CLIENT_CREATE = {"query": 'mutation { clientCreate(input: { email: "left@example.com" }) { client { id } } }'}
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%clients%'"
)


@pytest.fixture
async def beside(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is none of the API's."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_queries_whose_clients_left_are_ended_and_their_connections_freed(
    shop: Shop, settings: Settings, database_url: str, beside: asyncpg.Connection
) -> None:
    everything = POOL["max_size"]
    async with served(create_app(settings)) as port, _clients_locked(database_url):
        waiting = [await _sent(port, shop, CLIENTS) for _ in range(everything)]
        await _until(lambda: _counts(beside, everything))

        for client in waiting:
            client.close()
        await _until(lambda: _counts(beside, 0))

        assert await shop("{ products { nodes { id } } }") == {"nodes": []}


async def test_a_mutation_whose_client_left_is_finished(
    shop: Shop, settings: Settings, database_url: str, beside: asyncpg.Connection
) -> None:
    async with served(create_app(settings)) as port:
        async with _clients_locked(database_url):
            client = await _sent(port, shop, CLIENT_CREATE)
            await _until(lambda: _counts(beside, 1))
            client.close()
            await client.wait_closed()
            await asyncio.sleep(0.3)  # for the API to see it, and to do the wrong thing
        await _until(lambda: _exists(shop))


@asynccontextmanager
async def _clients_locked(database_url: str) -> AsyncIterator[None]:
    """Nobody else reads or writes clients during the block."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE clients IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def _sent(port: int, shop: Shop, request: dict[str, Any]) -> asyncio.StreamWriter:
    """A client that has sent this and waits."""
    body = json.dumps(request).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.token}\r\nContent-Type: application/json"
    writer.write(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    return writer


async def _counts(connection: asyncpg.Connection, expected: int) -> bool:
    return bool(await connection.fetchval(WAITING) == expected)


async def _exists(shop: Shop) -> bool:
    return await shop.count("clients", "email = 'left@example.com'") == 1


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await true():
            await asyncio.sleep(0.02)
