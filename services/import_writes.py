"""Lines of a client file, written a thousand at a time: clients who are new, and what changes of those who are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from errors import Conflict
from models import Client, ClientImport, ClientImportField, ClientImportProblem, ClientKind, OnExistingClient
from models.client import FRENCH_DIRECTORY
from models.database import query
from services.import_lines import Finding, Line, agrees, shown

COLUMNS = tuple(field.column for field in ClientImportField)

_ALL = ", ".join(COLUMNS)
_FOUND = (
    f"SELECT id, electronic_address, electronic_address_scheme, {_ALL} FROM clients"  # noqa: S608 - columns of ours
    " WHERE organization_id = $1 AND email = ANY($2) ORDER BY id"
)
_MADE = f"id, created_at, organization_id, kind, electronic_address_scheme, {_ALL}"
_INSERTED = (
    f"INSERT INTO clients ({_MADE}) SELECT {_MADE}"  # noqa: S608
    " FROM jsonb_populate_recordset(NULL::clients, $1) ON CONFLICT (organization_id, email) DO NOTHING RETURNING email"
)
_UPDATED = (
    f"UPDATE clients SET {', '.join(f'{name} = given.{name}' for name in COLUMNS)}"  # noqa: S608
    " FROM jsonb_populate_recordset(NULL::clients, $1) AS given WHERE clients.id = given.id"
)

Known = dict[str, dict[str, Any]]  # rows of clients by their e-mail address


@dataclass
class Counts:
    """What became of clients, or would."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


async def take(client_import: ClientImport, lines: Sequence[Line], *, write: bool) -> Counts:
    """Write the lines, in the open transaction, or only tell what would come of it. A line that does not go with what
    is known of its client is given its finding, and changes nothing.

    Raises Conflict where a client was made and deleted at this moment: begin again.
    """
    here = client_import.organization_id
    known = await _known(here, lines, lock=write)
    new = [line for line in lines if line.email not in known]
    if write and new:
        made = await _insert(here, new)
        late = [line for line in new if line.email not in made]  # somebody else was faster
        known |= await _known(here, late, lock=True) if late else {}
        new = [line for line in new if line.email in made]
    counts, changed = Counts(created=len(new)), []
    fresh = {line.email for line in new}
    for line in lines:
        if line.email in fresh:
            continue
        client = known.get(line.email)
        if client is None:
            raise Conflict("A client was made and deleted while they were imported.")
        merged = _merged(client, line.values, client_import.on_existing)
        if merged == client:
            counts.unchanged += 1
        elif not _agrees(merged):
            line.findings.append(Finding(ClientImportProblem.DISAGREES, None, shown(line.email)))
        else:
            counts.updated += 1
            changed.append(merged)
    if write and changed:
        await query(_UPDATED, orjson.dumps(changed, default=str).decode())
    return counts


async def _known(organization_id: UUID, lines: Sequence[Line], *, lock: bool) -> Known:
    found = await query(
        _FOUND + " FOR NO KEY UPDATE" * lock, organization_id, [line.email for line in lines]
    )  # fmt: skip
    return {row["email"]: row for row in found}


async def _insert(organization_id: UUID, lines: Sequence[Line]) -> set[str]:
    """The addresses of those that are new indeed."""
    now = datetime.now(UTC)
    rows = [
        line.values | {
            "id": uuid7(), "created_at": now, "organization_id": organization_id,
            "electronic_address_scheme": FRENCH_DIRECTORY, "kind": _kind(line.values),
        }
        for line in lines
    ]  # fmt: skip
    made = await query(_INSERTED, orjson.dumps(rows, default=str).decode())
    return {row["email"] for row in made}


def _kind(values: Mapping[str, str]) -> ClientKind:
    return ClientKind.COMPANY if values.keys() & {"company", "siren"} else ClientKind.PERSON


def _merged(client: dict[str, Any], values: Mapping[str, str], on_existing: OnExistingClient) -> dict[str, Any]:
    match on_existing:
        case OnExistingClient.SKIP:
            return client
        case OnExistingClient.FILL:
            return client | {name: value for name, value in values.items() if client[name] is None}
        case OnExistingClient.OVERWRITE:
            return client | dict(values)


def _agrees(merged: Mapping[str, Any]) -> bool:
    return agrees(Client(**{name: value for name, value in merged.items() if name != "id"}))
