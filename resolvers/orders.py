"""Orders, and what is done with them short of paying."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Actor, Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.discounts import PartInput
from schema.lists import filtered
from schema.orders import (
    Conflict,
    ConflictFilter,
    ConflictResolveInput,
    Order,
    OrderCancelInput,
    OrderCreateInput,
    OrderDiscountInput,
    OrderFilter,
    OrderInvoiceInput,
    OrderLineInput,
    OrderOrder,
)
from schema.roots import Wanted, connection, exchange, mutation, one
from services import conflicts as conflicts_service
from services import invoices, sales
from services.pricing import LINES_MOST, Item, Part
from services.settlement import with_everything


@connection(Order, requires=Permission.ORDERS_READ, order=OrderOrder)
def orders(info: Info, filter: OrderFilter | None = None) -> QuerySet[models.Order]:
    """Sales, newest first."""
    return filtered(actor(info).rows(models.Order), filter)


@one(Order, requires=Permission.ORDERS_READ)
def order(id: strawberry.ID) -> Wanted:
    """One order."""
    return models.Order, row_id(models.Order, id)


@connection(Conflict, requires=Permission.CONFLICTS_READ)
def conflicts(info: Info, filter: ConflictFilter | None = None) -> QuerySet[models.Conflict]:
    """What a person has to settle, newest first."""
    return filtered(actor(info).rows(models.Conflict), filter)


@one(Conflict, requires=Permission.CONFLICTS_READ)
def conflict(id: strawberry.ID) -> Wanted:
    """One of them."""
    return models.Conflict, row_id(models.Conflict, id)


@mutation(Order, requires=Permission.ORDERS_WRITE, idempotent=True)
async def order_create(info: Info, input: OrderCreateInput) -> models.Order:
    """Make an order at the catalogue's prices, discounts taken off, to be paid; with a deposit, in two parts."""
    client = await actor(info).get(models.Client, input.client, field="input.client", for_update=True)
    return await sales.create(
        client,
        await items(actor(info), input.lines),
        discount=part(input.discount),
        code=input.discount_code or None,
        deposit=part(input.deposit),
    )


@mutation(Order, requires=Permission.ORDERS_WRITE)
async def order_discount(info: Info, input: OrderDiscountInput) -> models.Order:
    """Take another discount off an open order, or none. What the client could pay by asks for the new amount."""
    row = await actor(info).get(models.Order, input.order, field="input.order", for_update=True)
    return await sales.change_discount(row, part(input.discount), input.discount_code or None)


@mutation(Order, requires=Permission.INVOICES_WRITE, idempotent=True)
async def order_invoice(info: Info, input: OrderInvoiceInput) -> models.Order:
    """Invoice an order before it is paid, for an employer or a transfer: its deposit first, where it has one, then the
    rest. The client is written to, and reminded once it is overdue."""
    row = await actor(info).get(models.Order, input.order, field="input.order", for_update=True)
    await invoices.issue_ahead(await with_everything(row))
    return row


@exchange(Order, requires=Permission.ORDERS_WRITE)
async def order_cancel(info: Info, input: OrderCancelInput) -> models.Order:
    """Give an order up. What the client could still pay by is taken back at Stripe first."""
    given(input)
    row = await actor(info).get(models.Order, input.order, field="input.order")
    return await sales.cancel(row, input.cancel_reason or None)


@mutation(Conflict, requires=Permission.CONFLICTS_WRITE)
async def conflict_resolve(info: Info, input: ConflictResolveInput) -> models.Conflict:
    """Note that something is settled, and how; the order can then be paid again."""
    given(input)
    row = await actor(info).get(models.Conflict, input.conflict, field="input.conflict", for_update=True)
    return await conflicts_service.resolve(row, input.resolution, actor(info).membership_id)


async def items(caller: Actor, lines: list[OrderLineInput]) -> list[Item]:
    """What is to be sold, of products that the caller sees."""
    return [
        Item(
            await caller.get(models.Product, line.product, field=f"input.lines.{place}.product"),
            line.quantity,
            part(line.discount),
        )
        for place, line in enumerate(lines[: LINES_MOST + 1])
    ]


def part(given: PartInput | None) -> Part | None:
    return given.part if given else None
