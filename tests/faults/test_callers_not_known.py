"""Who is calling cannot be looked up: the readers are all busy, PostgreSQL is away. GraphQL answers, and comes back."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from models.database import fetch, reader
from models.readers import WAITING_MOST
from settings import Settings
from tests.faults.absence import away
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

OPERATIONS = [
    "{ me { id } }",
    "{ clients { nodes { email } } }",
    'mutation { clientCreate(input: { email: "marie@example.com" }) { client { id } } }',
]


async def test_a_caller_for_whom_no_reader_is_free_is_told_to_come_back(shop: Shop, settings: Settings) -> None:
    async with nothing_changes(shop), _readers_busy(settings):
        errors = [await _error(shop, operation) for operation in OPERATIONS]

    assert {error["extensions"]["code"] for error in errors} == {"UNAVAILABLE"}
    await _all_work(shop)


async def test_a_caller_while_postgresql_is_away_is_given_an_id_to_tell_us(
    shop: Shop, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with nothing_changes(shop):
        with caplog.at_level(logging.ERROR, "comptoir.errors"):
            async with away(database_url):
                errors = [await _error(shop, operation) for operation in OPERATIONS * 2]

    assert {error["extensions"]["code"] for error in errors} == {"INTERNAL"}
    assert {error["message"].partition(":")[0] for error in errors} == {
        "Something went wrong on our side. If it lasts, tell us this id"
    }
    for error in errors:
        assert error["extensions"]["id"] in caplog.text
    await _all_work(shop)


async def _error(shop: Shop, operation: str) -> dict[str, Any]:
    """The one error of an answer that is GraphQL's in every way."""
    headers = {"Authorization": f"Bearer {shop.token}"}
    response = await shop.http.post("/graphql", json={"query": operation}, headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    answer = response.json()
    assert answer["data"] is None
    (error,) = answer["errors"]
    return dict(error)


async def _all_work(shop: Shop) -> None:
    for operation in OPERATIONS:
        assert await shop(operation)


@asynccontextmanager
async def _readers_busy(settings: Settings) -> AsyncIterator[None]:
    """Every connection for reading is in use, and as many wait for one as may: the next is told at once."""
    async with AsyncExitStack() as held:
        for _ in range(settings.database_pool_size):
            await held.enter_async_context(reader())
        waiting = [asyncio.create_task(fetch("SELECT 1")) for _ in range(WAITING_MOST)]
        await asyncio.sleep(0)
        yield
    await asyncio.gather(*waiting, return_exceptions=True)  # a slow machine makes some give up
