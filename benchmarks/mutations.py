"""A mutation, logged as it is in production, against the same that leaves no trace in the audit log."""

from collections.abc import Iterator
from itertools import count, cycle

import asyncpg
import uvloop

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.data import TOLD
from benchmarks.documents import Ask
from benchmarks.figures import OURS, Figure, Turns, faster
from benchmarks.installation import Installation
from benchmarks.load import Exchange

CONNECTIONS = 8
UNLOGGED = "not logged"

PRODUCTS = "{ products(first: 40) { nodes { id } } }"
CHANGE = "mutation ($input: ProductUpdateInput!) { productUpdate(input: $input) { product { id price { amount } } } }"


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """Prices changed over kept connections, each time one row, to two processes of the API over one database."""
    with installed.served("benchmarks.server") as ours, installed.served("benchmarks.unlogged") as other:
        benches = {way: Bench(port, rounds, seconds, CONNECTIONS) for way, port in ((OURS, ours), (UNLOGGED, other))}
        return uvloop.run(_figures(installed, benches))


async def _figures(installed: Installation, benches: dict[str, Bench]) -> list[Figure]:
    sent = {way: await _changes(bench) for way, bench in benches.items()}
    for way, bench in benches.items():
        before = await _logged(installed)
        await load.answer(bench.port, next(sent[way]).request)
        if await _logged(installed) - before != (way == OURS):
            raise load.Failed(f"{way}: the audit log is not as it should be")
    turns: Turns = {way: [] for way in benches}
    for round in range(-1, benches[OURS].rounds):
        for way, bench in benches.items():
            taken = await bench.turn(sent[way], bench.seconds)
            if round >= 0:  # the first warms up
                turns[way].append(taken)
    return [faster("a mutation", turns, UNLOGGED)]


async def _changes(bench: Bench) -> Iterator[Exchange]:
    """Requests that change a price each, to what it never was."""
    token = await bench.sign_in(TOLD)
    products = cycle([product["id"] for product in (await bench.data(Ask(PRODUCTS), token))["products"]["nodes"]])
    asks = (
        Ask(CHANGE, {"input": {"product": next(products), "price": {"amount": price}}}) for price in count(bench.port)
    )
    return (Exchange(ask.graphql("/graphql", token)) for ask in asks)


async def _logged(installed: Installation) -> int:
    connection = await asyncpg.connect(installed.database_url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM audit_entries"))
    finally:
        await connection.close()
