"""The readers' connections: they write nothing, wait for no one for ever, and are good again after each failure."""

import asyncio
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

import models.readers
from errors import ErrorCode, Unreachable
from models.database import _credentials, fetch, reader
from models.readers import Readers
from tests.faults.test_connections import CUT
from tests.security.documents import LISTS, list_document
from tests.shop import Shop

SLOW = "SELECT pg_sleep(30)"
PID = "SELECT pg_backend_pid() AS pid"


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Readers]:
    """A pool of a single connection, with little patience."""
    opened = Readers(_credentials(database_url), size=1, timeout=0.2, wait_most=0.1)
    yield opened
    await opened.close()


async def pid_of(readers: Readers) -> int:
    async with readers.reader() as connection:
        (row,) = await connection.fetch(PID)
    return int(row["pid"])


async def test_rows_are_read_and_the_connection_is_used_again(one: Readers) -> None:
    assert await pid_of(one) == await pid_of(one)


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO users (id) VALUES (gen_random_uuid())",
        "UPDATE organizations SET name = 'x' RETURNING id",
        "DELETE FROM users",
        "CREATE TABLE mine (id int)",
        "SELECT setval('x', 1)",
        "WITH made AS (DELETE FROM users RETURNING id) SELECT * FROM made",
    ],
)
async def test_a_write_is_refused(shop: Shop, write: str) -> None:
    before = await shop.count("users")

    with pytest.raises((asyncpg.ReadOnlySQLTransactionError, asyncpg.UndefinedTableError)):
        await fetch(write)

    assert await shop.count("users") == before


async def test_a_read_that_takes_too_long_is_given_up_and_its_connection_is_good_for_the_next(one: Readers) -> None:
    before = await pid_of(one)

    with pytest.raises(asyncpg.QueryCanceledError, match="statement timeout"):
        async with one.reader() as connection:
            await connection.fetch(SLOW)

    assert await pid_of(one) == before


async def test_a_caller_who_gives_up_leaves_a_good_connection(one: Readers) -> None:
    for pause in range(20):
        asking = asyncio.create_task(pid_of(one))
        for _ in range(pause):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])

    assert await pid_of(one)


async def test_a_caller_who_gives_up_in_the_middle_of_a_statement_leaves_a_good_connection(one: Readers) -> None:
    await pid_of(one)

    async def slow() -> None:
        async with one.reader() as connection:
            await connection.fetch("SELECT pg_sleep(0.15)")

    asking = asyncio.create_task(slow())
    await asyncio.sleep(0.02)
    asking.cancel()
    await asyncio.wait([asking])

    assert await pid_of(one)


async def test_who_waits_too_long_for_a_connection_is_told_and_the_next_one_gets_it(one: Readers) -> None:
    async with one.reader():
        with pytest.raises(Unreachable, match="Try again in a few seconds") as refused:
            await pid_of(one)

    assert refused.value.extensions["code"] == ErrorCode.UNAVAILABLE.value
    assert await pid_of(one)


async def test_who_comes_after_a_thousand_others_is_told_at_once(
    database_url: str,
) -> None:
    patient = Readers(_credentials(database_url), size=1, timeout=5, wait_most=60)
    async with patient.reader() as connection:
        waiting = [asyncio.create_task(pid_of(patient)) for _ in range(models.readers.WAITING_MOST)]
        await asyncio.sleep(0)
        with pytest.raises(Unreachable):
            await pid_of(patient)
        (row,) = await connection.fetch(PID)

    assert set(await asyncio.gather(*waiting)) == {row["pid"]}
    await patient.close()


async def test_many_callers_share_few_connections(database_url: str) -> None:
    readers = Readers(_credentials(database_url), size=3, timeout=5)

    pids = await asyncio.gather(*(pid_of(readers) for _ in range(200)))

    assert len(set(pids)) <= 3
    await readers.close()


async def test_a_connection_that_the_server_closed_is_replaced(one: Readers, shop: Shop) -> None:
    before = await pid_of(one)
    await shop.sql("SELECT pg_terminate_backend($1)", before)
    async with asyncio.timeout(10):
        while not one._free[0][0].is_closed():
            await asyncio.sleep(0.01)

    assert await pid_of(one) != before


async def test_a_connection_cut_before_we_know_of_it_fails_one_read_at_most(one: Readers, database_url: str) -> None:
    before = await pid_of(one)
    # Our loop stands still meanwhile.
    subprocess.run([sys.executable, "-c", CUT, database_url], check=True, timeout=30)  # noqa: ASYNC221
    with suppress(asyncpg.PostgresError, asyncpg.InternalClientError, ConnectionError):
        await pid_of(one)

    assert await pid_of(one) != before


async def test_a_connection_cut_in_the_middle_of_a_statement_is_replaced(one: Readers, shop: Shop) -> None:
    before = await pid_of(one)

    with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError)):
        async with one.reader() as connection:
            await connection.fetch("SELECT pg_terminate_backend(pg_backend_pid())")

    assert await pid_of(one) != before


async def test_a_connection_left_in_a_transaction_is_not_given_to_another(one: Readers) -> None:
    async with one.reader() as connection:
        (before,) = await connection.fetch(PID)
        await connection.fetch("BEGIN")

    assert await pid_of(one) != before["pid"]


async def test_a_server_that_is_not_there_leaves_the_place_free(database_url: str) -> None:
    nowhere = Readers({**_credentials(database_url), "port": 1}, size=1, timeout=1, wait_most=0.1)

    for _ in range(3):
        with pytest.raises(OSError):
            await pid_of(nowhere)


async def test_statements_stay_prepared(one: Readers) -> None:
    names = "SELECT name FROM pg_prepared_statements WHERE statement = $1"
    async with one.reader() as connection:
        await connection.fetch("SELECT 1 AS one")
        (first,) = await connection.fetch(names, "SELECT 1 AS one")
    async with one.reader() as connection:
        await connection.fetch("SELECT 1 AS one")
        assert await connection.fetch(names, "SELECT 1 AS one") == [first]


async def test_the_log_is_told_the_sql_and_no_value(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "comptoir.sql"):
        async with reader() as connection:
            assert await connection.fetchrow("SELECT $1::text AS said", "a secret")

    told = [record.getMessage() for record in caplog.records if record.name == "comptoir.sql"]
    assert told == ["SELECT $1::text AS said"]


async def test_a_session_knows_what_it_is_for(shop: Shop) -> None:
    (row,) = await fetch(
        "SELECT current_setting('default_transaction_read_only') AS read_only, current_setting('jit') AS jit,"
        " current_setting('statement_timeout') AS patience, current_setting('application_name') AS name"
    )

    assert tuple(row) == ("on", "off", "10s", "comptoir reads")
    (writer,) = await shop.sql("SHOW statement_timeout")
    assert writer == {"statement_timeout": "25s"}


async def test_no_read_leaves_a_session_other_than_it_found_it(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """Connections are given back without being reset: whatever outlived a use would be the next one's."""
    with caplog.at_level(logging.DEBUG, "comptoir.sql"):
        for name in LISTS:
            await shop(list_document(name), first=2)

    told = {record.getMessage() for record in caplog.records if record.name == "comptoir.sql"}
    assert told
    assert {sql.lstrip("(").split()[0] for sql in told} <= {"SELECT", "WITH"}
    assert not [sql for sql in told if re.search(r"advisory|set_config|nextval|setval|pg_notify", sql, re.I)]
    for left in (
        # asyncpg sets jit off, as it is, while it looks up a type that it does not know.
        "SELECT name, setting FROM pg_settings WHERE source = 'session' AND (name, setting) <> ('jit', 'off')",
        "SELECT pg_listening_channels()",
        "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    ):
        assert await fetch(left) == []
