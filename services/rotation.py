"""`comptoir rotate-keys`: what older master keys sealed is sealed with the first one, while everything goes on.

Envelopes are replaced a hundred at a time, each only where it is still the one that was read: what somebody changed
meanwhile is theirs. Rows that are locked are left for the next pass. It may be stopped and begun again at any time:
what is done is done. Nobody is told a secret, and so the access log is not either.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from errors import NotConfigured
from models.base import Row
from models.database import query
from services import generations, links, vault
from services.keys import master_keys

log = logging.getLogger("comptoir.keys")

BATCH = 100  # envelopes
PASSES_MOST, PAUSE = 10, 0.2  # seconds between two


@dataclass(frozen=True)
class Sealed:
    """How many secrets of a column (`table.column`) a generation sealed."""

    column: str
    key_id: str
    number: int


async def counts() -> list[Sealed]:
    """All sealed secrets, by column and generation; of columns without any nothing."""
    found = []
    for model, field in vault.SEALED:
        table = model._meta.db_table
        rows = await query(
            f"SELECT {vault.generation_in_sql(field)} AS key_id, count(*) AS number FROM {table}"  # noqa: S608
            f" WHERE {field} IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        found += [Sealed(f"{table}.{field}", row["key_id"], int(row["number"])) for row in rows]
    return found


async def left() -> list[Sealed]:
    """Those of them that the first key did not seal."""
    return [each for each in await counts() if each.key_id != _first()]


async def rotate(told: Callable[[int], None]) -> list[str]:
    """Seal anew what the first key did not seal; the troubles, a sentence for each envelope that does not open.

    `told` is given how many were done each time. What others seal meanwhile with an older key, as a process does that
    was not started again yet, is found by the next pass; after ten it is left, and `counts` tells.
    """
    troubles: list[str] = []
    for _ in range(PASSES_MOST):
        troubles = []
        missed = sum([await _pass(model, field, told, troubles) for model, field in vault.SEALED])
        if not missed:
            break
        await asyncio.sleep(PAUSE)
    log.info("secrets are sealed with %s; %s do not open", _first(), len(troubles))
    return troubles


def older() -> list[str]:
    """The generations behind the one that seals."""
    return list(master_keys())[1:]


async def removable() -> str:
    """When a generation that seals nothing any more may be taken away: what it signed is good for a while, links in
    letters for longest."""
    since = await generations.sealing_since(_first())
    until = f"{since + links.LIFE:%Y-%m-%d}" if since else "links in letters are a year old"
    return (
        f"seals nothing any more. Take it away after {until}; sooner, and links in letters from before it was replaced"
        " are no longer good, and who signed in then signs in again."
    )


async def _pass(model: type[Row], field: str, told: Callable[[int], None], troubles: list[str]) -> int:
    """Once through a column; how many were missed since somebody else was at them."""
    last, missed = None, 0
    while True:
        rows = await _some(model, field, last)
        if not rows:
            return missed
        given = []
        for row in rows:
            try:
                given.append((row.id, getattr(row, field), vault.resealed(row, field)))
            except NotConfigured as trouble:
                troubles.append(str(trouble))
        done = len(await query(_replacing(model, field), *map(list, zip(*given, strict=True)))) if given else 0
        told(done)
        missed += len(given) - done
        last = rows[-1].id


async def _some(model: type[Row], field: str, last: object) -> list[Row]:
    rows = model.filter(**{f"{field}__isnull": False}).exclude(
        **{f"{field}__startswith": f"{vault.VERSION}.{_first()}."}
    )
    return await (rows.filter(id__gt=last) if last else rows).order_by("id").limit(BATCH)


def _replacing(model: type[Row], field: str) -> str:
    """One short statement, which waits for nobody: compare and swap."""
    table = model._meta.db_table
    return f"""
        WITH given AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g (id, old, new)),
        held AS (SELECT t.id FROM {table} t JOIN given g ON g.id = t.id AND g.old = t.{field}
            ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED)
        UPDATE {table} t SET {field} = g.new FROM given g JOIN held h ON h.id = g.id
        WHERE t.id = g.id AND t.{field} = g.old RETURNING t.id
    """  # noqa: S608 - names of ours


def _first() -> str:
    return next(iter(master_keys()))
