"""Invoices."""

import base64
from typing import Any

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.invoices import Invoice, InvoiceFilter, InvoiceOrder, InvoicePreview, InvoicePreviewInput
from schema.lists import filtered
from schema.roots import Wanted, connection, exchange, one
from services import previews


@connection(Invoice, requires=Permission.INVOICES_READ, order=InvoiceOrder)
def invoices(info: Info, filter: InvoiceFilter | None = None) -> QuerySet[models.Invoice]:
    """Invoices, newest first."""
    return filtered(actor(info).rows(models.Invoice), filter)


@one(Invoice, requires=Permission.INVOICES_READ)
def invoice(id: strawberry.ID) -> Wanted:
    """One invoice."""
    return models.Invoice, row_id(models.Invoice, id)


@exchange(InvoicePreview, requires=Permission.ORGANIZATION_WRITE)
async def invoice_preview(info: Info, input: InvoicePreviewInput) -> InvoicePreview:
    """Draw an invoice as it would look, under a brand as it is or tried on. Nothing is issued, nothing kept."""
    values, caller = given(input), actor(info)
    order: Any = await caller.get(models.Order, values["order"], field="input.order") if values.get("order") else None
    partner: Any = None
    if values.get("partner"):
        partner = await caller.get(models.Partner, values["partner"], field="input.partner")
    look = {name: value for name, value in values.items() if name not in ("order", "partner", "language")}
    pdf, pages = await previews.invoice(caller.organization_id, order, partner, values.get("language"), look)
    pictures = [base64.b64encode(page).decode() for page in pages]
    return InvoicePreview(pdf=base64.b64encode(pdf).decode(), pages=pictures)
