"""What clients may use."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.accesses import Access, AccessFilter
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, one


@connection(Access, requires=Permission.ACCESSES_READ)
def accesses(info: Info, filter: AccessFilter | None = None) -> QuerySet[models.Access]:
    """What clients may use and might have, newest first. Who serves them asks `filter: { client, active: true }`."""
    return filtered(actor(info).rows(models.Access), filter)


@one(Access, requires=Permission.ACCESSES_READ)
def access(id: strawberry.ID) -> Wanted:
    """One of them."""
    return models.Access, row_id(models.Access, id)
