"""Exports for accountants: asked for, made by a worker into a file, page by page, kept for a month."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

from errors import Conflict, DomainError, Invalid
from models import Export, ExportKind, ExportStatus, Lane, Organization
from models.database import transaction
from models.export import UNDER_WAY
from services import books, fec, files, scratch, spreadsheets, stripe_accounts
from services.books import Period
from services.outbox import job, later

PERIOD_MOST = timedelta(days=731)  # a first business year may take two
AT_ONCE = 3  # exports of an organization that are not finished
KEPT_FOR = timedelta(days=30)
TOLD_EVERY = 200  # rows, between two notes of how far it is

Told = Callable[[int], Awaitable[None]]  # so many rows are read


async def create(
    organization: Organization, kind: ExportKind, starts_on: date, ends_on: date, *, by: UUID | None
) -> Export:
    """An export of the days from the first to the last, in the mode that it sells in; a worker makes it. The
    organization is locked. Raises Invalid for a period that cannot be, and Conflict with too many under way."""
    must_be_a_period(starts_on, ends_on)
    unfinished = Export.filter(organization_id=organization.id, status__in=UNDER_WAY)
    if await unfinished.count() >= AT_ONCE:
        raise Conflict(f"{AT_ONCE} exports are being made: wait for one of them.", field="input.kind")
    live = (await stripe_accounts.of(organization.id)).live
    export = await Export.create(
        organization_id=organization.id, kind=kind, starts_on=starts_on, ends_on=ends_on, live=live,
        filename=_filename(organization, kind, starts_on, ends_on, live=live), requested_by_id=by,
    )  # fmt: skip
    await later(make, export)
    return export


def must_be_a_period(starts_on: date, ends_on: date) -> None:
    """Raises Invalid for one that ends before it begins, or is too long."""
    if not timedelta() <= ends_on - starts_on <= PERIOD_MOST:
        raise Invalid(f"A period is {PERIOD_MOST.days} days at most, the last not before the first.", field="input.to")


@job(Lane.SYNC, timeout=3600)
async def make(export: Export) -> None:
    """Write the file, and store it. What cannot be made says why, and is not tried again."""
    if export.is_finished:
        return
    organization = await Organization.get(id=export.organization_id)
    period = Period.of(organization, export.starts_on, export.ends_on, live=export.live)
    sources = _SOURCES[export.kind]
    total = sum([await books.count(period, source) for source in sources])
    left_out = sum([await books.count(period, source, foreign=True) for source in sources]) if _is_fec(export) else 0
    await _note(export, status=ExportStatus.RUNNING, total=total, left_out=left_out, done=0)

    async def told(done: int) -> None:
        await _note(export, done=done)

    with scratch.folder() as folder:
        path = folder / export.filename
        try:
            await write(path, export.kind, organization, period, told)
            size = path.stat().st_size
            key = f"{export.organization_id}/exports/{export.id}{path.suffix}"
            digest = await files.save_file(key, path, files.EXPORT_TYPES[export.kind])
        except DomainError as refusal:
            await _note(export, status=ExportStatus.FAILED, error=refusal.message[:500], finished_at=datetime.now(UTC))
            return
    await _note(
        export, status=ExportStatus.READY, file_key=key, file_sha256=digest, file_bytes=size, done=total,
        finished_at=datetime.now(UTC),
    )  # fmt: skip


async def write(path: Path, kind: ExportKind, organization: Organization, period: Period, told: Told) -> None:
    """Write what an export of a kind holds; `told` how many rows are read, now and then."""
    if kind is ExportKind.PDF_ZIP:
        await _write_zip(path, period, told)
        return
    done = 0
    with path.open("wb") as file:
        async for chunk in _CHUNKS[kind](organization, period):
            file.write(chunk)
            done += 1
            if done % TOLD_EVERY == 0:
                await told(done)


async def forget() -> int:
    """Delete exports that were made long ago, with their files; how many."""
    old = await Export.filter(created_at__lt=datetime.now(UTC) - KEPT_FOR).limit(100)
    for export in old:
        if export.file_key:
            await files.discard(export.file_key)
        await export.delete()
    return len(old)


async def _fec(organization: Organization, period: Period) -> AsyncIterator[bytes]:
    """A chunk for each entry, the first with the names of the columns."""
    head, number = fec.header(), 0
    async for entry in books.entries(period):
        number += 1
        yield head + b"".join(fec.rows(entry, number, organization.account_numbers))
        head = b""
    if head:
        yield head


async def _invoices(organization: Organization, period: Period) -> AsyncIterator[bytes]:
    async for chunk in _lines(spreadsheets.INVOICES, spreadsheets.INVOICE_COLUMNS, books.INVOICES, period):
        yield chunk


async def _payments(organization: Organization, period: Period) -> AsyncIterator[bytes]:
    async for chunk in _lines(spreadsheets.PAYMENTS, spreadsheets.PAYMENT_COLUMNS, books.PAYMENTS, period):
        yield chunk


async def _lines(
    columns: tuple[spreadsheets.Column, ...], selected: str, source: books.Source, period: Period
) -> AsyncIterator[bytes]:
    head = spreadsheets.heading(columns)
    async for row in books.rows(period, source, selected, currency=None):
        yield head + spreadsheets.line(columns, row, period)
        head = b""
    if head:
        yield head


async def _write_zip(path: Path, period: Period, told: Told) -> None:
    """PDFs, which are compressed as they are, and `index.csv`, which says of each what it is and its SHA-256."""
    index, done = path.with_name("index.csv"), 0
    columns = (*spreadsheets.INVOICES, ("Fichier", _named), ("SHA-256", lambda row, _: row["file_sha256"]))
    with ZipFile(path, "w", ZIP_STORED) as archive, index.open("wb") as listed:
        listed.write(spreadsheets.heading(columns))
        async for row in books.rows(period, books.INVOICES, spreadsheets.INVOICE_COLUMNS, currency=None):
            if row["file_key"]:
                await asyncio.to_thread(archive.writestr, _named(row, period), await files.load(row["file_key"]))
            listed.write(spreadsheets.line(columns, row, period))
            done += 1
            if done % TOLD_EVERY == 0:
                await told(done)
        listed.flush()
        archive.write(index, "index.csv")


def _named(row: books.Row, period: Period) -> str:
    """The file of an invoice within the archive; none where it is not made yet."""
    return f"{row['number']}.pdf" if row["file_key"] else ""


def _filename(organization: Organization, kind: ExportKind, starts_on: date, ends_on: date, *, live: bool) -> str:
    if kind is ExportKind.FEC:
        return fec.filename(organization.siren, ends_on, live=live)
    return f"{'' if live else 'TEST_'}{organization.slug}_{_NAMES[kind].format(f'{starts_on}_{ends_on}')}"


def _is_fec(export: Export) -> bool:
    return export.kind is ExportKind.FEC


async def _note(export: Export, **values: object) -> None:
    """Keep what is known of it by now; whoever follows it is told."""
    async with transaction():
        await Export.filter(id=export.id).update(**values)


_NAMES = {
    ExportKind.INVOICES_CSV: "factures_{}.csv", ExportKind.PAYMENTS_CSV: "paiements_{}.csv",
    ExportKind.PDF_ZIP: "factures_{}.zip",
}  # fmt: skip
_SOURCES = {
    ExportKind.FEC: books.SOURCES, ExportKind.INVOICES_CSV: (books.INVOICES,),
    ExportKind.PAYMENTS_CSV: (books.PAYMENTS,), ExportKind.PDF_ZIP: (books.INVOICES,),
}  # fmt: skip
_CHUNKS: dict[ExportKind, Callable[[Organization, Period], AsyncIterator[bytes]]] = {
    ExportKind.FEC: _fec, ExportKind.INVOICES_CSV: _invoices, ExportKind.PAYMENTS_CSV: _payments,
}  # fmt: skip
