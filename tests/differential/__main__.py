"""Tens of thousands of cases: `python -m tests.differential --cases 30000 --seed 1`.

The database is DATABASE_URL's server, where a database of its own is made, or an embedded one under COMPTOIR_HOME.
"""

import argparse
import asyncio
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from rich.console import Console
from rich.progress import Progress

from local import embedded
from models.database import connect, disconnect, migrate
from services import outside
from settings import Settings
from tests.differential.trying import Differ, cases, try_case
from tests.differential.ways import Tally, Ways
from tests.differential.world import world

console = Console()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--cases", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as opened:
        url = os.environ.get("DATABASE_URL")
        if not url:
            home = Path(os.environ.get("COMPTOIR_HOME", "var")) / "differential"
            url = opened.enter_context(embedded.servers(home, valkey=False, durable=False)).database_url
        return asyncio.run(run(url, options.cases, options.seed))


async def run(server: str, most: int, seed: int) -> int:
    url = await fresh(server, f"comptoir_differential_{seed}")
    await connect(url)
    opened = outside.use(outside.from_settings(settings(url)))
    ways, random, rows = Ways(), Random(seed), world(seed)
    try:
        await rows.insert()
        with Progress(console=console) as progress:
            task = progress.add_task(f"seed {seed}", total=most)
            async for case in cases(ways, rows, random):
                await try_case(ways, case, f"seed {seed}, case {ways.tally.cases + 1}")
                progress.advance(task)
                if ways.tally.cases >= most:
                    break
    except Differ as differ:
        told = str(differ).encode("utf-8", "backslashreplace").decode()
        console.print(told, markup=False, highlight=False)
        return 1
    finally:
        tell(ways.tally)
        await opened.close()
        await disconnect()
    return 0


async def fresh(server: str, name: str) -> str:
    """The address of an empty database with our tables."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    await migrate(url)
    return url


def settings(url: str) -> Settings:
    keys = "k1:" + "a2V5" * 10 + "a2U="
    return Settings(_env_file=None, database_url=url, redis_url="redis://never.asked", comptoir_master_keys=keys)


def tell(tally: Tally) -> None:
    share = tally.planned / tally.clean if tally.clean else 0
    console.print(f"{tally.cases} cases, {tally.clean} without errors, {share:.1%} of these by a plan")
    console.print(f"{tally.raced} where each way told another of several errors")
    for why, number in tally.why_not.most_common(10):
        console.print(f"  {number} by another way: {why}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
