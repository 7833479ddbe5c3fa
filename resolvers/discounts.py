"""Discount codes."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.discounts import (
    DiscountCode,
    DiscountCodeCreateInput,
    DiscountCodeFilter,
    DiscountCodeOrder,
    DiscountCodeUpdateInput,
)
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from services import discounts


@connection(DiscountCode, requires=Permission.DISCOUNTS_READ, order=DiscountCodeOrder)
def discount_codes(info: Info, filter: DiscountCodeFilter | None = None) -> QuerySet[models.DiscountCode]:
    """Codes that clients may give."""
    return filtered(actor(info).rows(models.DiscountCode), filter)


@one(DiscountCode, requires=Permission.DISCOUNTS_READ)
def discount_code(id: strawberry.ID) -> Wanted:
    """One code."""
    return models.DiscountCode, row_id(models.DiscountCode, id)


@mutation(DiscountCode, requires=Permission.DISCOUNTS_WRITE, idempotent=True)
async def discount_code_create(info: Info, input: DiscountCodeCreateInput) -> models.DiscountCode:
    """Make a code that takes a percent or an amount off an order, within limits. One of each name."""
    return await discounts.create(actor(info).organization_id, given(input))


@mutation(DiscountCode, requires=Permission.DISCOUNTS_WRITE)
async def discount_code_update(info: Info, input: DiscountCodeUpdateInput) -> models.DiscountCode:
    """Change a code's limits, or end it."""
    values = given(input)
    key = values.pop("discount_code")
    row = await actor(info).get(models.DiscountCode, key, field="input.discountCode", for_update=True)
    return await discounts.update(row, values)
