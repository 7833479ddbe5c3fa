"""What an auditor is given of a period: a ZIP with a folder for each indicator, an index, and what the bilans of the
period come to. It is kept like any document: encrypted, under a key of its own, for a month.

Of documents it holds what proves that bilans were held as they should be: evidence, consents and conventions. What is
for the beneficiary alone, and what a bilan was held with, is not in it (art. L6313-4 du code du travail).
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from errors import Conflict, DomainError
from models import Document, ExportStatus, Lane, Membership, QualityExport, QualityProof
from models.database import transaction
from models.export import UNDER_WAY
from models.quality import EXPORT_KEPT
from policy import Actor, Permission
from services import files, quality, quality_tables, scratch, spreadsheets, stored_files
from services.outbox import job, later

AT_ONCE = 2  # of an organization, that are not finished
PIECES_MOST = 20_000
ZIP = "application/zip"
TOLD_EVERY = 20  # pieces, between two notes of how far it is


async def create(organization_id: UUID, starts_on: date, ends_on: date, *, by: UUID | None) -> QualityExport:
    """An export of the days from the first to the last, which a worker makes. Raises Invalid for a period that cannot
    be, and Conflict with too many under way. The organization is locked."""
    await quality.moments(organization_id, starts_on, ends_on)
    if await QualityExport.filter(organization_id=organization_id, status__in=UNDER_WAY).count() >= AT_ONCE:
        raise Conflict(f"{AT_ONCE} are being made: wait for one of them.")
    export = await QualityExport.create(
        organization_id=organization_id, starts_on=starts_on, ends_on=ends_on, requested_by_id=by
    )
    await later(make, export)
    return export


@job(Lane.SYNC, timeout=1800)
async def make(export: QualityExport) -> None:
    """Write the archive, and keep it. What cannot be made says why, and is not tried again."""
    if export.is_finished:
        return
    evidence = await _evidence(export)
    documents = await _documents(export)
    await _tell(export, status=ExportStatus.RUNNING, total=len(evidence) + len(documents) + 1, done=0)
    with scratch.folder() as folder:
        path = folder / "archive.zip"
        try:
            await _write(path, export, evidence, documents)
            async with stored_files.draft(export.organization_id, ZIP, kept_for=EXPORT_KEPT) as draft:
                await draft.write_file(path)
                await draft.store()
        except DomainError as refusal:
            now = datetime.now(UTC)
            await _tell(export, status=ExportStatus.FAILED, error=refusal.message[:500], finished_at=now)
            return
    async with transaction():
        await draft.file.save(update_fields=["stored_sha256"])
    await _tell(
        export, status=ExportStatus.READY, file_id=draft.file.id, finished_at=datetime.now(UTC),
        done=len(evidence) + len(documents) + 1,
    )  # fmt: skip


async def opened(export_id: UUID) -> QualityExport | None:
    """One that can be fetched, with its file, as long as who asked for it may have it; None for any other."""
    export = await QualityExport.get_or_none(id=export_id).prefetch_related("file", "requested_by")
    if export is None or export.file is None or export.file.is_destroyed:
        return None
    asked: Membership | None = export.requested_by
    may = asked and asked.active and Actor(asked.role, export.organization_id, asked.id).may(Permission.QUALITY)
    return export if may else None


async def _write(
    path: Path, export: QualityExport, evidence: list[QualityProof], documents: list[Document]
) -> None:  # fmt: skip
    shown = {each.document_id for each in evidence}
    index: list[Sequence[Any]] = []
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for done, each in enumerate(evidence, 1):
            file = await _put(archive, each.document, f"indicateur-{each.indicator:02}") if each.document else None
            index.append(quality_tables.line_of_proof(each, file))
            await _tell_now_and_then(export, done)
        for done, document in enumerate((each for each in documents if each.id not in shown), len(evidence) + 1):
            file = await _put(archive, document, "bilans")
            index.append(quality_tables.line_of_document(document, file))
            await _tell_now_and_then(export, done)
        here = export.organization_id
        period = await quality.moments(here, export.starts_on, export.ends_on)
        for name, heading, rows in (
            ("index.csv", quality_tables.INDEX, index),
            ("bilans.csv", quality_tables.BILANS, await quality_tables.bilans(here, *period)),
            ("seances.csv", quality_tables.SESSIONS, await quality_tables.sessions(here, *period)),
        ):
            await asyncio.to_thread(_list, archive, name, heading, rows)


async def _put(archive: ZipFile, document: Document, folder: str) -> tuple[str, str]:
    """(its name in the archive, its SHA-256); of one that was destroyed no file."""
    if document.is_destroyed:
        return "(détruit)", document.sha256
    name = f"{folder}/{document.id}-{files.plain(document.name)}"
    with archive.open(name, "w", force_zip64=True) as entry:
        async for piece in stored_files.read(document.file, "quality_export.make"):
            await asyncio.to_thread(entry.write, piece)
    return name, document.sha256


async def _evidence(export: QualityExport) -> list[QualityProof]:
    found = QualityProof.filter(
        organization_id=export.organization_id, happened_on__gte=export.starts_on, happened_on__lte=export.ends_on
    )
    return await found.order_by("indicator", "happened_on", "id").limit(PIECES_MOST).prefetch_related("document__file")


async def _documents(export: QualityExport) -> list[Document]:
    since, until = await quality.moments(export.organization_id, export.starts_on, export.ends_on)
    found = Document.filter(
        organization_id=export.organization_id, kind__in=quality.PROVING, destroyed_at=None, created_at__gte=since,
        created_at__lt=until,
    )  # fmt: skip
    return await found.order_by("bilan_id", "id").limit(PIECES_MOST).prefetch_related("file")


async def _tell_now_and_then(export: QualityExport, done: int) -> None:
    if done % TOLD_EVERY == 0:
        await _tell(export, done=done)


async def _tell(export: QualityExport, **values: Any) -> None:
    async with transaction():
        await export.update_from_dict(values).save(update_fields=list(values))


def _list(archive: ZipFile, name: str, heading: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    archive.writestr(name, spreadsheets.BOM + b"".join(spreadsheets.written(each) for each in (heading, *rows)))
