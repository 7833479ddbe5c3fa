"""The board of 5,000 opportunities, among 45,000 of other organizations: against the bare SQL.

Ours is `opportunityBoard` as a process answers it, all but HTTP: six stages with their counts and totals, of each the
first twenty, four columns and the client's name. Bare is one statement by asyncpg that gives the same rows and sums.
Both must find the same.
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
from benchmarks.figures import OURS, Figure, Turn, Turns, faster, turns_of
from benchmarks.installation import Installation
from engine.execution import Asked
from models import Membership, Organization
from policy import Actor
from resolvers.schema import engine
from schema.context import Context
from services import outside
from settings import Settings

BARE = "bare SQL"
OPPORTUNITIES, ORGANIZATIONS, RATIO_LEAST = 5_000, 10, 0.5
DOCUMENT = """{ opportunityBoard { columns { stage count totals { amount currency } opportunities { nodes {
  title probability expectedOn createdAt client { company }
} } } } }"""


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """In one process that is warm."""
    turns = turns_of(installed.run("benchmarks.boards", rounds, seconds, ENVIRONMENT="development"))
    return [faster("board", turns, BARE, target=RATIO_LEAST)]


async def main(rounds: int, seconds: float) -> Turns:
    """The turns of both ways. Raises Failed unless they find the same."""
    settings = Settings(_env_file=None)
    async with outside.connected(settings):
        organization = await Organization.get(slug="told")
        member = await Membership.filter(organization_id=organization.id).first()
        assert member
        answering, context = engine(), Context(Actor(member.role, organization.id, member.id))
        bare = await asyncpg.connect(settings.database_url)

        async def ours() -> Any:
            async def given() -> Context:
                return context

            answer = await answering.answer(Asked(DOCUMENT, {}, None), given)
            return orjson.loads(answer.body)["data"]["opportunityBoard"]["columns"]

        async def theirs() -> Any:
            return await bare.fetch(_BARE, organization.id)

        try:
            await _fill(bare, organization.id)
            if _counted(await ours()) != _told(await theirs()):
                raise load.Failed("the board is not as by SQL")
            gc.collect()
            gc.freeze()
            return await _turns({OURS: ours, BARE: theirs}, rounds, seconds)
        finally:
            await bare.close()


async def _fill(connection: Any, organization: Any) -> None:
    """Around all triggers: what they keep is not measured."""
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(_OPPORTUNITIES, organization, OPPORTUNITIES, ORGANIZATIONS)
    await connection.execute("RESET session_replication_role")
    await connection.execute("VACUUM ANALYZE opportunities")


def _counted(columns: list[dict[str, Any]]) -> list[Any]:
    return [
        (
            column["stage"], column["count"], [tuple(total.values()) for total in column["totals"]],
            [(row["title"], row["client"]["company"]) for row in column["opportunities"]["nodes"]],
        )
        for column in columns
    ]  # fmt: skip


def _told(rows: list[Any]) -> list[Any]:
    found: dict[str, Any] = {}
    for row in rows:
        sums = orjson.loads(row["sums"])
        totals = [(amount, currency) for currency, _, amount in sums]
        stage = (row["stage"], sum(number for _, number, _ in sums), totals, [])
        found.setdefault(row["stage"], stage)[3].append((row["title"], row["company"]))
    return list(found.values())


async def _turns(ways: dict[str, Callable[[], Awaitable[Any]]], rounds: int, seconds: float) -> Turns:
    taken: Turns = {way: [] for way in ways}
    for round in range(-1, rounds):
        for way, read in ways.items():
            turn = await _turn(read, seconds)
            if round >= 0:  # the first warms up
                taken[way].append(turn)
    return taken


async def _turn(read: Callable[[], Awaitable[Any]], seconds: float) -> Turn:
    number, started, used = 0, time.perf_counter(), time.process_time()
    while not number or time.perf_counter() - started < seconds:
        await read()
        number += 1
    return Turn(number / (time.perf_counter() - started), (time.process_time() - used) / number * 1e6)


_BARE = """
SELECT at.stage, sums.found AS sums, card.title, card.probability, card.expected_on, card.created_at, clients.company
FROM unnest('{LEAD,QUALIFIED,PROPOSAL,NEGOTIATION,WON,LOST}'::text[]) WITH ORDINALITY AS at (stage, place)
JOIN (
    SELECT stage, json_agg(json_build_array(currency, number, cents) ORDER BY currency) AS found FROM (
        SELECT stage, currency, count(*) AS number, sum(amount_cents) AS cents
        FROM opportunities WHERE organization_id = $1 GROUP BY stage, currency
    ) AS counted GROUP BY stage
) AS sums ON sums.stage = at.stage
CROSS JOIN LATERAL (
    SELECT * FROM opportunities WHERE organization_id = $1 AND opportunities.stage = at.stage ORDER BY id DESC LIMIT 20
) AS card
JOIN clients ON clients.id = card.client_id
ORDER BY at.place, card.id DESC
"""

# Clients of the organization in turn; the others' rows stand where theirs would.
_OPPORTUNITIES = """
INSERT INTO opportunities (
    id, created_at, organization_id, client_id, title, stage, amount_cents, deposit_cents, currency, vat_rate,
    probability, expected_on, won_at, lost_at, lost_reason
)
SELECT
    gen_random_uuid(), now(), CASE WHEN place % $3 = 0 THEN $1 ELSE md5((place % $3)::text)::uuid END, client.id,
    'Mission ' || place, stage, 10000 + place, 0, 'EUR', 2000, place % 101, current_date,
    CASE WHEN stage = 'WON' THEN now() END, CASE WHEN stage = 'LOST' THEN now() END,
    CASE WHEN stage = 'LOST' THEN 'Budget' END
FROM generate_series(1, $2::int * $3::int) AS place,
LATERAL (SELECT ('{LEAD,QUALIFIED,PROPOSAL,NEGOTIATION,WON,LOST}'::text[])[place / $3 % 6 + 1] AS stage) AS at,
LATERAL (SELECT id FROM clients WHERE organization_id = $1 ORDER BY id LIMIT 1 OFFSET place / $3 % 100) AS client
"""


if __name__ == "__main__":
    told = uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
    print(orjson.dumps(told).decode())
