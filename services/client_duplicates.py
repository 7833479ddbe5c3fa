"""Clients who may be the same one: what is written of both, looked for in `clients.search_text` by its index."""

from typing import Any
from uuid import UUID

from models import Client
from models.database import fetch

LOCAL_LEAST = 6  # characters of an address before the @: of fewer (info, rh) many have the same
SHARED = frozenset(
    {
        "accueil", "administration", "bonjour", "commercial", "comptabilite", "contact", "contacts", "direction",
        "facturation", "factures", "secretariat", "service", "support",
    }
)  # fmt: skip

# How much it says that this is the same of two. The text has its words between spaces (`migrations/0036_clients.py`).
_NUMBER, _NAME, _COMPANY, _LOCAL = 4, 3, 2, 2


async def of(client: Client, scope: str, values: list[Any], most: int) -> list[UUID]:
    """The ids of those who may be this client, the most likely first; `scope` is SQL over clients with `values` as `$1`
    and on."""
    signs = _signs(client)
    if not signs:
        return []
    first = len(values) + 2  # `$` numbers of the signs, behind the client's own id
    conditions = [
        f"search_text LIKE (SELECT {sql.format(f'${first + at}::text')})" for at, (sql, *_) in enumerate(signs)
    ]
    score = " + ".join(
        f"({condition})::int * {weight}" for condition, (_, _, weight) in zip(conditions, signs, strict=True)
    )
    found = await fetch(
        f"SELECT id FROM clients WHERE {scope} AND id <> ${first - 1} AND ({' OR '.join(conditions)})"  # noqa: S608
        f" ORDER BY {score} DESC, id DESC LIMIT {most:d}",
        *values, client.id, *(value for _, value, _ in signs),
    )  # fmt: skip
    return [row["id"] for row in found]


def _signs(client: Client) -> list[tuple[str, str, int]]:
    """(pattern in SQL, what it is made of, weight) of what is known of them."""
    names = "'% ' || trim(searchable({}, NULL, NULL)) || ' %'"
    signs = [(names, client.siren, _NUMBER), (names, client.company, _COMPANY)]
    signs.append(("'%' || {} || '%'", (client.phone or "").lstrip("+"), _NUMBER))
    if client.first_name and client.last_name:
        signs.append((names, f"{client.first_name} {client.last_name}", _NAME))
        signs.append((names, f"{client.last_name} {client.first_name}", _NAME))
    local = client.email.partition("@")[0]
    if len(local) >= LOCAL_LEAST and local not in SHARED:
        signs.append(("'% ' || folded({}) || '@%'", local, _LOCAL))
    return [(sql, value, weight) for sql, value, weight in signs if value]
