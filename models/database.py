"""The connections, the transaction, the migrations.

Tortoise's connections write; reads outside any transaction have their own, of `models/readers.py`.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise import Tortoise, connections
from tortoise.backends.base.client import BaseDBAsyncClient, TransactionContextPooled
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError
from tortoise.migrations.api import migrate as run_migrations
from tortoise.models import Model
from tortoise.transactions import in_transaction

from errors import Conflict, NotConfigured
from models import audit, fresh
from models.readers import Reader, Readers
from models.together import Together

log = logging.getLogger("comptoir.database")

POOL_SIZE = 20  # connections of each kind
READ_TIMEOUT = 10.0  # seconds
# PostgreSQL gives up first and says so; what waits for a server that says nothing gives up a little later.
WRITE_TIMEOUT = 25
POOL = {
    "min_size": 1,
    "max_size": POOL_SIZE,
    "timeout": 10,  # seconds, to connect
    "command_timeout": WRITE_TIMEOUT + 5,
    "server_settings": {
        "application_name": "comptoir",
        "statement_timeout": f"{WRITE_TIMEOUT}s",
        "idle_in_transaction_session_timeout": f"{2 * WRITE_TIMEOUT}s",
    },
}
MIGRATION_LOCK = 0x434D5054  # any constant of ours: two processes that migrate at once must take turns

TRIES = 3  # of a transaction that stood in another's way

T = TypeVar("T")
AfterCommit = Callable[[], Awaitable[None]]
_after_commit: ContextVar[list[AfterCommit] | None] = ContextVar("after_commit", default=None)
_readers: Readers | None = None
_on_commit: Callable[[], None] | None = None


def config(database_url: str, **pool: Any) -> dict[str, Any]:
    """Tortoise's configuration for a `postgres://` address."""
    credentials = {**_credentials(database_url), **POOL, **pool}
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {"models": {"models": ["models"], "migrations": "migrations", "default_connection": "default"}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def connect(database_url: str, *, pool_size: int = POOL_SIZE, read_timeout: float = READ_TIMEOUT) -> None:
    """Open the pools for this process, `pool_size` connections each at most; `read_timeout` in seconds.

    They are global: requests and jobs run in other contexts than this.
    """
    global _readers
    await Tortoise.init(config(database_url, max_size=pool_size), _enable_global_fallback=True)
    _readers = Readers(_credentials(database_url), size=pool_size, timeout=read_timeout)


async def disconnect() -> None:
    global _readers
    opened, _readers = _readers, None
    if opened:
        await opened.close()
    await Tortoise.close_connections()


def reader() -> AbstractAsyncContextManager[Reader]:
    """A connection for reading, for the time of the block; PostgreSQL refuses it every write.

    Raises Unreachable where none becomes free in time. A statement that takes too long raises
    asyncpg.QueryCanceledError, and the connection is good for the next.
    """
    if _readers is None:
        raise RuntimeError("the database is not connected")
    return _readers.reader()


async def fetch(sql: str, *values: Any) -> list[asyncpg.Record]:
    """Rows of one reading statement, which stays prepared. It sees nothing of a transaction that is open here."""
    async with reader() as connection:
        return await connection.fetch(sql, *values)


@asynccontextmanager
async def transaction() -> AsyncIterator[BaseDBAsyncClient]:
    """One transaction; what `after_commit` registers runs once it stands. Not to be nested: see `savepoint`.

    What is changed in it is logged as done by whoever is acting (`models/audit.py`).
    """
    if in_a_transaction():
        raise RuntimeError("a transaction is already open: nothing below its opener commits")
    hooks: list[AfterCommit] = []
    token = _after_commit.set(hooks)
    try:
        async with _begun() as connection:
            await _signed(connection)
            yield connection
    except IntegrityError as error:
        if refusal := _typed(error):
            raise refusal from error
        raise
    finally:
        _after_commit.reset(token)
    if _on_commit:
        _on_commit()
    for hook in dict.fromkeys(hooks):
        await hook()


async def retried(work: Callable[[], Awaitable[T]]) -> T:
    """What a work gives that opens a transaction, begun again where PostgreSQL rolled that back for another's sake
    (deadlock_detected, serialization_failure); three times at most."""
    for _ in range(TRIES - 1):
        try:
            return await work()
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
            log.warning("begun again: %s", error)
    return await work()


@asynccontextmanager
async def savepoint() -> AsyncIterator[None]:
    """A part of the open transaction that may fail alone."""
    async with in_transaction():
        yield


async def deleted(row: Model) -> bool:
    """Delete a row, in the open transaction; False, and nothing done, where another row names it."""
    try:
        async with savepoint():
            await row.delete()
    except IntegrityError:
        return False
    return True


@asynccontextmanager
async def _begun() -> AsyncIterator[BaseDBAsyncClient]:
    """Tortoise's transaction, which keeps its connection for ever where BEGIN fails: the server left, or we were
    cancelled. Twenty of these, and nobody gets a connection any more."""
    pool = connections.get("default")
    opening: Any = TransactionContextPooled(Together(pool), pool._pool_init_lock)
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(opening)
        except BaseException:
            if hasattr(opening, "token"):  # it had its connection, and the context was told of it
                get_connections().reset(opening.token)
                await opening.client._parent._pool.release(opening.client._connection)
            raise
        yield connection


async def _signed(connection: BaseDBAsyncClient) -> None:
    """Tell the audit log's triggers who acts, until the transaction ends; where nobody does they stay silent."""
    who = audit.current()
    if who is not None and who.organization_id is not None:
        await connection.execute_query("SELECT set_config('comptoir.actor', $1, true)", [who.told])


async def unsigned() -> None:
    """What comes in the open transaction is done to another organization: the actor's audit log is not told."""
    await query("SELECT set_config('comptoir.actor', '', true)")


def in_a_transaction() -> bool:
    return _after_commit.get() is not None


def open_transaction() -> object | None:
    """The transaction that is open: the same as another, or not."""
    return _after_commit.get()


def after_commit(hook: AfterCommit) -> None:
    """Run once the open transaction is committed (the same hook once); never if it rolls back."""
    hooks = _after_commit.get()
    if hooks is None:
        raise RuntimeError("no transaction is open")
    hooks.append(hook)


def on_commit(told: Callable[[], None] | None) -> None:
    """Call this after each transaction of this process."""
    global _on_commit
    _on_commit = told


# Rules that a caller can break, by the name of the index that keeps them.
_BROKEN = {
    "clients_email": ("A client with this e-mail address already exists.", "input.email"),
    "client_imports_under_way": ("Clients are being imported: wait for the end of that.", "input.upload"),
    "client_consents_one": ("A consent to this holds already: withdraw it first.", "input.purpose"),
    "tags_name": ("A tag of this name already exists.", "input.name"),
    "discount_codes_code": ("This code exists already.", "input.code"),
    "partners_slug": ("A partner with this slug already exists.", "input.slug"),
    "order_lines_product_id": ("A product was deleted just now.", "input.lines"),
    "orders_client_id": ("The client was deleted just now.", "input.client"),
    "quote_lines_product_id": ("A product was deleted just now.", "input.lines"),
    "quotes_client_id": ("The client was deleted just now.", "input.client"),
    "product_partners_partner_id": ("A partner was deleted just now.", "input.partners"),
    "partner_keys_partner_id": ("The partner was deleted just now.", "input.partner"),
    "staff_membership_id_index": ("This member can be booked already, as somebody else.", "input.member"),
    "oauth_grants_of_member": ("This was connected in another window just now.", None),
    "oauth_grants_of_organization": ("This was connected by somebody else just now.", None),
    "users_email_key": ("This person is being added by somebody else right now. Try again.", "input.email"),
}


def _typed(error: IntegrityError) -> Conflict | None:
    """The refusal behind a broken constraint, where a caller can act on it."""
    broken: Any = error.__cause__ or error
    broken.detail = None  # it holds the whole row, sealed secrets and people's data included: not for a log
    message, field = _BROKEN.get(getattr(broken, "constraint_name", None) or "", (None, None))
    return Conflict(message, field=field) if message else None


async def query(sql: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of a statement, on the open transaction's connection or a fresh one."""
    rows: list[dict[str, Any]] = await connections.get("default").execute_query_dict(sql, list(values))
    return rows


async def migrate(database_url: str) -> list[str]:
    """Bring the database up to date, one process at a time; the names of what was applied."""
    applied: list[str] = []

    def report(event: str, app: str, name: str) -> None:
        if event == "apply_done":
            applied.append(name)

    lock = await asyncpg.connect(database_url)
    try:
        await lock.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        applied += await fresh.make(lock)
        await run_migrations(config=config(database_url, **_PATIENT), direction="forward", progress=report)
    finally:
        await Tortoise.close_connections()
        await lock.close()
    return applied


# Building an index of a large table takes its time.
_PATIENT = {"command_timeout": 3600, "server_settings": {"application_name": "comptoir migrations"}}


def _credentials(database_url: str) -> dict[str, Any]:
    """Where a `postgres://` address leads and who comes, in asyncpg's words."""
    at = urlsplit(database_url)
    options = dict(parse_qsl(at.query))
    encryption = {"ssl": options.pop("sslmode")} if "sslmode" in options else {}
    if options:
        raise NotConfigured(f"DATABASE_URL: {', '.join(options)} is not understood; sslmode is.")
    return {
        "host": at.hostname, "port": at.port or 5432, "user": unquote(at.username or ""),
        "password": unquote(at.password or "") or None, "database": at.path.lstrip("/"), **encryption,
    }  # fmt: skip
