"""New databases are made by what the migrations tell PostgreSQL, written down."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from models import fresh

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture
async def empty(worker_number: int) -> AsyncIterator[str]:
    """The address of a database that holds nothing."""
    server, name = os.environ["TEST_DATABASE_URL"], f"comptoir_empty_{worker_number}"
    connection = await asyncpg.connect(server)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


async def test_what_is_written_down_is_what_all_migrations_tell(empty: str) -> None:
    migrating = await asyncio.create_subprocess_exec(
        sys.executable, "tests/architecture/declare.py", empty, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await asyncio.wait_for(migrating.communicate(), 300)

    assert migrating.returncode == 0
    assert told.decode() == fresh.STATEMENTS.read_text(), "run tests/architecture/declare.py"


async def test_a_database_that_holds_something_is_left_as_it_is(empty: str) -> None:
    connection = await asyncpg.connect(empty)
    made = await fresh.make(connection)
    again = await fresh.make(connection)
    await connection.close()

    assert made == sorted(file.stem for file in (PROJECT / "migrations").glob("0*.py"))
    assert again == []
