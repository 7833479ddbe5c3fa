"""Invoices."""

from typing import Annotated, Any

import strawberry

import models
from schema.base import auto, computed, node
from schema.partners import Partner
from schema.scalars import URL, Money
from services import files


@node(models.Invoice)
class Invoice:
    """What the client owes or paid, fixed at issue."""

    number: auto
    type: auto
    issued_at: auto
    order: Annotated["Order", strawberry.lazy("schema.orders")]  # type: ignore[name-defined]  # noqa: F821
    partner: Partner | None
    net: Money
    vat: Money
    total: Money
    live: auto
    rendered_at: auto
    emailed_at: auto

    @computed("Where to fetch the PDF, for 24 hours; null until it is made.")
    def pdf_url(root: Any) -> URL | None:
        return URL(files.invoice_link(root)) if root.is_rendered else None
