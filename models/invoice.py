"""Invoices and their gapless series."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from models import chain
from models.base import Owned
from models.fields import Coded, CurrencyField, belongs_to
from models.order import Order


class InvoiceSeries(Owned):
    """A run of numbers without a gap: per organization, Stripe account and mode, and prefix; from 1 each year."""

    prefix = fields.CharField(10, description="What its numbers begin with")
    stripe_account = fields.CharField(255, description="Stripe account of its sales")
    live = fields.BooleanField(description="Whether its invoices are real")
    year = fields.IntField(default=0, description="Year of the newest invoice, in the organization's time zone")
    last_number = fields.IntField(default=0, description="The newest number of that year")
    last_issued_at = fields.DatetimeField(null=True, description="When the newest was issued")
    chain_sha256 = fields.CharField(64, null=True, description="That of the newest invoice")

    class Meta:
        table = "invoice_series"
        unique_together = (("organization", "prefix", "stripe_account", "live"),)

    def take(self, at: datetime, year: int) -> tuple[str, int, int, datetime]:
        """(document number, year, number, date) of the next invoice. The row must be locked.

        Dates never go back within a series, even where the clock does.
        """
        self.last_issued_at = max(at, self.last_issued_at or at)
        if year > self.year:
            self.year, self.last_number = year, 0
        self.last_number += 1
        return f"{self.prefix}-{self.year}-{self.last_number:06}", self.year, self.last_number, self.last_issued_at

    def seal(self, invoice: "Invoice") -> None:
        """Chain an invoice, complete but not saved, to the newest one. The row must be locked."""
        invoice.content_sha256 = chain.content_digest(invoice.content)
        columns = {name: getattr(invoice, name) for name in chain.LINKED}
        self.chain_sha256 = invoice.chain_sha256 = chain.link(columns, invoice.content_sha256, self.chain_sha256)


class InvoiceType(Coded):
    """UNTDID 1001 code of the document (EN 16931 BT-3)."""

    INVOICE = "INVOICE", "Commercial invoice, 380"
    PREPAYMENT = "PREPAYMENT", "Prepayment invoice, of a deposit, 386"
    CREDIT_NOTE = "CREDIT_NOTE", "Credit note, which takes something off an invoice, 381"


class Invoice(Owned):
    """What the client owes or paid, fixed at issue; never changed, never deleted: a credit note corrects it."""

    order_id: UUID
    order: Order = belongs_to("Order", "invoices", "The order invoiced")
    partner_id: UUID | None
    partner: Any = belongs_to("Partner", "invoices", "The partner whose brand it wears", null=True)
    corrects_id: UUID | None
    corrects: Any = belongs_to("Invoice", "credit_notes", "The invoice that a credit note corrects", null=True)
    refund_id: UUID | None
    refund: Any = belongs_to("Refund", "credit_notes", "The refund that it is for, where money went back", null=True)
    series_id: UUID
    series: InvoiceSeries = belongs_to("InvoiceSeries", "invoices", "The series of its number")
    type = fields.CharEnumField(InvoiceType, max_length=20, description="What kind of document")
    number = fields.CharField(40, description="Document number, as printed: `FQCA-2025-000156`")
    year = fields.IntField(description="Year of the number")
    sequence = fields.IntField(description="Place in its series that year, from 1")
    issued_at = fields.DatetimeField(description="When it was issued")
    due_on = fields.DateField(description="Until when it is to be paid")
    settled_at = fields.DatetimeField(null=True, description="When all that it asks for was paid")
    currency = CurrencyField(description="Currency of every amount")
    net_cents = fields.IntField(description="Total HT, in minor units")
    vat_cents = fields.IntField(description="VAT, in minor units")
    total_cents = fields.IntField(description="Total TTC, in minor units")
    credited_cents = fields.IntField(default=0, description="Taken off by credit notes, TTC, in minor units")
    stripe_account = fields.CharField(255, description="Stripe account of the sale")
    live = fields.BooleanField(description="False: TEST stands across the page")
    content: Any = fields.JSONField(description="All that the document says, as it was at issue")
    message_id = fields.CharField(255, description="Message-ID of the e-mail that carries it, fixed beforehand")
    content_sha256 = fields.CharField(64, description="SHA-256 of what it says, hexadecimal")
    chain_sha256 = fields.CharField(64, description="SHA-256 of that, of its columns and of this of the one before it")
    file_key = fields.CharField(255, null=True, description="Where the PDF is stored")
    file_sha256 = fields.CharField(64, null=True, description="SHA-256 of the PDF, hexadecimal")
    rendered_at = fields.DatetimeField(null=True, description="When the PDF was made")
    emailed_at = fields.DatetimeField(null=True, description="When it was sent to the client")

    rendering: Any = None  # the promise of its PDF, where it was issued just now

    class Meta:
        table = "invoices"
        unique_together = (("series", "year", "sequence"),)

    @property
    def is_rendered(self) -> bool:
        return self.file_key is not None

    @property
    def left_cents(self) -> int:
        """What no credit note has taken off."""
        return self.total_cents - self.credited_cents


class Reminder(Owned):
    """A letter about an invoice that is overdue: when it is to go, and when it went."""

    order_id: UUID
    order: Order = belongs_to("Order", "reminders", "The order that is not paid")
    invoice_id: UUID
    invoice: Invoice = belongs_to("Invoice", "reminders", "The invoice that asks for it")
    number = fields.IntField(description="Which one, from 1")
    due_at = fields.DatetimeField(description="When it is to be sent")
    sent_at = fields.DatetimeField(null=True, description="When it was sent")
    message_id = fields.CharField(255, description="Message-ID of the letter, fixed beforehand")

    class Meta:
        table = "reminders"
        ordering = ("due_at", "id")
        unique_together = (("invoice", "number"),)
