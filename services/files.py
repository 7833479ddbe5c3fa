"""Documents, on disk or in S3, and the signed links that open them."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from errors import Gone, NotConfigured
from models import Invoice
from services import tokens
from services.outside import outside

LINK_LIFE = timedelta(hours=24)
OPENED_LIFE = timedelta(hours=1)  # of the address that a link leads to: for a page to be loaded again
PDF = "application/pdf"


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


async def load(key: str) -> bytes:
    """A document, whole. Raises NotConfigured where it is not stored: an operator can bring it, so no job gives up."""
    try:
        return await outside().documents.load(key)
    except Gone as gone:
        raise NotConfigured(
            f"A document is missing ({gone}). Bring it with `bin/comptoir files copy`, or from a backup."
        ) from gone


def invoice_link(invoice: Filed) -> str:
    """A public address of the PDF, good for 24 hours from now. Costs no wait: lists of invoices have one each."""
    token, _ = tokens.sign(tokens.FILE, {"invoice": str(invoice.id)}, LINK_LIFE)
    return f"{outside().settings.app_url}/files/{token}/{invoice.number}.pdf"


async def direct_link(invoice: Filed) -> str:
    """The same for programs, which may not follow redirects: in S3, the address of the PDF itself."""
    return await stored_at(invoice, LINK_LIFE) or invoice_link(invoice)


async def stored_at(invoice: Filed, life: timedelta) -> str | None:
    """Where the store itself shows the PDF, for `life`; None on disk, or before it is rendered."""
    if invoice.file_key is None:
        return None
    return await outside().documents.link(
        invoice.file_key, filename=f"{invoice.number}.pdf", content_type=PDF, life=life
    )


async def invoice_of_link(token: str) -> Invoice | None:
    """The invoice that a link opens, None for a link that is not ours or no longer good."""
    claims = tokens.read(tokens.FILE, token)
    return await Invoice.get_or_none(id=UUID(claims["invoice"]), file_key__isnull=False) if claims else None
