"""PDFs of invoices that are missing, made again: of those lost from the store, and of those never made.

What was sent is never replaced. The same content gives the same bytes, unless the page or what draws it was changed
since: then what is made now is kept beside, under a name with its own hash, and the row goes on naming what was sent.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from errors import Nonconforming, Refused
from models import Invoice
from models.content import InvoiceContent
from services import files, invoices
from services.outside import outside
from services.rendering import Renderer

AT_ONCE = 4


class Outcome(Enum):
    """What came of one invoice."""

    THERE = "there already"
    RENDERED = "rendered"
    RESTORED = "restored, the same to the byte"
    BESIDE = "kept beside"
    FAILED = "failed"


@dataclass(frozen=True)
class Rebuilt:
    """An invoice by its number; `why` it failed, or where its other version is kept."""

    number: str
    outcome: Outcome
    why: str = ""


async def count() -> int:
    """How many invoices there are to look at."""
    return await Invoice.all().count()


async def rebuild(renderer: Renderer) -> AsyncIterator[Rebuilt]:
    """Look after the PDF of every invoice, four at once. Safe to run again, and while others are made.

    One that cannot be made is told, and the rest goes on. Raises Disconnected or Unavailable where the store is not to
    be had, NotConfigured without Pango.
    """
    last = UUID(int=0)
    while some := await Invoice.filter(id__gt=last).order_by("id").limit(AT_ONCE):
        for rebuilt in await asyncio.gather(*(_rebuild(invoice, renderer) for invoice in some)):
            yield rebuilt
        last = some[-1].id


async def _rebuild(invoice: Invoice, renderer: Renderer) -> Rebuilt:
    stored = await outside().documents.digest(invoice.file_key) if invoice.file_key else None
    if stored is not None and stored != invoice.file_sha256:
        why = f"{invoice.file_key} is not what was sent: another SHA-256. Restore it from the backup."
        return Rebuilt(invoice.number, Outcome.FAILED, why)
    if stored is not None:
        return Rebuilt(invoice.number, Outcome.THERE)
    try:
        pdf = await renderer.invoice(InvoiceContent.model_validate(invoice.content))
        return await _kept(invoice, pdf)
    except (Nonconforming, Refused) as failure:
        return Rebuilt(invoice.number, Outcome.FAILED, str(failure))


async def _kept(invoice: Invoice, pdf: bytes) -> Rebuilt:
    if invoice.file_key is None:
        await invoices.keep(invoice, pdf)
        return Rebuilt(invoice.number, Outcome.RENDERED)
    digest = hashlib.sha256(pdf).hexdigest()
    if digest == invoice.file_sha256:
        await files.save(invoice.file_key, pdf)
        return Rebuilt(invoice.number, Outcome.RESTORED)
    beside = f"{invoice.file_key.removesuffix('.pdf')}-{digest[:12]}.pdf"
    await files.save(beside, pdf)
    return Rebuilt(invoice.number, Outcome.BESIDE, f"made now it differs from what was sent, which is lost: {beside}")
