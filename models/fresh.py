"""A new database, made at once by the statements that all migrations come to.

Tortoise builds its picture of all models anew for each operation, which takes half a minute of CPU by now. What it told
PostgreSQL is written down in `migrations/fresh.sql` (`tests/architecture/declare.py`); migrations that are newer than
that run as ever.
"""

import re
from pathlib import Path

import asyncpg

STATEMENTS = Path(__file__).parent.parent / "migrations" / "fresh.sql"
MARK = "-- Migration: "


async def make(connection: asyncpg.Connection) -> list[str]:
    """The names of the migrations that the database stands for from now on; none, and nothing done, where it holds
    something. All or nothing."""
    if await connection.fetchval("SELECT to_regclass('tortoise_migrations') IS NOT NULL"):
        return []
    statements = STATEMENTS.read_text()
    names = stands_for(statements)
    async with connection.transaction():
        await connection.execute(statements)
        await connection.execute(
            "INSERT INTO tortoise_migrations (app, name, applied_at) SELECT 'models', unnest($1::text[]), now()", names
        )
    return names


def stands_for(statements: str) -> list[str]:
    """The migrations whose statements those are, in order."""
    return re.findall(f"^{MARK}(.+)$", statements, re.MULTILINE)
