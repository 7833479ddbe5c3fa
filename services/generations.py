"""Whether the master keys are those that sealed what is there: looked at before a process works.

A key that is missing or was mistaken for another would be found out one secret at a time, and what was sealed meanwhile
would be lost with it.
"""

import logging
from datetime import datetime

import asyncpg
from tortoise.exceptions import OperationalError

from errors import NotConfigured, Unreachable
from models import KeyGeneration
from models.database import query
from services import vault
from services.keys import check_value, master_keys

log = logging.getLogger("comptoir.keys")

PUT_BACK = "put it back, behind the others (`id:key,id:key`)"


async def must_fit() -> None:
    """Remember the master keys, and compare them with those that are remembered.

    Raises NotConfigured, naming the generation, where one is another key than it was, or is missing and sealed
    something that is still there.
    """
    keys = master_keys()
    known = {each.key_id: each for each in await KeyGeneration.all()}
    for key_id, key in keys.items():
        if key_id not in known or known[key_id].check_value is None:
            await _must_open_what_it_sealed(key_id)
            known[key_id] = await _remembered(key_id, check_value(key))
        if known[key_id].check_value != check_value(key):
            raise _another(key_id)
    await _seals(known[next(iter(keys))])
    for key_id in known.keys() - keys.keys():
        sealed = await counts(key_id)
        if sealed:
            told = ", ".join(f"{number} of {column}" for column, number in sealed.items())
            raise NotConfigured(f"COMPTOIR_MASTER_KEYS lacks {key_id!r}, which sealed {told}: {PUT_BACK}.")


async def must_fit_once_there() -> None:
    """The same at the start of a process, which goes on where there is no database yet: `/readyz` looks again."""
    try:
        await must_fit()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OperationalError, Unreachable) as why:
        log.warning("the master keys are not compared with the database yet: %r", why)


async def counts(key_id: str) -> dict[str, int]:
    """How many secrets a generation sealed, by `table.column`; of columns without any nothing."""
    found = {}
    for model, field in vault.SEALED:
        table = model._meta.db_table
        sealed = f"SELECT count(*) AS number FROM {table} WHERE {vault.generation_in_sql(field)} = $1"  # noqa: S608
        if number := (await query(sealed, key_id))[0]["number"]:
            found[f"{table}.{field}"] = int(number)
    return found


async def sealing_since(key_id: str) -> datetime | None:
    """When a generation became the one that seals and signs, as a process saw it first."""
    known = await KeyGeneration.get_or_none(key_id=key_id)
    return known.sealing_since if known else None


async def _must_open_what_it_sealed(key_id: str) -> None:
    """Proof by one envelope, for a generation from before they were remembered."""
    for model, field in vault.SEALED:
        row = await model.filter(**{f"{field}__startswith": f"{vault.VERSION}.{key_id}."}).first()
        if row is not None:
            try:
                vault.resealed(row, field)
            except NotConfigured as trouble:
                raise _another(key_id) from trouble
            return


async def _remembered(key_id: str, value: str) -> KeyGeneration:
    """As whoever was first wrote it down."""
    await query(
        "INSERT INTO key_generations AS g (id, created_at, key_id, check_value) VALUES ($1, now(), $2, $3)"
        " ON CONFLICT (key_id) DO UPDATE SET check_value = EXCLUDED.check_value WHERE g.check_value IS NULL",
        KeyGeneration().id, key_id, value,
    )  # fmt: skip
    return await KeyGeneration.get(key_id=key_id)


async def _seals(first: KeyGeneration) -> None:
    if first.sealing_since is None:
        now = "UPDATE key_generations SET sealing_since = now() WHERE id = $1 AND sealing_since IS NULL"
        await query(now, first.id)


def _another(key_id: str) -> NotConfigured:
    return NotConfigured(
        f"COMPTOIR_MASTER_KEYS: {key_id!r} is another key than the one that was {key_id!r} before, and does not open"
        " what that one sealed. Put that one back, and give a new key an id of its own."
    )
