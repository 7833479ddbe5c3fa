"""Invoices."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.invoices import Invoice
from schema.roots import connection, one


@connection(Invoice, requires=Permission.INVOICES_READ)
def invoices(info: Info) -> QuerySet[models.Invoice]:
    """Invoices, newest first."""
    return actor(info).rows(models.Invoice)


@one(Invoice, requires=Permission.INVOICES_READ)
def invoice(info: Info, id: strawberry.ID) -> QuerySet[models.Invoice]:
    """One invoice."""
    return actor(info).rows(models.Invoice).filter(id=row_id(models.Invoice, id))
