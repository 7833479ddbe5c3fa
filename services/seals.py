"""Whether issued invoices are as they were issued: each hash made again, and compared with what is chained to it."""

from typing import Any
from uuid import UUID

import orjson

from models import chain
from models.database import fetch

MOST = 100_000  # invoices looked at, the newest
PAGE = 1_000

_NEWEST_FIRST = f"""
    SELECT {", ".join(f"i.{name}" for name in chain.LINKED)}, i.content, i.content_sha256, i.chain_sha256, g.slug,
        (SELECT b.chain_sha256 FROM invoices b WHERE b.series_id = i.series_id
            AND (b.year, b.sequence) < (i.year, i.sequence) ORDER BY b.year DESC, b.sequence DESC LIMIT 1) AS before
    FROM invoices i JOIN organizations g ON g.id = i.organization_id
    WHERE i.id < $1 ORDER BY i.id DESC LIMIT {PAGE}
"""  # noqa: S608  # names that stand there

_ENDS = """
    SELECT g.slug || ' ' || s.prefix || ': the newest invoice is not the one that ends its chain' AS example
    FROM invoice_series s JOIN organizations g ON g.id = s.organization_id
    WHERE s.chain_sha256 IS DISTINCT FROM (SELECT i.chain_sha256 FROM invoices i WHERE i.series_id = s.id
        ORDER BY i.year DESC, i.sequence DESC LIMIT 1)
"""


async def broken() -> list[str]:
    """What does not fit, a sentence each."""
    found = [row["example"] for row in await fetch(_ENDS)]
    last = UUID(int=2**128 - 1)
    for _ in range(MOST // PAGE):
        rows = await fetch(_NEWEST_FIRST, last)
        found += [f"{row['slug']} {row['number']}: {wrong}" for row in rows if (wrong := _wrong(row))]
        if len(rows) < PAGE:
            break
        last = rows[-1]["id"]
    return found


def _wrong(row: Any) -> str | None:
    if chain.content_digest(orjson.loads(row["content"])) != row["content_sha256"]:
        return "what it says is not what was issued"
    if chain.link(row, row["content_sha256"], row["before"]) != row["chain_sha256"]:
        return "a column is not what was issued, or the one before it is not"
    return None
