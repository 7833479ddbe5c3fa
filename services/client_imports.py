"""Clients imported from a CSV file: each line is looked at, then they are written, a thousand lines in a transaction.

How far it came is kept by the transaction that wrote the lines, so that whoever goes on after a worker died leaves
nothing out and writes nothing twice. Locked first is the import, then clients by their ids.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from errors import Conflict, NotFound
from models import (
    AuditActor,
    ClientImport,
    ClientImportLine,
    ClientImportProblem,
    ClientImportStatus,
    Lane,
    OnBrokenLine,
    OnExistingClient,
    StoredFile,
    UploadPurpose,
    audit,
)
from models.audit import Acting
from models.database import retried, transaction
from services import file_types, import_lines, import_tags, import_writes, stored_files, uploads
from services.import_columns import Mapped
from services.import_lines import Finding, Line, Sheet, Unreadable
from services.outbox import job, later

AT_ONCE = 1000  # lines in a transaction
SHOWN_MOST = 10_000  # findings of an import that are kept; what is beyond is counted
REPORTED = timedelta(days=30)  # how long they are: they quote people

Status = ClientImportStatus


async def create(
    organization_id: UUID, upload_id: UUID, *, dry_run: bool, on_existing: OnExistingClient, on_broken: OnBrokenLine,
    mapping: Mapped, by: UUID | None,
) -> ClientImport:  # fmt: skip
    """An import of a file that was sent for it; a worker carries it out, one of an organization at a time. In the open
    transaction. Raises NotFound and Conflict as `uploads.take` does; a second one breaks a constraint."""
    upload = await uploads.take(organization_id, upload_id, UploadPurpose.CLIENT_IMPORT)
    made = await ClientImport.create(
        organization_id=organization_id, filename=upload.name, file=upload.file, dry_run=dry_run,
        on_existing=on_existing, on_broken=on_broken, mapping=dict(mapping), requested_by_id=by,
    )  # fmt: skip
    await later(run, made)
    return made


async def bring(
    organization_id: UUID, path: Path, *, dry_run: bool, on_existing: OnExistingClient, on_broken: OnBrokenLine
) -> ClientImport:
    """An import of a file of this machine, as `create` makes one; opens a transaction. Raises what it raises, and
    Invalid for a file that is not taken."""
    await asyncio.to_thread(_must_be_acceptable, path)
    kept_for = uploads.TERMS[UploadPurpose.CLIENT_IMPORT].kept_for or uploads.UNUSED
    async with stored_files.draft(organization_id, file_types.CSV, kept_for=kept_for) as draft:
        await draft.write_file(path)
        await draft.store()
        async with transaction():
            await draft.file.save(update_fields=["stored_sha256"])
            made = await ClientImport.create(
                organization_id=organization_id, filename=path.name, file=draft.file, dry_run=dry_run,
                on_existing=on_existing, on_broken=on_broken,
            )  # fmt: skip
            await later(run, made)
    return made


def _must_be_acceptable(path: Path) -> None:
    uploads.must_be_acceptable(UploadPurpose.CLIENT_IMPORT, path.name, file_types.CSV, path.stat().st_size)
    with path.open("rb") as file:
        file_types.must_be(file_types.CSV, file)


async def confirm(client_import: ClientImport, on_broken: OnBrokenLine | None) -> ClientImport:
    """Import for good what was only looked at, or refused; the row is locked. Raises Conflict for any other, and
    NotFound where the file is gone."""
    if client_import.status not in (Status.CHECKED, Status.REFUSED):
        raise Conflict("Only what was checked or refused can be imported for good.", field="input.clientImport")
    file = await StoredFile.get(id=client_import.file_id)
    if file.is_destroyed:
        raise NotFound("Its file was kept for a week, and is gone: send it again.", field="input.clientImport")
    await _set(
        client_import, on_broken=on_broken or client_import.on_broken, dry_run=False, status=Status.PENDING,
        finished_at=None, **_NOTHING,
    )  # fmt: skip
    await later(run, client_import)
    return client_import


@job(Lane.SYNC, timeout=3600)
async def run(client_import: ClientImport) -> None:
    """Look at the lines, then write them. A file that cannot be read says why, and is not tried again."""
    if client_import.is_finished:
        return
    file = await StoredFile.get(id=client_import.file_id)
    try:
        if file.is_destroyed:
            raise Unreadable(1, Finding(ClientImportProblem.FILE_GONE))
        async with stored_files.opened(file, "a client import") as opened:
            await _run(client_import, opened)
    except Unreadable as trouble:
        await _fail(client_import, trouble)


async def _run(client_import: ClientImport, opened: BinaryIO) -> None:
    sheet = await asyncio.to_thread(import_lines.opened, opened, client_import.mapping)
    if client_import.status is not Status.IMPORTING:
        await _begin(client_import, sheet)
        await _go_through(client_import, sheet)
        await _conclude(client_import)
    if client_import.status is Status.IMPORTING:
        with audit.acting(_actor(client_import)):
            await _go_through(client_import, sheet)
        await _note(client_import, status=Status.IMPORTED, finished_at=datetime.now(UTC))


async def _begin(client_import: ClientImport, sheet: Sheet) -> None:
    """From the first line on: all that a run before this one found is found again."""
    async with transaction():
        await ClientImportLine.filter(client_import_id=client_import.id).delete()
        await _set(
            client_import, status=Status.CHECKING, columns=sheet.columns, encoding=sheet.form.encoding,
            delimiter=sheet.form.delimiter, total=sheet.form.lines, broken=0, **_NOTHING,
        )  # fmt: skip


async def _go_through(client_import: ClientImport, sheet: Sheet) -> None:
    """All lines that are not done yet, a thousand at a time. They are read in a thread: it takes as long as writing."""
    with closing(sheet.lines()) as lines:
        await asyncio.to_thread(_skip, lines, client_import.done)
        while batch := await asyncio.to_thread(list, islice(lines, AT_ONCE)):
            await retried(partial(_take, client_import, batch))


def _skip(lines: Iterator[Line], number: int) -> None:
    for _ in islice(lines, number):
        pass


async def _take(client_import: ClientImport, batch: Sequence[Line]) -> None:
    """Look at lines, or write them, and write down that they are done. Raises Conflict where another worker did it."""
    importing = client_import.status is Status.IMPORTING
    good = [line for line in batch if not line.findings]
    async with transaction():
        locked = await ClientImport.select_for_update().get(id=client_import.id)
        if (locked.status, locked.done) != (client_import.status, client_import.done):
            raise Conflict("Another worker went on with this import.")
        taken = await import_writes.take(client_import, good, write=importing)
        wrong = taken.wrong if importing else [line for line in batch if line.findings] + taken.wrong
        found = await _not_told(client_import, wrong) if importing else sorted(wrong, key=lambda line: line.number)
        await _tell(client_import, found)
        await _set(
            client_import, done=locked.done + len(batch), created=locked.created + taken.created,
            updated=locked.updated + taken.updated, unchanged=locked.unchanged + taken.unchanged,
            broken=locked.broken + len(found), new_tags=import_tags.together(locked.new_tags, taken.tags),
        )  # fmt: skip


async def _not_told(client_import: ClientImport, found: Sequence[Line]) -> list[Line]:
    """Lines that were right when they were looked at: their clients have changed since."""
    told = ClientImportLine.filter(client_import_id=client_import.id, line__in=[line.number for line in found])
    known = {row.line for row in await told} if found else set()
    return [line for line in found if line.number not in known]


async def _tell(client_import: ClientImport, lines: Sequence[Line]) -> None:
    """Keep what is wrong with lines, as long as there is room."""
    if not lines:
        return
    room = SHOWN_MOST - await ClientImportLine.filter(client_import_id=client_import.id).count()
    findings = [_row(client_import, line, finding) for line in lines for finding in line.findings]
    await ClientImportLine.bulk_create(findings[: max(0, room)])


def _row(client_import: ClientImport, line: Line, finding: Finding) -> ClientImportLine:
    return ClientImportLine(
        organization_id=client_import.organization_id, client_import_id=client_import.id, line=line.number,
        last_line=line.last, problem=finding.problem, heading=finding.heading, value=finding.value,
        first_line=finding.first_line,
    )  # fmt: skip


async def _conclude(client_import: ClientImport) -> None:
    """All lines were looked at: the end, or the beginning of writing them."""
    total = {"total": client_import.done}
    if client_import.dry_run:
        await _note(client_import, status=Status.CHECKED, finished_at=datetime.now(UTC), **total)
    elif client_import.broken and client_import.on_broken is OnBrokenLine.REFUSE:
        await _note(client_import, status=Status.REFUSED, finished_at=datetime.now(UTC), **total)
    else:
        await _note(client_import, status=Status.IMPORTING, **total, **_NOTHING)


async def _fail(client_import: ClientImport, trouble: Unreadable) -> None:
    async with transaction():
        await ClientImportLine.filter(client_import_id=client_import.id).delete()
        await _tell(client_import, [Line(trouble.line, trouble.line, findings=[trouble.finding])])
        await _set(client_import, status=Status.FAILED, finished_at=datetime.now(UTC), broken=0, **_NOTHING)


_NOTHING: Mapping[str, Any] = {"done": 0, "created": 0, "updated": 0, "unchanged": 0, "new_tags": []}


async def _note(client_import: ClientImport, **values: Any) -> None:
    """Keep what is known of it by now; whoever follows it is told."""
    async with transaction():
        await _set(client_import, **values)


async def _set(client_import: ClientImport, **values: Any) -> None:
    await ClientImport.filter(id=client_import.id).update(**values)
    client_import.update_from_dict(values)


def _actor(client_import: ClientImport) -> Acting:
    """Clients are made and changed by whoever asked for it."""
    by = client_import.requested_by_id
    kind = AuditActor.PERSON if by else AuditActor.SYSTEM
    return Acting("clientImportCreate", client_import.organization_id, kind, actor_id=by)
