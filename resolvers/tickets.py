"""Tickets: opened, answered and seen to by those who look after the client; opened and answered by the client, too,
who signs in."""

from uuid import UUID

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Invalid
from models import Role, TicketSource
from policy import GRANTS, Permission, row_id
from schema.base import given
from schema.context import Info, actor, oneself
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from schema.tickets import (
    Ticket,
    TicketCreateInput,
    TicketFilter,
    TicketReply,
    TicketReplyInput,
    TicketUpdateInput,
)
from services import tickets as tickets_service
from services.tickets import Asked


@connection(Ticket, requires=Permission.TICKETS_READ)
def tickets(info: Info, filter: TicketFilter | None = None) -> QuerySet[models.Ticket]:
    """Tickets, newest first. A consultant sees those of their clients, a client their own."""
    return filtered(actor(info).rows(models.Ticket), filter)


@one(Ticket, requires=Permission.TICKETS_READ)
def ticket(id: strawberry.ID) -> Wanted:
    """One ticket."""
    return models.Ticket, row_id(models.Ticket, id)


@mutation(Ticket, requires=Permission.TICKETS_ASK, idempotent=True)
async def ticket_create(info: Info, input: TicketCreateInput) -> models.Ticket:
    """Write down what a client asks, or ask as the client who is signed in; who sees to it, and how soon, is not for
    them to say. HTML in it is kept as text."""
    client = await actor(info).get(models.Client, input.client, field="input.client", for_update=True)
    values = given(input)
    if values.keys() & {"assignee", "priority"}:
        actor(info).require(Permission.TICKETS_WRITE)
    as_client = _is_client(info)
    asked = Asked(**{name: values[name] for name in ("subject", "body", "type", "priority") if name in values})
    return await tickets_service.open(
        client,
        asked,
        source=TicketSource.PORTAL if as_client else TicketSource.BACK_OFFICE,
        opened_by=None if as_client else oneself(info),
        assignee_id=await _assignee(info, values.get("assignee")),
    )


@mutation(Ticket, requires=Permission.TICKETS_WRITE)
async def ticket_update(info: Info, input: TicketUpdateInput) -> models.Ticket:
    """Say what a ticket is, who sees to it, or where it stands."""
    values = given(input)
    row = await _locked(info, values.pop("ticket"))
    if "assignee" in values:
        values["assignee_id"] = await _assignee(info, values.pop("assignee"))
    return await tickets_service.change(row, by=oneself(info), **values)


@mutation(TicketReply, requires=Permission.TICKETS_ASK, idempotent=True)
async def ticket_reply(info: Info, input: TicketReplyInput) -> models.TicketReply:
    """Write to the client under a ticket, or, `internal`, to those who see to it alone; or, as the client who is signed
    in, to them."""
    internal = given(input).get("internal", False)
    if internal:
        actor(info).require(Permission.TICKETS_WRITE)
    row = await _locked(info, input.ticket)
    if _is_client(info):
        return await tickets_service.reply(row, input.body, from_client=True)
    return await tickets_service.reply(row, input.body, author=oneself(info), internal=internal)


def _is_client(info: Info) -> bool:
    """Whether it is the client who asks and replies, signed in."""
    return not actor(info).may(Permission.TICKETS_WRITE)


async def _locked(info: Info, key: str) -> models.Ticket:
    return await actor(info).get(models.Ticket, key, field="input.ticket", for_update=True)


async def _assignee(info: Info, key: str | None) -> UUID | None:
    """Raises Invalid for who could not see to it."""
    if key is None:
        return None
    member = await actor(info).get(models.Membership, key, field="input.assignee")
    if not member.active or Permission.TICKETS_WRITE not in GRANTS[Role(member.role)]:
        raise Invalid("Only an active owner, admin or consultant sees to tickets.", field="input.assignee")
    return member.id
