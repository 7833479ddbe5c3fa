"""The timeline of clients, for those who look after them."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import Deleted
from schema.context import Info, actor, oneself
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from schema.timeline import (
    ClientEmailAdded,
    ClientEmailAddInput,
    ClientEmailRemoveInput,
    TimelineEvent,
    TimelineFilter,
)
from services import client_emails


@connection(TimelineEvent, requires=Permission.TIMELINE_READ)
def timeline_events(info: Info, filter: TimelineFilter | None = None) -> QuerySet[models.TimelineEvent]:
    """What happened with clients, newest first. A consultant sees what happened with theirs."""
    return filtered(actor(info).rows(models.TimelineEvent), filter)


@one(TimelineEvent, requires=Permission.TIMELINE_READ)
def timeline_event(id: strawberry.ID) -> Wanted:
    """One event of a timeline."""
    return models.TimelineEvent, row_id(models.TimelineEvent, id)


@mutation(ClientEmailAdded, requires=Permission.TIMELINE_WRITE, idempotent=True)
async def client_email_add(info: Info, input: ClientEmailAddInput) -> ClientEmailAdded:
    """Put an e-mail into a client's timeline: what it says is read, its attachments are listed and not kept. The same
    one a second time is a CONFLICT, whose `known` is the first."""
    caller = actor(info)
    if input.open_ticket:
        caller.require(Permission.TICKETS_WRITE)
    client = await caller.get(models.Client, input.client, field="input.client", for_update=True)
    event = await client_emails.add(client, input.message, author=oneself(info), field="input.message")
    ticket = await client_emails.open_ticket(client, event, author=oneself(info)) if input.open_ticket else None
    return ClientEmailAdded(timeline_event=event, ticket=ticket)  # type: ignore[arg-type]


@mutation(Deleted, requires=Permission.TIMELINE_WRITE)
async def client_email_remove(info: Info, input: ClientEmailRemoveInput) -> Deleted:
    """Take an e-mail out of a timeline: it was another client's, say. Its attachments never were there."""
    field = "input.timelineEvent"
    event = await actor(info).get(models.TimelineEvent, input.timeline_event, field=field, for_update=True)
    await client_emails.remove(event, field=field)
    return Deleted(id=input.timeline_event)
