"""Quotes (devis): what is offered to a client, at a price that stands until a day."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

import errors
from models.base import Owned
from models.client import Client
from models.fields import Coded, CurrencyField, belongs_to
from models.opportunity import Opportunity
from models.product import Product

FIELD = "input.quote"


class QuoteSeries(Owned):
    """A run of quotes' numbers without a gap: per organization, mode and prefix; from 1 each year."""

    prefix = fields.CharField(12, description="What its numbers begin with")
    live = fields.BooleanField(description="Whether its quotes are real")
    year = fields.IntField(default=0, description="Year of the newest quote, in the organization's time zone")
    last_number = fields.IntField(default=0, description="The newest number of that year")

    class Meta:
        table = "quote_series"
        unique_together = (("organization", "prefix", "live"),)

    def take(self, year: int) -> tuple[str, int, int]:
        """(number as printed, year, number) of the next quote. The row must be locked."""
        if year > self.year:
            self.year, self.last_number = year, 0
        self.last_number += 1
        return f"{self.prefix}-{self.year}-{self.last_number:06}", self.year, self.last_number


class QuoteStatus(Coded):
    """Where a version of a quote stands."""

    DRAFT = "DRAFT", "Being written: it can still be changed, and the client has not seen it"
    SENT = "SENT", "The client may accept it"
    ACCEPTED = "ACCEPTED", "The client accepted it, and it became an order"
    REFUSED = "REFUSED", "The client refused it"
    EXPIRED = "EXPIRED", "Its last day is over"
    SUPERSEDED = "SUPERSEDED", "A newer version took its place"
    CANCELED = "CANCELED", "Taken back by the organization"


# What may come of each. A version that was sent is changed no more: another takes its place.
NEXT: dict[QuoteStatus, frozenset[QuoteStatus]] = {
    QuoteStatus.DRAFT: frozenset({QuoteStatus.SENT, QuoteStatus.CANCELED}),
    QuoteStatus.SENT: frozenset(
        {
            QuoteStatus.ACCEPTED, QuoteStatus.REFUSED, QuoteStatus.EXPIRED, QuoteStatus.SUPERSEDED,
            QuoteStatus.CANCELED,
        }
    ),
    QuoteStatus.ACCEPTED: frozenset(),
    QuoteStatus.REFUSED: frozenset(),
    QuoteStatus.EXPIRED: frozenset(),
    QuoteStatus.SUPERSEDED: frozenset(),
    QuoteStatus.CANCELED: frozenset(),
}  # fmt: skip


class Quote(Owned):
    """One version of a quote: lines at the prices of that day, TTC, in integer cents."""

    series_id: UUID | None
    series: Any = belongs_to("QuoteSeries", None, "The series of its number", null=True)
    number = fields.CharField(40, null=True, description="Number, the same for all versions; null before it is sent")
    year = fields.IntField(null=True, description="Year of the number")
    sequence = fields.IntField(null=True, description="Place in its series that year, from 1")
    version = fields.IntField(default=1, description="Which version of it, from 1")
    client_id: UUID
    client: Client = belongs_to("Client", "quotes", "To whom it is offered")
    opportunity_id: UUID | None
    opportunity: Opportunity | None = belongs_to("Opportunity", "quotes", "The opportunity that it is for", null=True)
    status = fields.CharEnumField(QuoteStatus, max_length=20, default=QuoteStatus.DRAFT, description="Where it stands")
    currency = CurrencyField(description="Currency of every amount")
    subtotal_cents = fields.IntField(description="What the lines come to, TTC, in minor units")
    discount_cents = fields.IntField(default=0, description="Taken off the whole, TTC, in minor units")
    discount_reason = fields.CharField(200, null=True, description="What the discount on the whole is for")
    total_cents = fields.IntField(description="Total TTC, in minor units")
    deposit_cents = fields.IntField(default=0, description="To be paid first, TTC, in minor units; 0 for no deposit")
    live = fields.BooleanField(description="False: TEST stands across the page, and no real money will move")
    note = fields.TextField(null=True, description="What the client reads above the lines")
    valid_until = fields.DateField(
        null=True, description="The last day on which it can be accepted; of a draft, where one was asked for"
    )
    expires_at = fields.DatetimeField(null=True, description="The end of that day, where the organization is")
    content: Any = fields.JSONField(null=True, description="All that the document says, as it was sent")
    content_sha256 = fields.CharField(
        64, null=True, description="SHA-256 of what it says, hexadecimal: what the client agreed to"
    )
    message_id = fields.CharField(255, null=True, description="Message-ID of the e-mail that carries it")
    file_key = fields.CharField(255, null=True, description="Where the PDF is stored")
    file_sha256 = fields.CharField(64, null=True, description="SHA-256 of the PDF, hexadecimal")
    rendered_at = fields.DatetimeField(null=True, description="When the PDF was made")
    sent_at = fields.DatetimeField(null=True, description="When it was sent: from then on it stands as it is")
    emailed_at = fields.DatetimeField(null=True, description="When the client was written to")
    accepted_at = fields.DatetimeField(null=True, description="When it was accepted")
    accepted_name = fields.CharField(200, null=True, description="Who accepted it, as they gave their name")
    accepted_from = fields.CharField(
        64, null=True, description="The network address from which it was accepted; null where it was on paper"
    )
    accepted_by_id: UUID | None
    accepted_by: Any = belongs_to("Membership", None, "Who noted what the client signed on paper", null=True)
    refused_at = fields.DatetimeField(null=True, description="When it was refused")
    refuse_reason = fields.CharField(500, null=True, description="Why it was refused, in the client's words")
    ended_at = fields.DatetimeField(null=True, description="When it expired, was superseded or taken back")
    order_id: UUID | None
    order: Any = belongs_to("Order", "quotes", "The order that it became", null=True)

    lines: Any

    class Meta:
        table = "quotes"
        unique_together = (("series", "year", "sequence", "version"),)

    @property
    def document_number(self) -> str:
        """As it is printed: the number, and the version from the second on."""
        if self.number is None:
            return "(brouillon)"
        return self.number if self.version == 1 else f"{self.number}-v{self.version}"

    @property
    def is_draft(self) -> bool:
        return self.status is QuoteStatus.DRAFT

    @property
    def is_rendered(self) -> bool:
        return self.file_key is not None

    def is_over(self, now: datetime) -> bool:
        """Whether its last day has passed, whatever a clock has noted of it."""
        return self.expires_at is not None and now >= self.expires_at

    def is_open_at(self, now: datetime) -> bool:
        """Whether the client can accept it."""
        return self.status is QuoteStatus.SENT and not self.is_over(now)

    def must_be_draft(self) -> None:
        """Raises Conflict for one that was sent."""
        if not self.is_draft:
            raise errors.Conflict(
                f"{self._called} was sent, and stands as it is: make a new version (quoteRevise).", field=FIELD
            )

    def must_be_open(self, now: datetime) -> None:
        """Raises Conflict, saying why, where the client can no longer accept or refuse it."""
        if self.is_draft:
            raise errors.Conflict("This quote is a draft: send it first (quoteSend).", field=FIELD)
        if self.status is not QuoteStatus.SENT:
            raise errors.Conflict(f"{self._called} {_SINCE[self.status]}.", field=FIELD)
        if self.is_over(now):
            raise errors.Conflict(
                f"{self._called} was good until {self.valid_until}: make a new version (quoteRevise).", field=FIELD
            )

    def accept(self, *, at: datetime, name: str, order_id: UUID, address: str | None, by: UUID | None) -> None:
        """The client agreed to what it says; from `address`, or on paper, as a member noted. Raises Conflict."""
        self.must_be_open(at)
        self._become(QuoteStatus.ACCEPTED)
        self.accepted_at, self.accepted_name, self.order_id = at, name, order_id
        self.accepted_from, self.accepted_by_id = address, by

    def refuse(self, *, at: datetime, reason: str | None) -> None:
        """The client does not want it. Raises Conflict."""
        self.must_be_open(at)
        self._become(QuoteStatus.REFUSED)
        self.refused_at, self.refuse_reason = at, reason

    def end(self, status: QuoteStatus, *, at: datetime) -> None:
        """It expired, was superseded or taken back. Raises Conflict where it is past that."""
        self._become(status)
        self.ended_at = at

    @property
    def _called(self) -> str:
        return f"Quote {self.document_number}"

    def _become(self, status: QuoteStatus) -> None:
        if status not in NEXT[self.status]:
            raise errors.Conflict(f"{self._called} {_SINCE[self.status]}.", field=FIELD)
        self.status = status


_SINCE = {
    QuoteStatus.DRAFT: "was not sent yet",
    QuoteStatus.SENT: "was sent already",
    QuoteStatus.ACCEPTED: "was accepted already",
    QuoteStatus.REFUSED: "was refused: make a new version (quoteRevise)",
    QuoteStatus.EXPIRED: "has expired: make a new version (quoteRevise)",
    QuoteStatus.SUPERSEDED: "was superseded by a newer version",
    QuoteStatus.CANCELED: "was taken back",
}


class QuoteLine(Owned):
    """One thing offered, at the price that it had when the version was written."""

    quote_id: UUID
    quote: Quote = belongs_to("Quote", "lines", "The quote")
    position = fields.IntField(description="Place on the quote, from 1")
    product_id: UUID
    product: Product = belongs_to("Product", "quote_lines", "The product offered")
    description = fields.CharField(200, description="Name of the product when it was offered")
    quantity = fields.IntField(description="How many, 1 or more")
    unit_price_cents = fields.IntField(description="Price TTC of one, in minor units")
    discount_cents = fields.IntField(default=0, description="Taken off the line, TTC, in minor units")
    share_cents = fields.IntField(default=0, description="Its share of the discount on the whole, TTC, in minor units")
    currency = CurrencyField(description="Currency of the price, the quote's")
    vat_rate = fields.IntField(description="VAT rate in hundredths of a percent")
    total_cents = fields.IntField(description="Price TTC of all, the line's discount taken off, in minor units")

    class Meta:
        table = "quote_lines"
        ordering = ("position",)
        unique_together = (("quote", "position"),)
