"""Writes what the migrations make, in a database of its own on an embedded server: `constraints.txt`, and
`migrations/fresh.sql`, by which new databases are made."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

DECLARED = Path(__file__).parent / "constraints.txt"

# The hash in the names of the ORM's own unique constraints follows from their columns.
QUERY = """
    SELECT c.conrelid::regclass::text || ': ' || c.conname || ' ' || pg_get_constraintdef(c.oid) AS line
    FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
    WHERE n.nspname = 'public' AND c.contype <> 'n' AND c.conrelid::regclass::text NOT LIKE '%migration%'
    UNION ALL
    SELECT tablename || ': ' || indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'
      AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""

FRESH = """-- What a new database is made by: all that the migrations tell PostgreSQL, in their order.
-- Written by tests/architecture/declare.py, and compared with the migrations by tests/local/test_fresh_databases.py.
"""


async def of_database(connection: Any) -> list[str]:
    """Every constraint and index, a line each."""
    return sorted(row["line"] for row in await connection.execute_query_dict(QUERY))


async def migrated(database_url: str) -> str:
    """Run each migration on an empty database; the statements, under the name of each."""
    from tortoise import Tortoise, models
    from tortoise.backends.asyncpg.client import AsyncpgDBClient
    from tortoise.migrations.api import migrate

    from models.database import config
    from models.fresh import MARK

    told = [FRESH]
    execute, lookups = AsyncpgDBClient.execute_script, models.get_filters_for_field  # type: ignore[attr-defined]

    async def execute_script(client: AsyncpgDBClient, query: str) -> None:
        told.append(query.strip().removesuffix(";") + ";\n")
        await execute(client, query)

    def began(event: str, app: str, name: str) -> None:
        if event == "apply_start":
            told.append(f"\n{MARK}{name}\n")

    AsyncpgDBClient.execute_script = execute_script  # type: ignore[method-assign]
    # Each operation makes all models anew; what one could look rows up by is half of that work, and nobody does here.
    models.get_filters_for_field = lambda *_, **__: {}  # type: ignore[attr-defined]
    try:
        await migrate(config=config(database_url), direction="forward", progress=began)
    finally:
        AsyncpgDBClient.execute_script = execute  # type: ignore[method-assign]
        models.get_filters_for_field = lookups  # type: ignore[attr-defined]
        await Tortoise.close_connections()
    return "".join(told)


async def _write(database_url: str) -> None:
    from tortoise import connections

    from models.database import connect, disconnect
    from models.fresh import STATEMENTS

    STATEMENTS.write_text(await migrated(database_url))
    await connect(database_url)
    DECLARED.write_text("\n".join(await of_database(connections.get("default"))) + "\n")
    await disconnect()


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    from local import embedded

    if sys.argv[1:]:  # an empty database, for who only compares
        sys.stdout.write(asyncio.run(migrated(sys.argv[1])))
        sys.exit()

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with embedded.servers(home, valkey=False, durable=False) as servers:
            asyncio.run(_write(servers.database_url))
        embedded.remove(home)
