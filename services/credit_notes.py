"""Credit notes: what is taken off an invoice, numbered in its series, rendered and sent like it."""

from zoneinfo import ZoneInfo

from errors import Conflict, Invalid
from models import Invoice, InvoiceType, Order, Refund, RefundStatus
from models.amounts import spread
from models.content import InvoiceContent
from services import invoices
from services.credit_note_content import GivenBack, content_of

FIELD = "input.invoice"
INVOICES = (InvoiceType.INVOICE, InvoiceType.PREPAYMENT)


async def issue(
    order: Order, invoice: Invoice, cents: int, *, reason: str | None = None, given_back: GivenBack | None = None,
    refund: Refund | None = None,
) -> Invoice:  # fmt: skip
    """Take so much, TTC, off an invoice of an order, which is locked and comes with its organization.

    Raises Conflict for a credit note, for an invoice of which nothing is left, and for a deposit's that the invoice of
    the sale took over; Invalid for more than is left.
    """
    if invoice.type not in INVOICES:
        raise Conflict(f"{invoice.number} is a credit note: what it corrects is corrected by another.", field=FIELD)
    if not invoice.left_cents:
        raise Conflict(f"Nothing is left of invoice {invoice.number}: it is credited whole.", field=FIELD)
    if invoice.type is InvoiceType.PREPAYMENT and await _has_whole(invoice):
        raise Conflict(
            f"The invoice of the sale took deposit {invoice.number} into account: credit that one.", field=FIELD
        )
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
        corrects=invoice, refund=refund,
    )  # fmt: skip
    invoice.credited_cents += cents
    await invoice.save(update_fields=["credited_cents"])
    return note


async def follow_refunds(order: Order, refund: Refund | None = None) -> list[Invoice]:
    """Credit what went back and no credit note stands for, shared among the order's invoices by what is left of each.
    The order is locked and comes with its organization.

    Once the whole is invoiced, its invoices are credited, deposits' before; where nothing is invoiced yet, nothing is
    credited until it is. Without a refund, the latest is meant.
    """
    issued = await Invoice.filter(order_id=order.id, type__in=INVOICES).order_by("id")
    wholes = [invoice for invoice in issued if invoice.type is InvoiceType.INVOICE]
    standing = wholes or issued
    known = order.credited_cents if wholes else sum(invoice.credited_cents for invoice in issued)
    cents = min(order.refunded_cents - known, sum(invoice.left_cents for invoice in standing))
    if cents <= 0:
        return []
    refund = refund or await Refund.filter(order_id=order.id, status=RefundStatus.SUCCEEDED).order_by("-id").first()
    assert refund
    assert refund.refunded_at
    given_back = GivenBack(refund.refunded_at.astimezone(ZoneInfo(order.organization.time_zone)).date(), refund.method)
    parts = spread(cents, [invoice.left_cents for invoice in standing])
    if wholes:
        order.credited_cents += cents
        await order.save(update_fields=["credited_cents"])
    return [
        await issue(order, invoice, part, reason=refund.reason, given_back=given_back, refund=refund)
        for invoice, part in zip(standing, parts, strict=True)
        if part
    ]


async def _has_whole(deposit: Invoice) -> bool:
    """Whether the same brand's share of the sale is invoiced."""
    return await Invoice.exists(order_id=deposit.order_id, partner_id=deposit.partner_id, type=InvoiceType.INVOICE)
