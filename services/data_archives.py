"""The archive that a person is given of all that is kept of them: JSON, the PDFs they were sent, their documents, and a
README in French and in English. Written page by page, a file of theirs at a time in memory.

Of the documents of bilans it holds those that who ordered it may open (`services/document_rules.py`): a synthesis is
for its beneficiary alone, so that those who run the organization are not given it with somebody else's data, be it that
they hold the bilan: the archive could be fetched when it is over.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

import orjson
from tortoise.queryset import QuerySet

from models import Client, Document, DocumentAccess, Invoice, Membership, Organization, Quote
from models.database import transaction
from services import data_export_files, documents, files, stored_files
from services.data_export_files import FILES, Row
from services.document_rules import OPENED_BY, Relation, refused
from services.invoice_content import brand
from services.wording import templates

Told = Callable[[int], Awaitable[None]]  # so many files are in it

_README = templates().get_template("data_export/LISEZMOI.txt")
_PAGE = 100  # papers that are looked up at once


async def count(client: Client) -> int:
    """How many files there are to put into it, beside the README."""
    return len(FILES) + 1 + sum([await found.count() for found in (_invoices(client), _quotes(client), _kept(client))])


async def write(path: Path, client: Client, member: Membership, told: Told) -> None:
    """Write the archive for who ordered it. Raises NotConfigured where something is not in the store."""
    done = 0
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("LISEZMOI-README.txt", await _readme(client, member))
        async for name, pieces in _contents(client, member):
            with archive.open(name, "w", force_zip64=True) as entry:
                async for piece in pieces:
                    await asyncio.to_thread(entry.write, piece)
            done += 1
            await told(done)


async def _contents(client: Client, member: Membership) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    """(name, content) of each file."""
    for file in FILES:
        tables = {table.__name__: data_export_files.rows(table, client) for table in file.tables}
        yield file.name, _json(tables)
    yield "journal.json", _json({"AuditEntry": data_export_files.former(client)})
    async for invoice in _each(_invoices(client)):
        yield f"factures/{invoice.number}.pdf", _pdf(invoice.file_key)
    async for quote in _each(_quotes(client)):
        yield f"devis/{quote.document_number}.pdf", _pdf(quote.file_key)
    now, asks = datetime.now(UTC), Relation.BENEFICIARY if client.member_id == member.id else Relation.RUNNING
    async for document in _each(_kept(client).prefetch_related("file", "bilan__client")):
        bilan = document.bilan
        may = asks in OPENED_BY[document.kind] and refused(document, bilan, member) is None
        if may and not documents.is_due(document.kind, bilan, now):
            yield f"documents/{document.id}-{files.plain(document.name)}", _opened(document, member)


async def _json(tables: Mapping[str, AsyncIterator[list[Row]]]) -> AsyncIterator[bytes]:
    """An object of arrays, a page at a time."""
    between = b"{"
    for name, pages in tables.items():
        yield between + b"\n" + orjson.dumps(name) + b": ["
        between, comma = b",", b""
        async for page in pages:
            yield comma + b",".join(b"\n" + orjson.dumps(row, default=str, option=orjson.OPT_INDENT_2) for row in page)
            comma = b","
        yield b"]"
    yield b"\n}\n"


async def _pdf(key: str) -> AsyncIterator[bytes]:
    yield await files.load(key)


async def _opened(document: Document, member: Membership) -> AsyncIterator[bytes]:
    """Noted before anything is read: nobody reads unseen."""
    async with transaction():
        await DocumentAccess.create(
            organization_id=document.organization_id, document=document, granted=True, membership_id=member.id
        )
    async for piece in stored_files.read(document.file, "data_archives.write"):
        yield piece


async def _readme(client: Client, member: Membership) -> str:
    organization = await Organization.get(id=client.organization_id)
    today = datetime.now(ZoneInfo(organization.time_zone)).date()
    return _README.render(
        brand=brand(organization), today=today, files=FILES, own=client.member_id == member.id
    )  # fmt: skip


async def _each(found: QuerySet[Any]) -> AsyncIterator[Any]:
    """Rows, oldest first, so many in memory at once."""
    after, page = None, found.order_by("id").limit(_PAGE)
    while rows := await (page.filter(id__gt=after) if after else page):
        for row in rows:
            yield row
        after = rows[-1].id


def _invoices(client: Client) -> QuerySet[Invoice]:
    return Invoice.filter(order__client_id=client.id, file_key__not_isnull=True).only("id", "number", "file_key")


def _quotes(client: Client) -> QuerySet[Quote]:
    found = Quote.filter(client_id=client.id, file_key__not_isnull=True)
    return found.only("id", "number", "version", "file_key")


def _kept(client: Client) -> QuerySet[Document]:
    return Document.filter(bilan__client_id=client.id, destroyed_at=None)
