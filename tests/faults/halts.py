"""Where the database makes a worker wait, so that it can be killed there."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.faults.installation import wait_for


class Halts:
    """Stops the worker at steps of its work, by a lock in the database that is ours."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection
        self._set = 0

    async def at(self, *steps: str) -> None:
        """From now on, whatever comes first is stopped at each of these steps."""
        await self._connection.execute("SELECT pg_advisory_lock(1)")
        await self._connection.executemany("INSERT INTO faults.steps VALUES ($1)", [(step,) for step in steps])
        self._set += len(steps)

    async def all_reached(self) -> None:
        await wait_for(self._all_wait, "the worker to be stopped at each step")

    async def _all_wait(self) -> bool:
        return len(await self._waiting()) == self._set

    async def lift(self) -> None:
        """What the dead were waiting for never happens: their connections end too. Nothing is stopped any more."""
        for pid in await self._waiting():
            await self._connection.execute("SELECT pg_terminate_backend($1)", pid)
        await self._connection.execute("SELECT pg_advisory_unlock_all()")
        await self._connection.execute("DELETE FROM faults.steps")
        self._set = 0

    async def _waiting(self) -> list[int]:
        rows = await self._connection.fetch(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return [row["pid"] for row in rows]


@asynccontextmanager
async def halting(database_url: str, steps: Mapping[str, str]) -> AsyncIterator[Halts]:
    """`steps`: by name, where the database makes the worker wait for us, as a trigger without its kind and name."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            """
            CREATE SCHEMA faults;
            CREATE TABLE faults.steps (name text);
            CREATE FUNCTION faults.halt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM FROM faults.steps WHERE name = TG_ARGV[0] FOR UPDATE SKIP LOCKED;
                IF FOUND THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
                RETURN NEW;
            END $$;
            """
        )
        for number, (step, where) in enumerate(steps.items()):
            kind = "CONSTRAINT TRIGGER" if "DEFERRED" in where else "TRIGGER"
            trigger, quoted = where.format(f"{kind} halt_{number}"), step.replace("'", "''")
            await connection.execute(f"CREATE {trigger} EXECUTE FUNCTION faults.halt('{quoted}')")
        yield Halts(connection)
    finally:
        await connection.execute("SELECT pg_advisory_unlock_all()")
        await connection.execute("DROP SCHEMA faults CASCADE")
        await connection.close()
