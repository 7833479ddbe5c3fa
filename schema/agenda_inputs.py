"""What is asked of services, people, their hours and rooms."""

import strawberry
from strawberry import UNSET

import models
from schema.base import auto, input
from schema.scalars import MoneyInput


@input(models.Service)
class ServiceCreateInput:
    """A new service."""

    name: auto
    description: auto
    duration_minutes: auto
    buffer_before_minutes: auto
    buffer_after_minutes: auto
    slot_step_minutes: auto
    capacity: auto
    price: MoneyInput = strawberry.field(description="Price TTC of a place; 0 for what is free.")
    deposit: MoneyInput | None = strawberry.field(
        description="What is to be paid to book; 0, or left out, for the whole price.", default=UNSET
    )
    vat_rate: auto
    online: auto
    location: auto
    min_notice_minutes: auto
    max_ahead_days: auto
    free_cancel_hours: auto
    late_cancel_percent: auto
    no_show_percent: auto
    reminders: list[int] | None = strawberry.field(
        description="How long before it begins clients are reminded, in minutes: 5 at most, none for no reminder, null"
        " for as long as the organization wishes. Appointments that were made have theirs already.",
        default=UNSET,
    )
    staff: list[strawberry.ID] = strawberry.field(description="Who gives it, by global id.", default_factory=list)
    resources: list[strawberry.ID] = strawberry.field(
        description="What it takes one of, by global id; nothing where it takes none.", default_factory=list
    )


@input(models.Service, partial=True)
class ServiceUpdateInput:
    """What to change of a service; what is left out stays. Appointments that were made stay as they are."""

    service: strawberry.ID = strawberry.field(description="The service's global id.")
    name: auto
    description: auto
    duration_minutes: auto
    buffer_before_minutes: auto
    buffer_after_minutes: auto
    slot_step_minutes: auto
    capacity: auto
    price: MoneyInput | None = strawberry.field(description="Price TTC of a place; 0 for what is free.", default=UNSET)
    deposit: MoneyInput | None = strawberry.field(
        description="What is to be paid to book; 0 for the whole price.", default=UNSET
    )
    vat_rate: auto
    online: auto
    location: auto
    min_notice_minutes: auto
    max_ahead_days: auto
    free_cancel_hours: auto
    late_cancel_percent: auto
    no_show_percent: auto
    reminders: list[int] | None = strawberry.field(
        description="How long before it begins clients are reminded, in minutes: 5 at most, none for no reminder, null"
        " for as long as the organization wishes. Appointments that were made have theirs already.",
        default=UNSET,
    )
    active: auto
    staff: list[strawberry.ID] | None = strawberry.field(
        description="Who gives it, by global id, in place of those who did.", default=UNSET
    )
    resources: list[strawberry.ID] | None = strawberry.field(
        description="What it takes one of, by global id, in place of what it took.", default=UNSET
    )


@input(models.Staff)
class StaffCreateInput:
    """Somebody who can be booked."""

    display_name: auto
    time_zone: str | None = strawberry.field(
        description="IANA zone in which their hours are said; the organization's unless given.", default=UNSET
    )
    member: strawberry.ID | None = strawberry.field(
        description="The member who this is, by global id; left out for one who does not sign in.", default=UNSET
    )


@input(models.Staff, partial=True)
class StaffUpdateInput:
    """What to change of somebody who can be booked; what is left out stays."""

    staff: strawberry.ID = strawberry.field(description="Their global id.")
    display_name: auto
    time_zone: auto
    active: auto
    member: strawberry.ID | None = strawberry.field(description="The member who this is; null for none.", default=UNSET)


@input(models.WeeklyHours)
class HoursInput:
    """Hours of one day of the week, by the wall clock of the person's own zone."""

    iso_weekday: auto
    starts_minute: auto
    ends_minute: auto


@strawberry.input(description="All hours of a week.")
class WeeklyHoursSetInput:
    staff: strawberry.ID = strawberry.field(description="Whose, by global id.")
    hours: list[HoursInput] = strawberry.field(
        description="In place of those that were: 70 at most, apart from each other; none for who does not work."
    )


@input(models.HoursException)
class HoursExceptionCreateInput:
    """Days on which somebody, or everybody, does not work (no minutes are given), or works other hours."""

    staff: strawberry.ID | None = strawberry.field(
        description="Whose days, by global id; left out for everybody's.", default=UNSET
    )
    starts_on: auto
    ends_on: auto
    starts_minute: auto
    ends_minute: auto
    reason: auto


@strawberry.input(description="Which exception to take back.")
class HoursExceptionDeleteInput:
    hours_exception: strawberry.ID = strawberry.field(description="The exception's global id.")


@input(models.Resource)
class ResourceCreateInput:
    """A room, or a device."""

    name: auto


@input(models.Resource, partial=True)
class ResourceUpdateInput:
    """What to change of a room or device; what is left out stays."""

    resource: strawberry.ID = strawberry.field(description="Its global id.")
    name: auto
    active: auto


@input(models.BusyBlock)
class BusyBlockCreateInput:
    """Time at which somebody is not free."""

    staff: strawberry.ID = strawberry.field(description="Who is busy, by global id.")
    starts_at: auto
    ends_at: auto
    title: auto


@strawberry.input(description="Which time is free again.")
class BusyBlockDeleteInput:
    busy_block: strawberry.ID = strawberry.field(description="Its global id.")
