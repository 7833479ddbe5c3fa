"""Clients."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.clients import Client, ClientCreateInput, ClientFilter, ClientOrder
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one


@connection(Client, requires=Permission.CLIENTS_READ, order=ClientOrder)
def clients(info: Info, filter: ClientFilter | None = None) -> QuerySet[models.Client]:
    """Those who buy."""
    return filtered(actor(info).rows(models.Client), filter)


@one(Client, requires=Permission.CLIENTS_READ)
def client(id: strawberry.ID) -> Wanted:
    """One client."""
    return models.Client, row_id(models.Client, id)


@mutation(Client, requires=Permission.CLIENTS_WRITE)
async def client_create(info: Info, input: ClientCreateInput) -> models.Client:
    """Make a client. One for each e-mail address: a second is a CONFLICT."""
    return await models.Client.create(organization_id=actor(info).organization_id, **given(input))
