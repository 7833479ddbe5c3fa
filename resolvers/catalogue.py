"""The catalogue."""

from collections.abc import Sequence
from typing import Any

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import Deleted, given
from schema.catalogue import (
    Product,
    ProductCreateInput,
    ProductDeleteInput,
    ProductFilter,
    ProductOrder,
    ProductUpdateInput,
)
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from services import catalogue, packs


@connection(Product, requires=Permission.CATALOGUE_READ, order=ProductOrder)
def products(info: Info, filter: ProductFilter | None = None) -> QuerySet[models.Product]:
    """What is sold. What merely stands for services, formules and opportunities on orders is not in it."""
    return filtered(actor(info).rows(models.Product).filter(stands_for=None), filter)


@one(Product, requires=Permission.CATALOGUE_READ)
def product(id: strawberry.ID) -> Wanted:
    """One product."""
    return models.Product, row_id(models.Product, id)


@mutation(Product, requires=Permission.CATALOGUE_WRITE, idempotent=True)
async def product_create(info: Info, input: ProductCreateInput) -> models.Product:
    """Put a product in the catalogue. Prices are TTC."""
    values = given(input)
    partners = await _partners(info, values.pop("partners"))
    services = await _services(info, values.pop("pack_services"))
    return await catalogue.create(actor(info).organization_id, _priced(values), partners, services)


@mutation(Product, requires=Permission.CATALOGUE_WRITE)
async def product_update(info: Info, input: ProductUpdateInput) -> models.Product:
    """Change a product. Orders that were made keep the name and the price that they were made at."""
    values = given(input)
    row = await actor(info).get(models.Product, values.pop("product"), field="input.product", for_update=True)
    keys = values.pop("partners", None)
    partners = None if keys is None else await _partners(info, keys)
    keys = values.pop("pack_services", None)
    services = None if keys is None else await _services(info, keys)
    return await catalogue.update(row, _priced(values), partners, services)


@mutation(Deleted, requires=Permission.CATALOGUE_WRITE)
async def product_delete(info: Info, input: ProductDeleteInput) -> Deleted:
    """Delete a product that was never ordered. Any other is a CONFLICT: set its `active` to false."""
    row = await actor(info).get(models.Product, input.product, field="input.product", for_update=True)
    await catalogue.delete(row)
    return Deleted(id=input.product)


async def _partners(info: Info, keys: Sequence[strawberry.ID]) -> list[models.Partner]:
    return [
        await actor(info).get(models.Partner, key, field=f"input.partners.{place}")
        for place, key in enumerate(keys[: catalogue.PARTNERS_MOST + 1])
    ]


async def _services(info: Info, keys: Sequence[strawberry.ID]) -> list[models.Service]:
    return [
        await actor(info).get(models.Service, key, field=f"input.packServices.{place}")
        for place, key in enumerate(keys[: packs.SERVICES_MOST + 1])
    ]


def _priced(values: dict[str, Any]) -> dict[str, Any]:
    """The values with the columns of the price, where one was given."""
    price = values.pop("price", None)
    return values | ({"price_cents": price.amount, "currency": price.currency} if price else {})
