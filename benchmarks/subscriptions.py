"""What many subscriptions cost one process of the API: memory, and how long an event takes to reach all of them.

`python -m benchmarks.subscriptions` starts PostgreSQL and Valkey, one process of the API in production, and here as
many clients, each with a WebSocket of its own that follows all orders of one shop. Then one order changes, again and
again: the time is from before its transaction to the last client that heard of it. `--people` are different callers,
for each of whom an event is read; what was read for a person is shared by all connections of theirs.

Exit code: 0, or 2 if it could not be measured.
"""

import argparse
import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import orjson
import uvloop
from redis.asyncio import Redis

from benchmarks import data, load
from benchmarks.bench import Bench
from benchmarks.data import PASSWORD, TOLD
from benchmarks.documents import SIGN_IN, Ask
from benchmarks.installation import Installation
from benchmarks.subscribers import subscribed
from local import embedded, processes
from services.bell import CHANNEL

OPENING_MOST, HEARING_MOST = 300.0, 60.0  # seconds
PAUSE = 0.5  # seconds between two events


@dataclass(frozen=True)
class Seen:
    """What was measured. Memory in MB, times in seconds."""

    subscriptions: int
    people: int
    memory_before: float
    memory_open: float
    memory_after: float
    opening: float
    fan_out: float  # median
    fan_out_longest: float
    cpu: float  # of the process, for each event


def main() -> int:
    options = _options()
    try:
        with embedded.servers(options.home, durable=True) as servers:
            database_url = uvloop.run(data.fresh(servers.database_url))
            installed = Installation(options.home, database_url, servers.redis_url)
            with installed.served(
                "benchmarks.server", STREAMS_PER_ADDRESS=str(options.subscriptions), STREAMS_PER_PERSON="100000"
            ) as port:
                seen = uvloop.run(_measure(installed, port, options))
    except (processes.Failed, load.Failed, ConnectionError, TimeoutError) as failure:
        print(f"error: {failure or 'no answer in time'}", file=sys.stderr)
        return 2
    print(orjson.dumps(seen, option=orjson.OPT_INDENT_2).decode())
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.subscriptions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    home = Path(os.environ.get("COMPTOIR_HOME", "var")) / "benchmarks"
    parser.add_argument("--home", type=Path, default=home, help=f"where the database lies; {home} unless told")
    parser.add_argument("--subscriptions", type=int, default=5000, help="5000 unless told; mind `ulimit -n`")
    parser.add_argument("--people", type=int, default=1, help="different callers among them; 1 unless told")
    parser.add_argument("--rounds", type=int, default=7, help="events; 7 unless told")
    return parser.parse_args()


async def _measure(installed: Installation, port: int, options: argparse.Namespace) -> Seen:
    tokens = await _signed_in(installed, port, options.people)
    before = await _process(port)
    started = time.perf_counter()
    async with asyncio.timeout(OPENING_MOST):
        clients = await subscribed(port, options.subscriptions, tokens)
    opening = time.perf_counter() - started
    opened = await _process(port)
    took = []
    async with Redis.from_url(installed.redis_url) as redis:
        connection = await asyncpg.connect(installed.database_url)
        for number in range(1, options.rounds + 1):
            await asyncio.sleep(PAUSE)
            began = time.perf_counter()
            await connection.execute(CHANGE, f"round {number}")
            await redis.publish(CHANNEL, b"")
            async with asyncio.timeout(HEARING_MOST):
                while not all(len(client.heard_at) >= number for client in clients):
                    await asyncio.sleep(0.02)
            took.append(max(client.heard_at[number - 1] for client in clients) - began)
        await connection.close()
    after = await _process(port)
    for client in clients:
        client.transport.abort()
    cpu = (after["cpu"] - opened["cpu"]) / options.rounds
    memory = [round(each["resident"] / 1e6, 1) for each in (before, opened, after)]
    return Seen(options.subscriptions, options.people, *memory, opening, median(took), max(took), cpu)


async def _signed_in(installed: Installation, port: int, people: int) -> list[str]:
    """Tokens of the owner, and of accountants: each of these may see other rows."""
    connection = await asyncpg.connect(installed.database_url)
    await connection.execute(PEOPLE, people - 1)
    await connection.close()
    bench = Bench(port, 1, 1, 1)
    emails = [TOLD.email, *(f"person{number}@benchmark.test" for number in range(1, people))]
    return [
        str(
            (await bench.data(Ask(SIGN_IN, {"input": {"email": email, "password": PASSWORD}})))["signIn"]["accessToken"]
        )
        for email in emails
    ]


async def _process(port: int) -> dict[str, float]:
    """Seconds of CPU and bytes resident, after a collection."""
    told: dict[str, float] = orjson.loads(await load.answer(port, load.request("GET", "/process?collect")))
    return told


CHANGE = "UPDATE orders SET cancel_reason = $1 WHERE number = 1"
PEOPLE = """
    WITH made AS (
        INSERT INTO users (id, created_at, email, password_hash, first_name, last_name)
        SELECT gen_random_uuid(), now(), 'person' || number || '@benchmark.test', password_hash, first_name, last_name
        FROM (SELECT * FROM users LIMIT 1) AS one, generate_series(1, $1::int) AS number
        RETURNING id
    )
    INSERT INTO memberships (id, created_at, organization_id, user_id, role)
    SELECT gen_random_uuid(), now(), (SELECT id FROM organizations LIMIT 1), id, 'ACCOUNTANT' FROM made
"""

if __name__ == "__main__":
    sys.exit(main())
