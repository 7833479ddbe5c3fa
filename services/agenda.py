"""What is configured of the agenda: services, people, their hours, and times at which they are busy.

Whoever changes somebody's hours has that person's row locked.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from errors import Conflict, Invalid
from models import (
    BusyBlock,
    BusySource,
    HoursException,
    Organization,
    Resource,
    Service,
    ServiceResource,
    ServiceStaff,
    Staff,
    WeeklyHours,
)
from models.agenda import DAY_MINUTES
from services import booking_reminders, catalogue

LINKS_MOST = 100  # staff or resources of a service
HOURS_MOST = 70  # of a week: ten a day
EXCEPTION_MOST = timedelta(days=3660)
BLOCK_MOST = timedelta(days=366)

# Numbers of a service: the least, the most, what they are.
BOUNDS: Mapping[str, tuple[int, int, str]] = {
    "duration_minutes": (1, DAY_MINUTES, "A service lasts {} to {} minutes."),
    "buffer_before_minutes": (0, DAY_MINUTES, "A buffer is {} to {} minutes."),
    "buffer_after_minutes": (0, DAY_MINUTES, "A buffer is {} to {} minutes."),
    "slot_step_minutes": (5, DAY_MINUTES, "Slots begin every {} to {} minutes."),
    "capacity": (1, 1000, "An appointment takes {} to {} clients."),
    "min_notice_minutes": (0, 525_600, "The notice is {} to {} minutes: a year."),
    "max_ahead_days": (1, 730, "A service is booked {} to {} days ahead at most."),
    "free_cancel_hours": (0, 8760, "Cancelling is free until {} to {} hours before: a year."),
    "late_cancel_percent": (0, 10_000, "This is {} to {} hundredths of a percent."),
    "no_show_percent": (0, 10_000, "This is {} to {} hundredths of a percent."),
}


async def create_service(
    organization_id: UUID, values: dict[str, Any], staff: Sequence[Staff], resources: Sequence[Resource]
) -> Service:
    """A service, with who gives it and what it takes one of. Raises Invalid, naming the field."""
    deposit_currency = values.pop("deposit_currency", None)
    service = Service(organization_id=organization_id, **_with_reminders(values))
    await _check_service(service, deposit_currency)
    await service.save()
    await _link(service, staff, resources)
    return service


async def update_service(
    service: Service, values: dict[str, Any], staff: Sequence[Staff] | None, resources: Sequence[Resource] | None
) -> Service:
    """The service with other values, and others who give it; None leaves these as they are. Raises Invalid."""
    deposit_currency = values.pop("deposit_currency", None)
    service.update_from_dict(_with_reminders(values))
    await _check_service(service, deposit_currency)
    await service.save()
    if staff is not None:
        await ServiceStaff.filter(service_id=service.id).delete()
    if resources is not None:
        await ServiceResource.filter(service_id=service.id).delete()
    await _link(service, staff or (), resources or ())
    return service


async def create_staff(organization_id: UUID, values: dict[str, Any]) -> Staff:
    """Somebody who can be booked, in the organization's time zone unless another is given. Raises Invalid for a zone
    that is not known, Conflict for a member who can be booked already."""
    if values.get("time_zone") is None:
        organization = await Organization.get(id=organization_id)
        values = values | {"time_zone": organization.time_zone}
    staff = Staff(organization_id=organization_id, **values)
    _check_zone(staff)
    await staff.save()
    return staff


async def update_staff(staff: Staff, values: dict[str, Any]) -> Staff:
    """The person with other values. Raises as `create_staff`."""
    staff.update_from_dict(values)
    _check_zone(staff)
    await staff.save()
    return staff


async def set_hours(staff: Staff, hours: Sequence[dict[str, Any]]) -> Staff:
    """Hours of a week in place of those that were: `iso_weekday`, `starts_minute`, `ends_minute` of each. Raises
    Invalid for too many, for what ends before it begins, and for hours of a day that overlap."""
    if len(hours) > HOURS_MOST:
        raise Invalid(f"A week has {HOURS_MOST} hours of one person at most.", field="input.hours")
    for place, each in enumerate(hours):
        path = f"input.hours.{place}"
        if not 1 <= each["iso_weekday"] <= 7:
            raise Invalid("A day of the week is 1 (Monday) to 7 (Sunday).", field=f"{path}.isoWeekday")
        _check_minutes(each, path)
    in_order = sorted(enumerate(hours), key=lambda each: (each[1]["iso_weekday"], each[1]["starts_minute"]))
    for (_, before), (place, after) in pairwise(in_order):
        if before["iso_weekday"] == after["iso_weekday"] and after["starts_minute"] < before["ends_minute"]:
            raise Invalid("These hours overlap others of the same day.", field=f"input.hours.{place}")
    await WeeklyHours.filter(staff_id=staff.id).delete()
    await WeeklyHours.bulk_create(
        [WeeklyHours(organization_id=staff.organization_id, staff=staff, **each) for each in hours]
    )
    return staff


async def create_exception(organization_id: UUID, staff: Staff | None, values: dict[str, Any]) -> HoursException:
    """Days on which somebody, or everybody (None), does not work, or works other hours. Raises Invalid."""
    exception = HoursException(organization_id=organization_id, staff=staff, **values)
    if exception.ends_on < exception.starts_on:
        raise Invalid("The last day is before the first.", field="input.endsOn")
    if exception.ends_on - exception.starts_on > EXCEPTION_MOST:
        raise Invalid(f"An exception is {EXCEPTION_MOST.days} days long at most.", field="input.endsOn")
    if (exception.starts_minute is None) != (exception.ends_minute is None):
        raise Invalid("Give both minutes, or none where nobody works.", field="input.endsMinute")
    if exception.starts_minute is not None:
        _check_minutes(values, "input")
    await exception.save()
    return exception


async def create_block(staff: Staff, values: dict[str, Any]) -> BusyBlock:
    """Time at which somebody is busy. Raises Invalid for what ends before it begins."""
    block = BusyBlock(organization_id=staff.organization_id, staff=staff, **values)
    if block.ends_at <= block.starts_at:
        raise Invalid("This is not after the beginning.", field="input.endsAt")
    if block.ends_at - block.starts_at > BLOCK_MOST:
        raise Invalid(f"This is {BLOCK_MOST.days} days long at most.", field="input.endsAt")
    await block.save()
    return block


async def delete_block(block: BusyBlock) -> None:
    """Raises Conflict for what a calendar says."""
    if block.source is not BusySource.MANUAL:
        raise Conflict("This is an event of a calendar: take it out there.", field="input.busyBlock")
    await block.delete()


async def _link(service: Service, staff: Sequence[Staff], resources: Sequence[Resource]) -> None:
    for name, rows in (("staff", staff), ("resources", resources)):
        if len(rows) > LINKS_MOST:
            raise Invalid(f"A service has {LINKS_MOST} at most.", field=f"input.{name}")
    here: dict[str, Any] = {"organization_id": service.organization_id, "service": service}
    await ServiceStaff.bulk_create([ServiceStaff(staff=each, **here) for each in dict.fromkeys(staff)])
    await ServiceResource.bulk_create([ServiceResource(resource=each, **here) for each in dict.fromkeys(resources)])


def _with_reminders(values: dict[str, Any]) -> dict[str, Any]:
    """`reminders` as the column keeps them; none at all is no reminder, null what the organization wishes."""
    if "reminders" not in values:
        return values
    minutes = values.pop("reminders")
    kept = None if minutes is None else booking_reminders.written(minutes, field="input.reminders")
    return values | {"reminder_minutes": kept}


async def _check_service(service: Service, deposit_currency: str | None) -> None:
    for name, (least, most, said) in BOUNDS.items():
        if not least <= getattr(service, name) <= most:
            raise Invalid(said.format(least, most), field=f"input.{_camel(name)}")
    catalogue.check_price({"price_cents": service.price_cents, "currency": service.currency})
    if not 0 <= service.deposit_cents <= service.price_cents:
        raise Invalid("A deposit is 0 to the price.", field="input.deposit.amount")
    if deposit_currency not in (None, service.currency):
        raise Invalid("A deposit is in the currency of the price.", field="input.deposit.currency")
    organization = await Organization.get(id=service.organization_id)
    organization.must_be_able_to_charge(service.vat_rate, service.currency)


def _check_zone(staff: Staff) -> None:
    if staff.time_zone not in available_timezones():
        raise Invalid("Not a time zone of the IANA's: give one like Europe/Paris.", field="input.timeZone")


def _check_minutes(values: Mapping[str, Any], path: str) -> None:
    if not 0 <= values["starts_minute"] < DAY_MINUTES:
        raise Invalid(f"A day has minutes 0 to {DAY_MINUTES - 1}.", field=f"{path}.startsMinute")
    if not values["starts_minute"] < values["ends_minute"] <= DAY_MINUTES:
        raise Invalid(f"Hours end after they begin, and at minute {DAY_MINUTES} at most.", field=f"{path}.endsMinute")


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.title() for word in more)
