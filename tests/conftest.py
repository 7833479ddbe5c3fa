"""Real PostgreSQL and Valkey for the whole run, a fresh database for each worker, the sandbox for the outside world."""

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis
from tortoise import connections

from local import embedded, pango
from main import create_app
from models.database import migrate
from sandbox import Sandbox
from services import hashing, outside
from services.rendering import Renderer
from settings import Settings
from tests.printer import Printer
from tests.shop import CHEAP, CHEAP_HASH, WEBHOOK_SECRET, Shop

if TYPE_CHECKING:
    from tests.bucket import Bucket

HOME = Path(os.environ.get("COMPTOIR_HOME", "var")).resolve() / "test"
# Each more than ten seconds.
LONGEST = (
    "test_tenants.py", "test_fresh_databases.py", "test_import_killed.py", "test_worker_killed.py",
    "test_stripe_fails.py", "test_tenants_in_plans.py", "test_histories.py", "test_money_at_once.py", "test_events.py",
)  # fmt: skip
MIGRATIONS = Path(__file__).parent.parent / "migrations"


def pytest_configure(config: pytest.Config) -> None:
    """The servers are started once, by the process that the others are told from."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    config.stash[_servers] = opened = ExitStack()
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    ours = opened.enter_context(
        embedded.servers(HOME, postgres=not given["DATABASE_URL"], valkey=not given["REDIS_URL"], durable=False)
    )
    os.environ["TEST_DATABASE_URL"] = given["DATABASE_URL"] or ours.database_url
    os.environ["TEST_REDIS_URL"] = given["REDIS_URL"] or ours.redis_url
    os.environ |= pango.environment(HOME.parent)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two more than there are processors, four at most: tests also wait, for processes and for Stripe's library."""
    return min(4, (os.cpu_count() or 1) + 2)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that nothing is waited for in the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_unconfigure(config: pytest.Config) -> None:
    if opened := config.stash.get(_servers, None):
        opened.close()


_servers: pytest.StashKey[ExitStack] = pytest.StashKey()


@pytest.fixture(scope="session")
def worker_number(worker_id: str) -> int:
    return 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1


@pytest.fixture(scope="session")
async def database_url(worker_number: int) -> str:
    """This worker's own database, copied from a template that the migrations built."""
    server = os.environ["TEST_DATABASE_URL"]
    shape = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(MIGRATIONS.glob("*.py")))).hexdigest()[:12]
    template, mine = f"comptoir_template_{shape}", f"comptoir_test_{worker_number}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute("SELECT pg_advisory_lock(1)")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", template):
            await connection.execute(f'DROP DATABASE IF EXISTS "{template}_draft" WITH (FORCE)')  # a run was killed
            await connection.execute(f'CREATE DATABASE "{template}_draft"')
            await migrate(_database(server, f"{template}_draft"))
            await connection.execute(f'ALTER DATABASE "{template}_draft" RENAME TO "{template}"')
        await connection.execute(f'DROP DATABASE IF EXISTS "{mine}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{mine}" TEMPLATE "{template}"')
    finally:
        await connection.close()
    return _database(server, mine)


@pytest.fixture(scope="session")
async def redis_url(worker_number: int) -> str:
    url = urlunsplit(urlsplit(os.environ["TEST_REDIS_URL"])._replace(path=f"/{worker_number % 16}"))
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
    return url


@pytest.fixture(scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(webhook_secret=WEBHOOK_SECRET) as opened:
        yield opened


@pytest.fixture(scope="session")
def settings(database_url: str, redis_url: str, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        _env_file=None,
        app_url="http://comptoir.test",
        rate_factor=1000,  # tests are quick; those of rates say what holds
        database_url=database_url,
        redis_url=redis_url,
        comptoir_home=tmp_path_factory.mktemp("home"),
        comptoir_master_keys="k1:" + "a2V5" * 10 + "a2U=",
        stripe_secret_key="sk_test_comptoir",
        stripe_webhook_secret=WEBHOOK_SECRET,
        stripe_payment_methods="card,sepa_debit",
        stripe_api_base=sandbox.url,
        smtp_host="127.0.0.1",
        smtp_port=sandbox.smtp_port,
        smtp_security="none",
        smtp_from="factures@comptoir.test",
        sandbox_url=sandbox.url,
    )


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server, started where a test wants one."""
    from tests import bucket

    with bucket.served() as address:
        yield address


@pytest.fixture
def bucket(s3: str) -> "Bucket":
    """An empty one."""
    from tests.bucket import Bucket

    return Bucket.make(s3)


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    opened = Renderer(size=1)
    yield opened
    opened.close()


@pytest.fixture
def printer(http: httpx.AsyncClient) -> Iterator[Printer]:
    """Instead of the renderer, for the time of a test."""
    real, stand_in = outside.outside().renderer, Printer()
    outside.outside().renderer = stand_in  # type: ignore[assignment]
    yield stand_in
    outside.outside().renderer = real


@pytest.fixture(scope="session")
async def http(settings: Settings, renderer: Renderer) -> AsyncIterator[httpx.AsyncClient]:
    """The API's front door."""
    hashing.use(CHEAP, CHEAP_HASH)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        outside.outside().renderer = renderer
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=settings.app_url) as client:
            yield client


@pytest.fixture
async def shop(http: httpx.AsyncClient, sandbox: Sandbox, settings: Settings) -> Shop:
    """An organization with its owner signed in, on empty tables; nobody asked or guessed before."""
    await _empty_tables()
    await _forget(settings.redis_url)
    sandbox.partner.answer()
    sandbox.stripe.books.store.forget("clock", "subscription", "invoice")  # nothing is left to renew, and it is today
    return await Shop.open(http, sandbox)


async def _empty_tables() -> None:
    """As a replica does, without triggers: those of foreign keys, and the one that refuses to empty the audit log. A
    superuser may, and nobody else. Looking first which tables hold anything costs a thirtieth of emptying all of them;
    one DELETE is far faster than TRUNCATE on tables this small."""
    connection = connections.get("default")
    tables = await connection.execute_query_dict(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname NOT LIKE '%migration%'"
    )
    held = " UNION ALL ".join(
        f"SELECT '{row['relname']}' AS name WHERE EXISTS (TABLE {row['relname']})" for row in tables
    )
    emptied = [f"_{row['name']} AS (DELETE FROM {row['name']})" for row in await connection.execute_query_dict(held)]
    if emptied:
        await connection.execute_script(
            f"BEGIN; SET LOCAL session_replication_role = replica; WITH {', '.join(emptied)} SELECT 1; COMMIT"
        )


async def _forget(redis_url: str) -> None:
    """How often anybody asked or guessed."""
    async with Redis.from_url(redis_url) as redis:
        counted = [*await redis.keys("limit:*"), *await redis.keys("lockout:*")]
        await redis.delete("limit:", *counted)


def _database(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
