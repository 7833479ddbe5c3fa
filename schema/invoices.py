"""Invoices."""

from typing import Annotated, Any

import strawberry

import models
from schema.base import auto, computed, enum, input, node
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
    credit_notes: list[Annotated["Invoice", strawberry.lazy("schema.invoices")]]
    refund: Annotated["Refund", strawberry.lazy("schema.refunds")] | None  # type: ignore[name-defined]  # noqa: F821
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


@input(models.Organization, partial=True)
class InvoicePreviewInput:
    """What to look at: an order's invoice, or, without one, a sample sale's; and the brand to try on, if another."""

    order: strawberry.ID | None = strawberry.field(
        description="The order whose invoice it would be; a sample sale unless given.", default=strawberry.UNSET
    )
    partner: strawberry.ID | None = strawberry.field(
        description="Whose brand the sample wears; the organization's unless given.", default=strawberry.UNSET
    )
    language: enum(models.Language) | None = strawberry.field(  # type: ignore[valid-type]
        description="What it is in; the client's language, else the organization's, unless given.",
        default=strawberry.UNSET,
    )
    brand_name: auto
    brand_color: auto
    logo_svg: auto
    logo_png: auto


@strawberry.type(description="An invoice as it would look: nothing is issued.")
class InvoicePreview:
    pdf: str = strawberry.field(description="The PDF, in base64, without a number, marked on every page.")
    pages: list[str] = strawberry.field(
        description="Its first pages, 3 at most, as PNGs of 110 dpi, each in base64.",
    )
