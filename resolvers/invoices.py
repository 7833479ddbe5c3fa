"""Invoices."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.invoices import Invoice, InvoiceFilter, InvoiceOrder
from schema.lists import filtered
from schema.roots import Wanted, connection, one


@connection(Invoice, requires=Permission.INVOICES_READ, order=InvoiceOrder)
def invoices(info: Info, filter: InvoiceFilter | None = None) -> QuerySet[models.Invoice]:
    """Invoices, newest first."""
    return filtered(actor(info).rows(models.Invoice), filter)


@one(Invoice, requires=Permission.INVOICES_READ)
def invoice(id: strawberry.ID) -> Wanted:
    """One invoice."""
    return models.Invoice, row_id(models.Invoice, id)
