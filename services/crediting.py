"""Credit notes that a person issues, no money going back with them."""

from datetime import UTC, datetime

from errors import Invalid
from models import Client, Invoice, InvoiceType, Order, Payment
from services import asking, bilan_money, credit_notes, discounts, holds, settlement

REASON_LONGEST = 500


async def credit(invoice: Invoice, *, cents: int | None, currency: str, reason: str) -> Invoice:
    """The credit note of an invoice: of all that is left of it unless told. What it takes off is, in this order, not
    due any more; given up, of what a bank took back; owed to the client.

    Raises Conflict and Invalid as `credit_notes.issue` does.
    """
    order = await Order.select_for_update().get(id=invoice.order_id)
    await invoice.refresh_from_db()
    if currency != invoice.currency:
        raise Invalid(f"The invoice is in {invoice.currency}.", field="input.amount.currency")
    if order.is_open:  # it may be settled by this, or give its code back: numbers come last there too
        await Client.select_for_update(no_key=True).get(id=order.client_id)
        await discounts.lock(order, None)
    await settlement.with_everything(order)
    amount = invoice.left_cents if cents is None else cents
    note = await credit_notes.issue(order, invoice, amount, reason=reason)
    if invoice.type is InvoiceType.INVOICE:
        await _count(order, amount, note, reason)
    return note


async def _count(order: Order, cents: int, note: Invoice, reason: str) -> None:
    waived = min(cents, order.balance) if order.is_open else 0
    written_off = min(cents - waived, order.charged_back_cents - order.written_off_cents)
    order.waived_cents += waived
    order.written_off_cents += written_off
    order.credited_cents += cents - waived - written_off
    await order.save()
    if not waived:
        return
    await asking.forget_what_is_stale(order)
    if order.balance:
        return
    now = datetime.now(UTC)
    if order.paid_cents:
        payment = await Payment.filter(order_id=order.id, applied_cents__gt=0).order_by("-paid_at", "-id").first()
        await settlement.settle(order, payment, at=now, event_id=f"credit_{note.id.hex}")
        order.follow_its_money()
    else:
        order.give_up(at=now, reason=reason)
        await discounts.release(order)
        await holds.order_given_up(order, reason)
        await bilan_money.order_given_up(order, reason)
    await order.save()
