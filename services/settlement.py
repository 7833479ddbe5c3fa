"""Money came for an order: what fits is counted, what does not waits for a person; once paid, all else is promised."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import asyncpg

from errors import DomainError
from models import (
    Client,
    ConflictKind,
    Invoice,
    Order,
    OrderKind,
    OrderLine,
    OrderStatus,
    Organization,
    Partner,
    Payment,
    Product,
    ProductPartner,
    TimelineKind,
    rows,
)
from models.database import savepoint
from services import (
    accesses,
    asking,
    bilan_money,
    credit_notes,
    discounts,
    holds,
    invoices,
    notifications,
    opportunity_orders,
    organizations,
    timeline,
)
from services.conflicts import flag

log = logging.getLogger("comptoir.settlement")

PASSING = (  # troubles of the database
    asyncpg.TransactionRollbackError, asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError, TimeoutError,
)  # fmt: skip


_hopeful: ContextVar[bool] = ContextVar("hopeful", default=False)


@contextmanager
def hopefully() -> Iterator[None]:
    """Whoever does all of it again where it fails needs no savepoint around what reacts: three trips less."""
    token = _hopeful.set(True)
    try:
        yield
    finally:
        _hopeful.reset(token)


async def receive(order: Order, payment: Payment, *, asked_cents: int | None, event_id: str) -> str:
    """Count a payment that succeeded, saved or not yet, towards its order, locked; what came of it, in words.

    `asked_cents` is what the client was asked for, in minor units: None where nobody knows, and it was what is due.
    """
    if misfit := _misfit(order, payment, asked_cents or order.due_cents):
        await payment.save()
        await flag(order, *misfit, payment=payment, refund_cents=payment.amount_cents)
        await _note(TimelineKind.PAYMENT_FLAGGED, order, payment, conflict=misfit[0])
        return f"flagged: {misfit[1]}"
    excess = max(payment.amount_cents - order.balance, 0)
    payment.applied_cents = payment.amount_cents - excess
    await rows.write(payment)
    order.receive(payment.applied_cents)
    await _note(TimelineKind.PAYMENT_RECEIVED, order, payment)
    if order.balance:
        await rows.update(order)  # else once it is settled
    await asking.forget_what_is_stale(order)
    if excess:
        message = f"{_money(excess, order)} more came than what was still to be paid: refund it."
        await flag(order, ConflictKind.OVERPAID, message, payment=payment, refund_cents=excess)
    if order.balance == 0:
        await settle(order, payment, at=payment.paid_at or datetime.now(UTC), event_id=event_id)
        return f"order {order.number} is paid"
    await with_everything(order)
    if order.has_deposit_paid and order.kind in AT_DEPOSIT:
        await _react(order)
    await invoices.issue_for_part(order, payment)
    await credit_notes.follow_refunds(order)
    return f"{_money(order.balance, order)} of order {order.number} is still to be paid"


async def _note(kind: TimelineKind, order: Order, payment: Payment, **more: str) -> None:
    await timeline.note(
        order.organization_id, order.client_id, kind, at=payment.paid_at or datetime.now(UTC),
        author=payment.recorded_by_id, order=order.id, order_number=order.number, payment=payment.id,
        amount_cents=payment.amount_cents, currency=payment.currency, method=payment.method,
        balance_cents=order.balance, **more,
    )  # fmt: skip


async def settle(order: Order, payment: Payment | None, *, at: datetime, event_id: str) -> None:
    """The order, locked, is paid: promise all that follows. Safe to call twice.

    Numbers come last: the series is locked for a moment only.
    """
    if order.is_paid:
        return
    order.pay(at=at, event_id=event_id)
    await rows.update(order)
    await with_everything(order, lock=True)
    await _react(order)
    in_parts = payment is not None and payment.applied_cents < order.paid_cents
    if in_parts:
        await accesses.follow_money(order)  # a part before may be disputed
    await discounts.keep(order)  # a client is locked before a code, as by a cart
    issued = await invoices.issue_paid(order, payment) if payment else []
    if issued:
        await _look_at(order, issued)
    if in_parts and await credit_notes.follow_refunds(order):
        await invoices.settle(await Invoice.filter(order_id=order.id))  # what went back before it was invoiced
    await notifications.promise(order, issued)


async def complete_free(order: Order) -> None:
    """Nothing to pay: the order, locked, is complete at once, without an invoice."""
    order.must_be_open()
    await settle(order, None, at=datetime.now(UTC), event_id=f"free_{order.id.hex}")


async def with_everything(order: Order, *, lock: bool = False) -> Order:
    """The order as invoices and notifications want it: with its organization, its client (locked, if told), and its
    lines with their products and partners."""
    parties = _LOCKED_PARTIES if lock else _PARTIES
    ((order.organization, order.client),) = await rows.find_together((Organization, Client), parties, order.client_id)
    lines: dict[OrderLine, list[ProductPartner]] = {}
    for line, product, link in await rows.find_together((OrderLine, Product, ProductPartner), _SOLD, order.id):
        line.product = product
        lines.setdefault(line, []).extend([link] if link else [])
    partner_ids = {link.partner_id for links in lines.values() for link in links}
    partners = await rows.find(Partner, "id = ANY($1)", list(partner_ids)) if partner_ids else []
    by_id = {partner.id: partner for partner in partners}
    for line, links in lines.items():
        for link in links:
            link.partner = by_id[link.partner_id]
        line.product.partner_links._set_result_for_query(links)
    order.lines._set_result_for_query([*lines])
    return order


_PARTIES = "clients JOIN organizations ON organizations.id = clients.organization_id WHERE clients.id = $1"
_LOCKED_PARTIES = f"{_PARTIES} FOR NO KEY UPDATE OF clients"
_SOLD = """
order_lines JOIN products ON products.id = order_lines.product_id
LEFT JOIN product_partners ON product_partners.product_id = products.id
WHERE order_lines.order_id = $1 ORDER BY order_lines.position, product_partners.id
"""


async def _look_at(order: Order, issued: Sequence[Invoice]) -> None:
    """What we sell waits for a complete identity; what is sold at Stripe does not, and its money is taken."""
    if missing := organizations.missing_names(order.organization):
        numbers = ", ".join(invoice.number for invoice in issued)
        message = (
            f"Paid, and {numbers} lacks {', '.join(missing)} of the organization: complete it (organizationUpdate), and"
            " let the client know."
        )
        await flag(order, ConflictKind.INVOICE_INCOMPLETE, message, reference="identity")


def _misfit(order: Order, payment: Payment, asked_cents: int) -> tuple[ConflictKind, str] | None:
    """Why no part of a payment can be counted; None where it can."""
    if order.status is OrderStatus.CANCELED:
        return ConflictKind.CANCELED_ORDER_PAID, "Paid after the order was cancelled: refund it."
    if order.is_paid:
        return ConflictKind.DUPLICATE_PAYMENT, "Paid a second time: refund one payment."
    if order.balance == 0:
        return ConflictKind.OVERPAID, "Paid after the price became nothing: refund it."
    if (payment.amount_cents, payment.currency) != (asked_cents, order.currency):
        took, asked = f"{payment.amount_cents} {payment.currency}", f"{asked_cents} {order.currency}"
        message = f"Stripe took {took}, we asked for {asked} (minor units): refund it, or settle the difference."
        return ConflictKind.AMOUNT_MISMATCH, message
    return None


def _money(cents: int, order: Order) -> str:
    return f"{cents / 100:.2f} {order.currency}"


async def _react(order: Order) -> None:
    """What was sold reacts. A reaction that fails never undoes a payment: a person is told."""
    if _hopeful.get():
        await REACTIONS[order.kind](order)
        return
    try:
        async with savepoint():
            await REACTIONS[order.kind](order)
    except PASSING:
        raise  # a passing trouble of the database: the whole settlement is tried again
    except Exception as error:
        log.exception("order %s: the reaction failed", order.id)
        reason = str(error) if isinstance(error, DomainError) else type(error).__name__
        await flag(order, ConflictKind.REACTION_FAILED, f"Paid, but not fulfilled: {reason}")


REACTIONS: dict[OrderKind, Callable[[Order], Awaitable[Any]]] = {
    OrderKind.PRODUCTS: accesses.grant,
    OrderKind.SUBSCRIPTION: accesses.grant,
    OrderKind.BOOKING: holds.confirm,
    OrderKind.BILAN: bilan_money.paid,
    OrderKind.OPPORTUNITY: opportunity_orders.react,
}

AT_DEPOSIT = (OrderKind.BOOKING, OrderKind.OPPORTUNITY)  # whose reaction does not wait for the balance
