"""Writes `constraints.txt` from what the migrations make, in a database of its own on an embedded server."""

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


async def of_database(connection: Any) -> list[str]:
    """Every constraint and index, a line each."""
    return sorted(row["line"] for row in await connection.execute_query_dict(QUERY))


async def _write(database_url: str) -> None:
    from tortoise import connections

    from models.database import connect, disconnect, migrate

    await migrate(database_url)
    await connect(database_url)
    DECLARED.write_text("\n".join(await of_database(connections.get("default"))) + "\n")
    await disconnect()


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    from local import embedded

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with embedded.servers(home, valkey=False, durable=False) as servers:
            asyncio.run(_write(servers.database_url))
        embedded.remove(home)
