"""What the tests of the agenda say through the front door."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.shop import Shop

SERVICE_CREATE = "mutation ($input: ServiceCreateInput!) { serviceCreate(input: $input) { service { id } } }"
SERVICE_UPDATE = "mutation ($input: ServiceUpdateInput!) { serviceUpdate(input: $input) { service { id } } }"
STAFF_CREATE = "mutation ($input: StaffCreateInput!) { staffCreate(input: $input) { staff { id timeZone } } }"
STAFF_UPDATE = "mutation ($input: StaffUpdateInput!) { staffUpdate(input: $input) { staff { id timeZone } } }"
HOURS_SET = """mutation ($input: WeeklyHoursSetInput!) {
  weeklyHoursSet(input: $input) { staff { weeklyHours { isoWeekday startsMinute endsMinute } } }
}"""
EXCEPTION_CREATE = """mutation ($input: HoursExceptionCreateInput!) {
  hoursExceptionCreate(input: $input) { hoursException { id } }
}"""
EXCEPTION_DELETE = "mutation ($input: HoursExceptionDeleteInput!) { hoursExceptionDelete(input: $input) { id } }"
RESOURCE_CREATE = "mutation ($input: ResourceCreateInput!) { resourceCreate(input: $input) { resource { id } } }"
RESOURCE_UPDATE = "mutation ($input: ResourceUpdateInput!) { resourceUpdate(input: $input) { resource { active } } }"
BLOCK_CREATE = "mutation ($input: BusyBlockCreateInput!) { busyBlockCreate(input: $input) { busyBlock { id } } }"
BLOCK_DELETE = "mutation ($input: BusyBlockDeleteInput!) { busyBlockDelete(input: $input) { id } }"
AVAILABILITY = """query ($service: ID!, $staff: ID, $from: DateTime!, $to: DateTime!) {
  availability(service: $service, staff: $staff, from: $from, to: $to) {
    startsAt endsAt available places reason reasonText english: reasonText(language: EN) staff
  }
}"""

PARIS = ZoneInfo("Europe/Paris")
MORNING = {"startsMinute": 9 * 60, "endsMinute": 12 * 60}
EVERY_MORNING = [{"isoWeekday": day, **MORNING} for day in range(1, 8)]


def day_ahead(days: int) -> datetime:
    """Midnight of a day in Paris, some days from now; none is a public holiday before others are chosen."""
    today = datetime.now(PARIS).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days)


async def service(shop: Shop, staff: list[str], **values: Any) -> str:
    given = {
        "name": "Bilan", "durationMinutes": 60, "slotStepMinutes": 60, "price": {"amount": 12000, "currency": "EUR"},
        "minNoticeMinutes": 0, "maxAheadDays": 700, "staff": staff, **values,
    }  # fmt: skip
    return str((await shop(SERVICE_CREATE, input=given))["service"]["id"])


async def staff(shop: Shop, hours: list[dict[str, int]] | None = None, **values: Any) -> str:
    made = await shop(STAFF_CREATE, input={"displayName": "Camille", **values})
    id = str(made["staff"]["id"])
    await shop(HOURS_SET, input={"staff": id, "hours": EVERY_MORNING if hours is None else hours})
    return id


async def no_holidays(shop: Shop) -> None:
    update = "mutation ($input: OrganizationUpdateInput!) { organizationUpdate(input: $input) { __typename } }"
    await shop(update, input={"publicHolidaysOff": False})


async def slots(shop: Shop, service: str, begins: datetime, ends: datetime, staff: str | None = None) -> list[Any]:
    given = {"from": said(begins), "to": said(ends)}
    return list(await shop(AVAILABILITY, service=service, staff=staff, **given))


async def the_day(shop: Shop, service: str, day: datetime, staff: str | None = None) -> dict[str, Any]:
    """The slots of a day in Paris, by the wall clock there."""
    found = await slots(shop, service, day, day + timedelta(days=1), staff)
    return {datetime.fromisoformat(slot["startsAt"]).astimezone(PARIS).strftime("%H:%M"): slot for slot in found}


def said(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
