"""What a credit note says: the invoice that it corrects, and what it takes off, rate by rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from models import Invoice, InvoiceType, Language, PaymentMethod
from models.amounts import spread, vat_within
from models.content import Corrected, InvoiceContent, Line, VatBreakdown
from services import mentions


@dataclass(frozen=True)
class GivenBack:
    """Money that went back to the client: when, and the way it had come."""

    on: date
    method: PaymentMethod


def content_of(
    corrected: Invoice, before: Sequence[InvoiceContent], cents: int, given_back: GivenBack | None, *,
    reason: str | None, number: str, issued_at: datetime, zone: ZoneInfo,
) -> InvoiceContent:  # fmt: skip
    """The document that takes `cents`, TTC, off an invoice of which those `before` took something already. Who sold
    what to whom is said as the invoice says it. The last one takes exactly what is left of each rate."""
    invoice, today = InvoiceContent.model_validate(corrected.content), issued_at.astimezone(zone).date()
    said: dict[str, Any] = {
        "type": InvoiceType.CREDIT_NOTE,
        "number": number,
        "issued_on": today,
        "due_on": today,
        "corrects": Corrected(number=invoice.number, issued_on=invoice.issued_on),
        "deposits": (),
        "paid_cents": cents if given_back else 0,
        "paid_on": given_back.on if given_back else None,
        "payment_method": given_back.method if given_back else None,
        "transfer": None,
        "pay_url": None,
        "mentions": mentions.of_credit_note(invoice.mentions),
        "notes": (reason,) if reason else (),
    }
    if cents < invoice.gross_cents:
        said |= _part(invoice, before, cents)
    return InvoiceContent.model_validate(dict(invoice) | said)


def _part(invoice: InvoiceContent, before: Sequence[InvoiceContent], cents: int) -> dict[str, Any]:
    """A part of the whole is of no single thing sold: one line for each rate, by what is left of it."""
    left = [_left(group, before) for group in invoice.vat]
    shares = spread(cents, [group.net_cents + group.vat_cents for group in left])
    vat = tuple(_taken(group, share) for group, share in zip(left, shares, strict=True) if share)
    text = "Partial credit of invoice" if invoice.language is Language.EN else "Avoir partiel sur la facture"
    return {
        "lines": tuple(_line(f"{text} {invoice.number}", group) for group in vat),
        "vat": vat,
        "allowances": (),
        "net_cents": sum(group.net_cents for group in vat),
        "vat_cents": sum(group.vat_cents for group in vat),
        "gross_cents": cents,
    }


def _left(group: VatBreakdown, before: Sequence[InvoiceContent]) -> VatBreakdown:
    """What of a rate no credit note has taken off yet."""
    kind = (group.category, group.rate)
    taken = [each for content in before for each in content.vat if (each.category, each.rate) == kind]
    return group.model_copy(
        update={
            "net_cents": group.net_cents - sum(each.net_cents for each in taken),
            "vat_cents": group.vat_cents - sum(each.vat_cents for each in taken),
        }
    )


def _taken(left: VatBreakdown, gross: int) -> VatBreakdown:
    """So much of what is left of a rate: no more net, and no more VAT, than there is."""
    vat = min(vat_within(gross, left.rate), left.vat_cents)
    vat = max(vat, gross - left.net_cents)
    return left.model_copy(update={"net_cents": gross - vat, "vat_cents": vat})


def _line(description: str, group: VatBreakdown) -> Line:
    return Line(
        description=description, quantity=1, unit_net=Decimal(group.net_cents).scaleb(-2),
        vat_category=group.category, vat_rate=group.rate, net_cents=group.net_cents, vat_cents=group.vat_cents,
        gross_cents=group.net_cents + group.vat_cents,
    )  # fmt: skip
