"""Secret addresses at which calendars ask for somebody's appointments."""

import strawberry

import models
from schema.agenda import Staff
from schema.base import auto, node
from schema.lists import filter
from schema.scalars import URL


@node(models.CalendarFeed)
class CalendarFeed:
    """A secret address at which calendars ask for somebody's appointments, one at a time. It was shown once."""

    staff: Staff
    last_used_at: auto
    revoked_at: auto
    created_at: auto


@filter(models.CalendarFeed)
class CalendarFeedFilter:
    """Which feeds."""

    staff: strawberry.ID


@strawberry.input(description="A new feed of somebody's appointments, in place of the one that they have.")
class CalendarFeedCreateInput:
    staff: strawberry.ID = strawberry.field(description="Whose appointments: their global id.")


@strawberry.type(description="A feed of somebody's appointments made.")
class CalendarFeedCreated:
    calendar_feed: CalendarFeed = strawberry.field(description="What is kept of it.")
    url: URL = strawberry.field(
        description="The address to subscribe to, in a calendar of one's choice (iCalendar, RFC 5545). Shown this once:"
        " whoever has it reads when the person is booked."
    )


@strawberry.input(description="Which feed to withdraw.")
class CalendarFeedRevokeInput:
    calendar_feed: strawberry.ID = strawberry.field(description="The feed's global id.")
