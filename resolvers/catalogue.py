"""The catalogue."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.catalogue import Product, ProductCreateInput, ProductFilter, ProductOrder
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from services import catalogue


@connection(Product, requires=Permission.CATALOGUE_READ, order=ProductOrder)
def products(info: Info, filter: ProductFilter | None = None) -> QuerySet[models.Product]:
    """What is sold."""
    return filtered(actor(info).rows(models.Product), filter)


@one(Product, requires=Permission.CATALOGUE_READ)
def product(id: strawberry.ID) -> Wanted:
    """One product."""
    return models.Product, row_id(models.Product, id)


@mutation(Product, requires=Permission.CATALOGUE_WRITE)
async def product_create(info: Info, input: ProductCreateInput) -> models.Product:
    """Put a product in the catalogue. Prices are TTC."""
    values = given(input)
    price, keys = values.pop("price"), values.pop("partners")
    partners = [
        await actor(info).get(models.Partner, key, field=f"input.partners.{place}")
        for place, key in enumerate(keys[: catalogue.PARTNERS_MOST + 1])
    ]
    priced = values | {"price_cents": price.amount, "currency": price.currency}
    return await catalogue.create(actor(info).organization_id, priced, partners)
