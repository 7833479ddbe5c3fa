"""Orders, and paying them."""

from typing import Any

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.lists import filtered
from schema.orders import (
    CheckoutResult,
    CheckoutStarted,
    CheckoutStartInput,
    Order,
    OrderCompleted,
    OrderCreateInput,
    OrderFilter,
    OrderOrder,
)
from schema.roots import Wanted, connection, exchange, mutation, one
from services import checkout, sales


@connection(Order, requires=Permission.ORDERS_READ, order=OrderOrder)
def orders(info: Info, filter: OrderFilter | None = None) -> QuerySet[models.Order]:
    """Sales, newest first."""
    return filtered(actor(info).rows(models.Order), filter)


@one(Order, requires=Permission.ORDERS_READ)
def order(id: strawberry.ID) -> Wanted:
    """One order."""
    return models.Order, row_id(models.Order, id)


@mutation(Order, requires=Permission.ORDERS_WRITE)
async def order_create(info: Info, input: OrderCreateInput) -> models.Order:
    """Make an order at the catalogue's prices, to be paid."""
    caller = actor(info)
    client = await caller.get(models.Client, input.client, field="input.client")
    lines = [
        (await caller.get(models.Product, line.product, field=f"input.lines.{place}.product"), line.quantity)
        for place, line in enumerate(input.lines[: sales.LINES_MOST + 1])
    ]
    return await sales.create(client, lines)


@exchange(CheckoutResult, requires=Permission.ORDERS_WRITE)
async def checkout_start(info: Info, input: CheckoutStartInput) -> Any:
    """Give an order its Stripe payment page, the same while it can be used. A free order completes at once."""
    given(input)
    order: Any = await actor(info).get(models.Order, input.order, field="input.order")
    attempt: Any = await checkout.start(order, success_url=input.success_url, cancel_url=input.cancel_url)
    if attempt is None:
        return OrderCompleted(order=order)
    return CheckoutStarted(order=order, url=attempt.url, expires_at=attempt.expires_at)
