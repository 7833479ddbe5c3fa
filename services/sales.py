"""The sale: an order is made, discounted, given up. What happens once money comes is in `services/settlement.py`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import errors
from errors import Invalid
from models import Client, Invoice, Lane, Order, OrderKind, OrderLine, OrderSource, OrderStatus
from models.database import query, transaction
from services import (
    asking,
    bilan_money,
    clients,
    credit_notes,
    discounts,
    holds,
    idempotency,
    organizations,
    pricing,
    stripe_accounts,
)
from services.outbox import job, later
from services.pricing import Item, Part
from services.stripe_accounts import Place

SAME_CART = timedelta(hours=24)  # within which the same cart of the same client is the same order


async def create(
    client: Client,
    items: Sequence[Item],
    *,
    discount: Part | None = None,
    code: str | None = None,
    deposit: Part | None = None,
    source: OrderSource = OrderSource.BACK_OFFICE,
) -> Order:
    """An open order at the catalogue's prices, discounts taken off. Raises Invalid, NotFound or Conflict, naming the
    part of the input."""
    client.must_not_be_erased()
    order, lines = await priced(client, items, discount=discount, code=code, deposit=deposit, source=source)
    return await _save(order, lines)


async def priced(
    client: Client,
    items: Sequence[Item],
    *,
    discount: Part | None,
    deposit: Part | None,
    source: OrderSource,
    code: str | None = None,
) -> tuple[Order, list[OrderLine]]:
    """What such an order would come to, and its lines; neither is saved. Raises like `create`."""
    lines = pricing.lines_of(items)
    order = _new(client, lines, source, await stripe_accounts.of(client.organization_id))
    pricing.price(order, lines)
    await _discount(order, discount, code)
    pricing.price(order, lines)
    pricing.must_cost(order, "input.discountCode" if code else "input.discount")
    order.deposit_cents = pricing.deposit_of(order, deposit)
    return order, lines


async def record(
    client: Client, lines: Sequence[OrderLine], *, source: OrderSource, place: Place, **agreed: Any
) -> Order:
    """An order of lines that were sold elsewhere, at the prices that they had there, paid at a `place`; `agreed` are
    columns of its own: a discount on the whole, a deposit."""
    # The client before the number, as by a cart: who is paid at once locks the client too.
    await Client.select_for_update(no_key=True).get(id=client.id)
    order = _new(client, lines, source, place).update_from_dict(agreed)
    pricing.price(order, lines)
    return await _save(order, lines)


async def create_at_storefront(
    organization_id: UUID, email: str, items: Sequence[Item], *, code: str | None, known: dict[str, str | None]
) -> Order:
    """The order of a client known by an address alone, found or made. A cart that is sent twice is one order."""
    async with transaction():
        if begun := await idempotency.noted(Order):
            return begun
        client = await clients.find_or_make(organization_id, email, known)
        # One at a time for a client: two clicks at once must not make two orders.
        await Client.select_for_update(no_key=True).get(id=client.id)
        if same := await _same_cart(client, items, code):
            return same
        order = await create(client, items, code=code, source=OrderSource.STOREFRONT)
        if not order.is_free:
            await organizations.must_be_complete(organization_id, field="input.lines")
        await idempotency.note(order)
        if order.holds_code:
            # By then a page that was started in the last moment has run out too.
            await later(leave, order, at=datetime.now(UTC) + 2 * SAME_CART)
        return order


@job(Lane.SYNC)
async def leave(order: Order) -> None:
    """A cart that nobody came back to holds no code any longer, though no page of it ever was to run out."""
    async with transaction():
        await discounts.release_if_left(await Order.select_for_update().get(id=order.id))


async def change_discount(order: Order, discount: Part | None, code: str | None) -> Order:
    """Another discount on the whole of an open order, locked, or none; a link to pay then asks for the new amount.

    Raises Conflict once it is invoiced or money came, and for a part of a bilan: that is agreed with the bilan.
    """
    order.must_be_open()
    if order.kind is OrderKind.BILAN and (discount or code):
        raise errors.Conflict(
            f"Order {order.number} is a part of a bilan's price, which it is to pay in full: withdraw the part"
            " (bilanFundingWithdraw), make the bilan's price less (bilanUpdate) and add it anew (bilanFundingAdd).",
            field="input.order",
        )
    if order.paid_cents or await Invoice.exists(order_id=order.id):
        raise errors.Conflict(
            f"Order {order.number} is invoiced or paid in part: its price stands.", field="input.order"
        )
    await discounts.lock(order, code)
    await discounts.release(order)
    order.discount_cents, order.discount_reason, order.discount_code_id = 0, None, None
    lines = await OrderLine.filter(order_id=order.id)
    await _discount(order, discount, code)
    pricing.price(order, lines)
    pricing.must_cost(order, "input.discountCode" if code else "input.discount")
    if order.deposit_cents and order.deposit_cents >= order.total_cents:
        raise Invalid("The deposit is then as much as the total, or more.", field="input.discount")
    await order.save()
    await OrderLine.bulk_update(lines, ["share_cents"])
    await asking.forget_what_is_stale(order)
    return order


async def cancel(order: Order, reason: str | None) -> Order:
    """Give an order up: what the client could still pay by is taken back first, so that no money comes after.

    Raises Conflict where it is paid, in part too, invoiced, or a payment is under way.
    """
    await _must_be_without_consequence(order)
    await asking.take_back(order)
    async with transaction():
        locked = await Order.select_for_update().get(id=order.id)
        await _must_be_without_consequence(locked)
        locked.cancel(at=datetime.now(UTC), reason=reason)
        await discounts.release(locked)
        await locked.save()
        await holds.order_given_up(locked, reason)
        await bilan_money.order_given_up(locked, reason)
        # What was asked for since, in between two looks.
        await asking.forget_what_is_stale(locked)
    return locked


async def _must_be_without_consequence(order: Order) -> None:
    """Nothing hangs on the order: no money, here or on its way, and no document."""
    order.must_be_open()
    order.must_be_unpaid()
    await asking.must_be_settled(order)
    issued = await Invoice.filter(order_id=order.id, type__in=credit_notes.INVOICES)
    if any(invoice.left_cents for invoice in issued):
        raise errors.Conflict(
            f"Order {order.number} is invoiced: credit its invoices first (creditNoteCreate).", field="input.order"
        )


def _new(client: Client, lines: Sequence[OrderLine], source: OrderSource, place: Place) -> Order:
    kind = OrderKind.SUBSCRIPTION if any(line.interval for line in lines) else OrderKind.PRODUCTS
    return Order(
        organization_id=client.organization_id, client=client, kind=kind, source=source,
        currency=lines[0].currency, stripe_account=place.account, live=place.live, discount_cents=0, paid_cents=0,
    )  # fmt: skip


async def _discount(order: Order, discount: Part | None, code: str | None) -> None:
    """Take a discount off the whole: a person's, or a code's, which the order then holds."""
    if discount and code:
        raise Invalid("Give a discount or a code, one of the two.", field="input.discountCode")
    if code:
        await discounts.hold(order, await discounts.find(order.organization_id, code))
    elif discount:
        order.discount_cents = discount.of(order.subtotal_cents, "input.discount")
        order.discount_reason = (discount.reason or "").strip() or "Remise"


async def _save(order: Order, lines: Sequence[OrderLine]) -> Order:
    order.number = await _next_number(order.organization_id)
    await order.save()
    for line in lines:
        line.organization_id, line.order = order.organization_id, order
    await OrderLine.bulk_create(lines)
    return order


async def _same_cart(client: Client, items: Sequence[Item], code: str | None) -> Order | None:
    """The open order that this client began at a storefront a moment ago, of the same things."""
    since, place = datetime.now(UTC) - SAME_CART, await stripe_accounts.of(client.organization_id)
    begun = Order.filter(
        client_id=client.id, source=OrderSource.STOREFRONT, status=OrderStatus.OPEN, paid_cents=0, created_at__gt=since
    )
    wanted = [(item.product.id, item.quantity, item.product.price_cents) for item in items]
    async for order in begun.order_by("-id").limit(10).prefetch_related("lines", "discount_code"):
        lines = [(line.product_id, line.quantity, line.unit_price_cents) for line in order.lines]
        same_code = (order.discount_code.code if order.discount_code else None) == (
            code.strip().upper() if code else None
        )
        if lines == wanted and same_code and (order.stripe_account, order.live) == (place.account, place.live):
            return order
    return None


async def _next_number(organization_id: UUID) -> int:
    (row,) = await query(
        "UPDATE organizations SET last_order_number = last_order_number + 1 WHERE id = $1 RETURNING last_order_number",
        organization_id,
    )
    return int(row["last_order_number"])
