"""What can be booked, with whom, and when they work."""

from typing import Any

import strawberry

import models
from schema.base import auto, computed, node, through
from schema.lists import among, between, filter, order
from schema.organizations import Membership
from schema.scalars import Money


@node(models.WeeklyHours)
class WeeklyHours:
    """Hours that somebody works each week, by the wall clock of their own time zone."""

    iso_weekday: auto
    starts_minute: auto
    ends_minute: auto


@node(models.Staff)
class Staff:
    """Somebody who is booked."""

    display_name: auto
    time_zone: auto
    active: auto
    membership: Membership | None
    weekly_hours: list[WeeklyHours]
    created_at: auto


@node(models.Resource)
class Resource:
    """A room, a device: what takes one appointment at a time."""

    name: auto
    active: auto
    created_at: auto


@node(models.Service)
class Service:
    """What clients book: so many minutes of somebody's time, at a price TTC."""

    name: auto
    description: auto
    duration_minutes: auto
    buffer_before_minutes: auto
    buffer_after_minutes: auto
    slot_step_minutes: auto
    capacity: auto
    price: Money
    deposit: Money
    vat_rate: auto
    online: auto
    location: auto
    min_notice_minutes: auto
    max_ahead_days: auto
    free_cancel_hours: auto
    late_cancel_percent: auto
    no_show_percent: auto
    active: auto

    @computed(
        "How long before it begins clients are reminded, in minutes; null for as long as the organization wishes.",
        needs=("reminder_minutes",),
    )
    def reminders(root: Any) -> list[int] | None:
        minutes: list[int] | None = root.reminder_list
        return minutes

    staff: list[Staff] = through("staff_links__staff", "Who gives it.")  # type: ignore[assignment]
    resources: list[Resource] = through(  # type: ignore[assignment]
        "resource_links__resource", "What it takes one of; nothing where it takes none."
    )
    created_at: auto


@node(models.HoursException)
class HoursException:
    """Days on which a person, or everybody, does not work, or works other hours."""

    staff: Staff | None
    starts_on: auto
    ends_on: auto
    starts_minute: auto
    ends_minute: auto
    reason: auto
    created_at: auto


@node(models.BusyBlock)
class BusyBlock:
    """Time that somebody is not free for a reason that is no booking."""

    staff: Staff
    starts_at: auto
    ends_at: auto
    source: auto
    title: auto
    created_at: auto


@filter(models.Service)
class ServiceFilter:
    """Which services."""

    active: auto
    online: auto
    price: between
    created_at: between


@filter(models.Staff)
class StaffFilter:
    """Which people."""

    active: auto
    created_at: between


@filter(models.Resource)
class ResourceFilter:
    """Which resources."""

    active: auto


@filter(models.HoursException)
class HoursExceptionFilter:
    """Which exceptions."""

    staff: strawberry.ID


@filter(models.BusyBlock)
class BusyBlockFilter:
    """Which times."""

    staff: strawberry.ID
    source: among
    starts_at: between
    ends_at: between


ServiceOrder = order(models.Service, created_at="id", name="name", price="price_cents")
StaffOrder = order(models.Staff, created_at="id", display_name="display_name")
ResourceOrder = order(models.Resource, created_at="id")
HoursExceptionOrder = order(models.HoursException, created_at="id", starts_on="starts_on")
BusyBlockOrder = order(models.BusyBlock, created_at="id", starts_at="starts_at")
