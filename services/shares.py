"""Of an order of several brands, each one's invoice has its part of what is paid and what is due."""

from models import Invoice
from models.amounts import spread
from models.content import InvoiceContent


async def part_of(invoice: Invoice, cents: int) -> int:
    """Its part of an amount of the order, by what the invoices of its kind asked for and credit notes
    did not take off."""
    asked = await Invoice.filter(order_id=invoice.order_id, type=invoice.type).order_by("id")
    asks = [InvoiceContent.model_validate(each.content).due_cents - each.credited_cents for each in asked]
    shares = spread(cents, [max(ask, 0) for ask in asks])
    return next(share for each, share in zip(asked, shares, strict=True) if each.id == invoice.id)
