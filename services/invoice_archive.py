"""Invoices kept in the organization's own bucket too, where it has one: the PDF, and the XML for machines."""

import asyncio

from models import Invoice, Lane
from models.content import InvoiceContent
from providers.offers import Feature
from services import facturx, features, files, integrations
from services.outbox import job, later

PDF, XML = "application/pdf", "application/xml"


async def promise(invoice: Invoice) -> None:
    """Promise to keep a rendered document there, in the open transaction; nothing where no such provider is on."""
    if await features.has(invoice.organization_id, Feature.OWN_ARCHIVE):
        await later(archive, invoice)


@job(Lane.SYNC)
async def archive(invoice: Invoice) -> None:
    """Keep the PDF and the XML, as `2026/FQCA-2026-000001.pdf`: what lies there already stays. Nothing where the bucket
    was switched off since."""
    if invoice.file_key is None:
        raise RuntimeError(f"invoice {invoice.number} is not rendered yet")
    xml = await asyncio.to_thread(facturx.xml, InvoiceContent.model_validate(invoice.content))
    place = f"{invoice.year}/{invoice.number}"
    for key in await features.providers_of(invoice.organization_id, Feature.OWN_ARCHIVE):
        async with integrations.connected(invoice.organization_id, key, "invoice_archive.archive") as store:
            await store.save(f"{place}.pdf", await files.load(invoice.file_key), PDF)
            await store.save(f"{place}.xml", xml, XML)
