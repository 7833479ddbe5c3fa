"""Clients who ask to be erased (GDPR, article 17)."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.erasures import ClientEraseInput, Erasure
from schema.roots import Wanted, connection, mutation, one
from services import erasures as erasures_service


@connection(Erasure, requires=Permission.CLIENTS_ERASE)
def erasures(info: Info) -> QuerySet[models.Erasure]:
    """Clients who were erased, the last first."""
    return actor(info).rows(models.Erasure)


@one(Erasure, requires=Permission.CLIENTS_ERASE)
def erasure(id: strawberry.ID) -> Wanted:
    """One erasure."""
    return models.Erasure, row_id(models.Erasure, id)


@mutation(Erasure, requires=Permission.CLIENTS_ERASE)
async def client_erase(info: Info, input: ClientEraseInput) -> models.Erasure:
    """Take away, for good, all that is known of a client and that no law has us keep: name, addresses, phone, contacts,
    notes, tags, tickets, timeline, private links, documents, the account that they signed in by. Orders and what
    proves them stay, and invoices as they were issued; the record says what was kept and why. A CONFLICT while
    something is under way with them, and says what. At Stripe the customer is deleted shortly after."""
    caller = actor(info)
    client = await caller.get(models.Client, input.client, field="input.client", for_update=True)
    return await erasures_service.erase(client, caller.membership_id)
