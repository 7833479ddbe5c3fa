"""The sale: an order is made, is paid, and all that follows is promised in the same transaction."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from errors import DomainError, Invalid
from models import Access, Client, Conflict, ConflictKind, Order, OrderKind, OrderLine, Payment, Product
from models.database import query, savepoint
from services import invoices, notifications
from services.outside import outside

log = logging.getLogger("comptoir.sales")

LINES_MOST = 100  # as many as a Checkout Session takes
TOTAL_MOST = 99_999_999  # minor units: the most that Stripe takes at once
PLATFORM = "platform"  # the Stripe account of the installation


async def create(client: Client, lines: Sequence[tuple[Product, int]]) -> Order:
    """An open order at the catalogue's prices. Raises Invalid, naming the line."""
    if not 1 <= len(lines) <= LINES_MOST:
        raise Invalid(f"An order has 1 to {LINES_MOST} lines.", field="input.lines")
    for position, (product, quantity) in enumerate(lines):
        if not 1 <= quantity <= 9999:
            raise Invalid("A quantity is 1 to 9999.", field=f"input.lines.{position}.quantity")
        if not product.active:
            raise Invalid(f"{product.name} is no longer sold.", field=f"input.lines.{position}.product")
        if product.currency != lines[0][0].currency:
            raise Invalid("All products of an order have one currency.", field=f"input.lines.{position}.product")
    total = sum(product.price_cents * quantity for product, quantity in lines)
    if total > TOTAL_MOST:
        raise Invalid("The total is more than can be paid at once: make several orders.", field="input.lines")
    settings = outside().settings
    order = await Order.create(
        organization_id=client.organization_id, number=await _next_number(client), client=client,
        kind=OrderKind.PRODUCTS, currency=lines[0][0].currency, subtotal_cents=total, total_cents=total,
        stripe_account=PLATFORM, live=settings.live,
    )  # fmt: skip
    await OrderLine.bulk_create(
        OrderLine(
            organization_id=order.organization_id, order=order, position=position, product=product,
            description=product.name, quantity=quantity, unit_price_cents=product.price_cents,
            currency=product.currency, vat_rate=product.vat_rate, total_cents=product.price_cents * quantity,
        )
        for position, (product, quantity) in enumerate(lines, start=1)
    )  # fmt: skip
    return order


async def settle(order: Order, payment: Payment | None, *, at: datetime, event_id: str) -> None:
    """The order, locked, is paid: promise all that follows. Safe to call twice.

    Numbers come last: the series is locked for a moment only.
    """
    if order.is_paid:
        return
    order.pay(at=at, event_id=event_id)
    if payment:
        payment.applied_cents = payment.amount_cents
        await payment.save()
    await order.save()
    await _react(order)
    await order.fetch_related("organization", "client", "lines__product__partner_links__partner")
    issued = await invoices.issue(order, payment) if payment else []
    await notifications.promise(order, issued)


async def complete_free(order: Order) -> None:
    """Nothing to pay: the order, locked, is complete at once, without an invoice."""
    order.must_be_open()
    await settle(order, None, at=datetime.now(UTC), event_id=f"free_{order.id.hex}")


async def flag(order: Order, kind: ConflictKind, reference: str, message: str) -> None:
    """Leave something for a person to settle, once for each cause."""
    log.error("order %s: %s (%s)", order.id, message, reference)
    await Conflict.get_or_create(
        order=order, kind=kind, reference=reference,
        defaults={"organization_id": order.organization_id, "message": message[:500]},
    )  # fmt: skip


async def _react(order: Order) -> None:
    """What was sold reacts. A reaction that fails never undoes a payment: a person is told."""
    try:
        async with savepoint():
            await REACTIONS[order.kind](order)
    except (asyncpg.TransactionRollbackError, asyncpg.PostgresConnectionError, TimeoutError):
        raise  # a passing trouble of the database: the whole settlement is tried again
    except Exception as error:
        log.exception("order %s: the reaction failed", order.id)
        reason = str(error) if isinstance(error, DomainError) else type(error).__name__
        await flag(order, ConflictKind.REACTION_FAILED, "reaction", f"Paid, but not fulfilled: {reason}")


async def _grant_access(order: Order) -> None:
    """Products: the client may use them from now on."""
    products = {line.product_id: line for line in await OrderLine.filter(order_id=order.id)}
    for product_id in sorted(products):
        await Access.get_or_create(
            client_id=order.client_id, product_id=product_id, live=order.live,
            defaults={"organization_id": order.organization_id, "order_id": order.id},
        )  # fmt: skip


REACTIONS: dict[OrderKind, Callable[[Order], Awaitable[Any]]] = {
    OrderKind.PRODUCTS: _grant_access,
}


async def _next_number(client: Client) -> int:
    (row,) = await query(
        "UPDATE organizations SET last_order_number = last_order_number + 1 WHERE id = $1 RETURNING last_order_number",
        client.organization_id,
    )
    return int(row["last_order_number"])
