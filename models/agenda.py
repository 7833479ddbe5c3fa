"""What can be booked, and when: services, the people and rooms that they take, working hours, and times that are taken
elsewhere. Hours are by the wall clock of the person's own time zone."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.fields import Coded, CurrencyField, belongs_to

DAY_MINUTES = 24 * 60


class Service(Owned):
    """What clients book: so many minutes of somebody's time, at a price TTC."""

    name = fields.CharField(200, description="Name, as clients read it")
    description = fields.CharField(2000, null=True, description="What one gets")
    duration_minutes = fields.IntField(description="How long it lasts, in minutes")
    buffer_before_minutes = fields.IntField(default=0, description="Minutes that are kept free before it")
    buffer_after_minutes = fields.IntField(default=0, description="Minutes that are kept free after it")
    slot_step_minutes = fields.IntField(
        default=30, description="Minutes from one possible beginning to the next, from the beginning of the hours"
    )
    capacity = fields.IntField(default=1, description="How many clients one appointment takes; more than 1 for groups")
    price_cents = fields.IntField(description="Price TTC of a place, in minor units; 0 for what is free")
    deposit_cents = fields.IntField(
        default=0, description="What is to be paid to book, TTC, in minor units; 0 for the whole price"
    )
    currency = CurrencyField(default="EUR", description="Currency of the price")
    vat_rate = fields.IntField(default=2000, description="VAT rate in hundredths of a percent: 2000 is 20 %")
    online = fields.BooleanField(default=False, description="Whether it is held by video, and wants a link")
    location = fields.CharField(300, null=True, description="Where it is held, where that is no video")
    min_notice_minutes = fields.IntField(default=120, description="How long before it begins it must be booked")
    max_ahead_days = fields.IntField(default=60, description="How many days ahead it can be booked")
    free_cancel_hours = fields.IntField(default=24, description="Until how many hours before it cancelling is free")
    late_cancel_percent = fields.IntField(
        default=0, description="What cancelling later costs, in hundredths of a percent of the price"
    )
    no_show_percent = fields.IntField(
        default=0, description="What not coming costs, in hundredths of a percent of the price"
    )
    # In minutes, with a space between; null for what the organization wishes.
    reminder_minutes = fields.CharField(60, null=True)
    active = fields.BooleanField(default=True, description="Whether it can be booked")
    # Orders, invoices and Stripe know products. Made with the first order, and not for sale by itself.
    product_id: UUID | None
    product: Any = belongs_to("Product", None, "What stands for it on orders", null=True)

    staff_links: Any
    resource_links: Any

    class Meta:
        table = "services"

    @property
    def reminder_list(self) -> list[int] | None:
        """How long before it begins clients are reminded, in minutes; None for as long as the organization wishes."""
        return None if self.reminder_minutes is None else [int(each) for each in self.reminder_minutes.split()]


class Staff(Owned):
    """Somebody who is booked. Who may book sees them by name."""

    membership_id: UUID | None
    membership: Any = belongs_to(
        "Membership", None, "The member who this is; null for one who does not sign in", null=True
    )
    display_name = fields.CharField(100, description="Name, as clients read it")
    time_zone = fields.CharField(64, default="Europe/Paris", description="IANA zone in which their hours are said")
    active = fields.BooleanField(default=True, description="Whether they can be booked")

    weekly_hours: Any
    service_links: Any

    class Meta:
        table = "staff"


class ServiceStaff(Owned):
    """Somebody who gives a service."""

    service_id: UUID
    service: Service = belongs_to("Service", "staff_links", "The service")
    staff_id: UUID
    staff: Staff = belongs_to("Staff", "service_links", "Who gives it")

    class Meta:
        table = "service_staff"
        unique_together = (("service", "staff"),)


class WeeklyHours(Owned):
    """Hours that somebody works each week, on one day of it; a day may have several."""

    staff_id: UUID
    staff: Staff = belongs_to("Staff", "weekly_hours", "Who works then")
    iso_weekday = fields.IntField(description="Day of the week: 1 is Monday, 7 Sunday (ISO 8601)")
    starts_minute = fields.IntField(description="When they begin, in minutes after midnight by the wall clock")
    ends_minute = fields.IntField(description="When they end, in minutes after midnight; 1440 is the day's end")

    class Meta:
        table = "weekly_hours"


class HoursException(Owned):
    """Days on which a person, or everybody, does not work, or works other hours."""

    staff_id: UUID | None
    staff: Staff | None = belongs_to("Staff", "hours_exceptions", "Whose days; null for everybody's", null=True)
    starts_on = fields.DateField(description="The first day, by the person's own calendar")
    ends_on = fields.DateField(description="The last day")
    starts_minute = fields.IntField(
        null=True, description="When they begin instead, in minutes after midnight; null where they do not work"
    )
    ends_minute = fields.IntField(
        null=True, description="When they end instead, in minutes after midnight; null where they do not work"
    )
    reason = fields.CharField(200, null=True, description="Why; clients do not read it")

    class Meta:
        table = "hours_exceptions"

    @property
    def is_closed(self) -> bool:
        return self.starts_minute is None


class Resource(Owned):
    """A room, a device: what takes one appointment at a time."""

    name = fields.CharField(100, description="What it is called")
    active = fields.BooleanField(default=True, description="Whether it can be used")

    service_links: Any

    class Meta:
        table = "resources"


class ServiceResource(Owned):
    """One of the resources of which a service needs one."""

    service_id: UUID
    service: Service = belongs_to("Service", "resource_links", "The service")
    resource_id: UUID
    resource: Resource = belongs_to("Resource", "service_links", "What it can be held with")

    class Meta:
        table = "service_resources"
        unique_together = (("service", "resource"),)


class BusySource(Coded):
    """Where it is known from that somebody is busy."""

    MANUAL = "MANUAL", "Entered here"
    GOOGLE = "GOOGLE", "An event of a Google calendar"


class BusyBlock(Owned):
    """Time that somebody is not free for a reason that is no booking."""

    staff_id: UUID
    staff: Staff = belongs_to("Staff", "busy_blocks", "Who is busy")
    starts_at = fields.DatetimeField(description="From when on")
    ends_at = fields.DatetimeField(description="Until when")
    source = fields.CharEnumField(
        BusySource, max_length=20, default=BusySource.MANUAL, description="Where it is known from"
    )
    calendar_id: UUID | None = fields.UUIDField(null=True)
    external_id = fields.CharField(1024, null=True, description="The event's id in that calendar")
    full_sync_id: UUID | None = fields.UUIDField(null=True)
    title = fields.CharField(500, null=True, description="What it is, for oneself and those who run the shop")

    class Meta:
        table = "busy_blocks"
