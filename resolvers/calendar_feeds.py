"""Feeds of people's appointments, made and withdrawn: each of their own, those who run the shop of everybody's."""

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Forbidden
from policy import Permission, row_id
from schema.calendar_feeds import (
    CalendarFeed,
    CalendarFeedCreated,
    CalendarFeedCreateInput,
    CalendarFeedFilter,
    CalendarFeedRevokeInput,
)
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from schema.scalars import URL
from services import calendar_feeds as feeds


@connection(CalendarFeed, requires=Permission.HOURS_WRITE)
def calendar_feeds(info: Info, filter: CalendarFeedFilter | None = None) -> QuerySet[models.CalendarFeed]:
    """Feeds of people's appointments, newest first; a consultant sees their own."""
    return filtered(actor(info).rows(models.CalendarFeed), filter)


@one(CalendarFeed, requires=Permission.HOURS_WRITE)
def calendar_feed(id: strawberry.ID) -> Wanted:
    """One feed of somebody's appointments."""
    return models.CalendarFeed, row_id(models.CalendarFeed, id)


@mutation(CalendarFeedCreated, requires=Permission.HOURS_WRITE, idempotent=True)
async def calendar_feed_create(info: Info, input: CalendarFeedCreateInput) -> CalendarFeedCreated:
    """Make a secret address at which calendars ask for somebody's appointments. It is shown this once, and the one
    before is good for nothing from then on."""
    who = actor(info)
    staff = await who.get(models.Staff, input.staff, field="input.staff", for_update=True)
    if not who.may(Permission.AGENDA_WRITE) and staff.membership_id != who.own_id:
        raise Forbidden("You may make a feed of your own appointments only.", field="input.staff")
    kept, url = await feeds.create(staff)
    return CalendarFeedCreated(calendar_feed=kept, url=URL(url))  # type: ignore[arg-type]


@mutation(CalendarFeed, requires=Permission.HOURS_WRITE)
async def calendar_feed_revoke(info: Info, input: CalendarFeedRevokeInput) -> models.CalendarFeed:
    """Withdraw a feed, for good and at once."""
    feed = await actor(info).get(models.CalendarFeed, input.calendar_feed, field="input.calendarFeed", for_update=True)
    return await feeds.revoke(feed)
