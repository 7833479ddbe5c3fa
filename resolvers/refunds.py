"""Money that goes back: refunds, disputes, credit notes."""

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Invalid
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.invoices import Invoice
from schema.lists import filtered
from schema.refunds import CreditNoteCreateInput, Dispute, DisputeFilter, PaymentRefundInput, Refund, RefundFilter
from schema.roots import Wanted, connection, exchange, mutation, one
from services import crediting
from services import refunds as refunds_service


@connection(Refund, requires=Permission.ORDERS_READ)
def refunds(info: Info, filter: RefundFilter | None = None) -> QuerySet[models.Refund]:
    """Money given back, newest first."""
    return filtered(actor(info).rows(models.Refund), filter)


@one(Refund, requires=Permission.ORDERS_READ)
def refund(id: strawberry.ID) -> Wanted:
    """One refund."""
    return models.Refund, row_id(models.Refund, id)


@connection(Dispute, requires=Permission.ORDERS_READ)
def disputes(info: Info, filter: DisputeFilter | None = None) -> QuerySet[models.Dispute]:
    """Payments that clients' banks ask back, newest first."""
    return filtered(actor(info).rows(models.Dispute), filter)


@one(Dispute, requires=Permission.ORDERS_READ)
def dispute(id: strawberry.ID) -> Wanted:
    """One dispute."""
    return models.Dispute, row_id(models.Dispute, id)


@exchange(Refund, requires=Permission.PAYMENTS_REFUND, idempotent=True)
async def payment_refund(info: Info, input: PaymentRefundInput) -> models.Refund:
    """Give money of a payment back, whole or in part: through Stripe, or, of one that was recorded by hand, as it went
    back by hand. What was invoiced is credited once the money went; what waited for a person is settled by it."""
    values = given(input)
    payment = await actor(info).get(models.Payment, input.payment, field="input.payment")
    wanted = refunds_service.Wanted(
        amount_cents=input.amount.amount if input.amount else None,
        currency=input.amount.currency if input.amount else payment.currency,
        reason=values.get("reason") or None,
        by_id=actor(info).membership_id,
        refunded_at=values.get("refunded_at"),
        reference=values.get("reference") or None,
        cancel_bookings=bool(values.get("cancel_bookings")),
    )
    return await refunds_service.give_back(payment, wanted)


@mutation(Invoice, requires=Permission.CREDIT_NOTES_WRITE, idempotent=True)
async def credit_note_create(info: Info, input: CreditNoteCreateInput) -> models.Invoice:
    """Credit an invoice without giving money back: of one that is not paid, less is then due; of one that is, what is
    credited is owed to the client, and goes back by `paymentRefund` without another credit note."""
    invoice = await actor(info).get(models.Invoice, input.invoice, field="input.invoice")
    if not input.reason.strip() or len(input.reason) > crediting.REASON_LONGEST or "\x00" in input.reason:
        raise Invalid(f"Say why, in 1 to {crediting.REASON_LONGEST} characters.", field="input.reason")
    return await crediting.credit(
        invoice,
        cents=input.amount.amount if input.amount else None,
        currency=input.amount.currency if input.amount else invoice.currency,
        reason=input.reason,
    )
