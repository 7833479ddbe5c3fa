"""What is sealed, and the keys for it."""

from models.database import fetch
from services import vault
from services.invariants.invariant import Invariant
from services.keys import master_keys


async def _unopenable() -> list[str]:
    """Sealed columns, and the master keys that they need and that are not configured."""
    found = []
    for model, column in vault.SEALED:
        table = model._meta.db_table
        used = await fetch(
            f"SELECT {vault.generation_in_sql(column)} AS key, count(*) AS rows FROM {table}"
            f" WHERE {column} IS NOT NULL GROUP BY 1"
        )
        found += [
            f"{table}.{column}: {row['rows']} sealed with {row['key']}"
            for row in used
            if row["key"] not in master_keys()
        ]
    return found


INVARIANTS = (
    Invariant(
        "Every secret can be opened with the keys that are configured",
        _unopenable,
        "Put the missing key back, at the end of COMPTOIR_MASTER_KEYS.",
    ),
)
