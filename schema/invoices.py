"""Invoices."""

from typing import Annotated, Any

import strawberry

import models
from schema.base import auto, computed, node
from schema.lists import among, between, filter, order
from schema.partners import Partner
from schema.scalars import URL, Money
from services import files


@node(models.Invoice)
class Invoice:
    """What the client owes or paid, or a credit note that takes something off it; fixed at issue."""

    number: auto
    type: auto
    issued_at: auto
    due_on: auto
    settled_at: auto
    order: Annotated["Order", strawberry.lazy("schema.orders")]  # type: ignore[name-defined]  # noqa: F821
    partner: Partner | None
    corrects: Annotated["Invoice", strawberry.lazy("schema.invoices")] | None
    net: Money
    vat: Money
    total: Money
    credited: Money
    live: auto
    rendered_at: auto
    emailed_at: auto

    @computed("Where to fetch the PDF, for 24 hours; null until it is made.", needs=("id", "number", "file_key"))
    def pdf_url(root: Any) -> URL | None:
        return URL(files.invoice_link(root)) if root.is_rendered else None


@node(models.Reminder)
class Reminder:
    """A letter about an invoice that is overdue."""

    number: auto
    due_at: auto
    sent_at: auto


@filter(models.Invoice)
class InvoiceFilter:
    """Which invoices."""

    type: among
    live: auto
    order: strawberry.ID
    partner: strawberry.ID
    corrects: strawberry.ID
    refund: strawberry.ID
    issued_at: between
    total: between


InvoiceOrder = order(models.Invoice, created_at="id", issued_at="issued_at", number="number", total="total_cents")
