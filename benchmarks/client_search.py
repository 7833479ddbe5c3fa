"""Clients found among 200,000 by any part of their names, addresses and numbers: against the bare SQL.

Ours is `clientSearch` as a process answers it, all but HTTP: twenty clients, the best first, with four columns each.
Bare is one statement by asyncpg over the same index, ranked alike, that gives these columns. Both must find the same.
"""

import gc
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import orjson
import uvloop

from benchmarks import load
from benchmarks.figures import OURS, Figure, Turn, Turns, turns_of
from benchmarks.installation import Installation
from engine.execution import Asked
from models import Membership, Organization
from policy import Actor
from resolvers.schema import engine
from schema.context import Context
from services import outside
from settings import Settings

BARE = "bare SQL"
CLIENTS, RATIO_LEAST = 200_000, 0.5
TEXTS = ("dupont", "jean martin", "lefevre", "0612345", "zoe.bernard")
DOCUMENT = "query ($text: String!) { clientSearch(text: $text) { email firstName lastName company } }"


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """In one process that is warm."""
    turns = turns_of(installed.run("benchmarks.client_search", rounds, seconds, ENVIRONMENT="development"))
    ratios = [ours.throughput / bare.throughput for ours, bare in zip(turns[OURS], turns[BARE], strict=True)]
    medians = {way: sorted(taken, key=lambda turn: turn.throughput)[len(taken) // 2] for way, taken in turns.items()}
    ratio = sorted(ratios)[len(ratios) // 2]
    by_cpu = medians[BARE].cpu / medians[OURS].cpu
    return [
        Figure(
            "client-search", BARE, ratio, RATIO_LEAST, spread=(min(ratios), max(ratios)), by_cpu=by_cpu, ways=medians
        )
    ]


async def main(rounds: int, seconds: float) -> Turns:
    """The turns of both ways. Raises Failed unless they find the same."""
    settings = Settings(_env_file=None)
    async with outside.connected(settings):
        organization = await Organization.get(slug="told")
        member = await Membership.filter(organization_id=organization.id).first()
        assert member
        answering, context = engine(), Context(Actor(member.role, organization.id, member.id))
        bare = await asyncpg.connect(settings.database_url)
        await bare.execute(_CLIENTS, organization.id, CLIENTS)  # for longer than our own statements may take
        await bare.execute("VACUUM ANALYZE clients")

        async def ours(text: str) -> Any:
            async def given() -> Context:
                return context

            answer = await answering.answer(Asked(DOCUMENT, {"text": text}, None), given)
            return [tuple(row.values()) for row in orjson.loads(answer.body)["data"]["clientSearch"]]

        async def theirs(text: str) -> Any:
            words = [word for part in text.split() for word in part.lstrip("0").split(".")]
            sql = _BARE.format(
                " AND ".join(f"search_text LIKE '%' || ${at + 2}::text || '%'" for at in range(len(words))),
                " + ".join(_RANK.format(f"${at + 2}::text") for at in range(len(words))),
            )
            return [tuple(row) for row in await bare.fetch(sql, organization.id, *words)]

        try:
            for text in TEXTS:
                if not (found := await ours(text)) or found != await theirs(text):
                    raise load.Failed(f"{text} is not found as by SQL")
            gc.collect()
            gc.freeze()
            return await _turns({OURS: ours, BARE: theirs}, rounds, seconds)
        finally:
            await bare.close()


async def _turns(ways: dict[str, Callable[[str], Awaitable[Any]]], rounds: int, seconds: float) -> Turns:
    taken: Turns = {way: [] for way in ways}
    for round in range(-1, rounds):
        for way, find in ways.items():
            turn = await _turn(find, seconds)
            if round >= 0:  # the first warms up
                taken[way].append(turn)
    return taken


async def _turn(find: Callable[[str], Awaitable[Any]], seconds: float) -> Turn:
    number, started, used = 0, time.perf_counter(), time.process_time()
    while not number or time.perf_counter() - started < seconds:
        for text in TEXTS:
            await find(text)
            number += 1
    return Turn(number / (time.perf_counter() - started), (time.process_time() - used) / number * 1e6)


_RANK = "(strpos(search_text, ' ' || {0} || ' ') > 0)::int + (strpos(search_text, ' ' || {0}) > 0)::int"
_BARE = """
SELECT email, first_name, last_name, company FROM clients WHERE organization_id = $1 AND {}
ORDER BY {} DESC, id DESC LIMIT 20
"""

# Twenty first names, some 1,200 last names.
_CLIENTS = """
INSERT INTO clients (
    id, created_at, organization_id, email, first_name, last_name, company, phone, electronic_address_scheme
)
SELECT
    gen_random_uuid(), now(), $1, lower(first || '.' || last) || place || '@example' || place % 90 || '.test', first,
    last, CASE WHEN place % 5 = 0 THEN 'Cabinet ' || last END,
    '+336' || lpad((place * 7919::bigint % 100000000)::text, 8, '0'), '0225'
FROM (
    SELECT
        place,
        (ARRAY['Camille', 'Zoe', 'Jean', 'Lea', 'Marie', 'Pierre', 'Luc', 'Sophie', 'Theo', 'Paul'])[place % 10 + 1]
            AS first,
        (ARRAY['Mar', 'Du', 'Ber', 'Le', 'Mo', 'Gi', 'La', 'Fou', 'Gar', 'Rou'])[place / 10 % 10 + 1]
            || (ARRAY['tin', 'pont', 'nard', 'roy', 'fevre', 'rard', 'mbert', 'quet', 'cia', 'ssel'])
                [place / 100 % 10 + 1]
            || (ARRAY['', '', 'eau', 'ier', 'ault', 'in', 'ot', 'on', 'et', 'an', 'el', 'y'])[place / 1000 % 12 + 1]
            AS last
    FROM generate_series(1, $2::int) AS place
) AS made
"""


if __name__ == "__main__":
    told = uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
    print(orjson.dumps(told).decode())
