"""/readyz: whether the process can do its work, what is missing, and what to do about it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from services.health import WORKER_SEEN, Health
from settings import Settings
from tests.faults.absence import away
from tests.security.surroundings import installed_with
from tests.shop import Shop
from workers import watching

NOWHERE = "redis://:a-password@127.0.0.1:9/0"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as redis:
        yield redis
        await redis.delete(WORKER_SEEN)


@pytest.fixture
async def worker(redis: Redis) -> AsyncIterator[None]:
    """One that is alive."""
    async with watching.seen(redis):
        async with asyncio.timeout(10):
            while not await redis.exists(WORKER_SEEN):
                await asyncio.sleep(0.01)
        yield


@pytest.mark.usefixtures("worker")
async def test_a_process_that_has_everything_is_ready(shop: Shop) -> None:
    assert await ready(shop) == (200, {"status": "ready", "missing": [], "warnings": []})


@pytest.mark.usefixtures("worker")
async def test_without_postgresql_it_is_not_ready_and_says_so(
    shop: Shop, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with away(database_url):
        status, told = await ready(shop)

    assert (status, told["status"]) == (503, "not ready")
    assert [finding["what"] for finding in told["missing"]] == ["database"]
    assert told["missing"][0]["do"] == "See that it runs, and that DATABASE_URL leads to it."
    assert "not currently accepting connections" in caplog.text  # why is for the log
    assert (await ready(shop))[0] == 200


async def test_without_redis_it_is_not_ready_and_tells_no_address(shop: Shop) -> None:
    status, told = await ready(shop, redis_url=NOWHERE)

    assert status == 503
    assert [finding["what"] for finding in told["missing"]] == ["redis"]
    assert [finding["what"] for finding in told["warnings"]] == []  # nobody can say whether there is a worker
    at = urlsplit(NOWHERE)
    assert not [secret for secret in (at.hostname, at.password) if str(secret) in str(told)]


@pytest.mark.usefixtures("worker")
async def test_a_database_that_lags_behind_the_code_names_what_is_to_be_applied(shop: Shop) -> None:
    await shop.sql("UPDATE tortoise_migrations SET name = 'x' WHERE name = '0002_constraints'")
    try:
        status, told = await ready(shop)
    finally:
        await shop.sql("UPDATE tortoise_migrations SET name = '0002_constraints' WHERE name = 'x'")

    assert status == 503
    assert told["missing"] == [
        {"what": "migrations", "problem": "Not applied: 0002_constraints.", "do": "Run `bin/comptoir migrate`."}
    ]


@pytest.mark.usefixtures("worker")
async def test_a_database_without_any_tables_has_everything_to_be_applied(shop: Shop) -> None:
    await shop.sql("ALTER TABLE tortoise_migrations RENAME TO elsewhere")
    try:
        status, told = await ready(shop)
    finally:
        await shop.sql("ALTER TABLE elsewhere RENAME TO tortoise_migrations")

    assert status == 503
    assert told["missing"][0]["problem"].startswith("Not applied: 0001_tables, 0002_constraints, ")


async def test_a_worker_that_has_not_been_seen_is_a_warning(shop: Shop) -> None:
    status, told = await ready(shop)

    assert (status, told["status"], told["missing"]) == (200, "ready", [])
    assert told["warnings"] == [
        {
            "what": "worker",
            "problem": "No worker has been seen for a minute.",
            "do": "Start `bin/comptoir worker`, supervised.",
        }
    ]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("setting", "unset"),
    [("stripe_secret_key", None), ("stripe_webhook_secret", ()), ("smtp_host", None), ("smtp_from", None)],
)
async def test_what_is_not_configured_is_a_warning(shop: Shop, setting: str, unset: object) -> None:
    status, told = await ready(shop, **{setting: unset})

    assert status == 200
    (warning,) = told["warnings"]
    assert warning["what"] == setting.upper()
    assert warning["do"]


@pytest.mark.usefixtures("worker")
async def test_a_store_that_cannot_be_written_to_is_a_warning(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("no folder")

    status, told = await ready(shop, comptoir_home=tmp_path)

    assert status == 200
    assert [finding["what"] for finding in told["warnings"]] == ["files"]
    assert str(tmp_path) not in str(told)


@pytest.mark.usefixtures("worker")
async def test_many_who_ask_at_once_are_answered_by_one_look(
    shop: Shop, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    health = Health(settings)

    with caplog.at_level(logging.DEBUG, "comptoir.sql"):
        reports = await asyncio.gather(*(health.report() for _ in range(100)))
    await health.aclose()

    assert all(report is reports[0] for report in reports)
    assert len([record for record in caplog.records if record.name == "comptoir.sql"]) == 1


async def ready(shop: Shop, **settings: Any) -> tuple[int, dict[str, Any]]:
    """What a process that has just started answers."""
    async with installed_with(shop, **settings) as installed:
        response = await installed.http.get("/readyz")
    return response.status_code, response.json()
