"""Prepaid packs. They are bought as products, and drawn by bookings."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.lists import filtered
from schema.packs import Pack, PackFilter
from schema.roots import Wanted, connection, one


@connection(Pack, requires=Permission.ACCESSES_READ)
def packs(info: Info, filter: PackFilter | None = None) -> QuerySet[models.Pack]:
    """Clients' prepaid packs, newest first."""
    return filtered(actor(info).rows(models.Pack), filter)


@one(Pack, requires=Permission.ACCESSES_READ)
def pack(id: strawberry.ID) -> Wanted:
    """One prepaid pack."""
    return models.Pack, row_id(models.Pack, id)
