"""Many people signing in at once, as one who reads meanwhile feels it: the slowest of a hundred answers to `me`."""

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle
from statistics import median, quantiles

import asyncpg
import uvloop

from benchmarks import documents, load
from benchmarks.bench import Bench
from benchmarks.data import PASSWORD, TOLD
from benchmarks.figures import Figure
from benchmarks.installation import Installation
from benchmarks.load import Exchange
from services import hashing

PEOPLE = 50  # signing in at once
EVERY = 0.02  # seconds from one `me` to the next
SETTLED = 1.0  # seconds until all of them wait: how they come is not what is measured
SLOWER = 20  # milliseconds that they may cost


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """Rounds of reading alone and of reading beside people who sign in, passwords hashed as in production."""
    emails = uvloop.run(_people(installed.database_url, min(PEOPLE, max(3, round(PEOPLE * seconds)))))
    with installed.served("benchmarks.server") as port:
        return uvloop.run(_figures(Bench(port, rounds, seconds, connections=1), emails))


async def _figures(bench: Bench, emails: Sequence[str]) -> list[Figure]:
    ask = documents.me().graphql("/graphql", await bench.sign_in(TOLD))
    await _slowest(bench.port, ask, bench.seconds / 3)
    alone, beside, signed_in = [], [], []
    for _ in range(bench.rounds):
        alone.append(await _slowest(bench.port, ask, bench.seconds))
        signing = asyncio.create_task(_sign_in(bench.port, emails, SETTLED + bench.seconds))
        await asyncio.sleep(SETTLED)
        beside.append(await _slowest(bench.port, ask, bench.seconds))
        signed_in.append(await signing)
    slower = [later - before for before, later in zip(alone, beside, strict=True)]
    return [
        Figure("p99 of me", "alone", median(alone), None, unit=" ms", spread=_spread(alone)),
        Figure("p99 of me", "people signing in", median(slower), SLOWER, at_least=False, unit=" ms more",
               spread=_spread(slower)),
        Figure("sign-ins", "a second", median(signed_in), None, unit="", spread=_spread(signed_in)),
    ]  # fmt: skip


def _spread(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


async def _slowest(port: int, ask: bytes, seconds: float) -> float:
    """The 99th of a hundred answers, in milliseconds. They are due at a pace: one that is late delays none, and counts
    from when it was due."""
    loop = asyncio.get_running_loop()
    start, took = loop.time() + EVERY, list[float]()

    async def asked(due: float) -> None:
        await load.answer(port, ask)
        took.append((loop.time() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        for number in range(round(seconds / EVERY)):
            due = start + number * EVERY
            await asyncio.sleep(due - loop.time())
            group.create_task(asked(due))
    return quantiles(took, n=100)[-1]


async def _sign_in(port: int, emails: Sequence[str], seconds: float) -> float:
    """How many a second sign in, as many as there are at once."""
    exchanges = [
        Exchange(
            documents.Ask(documents.SIGN_IN, {"input": {"email": email, "password": PASSWORD}}).graphql(
                "/graphql", None
            )
        )
        for email in emails
    ]
    started = time.perf_counter()
    count, _ = await load.sustained(port, cycle(exchanges), connections=len(emails), seconds=seconds)
    return count / (time.perf_counter() - started)


async def _people(database_url: str, count: int) -> list[str]:
    """Accountants of the organization."""
    hashed = await hashing.hashed(PASSWORD)
    emails = [f"person{number}@benchmark.test" for number in range(count)]
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            """
            WITH people AS (
                INSERT INTO users (id, created_at, email, password_hash, first_name, last_name)
                SELECT gen_random_uuid(), now(), email, $2, 'Camille', 'Durand' FROM unnest($1::text[]) AS email
                RETURNING id
            )
            INSERT INTO memberships (id, created_at, organization_id, user_id, role)
            SELECT gen_random_uuid(), now(), organizations.id, people.id, 'ACCOUNTANT' FROM organizations, people
            """,
            emails,
            hashed,
        )
    finally:
        await connection.close()
    return emails
