"""Tags that a client file names: those that are not there yet are made, whether in capitals or not one of each.

Whoever puts them on has the clients' rows locked; the tags are locked after these, by their ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from errors import Conflict
from models.database import query

Tags = dict[UUID, list[str]]  # by client

_LACKING = """
SELECT asked.client_id, asked.name FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS asked (client_id, name, place)
WHERE NOT EXISTS (
    SELECT FROM client_tags JOIN tags ON tags.id = client_tags.tag_id
    WHERE client_tags.client_id = asked.client_id AND lower(tags.name) = lower(asked.name)
)
ORDER BY place
"""
_UNKNOWN = """
SELECT asked.name FROM unnest($2::text[]) WITH ORDINALITY AS asked (name, place)
WHERE NOT EXISTS (SELECT FROM tags WHERE organization_id = $1 AND lower(tags.name) = lower(asked.name))
ORDER BY place
"""
_MADE = """
INSERT INTO tags (id, created_at, organization_id, name) SELECT id, $2, $1, name FROM unnest($3::uuid[], $4::text[])
AS asked (id, name) ON CONFLICT (organization_id, lower(name)) DO NOTHING RETURNING name
"""
_THERE = """
SELECT asked.name, tags.id FROM unnest($2::text[]) AS asked (name)
JOIN tags ON organization_id = $1 AND lower(tags.name) = lower(asked.name) ORDER BY tags.id FOR KEY SHARE OF tags
"""
_PUT = """
INSERT INTO client_tags (id, created_at, organization_id, client_id, tag_id)
SELECT id, $2, $1, client_id, tag_id FROM unnest($3::uuid[], $4::uuid[], $5::uuid[]) AS asked (id, client_id, tag_id)
ON CONFLICT (client_id, tag_id) DO NOTHING
"""


async def lacking(asked: Mapping[UUID, Sequence[str]]) -> Tags:
    """Of the tags asked for clients, those that they do not have; of clients who have all, nothing."""
    pairs = [(client_id, name) for client_id, names in asked.items() for name in names]
    found: Tags = {}
    for row in await query(_LACKING, [each for each, _ in pairs], [name for _, name in pairs]) if pairs else []:
        found.setdefault(row["client_id"], []).append(row["name"])
    return found


async def unknown(organization_id: UUID, asked: Iterable[Sequence[str]]) -> list[str]:
    """Of these tags, those that are not there."""
    names = _apart(asked)
    return [row["name"] for row in await query(_UNKNOWN, organization_id, names)] if names else []


async def put(organization_id: UUID, asked: Mapping[UUID, Sequence[str]]) -> list[str]:
    """Put tags on clients, made where they are not there; gives those that were. Raises Conflict where one was deleted
    at this moment."""
    names, now = _apart(asked.values()), datetime.now(UTC)
    if not names:
        return []
    made = await query(_MADE, organization_id, now, [uuid7() for _ in names], names)
    there = {row["name"].casefold(): row["id"] for row in await query(_THERE, organization_id, names)}
    if len(there) < len(names):
        raise Conflict("A tag was deleted while clients were imported.")
    pairs = [(client_id, there[name.casefold()]) for client_id, named in asked.items() for name in named]
    await query(
        _PUT, organization_id, now, [uuid7() for _ in pairs], [each for each, _ in pairs], [tag for _, tag in pairs]
    )
    return [row["name"] for row in made]


def together(known: Sequence[str], more: Sequence[str]) -> list[str]:
    """All of these tags, each once."""
    return _apart((known, more))


def _apart(asked: Iterable[Sequence[str]]) -> list[str]:
    found: dict[str, str] = {}
    for names in asked:
        for name in names:
            found.setdefault(name.casefold(), name)
    return list(found.values())
