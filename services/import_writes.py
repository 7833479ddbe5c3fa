"""Lines of a client file, written a thousand at a time: clients who are new, and what changes of those who are not.

Locked are clients, then the tags that they get.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from errors import Conflict
from models import Client, ClientImport, ClientImportField, ClientImportProblem, ClientKind, OnExistingClient
from models.client import FRENCH_DIRECTORY
from models.database import query
from services import import_tags
from services.clients import LOOKING_AFTER
from services.import_lines import Finding, Line, agrees, shown

COLUMNS = (*(field.column for field in ClientImportField if field.column), "consultant_id")

_ALL = ", ".join(COLUMNS)
_FOUND = (
    f"SELECT id, electronic_address, electronic_address_scheme, {_ALL} FROM clients"  # noqa: S608 - columns of ours
    " WHERE organization_id = $1 AND email = ANY($2) ORDER BY id"
)
_MADE = f"id, created_at, organization_id, kind, electronic_address_scheme, {_ALL}"
_INSERTED = (
    f"INSERT INTO clients ({_MADE}) SELECT {_MADE}"  # noqa: S608
    " FROM jsonb_populate_recordset(NULL::clients, $1) ON CONFLICT (organization_id, email) DO NOTHING"
    " RETURNING email, id"
)
_UPDATED = (
    f"UPDATE clients SET {', '.join(f'{name} = given.{name}' for name in COLUMNS)}"  # noqa: S608
    " FROM jsonb_populate_recordset(NULL::clients, $1) AS given WHERE clients.id = given.id"
)
_CONSULTANTS = (
    "SELECT users.email, memberships.id FROM memberships JOIN users ON users.id = user_id"
    " WHERE organization_id = $1 AND users.email = ANY($2) AND active AND role = ANY($3)"
)

Known = dict[str, dict[str, Any]]  # rows of clients by their e-mail address


@dataclass
class Taken:
    """What became of lines, or would: of clients, tags that are new, and lines that are wrong after all."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    tags: list[str] = field(default_factory=list)
    wrong: list[Line] = field(default_factory=list)


async def take(client_import: ClientImport, lines: Sequence[Line], *, write: bool) -> Taken:
    """Write the lines, in the open transaction, or only tell what would come of it. A line that names no consultant, or
    does not go with what is known of its client, is wrong and changes nothing.

    Raises Conflict where a client was made and deleted at this moment, or a tag was: begin again.
    """
    here = client_import.organization_id
    lines, wrong = await _with_consultants(client_import, lines)
    known = await _known(here, lines, lock=write)
    new = [line for line in lines if line.email not in known]
    made: dict[str, UUID] = {}
    if write and new:
        made = await _insert(here, new)
        late = [line for line in new if line.email not in made]  # somebody else was faster
        known |= await _known(here, late, lock=True) if late else {}
        new = [line for line in new if line.email in made]
    taken, fresh = Taken(created=len(new), wrong=wrong), {line.email for line in new}
    there = [line for line in lines if line.email not in fresh]
    if any(line.email not in known for line in there):
        raise Conflict("A client was made and deleted while they were imported.")
    changed, lacking = await _compare(client_import, there, known, taken)
    if not write:
        taken.tags = await import_tags.unknown(here, [*lacking.values(), *(line.tags for line in new)])
        return taken
    if changed:
        await query(_UPDATED, orjson.dumps(changed, default=str).decode())
    taken.tags = await import_tags.put(here, lacking | {made[line.email]: line.tags for line in new if line.tags})
    return taken


async def _compare(
    client_import: ClientImport, lines: Sequence[Line], known: Known, taken: Taken
) -> tuple[list[dict[str, Any]], import_tags.Tags]:
    """Lines of clients who are there already: rows that change, and the tags that are added. What becomes of each line
    is counted."""
    changed, lacking = [], await _lacking(client_import, lines, known)
    for line in lines:
        client = known[line.email]
        merged = _merged(client, line.values, client_import.on_existing)
        if merged != client and not _agrees(merged):
            finding = Finding(ClientImportProblem.DISAGREES, None, shown(line.email))
            taken.wrong.append(replace(line, findings=[finding]))
            lacking.pop(client["id"], None)
        elif merged != client or client["id"] in lacking:
            taken.updated += 1
            changed += [merged] if merged != client else []
        else:
            taken.unchanged += 1
    return changed, lacking


async def _lacking(client_import: ClientImport, lines: Sequence[Line], known: Known) -> import_tags.Tags:
    """The tags that lines would add, by client."""
    if client_import.on_existing is OnExistingClient.SKIP:
        return {}
    return await import_tags.lacking({known[line.email]["id"]: line.tags for line in lines if line.tags})


async def _with_consultants(client_import: ClientImport, lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """The lines with who looks after their clients, and apart those that name nobody who could."""
    named = list({line.consultant for line in lines if line.consultant})
    rows = await query(_CONSULTANTS, client_import.organization_id, named, LOOKING_AFTER) if named else []
    known = {row["email"]: row["id"] for row in rows}
    right, wrong = [], []
    for line in lines:
        if line.consultant is None:
            right.append(line)
        elif member := known.get(line.consultant):
            right.append(replace(line, values=line.values | {"consultant_id": member}))
        else:
            wrong.append(replace(line, findings=[_nobody(client_import, line.consultant)]))
    return right, wrong


def _nobody(client_import: ClientImport, address: str) -> Finding:
    heading = next(heading for heading, said in client_import.columns if said == ClientImportField.CONSULTANT)
    return Finding(ClientImportProblem.CONSULTANT, heading, shown(address))


async def _known(organization_id: UUID, lines: Sequence[Line], *, lock: bool) -> Known:
    found = await query(
        _FOUND + " FOR NO KEY UPDATE" * lock, organization_id, [line.email for line in lines]
    )  # fmt: skip
    return {row["email"]: row for row in found}


async def _insert(organization_id: UUID, lines: Sequence[Line]) -> dict[str, UUID]:
    """Those that are new indeed, by address."""
    now = datetime.now(UTC)
    rows = [
        line.values | {
            "id": uuid7(), "created_at": now, "organization_id": organization_id,
            "electronic_address_scheme": FRENCH_DIRECTORY, "kind": _kind(line.values),
        }
        for line in lines
    ]  # fmt: skip
    made = await query(_INSERTED, orjson.dumps(rows, default=str).decode())
    return {row["email"]: row["id"] for row in made}


def _kind(values: Mapping[str, Any]) -> ClientKind:
    return ClientKind.COMPANY if values.keys() & {"company", "siren"} else ClientKind.PERSON


def _merged(client: dict[str, Any], values: Mapping[str, Any], on_existing: OnExistingClient) -> dict[str, Any]:
    match on_existing:
        case OnExistingClient.SKIP:
            return client
        case OnExistingClient.FILL:
            return client | {name: value for name, value in values.items() if client[name] is None}
        case OnExistingClient.OVERWRITE:
            return client | dict(values)


def _agrees(merged: Mapping[str, Any]) -> bool:
    return agrees(Client(**{name: value for name, value in merged.items() if name != "id"}))
