"""Credit notes: what is taken off an invoice, numbered in its series, rendered and sent like it."""

from errors import Conflict, Invalid
from models import Invoice, InvoiceType, Order
from models.content import InvoiceContent
from services import invoices
from services.credit_note_content import GivenBack, content_of

INVOICES = (InvoiceType.INVOICE, InvoiceType.PREPAYMENT)


async def issue(
    order: Order, invoice: Invoice, cents: int, *, reason: str | None = None, given_back: GivenBack | None = None
) -> Invoice:
    """Take so much, TTC, off an invoice of an order, which is locked and comes with its organization.

    Raises Conflict for a credit note, or for an invoice of which nothing is left, and Invalid for more than is left.
    """
    if invoice.type not in INVOICES:
        raise Conflict(f"{invoice.number} is a credit note: what it corrects is corrected by another.", field=FIELD)
    if not invoice.left_cents:
        raise Conflict(f"Nothing is left of invoice {invoice.number}: it is credited whole.", field=FIELD)
    if not 0 < cents <= invoice.left_cents:
        raise Invalid(
            f"Of invoice {invoice.number}, {invoice.left_cents} minor units are left: credit that or less.",
            field="input.amount.amount",
        )
    before = [InvoiceContent.model_validate(each.content) for each in await Invoice.filter(corrects_id=invoice.id)]
    note = await invoices.issue_one(
        order, InvoiceType.CREDIT_NOTE, invoice.partner_id,
        lambda number, issued_at, zone: content_of(
            invoice, before, cents, given_back, reason=reason, number=number, issued_at=issued_at, zone=zone
        ),
        corrects=invoice,
    )  # fmt: skip
    invoice.credited_cents += cents
    await invoice.save(update_fields=["credited_cents"])
    return note


FIELD = "input.invoice"
