"""Documents, on disk or in S3, and the signed links that open them."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

from errors import Gone, NotConfigured
from models import Export, ExportKind, ExportStatus, Invoice, Quote
from services import tokens
from services.outside import outside

LINK_LIFE = timedelta(hours=24)
OPENED_LIFE = timedelta(hours=1)  # of the address that a link leads to: for a page to be loaded again
PDF = "application/pdf"
EXPORT_TYPES = {
    ExportKind.FEC: "text/plain; charset=iso-8859-15", ExportKind.INVOICES_CSV: "text/csv; charset=utf-8",
    ExportKind.PAYMENTS_CSV: "text/csv; charset=utf-8", ExportKind.PDF_ZIP: "application/zip",
}  # fmt: skip


class Filed(Protocol):
    """What a link needs to know of an invoice, be it a row or a part of one."""

    @property
    def id(self) -> UUID: ...
    @property
    def number(self) -> str: ...
    @property
    def file_key(self) -> str | None: ...


async def save(key: str, content: bytes) -> str:
    """Store a PDF, whole or not at all; SHA-256 of what is stored. What lies under the key already stays.

    Two workers may render one document, and differently where one is newer: the first is the document for both.
    """
    return await outside().documents.save(key, content, PDF)


async def save_file(key: str, path: Path, content_type: str) -> str:
    """The same for a file of this machine, of any kind and size."""
    return await outside().documents.save_file(key, path, content_type)


async def discard(key: str) -> None:
    """Delete what was made to be fetched once. In S3 a rule of the bucket does it: its keys let nobody delete."""
    await outside().documents.discard(key)


async def load(key: str) -> bytes:
    """A document, whole. Raises NotConfigured where it is not stored: an operator can bring it, so no job gives up."""
    try:
        return await outside().documents.load(key)
    except Gone as gone:
        raise _missing(gone) from gone


@dataclass(frozen=True, slots=True)
class Document:
    """What a link opens: where it is kept, and what it is called."""

    key: str
    filename: str  # plain ASCII
    content_type: str = PDF


async def path(document: Document) -> Path | None:
    """The file that it is on this machine; None where it lies elsewhere. Raises NotConfigured where it is missing."""
    try:
        return await outside().documents.path(document.key)
    except Gone as gone:
        raise _missing(gone) from gone


def export_link(export: Export) -> str:
    """A public address of an export, good for 24 hours from now."""
    token, _ = tokens.sign(tokens.FILE, {"export": str(export.id)}, LINK_LIFE)
    return f"{outside().settings.app_url}/files/{token}/{export.filename}"


def invoice_link(invoice: Filed) -> str:
    """A public address of the PDF, good for 24 hours from now. Costs no wait: lists of invoices have one each."""
    token, _ = tokens.sign(tokens.FILE, {"invoice": str(invoice.id)}, LINK_LIFE)
    return f"{outside().settings.app_url}/files/{token}/{invoice.number}.pdf"


async def direct_link(invoice: Filed) -> str:
    """The same for programs, which may not follow redirects: in S3, the address of the PDF itself."""
    document = _of_invoice(invoice)
    return (await stored_at(document, LINK_LIFE) if document else None) or invoice_link(invoice)


def quote_link(quote: Quote) -> str:
    """A public address of a quote's PDF, good for 24 hours from now."""
    token, _ = tokens.sign(tokens.FILE, {"quote": str(quote.id)}, LINK_LIFE)
    return f"{outside().settings.app_url}/files/{token}/{quote.document_number}.pdf"


async def stored_at(document: Document, life: timedelta) -> str | None:
    """Where the store itself shows a document, for `life`; None on disk."""
    return await outside().documents.link(
        document.key, filename=document.filename, content_type=document.content_type, life=life
    )


async def document_of_link(token: str) -> Document | None:
    """What a link opens, None for a link that is not ours or no longer good."""
    match tokens.read(tokens.FILE, token):
        case {"invoice": id}:
            invoice = await Invoice.get_or_none(id=UUID(id))
            return _of_invoice(invoice) if invoice else None
        case {"quote": id}:
            quote = await Quote.get_or_none(id=UUID(id))
            return Document(quote.file_key, f"{quote.document_number}.pdf") if quote and quote.file_key else None
        case {"export": id}:
            export = await Export.get_or_none(id=UUID(id), status=ExportStatus.READY)
            if export and export.file_key:
                return Document(export.file_key, export.filename, EXPORT_TYPES[export.kind])
    return None


def plain(name: str) -> str:
    """A name that every system can unpack."""
    return "".join(each if each.isalnum() or each in "-_. " else "_" for each in name).strip(". ")[-100:] or "document"


def _missing(gone: Gone) -> NotConfigured:
    return NotConfigured(f"A document is missing ({gone}). Bring it with `bin/comptoir files copy`, or from a backup.")


def _of_invoice(invoice: Filed) -> Document | None:
    return Document(invoice.file_key, f"{invoice.number}.pdf") if invoice.file_key else None
