"""Calendars outside that people connect, and what does not fit."""

from typing import Any

import strawberry

import models
from models.base import global_id_of
from schema.agenda import Staff
from schema.base import auto, computed, enum, node
from schema.lists import among, filter, is_set
from schema.organizations import Membership
from services.calendar_choices import CHOICES


@node(models.Calendar)
class Calendar:
    """A calendar of somebody who is booked, kept in step with their appointments."""

    staff: Staff
    provider: auto
    remote_id: auto
    name: auto
    time_zone: auto
    outgoing: auto
    incoming: auto
    status: auto
    status_reason: auto
    synced_at: auto
    created_at: auto


@node(models.CalendarConflict)
class CalendarConflict:
    """Where a calendar and our appointments differ, and a person has to choose."""

    staff: Staff
    kind: auto
    title: auto
    starts_at: auto
    ends_at: auto
    message: auto
    resolved_at: auto
    resolution: auto
    resolved_by: Membership | None
    created_at: auto

    @computed("The appointment: its global id, for who may see it.", needs=("appointment_id",))
    def appointment_id(root: Any) -> strawberry.ID:
        return strawberry.ID(global_id_of(models.Appointment, root.appointment_id))

    @computed("What may be chosen.", needs=("kind",))
    def choices(root: Any) -> list[enum(models.CalendarChoice)]:  # type: ignore[valid-type]
        return list(CHOICES[root.kind])


@filter(models.Calendar)
class CalendarFilter:
    """Which calendars."""

    staff: strawberry.ID
    status: among


@filter(models.CalendarConflict)
class CalendarConflictFilter:
    """Which conflicts."""

    staff: strawberry.ID
    kind: among
    resolved: is_set("resolved_at")  # type: ignore[valid-type]


@strawberry.type(description="A calendar that could be connected.")
class CalendarToConnect:
    remote_id: str = strawberry.field(description="Its id at the provider.")
    name: str = strawberry.field(description="What it is called there.")
    time_zone: str = strawberry.field(description="IANA zone in which its all-day events are days.")
    writable: bool = strawberry.field(description="Whether appointments can go out to it.")
    primary: bool = strawberry.field(description="Whether it is the main one of whose it is.")


@strawberry.input(description="Which calendar to connect to whom.")
class CalendarConnectInput:
    staff: strawberry.ID = strawberry.field(description="Who is booked: its global id.")
    oauth_grant: strawberry.ID | None = strawberry.field(
        description="The consent by which it is reached; the organization's own service account unless given.",
        default=strawberry.UNSET,
    )
    remote_id: str = strawberry.field(description="The calendar's id at the provider (`calendarsToConnect`).")
    outgoing: bool = strawberry.field(
        description="Whether their appointments go out to it, instead of the one to which they went before.",
        default=True,
    )
    incoming: bool = strawberry.field(description="Whether its events make them busy.", default=True)


@strawberry.input(description="What goes out to a calendar, and comes in.")
class CalendarUpdateInput:
    calendar: strawberry.ID = strawberry.field(description="Its global id.")
    outgoing: bool | None = strawberry.field(
        description="Whether appointments go out to it, instead of another.", default=strawberry.UNSET
    )
    incoming: bool | None = strawberry.field(
        description="Whether its events make its person busy.", default=strawberry.UNSET
    )


@strawberry.input(description="Which calendar to leave alone.")
class CalendarDisconnectInput:
    calendar: strawberry.ID = strawberry.field(description="Its global id.")
    events: enum(models.CalendarEventsThen) = strawberry.field(  # type: ignore[valid-type]
        description="What becomes of the appointments' events in it.", default=models.CalendarEventsThen.KEEP
    )


@strawberry.input(description="Which calendar to read now.")
class CalendarSyncInput:
    calendar: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(description="What to do about a conflict.")
class CalendarConflictResolveInput:
    calendar_conflict: strawberry.ID = strawberry.field(description="Its global id.")
    choice: enum(models.CalendarChoice) = strawberry.field(  # type: ignore[valid-type]
        description="One of its `choices`."
    )
