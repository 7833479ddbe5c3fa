"""The orders by which opportunities are paid: made with the first link, at what the opportunity comes to; given up with
what is won no longer. Once one is paid, an opportunity that is not won is a matter for a person.

Rows are locked as `services/opportunities.py` says.
"""

from datetime import UTC, datetime, timedelta

import errors
from models import (
    Client,
    ConflictKind,
    Invoice,
    Lane,
    Opportunity,
    Order,
    OrderKind,
    OrderLine,
    OrderSource,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    StandIn,
)
from models.opportunity import FIELD
from services import accesses, asking, credit_notes, organizations, pricing, sales, stand_ins, stripe_accounts
from services.conflicts import flag
from services.outbox import Again, job

SOON = timedelta(minutes=10)
CALLED = "Opportunité"  # what stands for one in the catalogue


class Changed(errors.Conflict):
    """An opportunity got another order while its rows were being locked: begin again."""


async def lock(opportunity: Opportunity) -> tuple[Order | None, Opportunity]:
    """The order of an opportunity, where there is one, its client and itself, locked in that order and read anew.
    Raises Changed where it got another order at this moment, and Conflict where the client was erased."""
    order = await Order.select_for_update().get(id=opportunity.order_id) if opportunity.order_id else None
    client = await Client.select_for_update(no_key=True).get(id=opportunity.client_id)
    client.must_not_be_erased(field=FIELD)
    locked = await Opportunity.select_for_update(no_key=True).get(id=opportunity.id)
    if locked.order_id != opportunity.order_id:
        raise Changed("This opportunity has changed at this moment. Try again.", field=FIELD)
    return order, locked


async def make(opportunity: Opportunity) -> Order:
    """An order of what an opportunity, locked, comes to. Raises Conflict where it is not won or has no amount."""
    opportunity.must_be_payable()
    await organizations.must_be_complete(opportunity.organization_id, field=FIELD)
    line = OrderLine(position=1, quantity=1, discount_cents=0, product=await _product_of(opportunity))
    _say(line, opportunity)
    order = await sales.record(
        await opportunity.client, [line], source=OrderSource.BACK_OFFICE,
        place=await stripe_accounts.of(opportunity.organization_id), kind=OrderKind.OPPORTUNITY,
        deposit_cents=opportunity.deposit_cents,
    )  # fmt: skip
    opportunity.order_id = order.id
    await opportunity.save(update_fields=["order_id"])
    return order


def stands(order: Order) -> bool:
    """Whether an order is to be paid, or was: neither given up, nor given back."""
    return order.status in (OrderStatus.OPEN, OrderStatus.PAID)


async def price_again(order: Order, opportunity: Opportunity) -> None:
    """What an open order, locked, asks for follows its opportunity; a page that asks for less or more is taken back.
    Raises Conflict where the price stands."""
    await must_be_without_consequence(order)
    if order.source is OrderSource.QUOTE:
        raise errors.Conflict("Its price is that of a quote which the client accepted, and stands.", field=FIELD)
    if opportunity.amount_cents is None or opportunity.currency != order.currency:
        raise errors.Conflict(
            f"Order {order.number} asks for it in {order.currency}: give that up first (orderCancel).", field=FIELD
        )
    (line,) = await OrderLine.filter(order_id=order.id)
    await _product_of(opportunity)
    _say(line, opportunity)
    order.deposit_cents = opportunity.deposit_cents
    if order.discount_cents + order.deposit_cents >= line.total_cents:
        raise errors.Conflict(
            f"Discount and deposit of order {order.number} come to as much, or more: change them first.", field=FIELD
        )
    pricing.price(order, [line])
    await order.save()
    await line.save()
    await asking.forget_what_is_stale(order)


async def must_be_without_consequence(order: Order) -> None:
    """Raises Conflict where money came by an order, or it is invoiced."""
    if await has_consequence(order):
        raise errors.Conflict(
            f"Order {order.number} is paid or invoiced, in part at least: what was agreed stands. Give the money back"
            " (paymentRefund) or credit its invoices (creditNoteCreate) first.",
            field=FIELD,
        )


async def has_consequence(order: Order) -> bool:
    """Whether money is here by an order, or asked for by an invoice."""
    issued = await Invoice.filter(order_id=order.id, type__in=credit_notes.INVOICES)
    return order.kept_cents > 0 or any(invoice.left_cents for invoice in issued)


async def react(order: Order) -> None:
    """An order, locked, is paid, or its deposit is. The money stands in any case: where the opportunity is not won, or
    is paid by another order, a person is told. What a quote sold is granted."""
    opportunity = await Opportunity.filter(order_id=order.id).select_for_update(no_key=True).first()
    if opportunity is None or not opportunity.is_won:
        stands = f"is {opportunity.stage}" if opportunity else "is paid by another order"
        payment = await Payment.filter(order_id=order.id, applied_cents__gt=0).order_by("-paid_at", "-id").first()
        message = f"Paid, but the opportunity {stands}: win it after all (opportunityMove), or refund it."
        await flag(
            order, ConflictKind.OPPORTUNITY_LOST, message, payment=payment,
            refund_cents=payment.applied_cents if payment else 0, reference=f"opportunity_{order.id}",
        )  # fmt: skip
    elif order.is_paid and order.source is OrderSource.QUOTE:
        await accesses.grant(order)


@job(Lane.SYNC)
async def give_up(order: Order) -> None:
    """Nobody waits for an order any more: what the client could still pay by is taken back at Stripe first. Money that
    comes before that is counted, and a person told; a debit that is under way is waited for."""
    if not order.is_open or await Opportunity.exists(order_id=order.id, won_at__isnull=False):
        return
    try:
        await sales.cancel(order, "The opportunity is not won any more.")
    except errors.Conflict as busy:
        if await order.payments.filter(status=PaymentStatus.PROCESSING).exists():
            raise Again(datetime.now(UTC) + SOON, str(busy)) from busy


def _say(line: OrderLine, opportunity: Opportunity) -> None:
    line.update_from_dict(
        {
            "description": opportunity.title, "unit_price_cents": opportunity.amount_cents,
            "total_cents": opportunity.amount_cents, "currency": opportunity.currency,
            "vat_rate": opportunity.vat_rate,
        }
    )  # fmt: skip


async def _product_of(opportunity: Opportunity) -> Product:
    """What stands for an opportunity, locked, on orders. The line of the order is called as the opportunity is, and
    this is not: more people may read products than opportunities."""
    return await stand_ins.product_of(opportunity, StandIn.OPPORTUNITY, CALLED, opportunity.amount_cents)
