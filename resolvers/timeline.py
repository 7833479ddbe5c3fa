"""The timeline of clients, for those who look after them."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, one
from schema.timeline import TimelineEvent, TimelineFilter


@connection(TimelineEvent, requires=Permission.TIMELINE_READ)
def timeline_events(info: Info, filter: TimelineFilter | None = None) -> QuerySet[models.TimelineEvent]:
    """What happened with clients, newest first."""
    return filtered(actor(info).rows(models.TimelineEvent), filter)


@one(TimelineEvent, requires=Permission.TIMELINE_READ)
def timeline_event(id: strawberry.ID) -> Wanted:
    """One event of a timeline."""
    return models.TimelineEvent, row_id(models.TimelineEvent, id)
