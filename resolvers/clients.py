"""Clients."""

from typing import Any

import strawberry
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

import models
from errors import Forbidden
from models.base import global_id_of
from policy import Permission, row_id
from schema.base import Deleted, given
from schema.clients import (
    Client,
    ClientCreateInput,
    ClientDeleteInput,
    ClientFilter,
    ClientOrder,
    ClientUpdateInput,
    Tag,
)
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from services import client_search
from services import clients as clients_service


@connection(Client, requires=Permission.CLIENTS_READ, order=ClientOrder)
def clients(info: Info, search: str | None = None, filter: ClientFilter | None = None) -> QuerySet[models.Client]:
    """Those who buy. A consultant sees those whom they look after, a client themselves."""
    rows = filtered(actor(info).rows(models.Client), filter)
    if search is None:
        return rows
    return rows.filter(*(Q(found=word) for word in client_search.words(search, field="search")))


@one(Client, requires=Permission.CLIENTS_READ)
def client(id: strawberry.ID) -> Wanted:
    """One client."""
    return models.Client, row_id(models.Client, id)


@connection(Tag, requires=Permission.CRM_READ)
def tags(info: Info) -> QuerySet[models.Tag]:
    """The words that clients are sorted by."""
    return actor(info).rows(models.Tag)


@one(Tag, requires=Permission.CRM_READ)
def tag(id: strawberry.ID) -> Wanted:
    """One of these words."""
    return models.Tag, row_id(models.Tag, id)


@mutation(Client, requires=Permission.CRM_WRITE, idempotent=True)
async def client_create(info: Info, input: ClientCreateInput) -> models.Client:
    """Make a client. One for each e-mail address: a second is a CONFLICT. Whom a consultant makes is theirs."""
    caller, values = actor(info), given(input)
    if not caller.may(Permission.CLIENTS_WRITE):
        values.setdefault("consultant", global_id_of(models.Membership, caller.membership_id))
    return await clients_service.create(caller.organization_id, await _with_consultant(info, values))


@mutation(Client, requires=Permission.CRM_WRITE)
async def client_update(info: Info, input: ClientUpdateInput) -> models.Client:
    """Change a client, or who looks after them, which a consultant does not. Invoices that were issued keep what they
    say."""
    values = given(input)
    row = await actor(info).get(models.Client, values.pop("client"), field="input.client", for_update=True)
    return await clients_service.update(row, await _with_consultant(info, values))


@mutation(Deleted, requires=Permission.CLIENTS_WRITE)
async def client_delete(info: Info, input: ClientDeleteInput) -> Deleted:
    """Delete a client with whom nothing happened: no order, quote, ticket or bilan, say. Any other is a CONFLICT."""
    row = await actor(info).get(models.Client, input.client, field="input.client", for_update=True)
    await clients_service.delete(row)
    return Deleted(id=input.client)


async def _with_consultant(info: Info, values: dict[str, Any]) -> dict[str, Any]:
    """The values with the membership that is named. Raises Forbidden where a consultant names another."""
    if "consultant" not in values:
        return values
    caller, key = actor(info), values["consultant"]
    member = key and await caller.get(models.Membership, key, field="input.consultant")
    if not caller.may(Permission.CLIENTS_WRITE) and (member is None or member.id != caller.membership_id):
        raise Forbidden("A consultant's clients are their own: ask an owner or an admin.", field="input.consultant")
    return values | {"consultant": member}
