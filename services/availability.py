"""When a service can be booked: what is known of people's time, read in a few statements whatever the range, and put
before `services/timetable.py`, which says the rules."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from errors import Conflict, Invalid
from models import Service, Staff
from models.database import fetch, in_a_transaction, query
from services import public_holidays, timetable
from services.timetable import Exceptional, Group, Minutes, Person, Slot, SlotReason, Span, Taken, Terms

RANGE_MOST = timedelta(days=62)  # of one person
ANYBODY_MOST = timedelta(days=31)
POSSIBLE_MOST = 60_000  # beginnings that are looked at: all people's, for a quarter of a second
PAST_MOST, AHEAD_MOST = timedelta(days=366), timedelta(days=1096)  # from now; nothing is booked further ahead


Row = Mapping[str, Any]
ByPerson = defaultdict[UUID | None, list[Row]]


class Offer(NamedTuple):
    """A time, and who could give the service then; nobody where `reason` says why not."""

    slot: Slot
    staff_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Known:
    """The people who give a service, and the rooms of which it needs one; None where it needs none."""

    people: Mapping[UUID, Person]
    rooms: Sequence[Taken] | None


async def offers(service: Service, staff_id: UUID | None, begins: datetime, ends: datetime) -> list[Offer]:
    """The slots that begin from one moment until before another, in order: with one person, or with anybody.

    Raises Invalid for a range that ends before it begins or is too long, and for a person who does not give the
    service; Conflict for a service that is not given at present, or by nobody.
    """
    now = datetime.now(UTC)
    _check_range(begins, ends, now, RANGE_MOST if staff_id else ANYBODY_MOST)
    if not service.active:
        raise Conflict(f"{service.name} cannot be booked at present.", field="service")
    window = _second(begins), math.ceil(ends.timestamp())
    known = await _known(service, staff_id, window)
    if not known.people and staff_id:
        raise Invalid("This person does not give the service, or cannot be booked at present.", field="staff")
    if not known.people:
        raise Conflict(f"Nobody gives {service.name} at present: add staff to it.", field="service")
    _check_work(service, len(known.people), ends - begins)
    return list(_offers(service, known, window, now))


async def nearest(
    service: Service, staff_id: UUID | None, at: datetime, *, most: int, within: timedelta
) -> list[Offer]:  # fmt: skip
    """Of the slots that can be booked those that are nearest to a moment, the earliest first."""
    now = datetime.now(UTC)
    window = _second(max(at - within, now)), _second(at + within)
    found = _offers(service, await _known(service, staff_id, window), window, now)
    free = [offer for offer in found if offer.slot.reason is None]
    free.sort(key=lambda offer: (abs(offer.slot.begins - _second(at)), offer.slot.begins))
    return sorted(free[:most], key=lambda offer: offer.slot.begins)


async def working(staff: Sequence[Staff], service: Service, begins: datetime, ends: datetime) -> list[Staff]:
    """Those who give the service and whose hours hold all of that time."""
    window = _second(begins), math.ceil(ends.timestamp())
    known = await _known(service, None, window)
    around = window[0] - timetable.DAY, window[1] + timetable.DAY
    holding = {id for id, person in known.people.items() if timetable.working(person, around).holds(*window)}
    return [each for each in staff if each.id in holding]


def _check_range(begins: datetime, ends: datetime, now: datetime, most: timedelta) -> None:
    if ends <= begins:
        raise Invalid("This is not after `from`.", field="to")
    if ends - begins > most:
        raise Invalid(
            f"This is more than {most.days} days after `from`: ask for {RANGE_MOST.days} days of one person,"
            f" {ANYBODY_MOST.days} of anybody at most.",
            field="to",
        )
    if begins < now - PAST_MOST:
        raise Invalid(f"This is more than {PAST_MOST.days} days ago.", field="from")
    if ends > now + AHEAD_MOST:
        raise Invalid(f"This is more than {AHEAD_MOST.days} days ahead.", field="to")


def _check_work(service: Service, people: int, asked: timedelta) -> None:
    a_day = people * (timetable.DAY // (service.slot_step_minutes * timetable.MINUTE) + 1)
    most = timedelta(days=max(1, POSSIBLE_MOST // a_day))
    if asked > most:
        raise Invalid(
            f"Of {people} people every {service.slot_step_minutes} minutes ask for {most.days} days at most.",
            field="to",
        )


def _offers(service: Service, known: Known, window: Span, now: datetime) -> Iterator[Offer]:
    """Of the people's slots those at the same time as one: with whoever is free, or the first reason why nobody is."""
    terms = Terms(
        duration=service.duration_minutes * timetable.MINUTE,
        step=service.slot_step_minutes * timetable.MINUTE,
        earliest=math.ceil((now + timedelta(minutes=service.min_notice_minutes)).timestamp()),
        latest=_second(now + timedelta(days=service.max_ahead_days)),
        before=service.buffer_before_minutes * timetable.MINUTE,
        after=service.buffer_after_minutes * timetable.MINUTE,
    )
    together: dict[tuple[int, int], list[tuple[UUID, Slot]]] = defaultdict(list)
    for id, person in known.people.items():
        for slot in timetable.slots(person, terms, service.capacity, window, known.rooms):
            together[slot.begins, slot.ends].append((id, slot))
    for _, each in sorted(together.items()):
        free = tuple(id for id, slot in each if slot.reason is None)
        best = max(each, key=lambda found: (found[1].places, -_ORDER[found[1].reason]))[1]
        yield Offer(best, free)


_ORDER: Mapping[SlotReason | None, int] = {reason: place for place, reason in enumerate((None, *SlotReason))}


async def _known(service: Service, staff_id: UUID | None, window: Span) -> Known:
    """All that is known of who gives the service, around that time."""
    staff = await _rows(_STAFF, service.id, service.organization_id, staff_id)
    ids = [row["id"] for row in staff]
    # Hours and appointments may begin on the day before the range, and end on the day after it.
    begins, ends = (
        datetime.fromtimestamp(at, UTC) + timedelta(days=days) for at, days in zip(window, (-2, 2), strict=True)
    )
    hours = await _rows(_HOURS, ids)
    exceptions = await _rows(_EXCEPTIONS, service.organization_id, ids, begins.date(), ends.date())
    resources = await _rows(_RESOURCES, service.id)
    rooms = [row["id"] for row in resources if row["active"]]
    appointments = await _rows(_APPOINTMENTS, ids, rooms, begins, ends)
    blocks = await _rows(_BLOCKS, ids, begins, ends)

    used: dict[UUID | None, list[Span]] = defaultdict(list)
    for row in appointments:
        used[row["resource_id"]].append(_span(row["occupied_from"], row["occupied_until"]))
    years = begins.year, ends.year
    people = _people(service, staff, years, _by_person(hours), _by_person(exceptions), _by_person(appointments),
                     _by_person(blocks))  # fmt: skip
    return Known(people, [Taken(used[room]) for room in rooms] if resources else None)


def _people(
    service: Service, staff: Sequence[Row], years: tuple[int, int], hours: ByPerson, exceptions: ByPerson,
    appointments: ByPerson, blocks: ByPerson,
) -> dict[UUID, Person]:  # fmt: skip
    house = _exceptional(exceptions[None])
    return {
        row["id"]: Person(
            zone=ZoneInfo(row["time_zone"]),
            weekly=_weekly(hours[row["id"]]),
            own=_exceptional(exceptions[row["id"]]),
            house=house,
            holidays=public_holidays.of(row["country"], row["holiday_region"], *years) if row["off"] else frozenset(),
            booked=Taken(_span(each["occupied_from"], each["occupied_until"]) for each in appointments[row["id"]]),
            busy=Taken(_span(each["starts_at"], each["ends_at"]) for each in blocks[row["id"]]),
            groups=_groups(service, appointments[row["id"]]),
        )
        for row in staff
    }


def _weekly(hours: Sequence[Row]) -> dict[int, list[Minutes]]:
    found: dict[int, list[Minutes]] = defaultdict(list)
    for row in hours:
        found[row["iso_weekday"]].append((row["starts_minute"], row["ends_minute"]))
    return found


def _exceptional(exceptions: Sequence[Row]) -> list[Exceptional]:
    return [
        Exceptional(
            row["starts_on"], row["ends_on"],
            None if row["starts_minute"] is None else (row["starts_minute"], row["ends_minute"]),
        )
        for row in exceptions
    ]  # fmt: skip


def _groups(service: Service, appointments: Sequence[Row]) -> dict[int, Group]:
    return {
        _second(row["starts_at"]): Group(_second(row["ends_at"]), row["capacity"] - row["taken"])
        for row in appointments
        if row["capacity"] > 1 and row["service_id"] == service.id
    }


def _by_person(rows: Sequence[Row]) -> ByPerson:
    found: ByPerson = defaultdict(list)
    for row in rows:
        found[row["staff_id"]].append(row)
    return found


async def _rows(sql: str, *values: Any) -> Sequence[Any]:
    """Within a transaction as it sees them."""
    if in_a_transaction():
        return await query(sql, *values)
    return await fetch(sql, *values)


def _span(begins: datetime, ends: datetime) -> Span:
    return _second(begins), math.ceil(ends.timestamp())


def _second(at: datetime) -> int:
    return math.floor(at.timestamp())


_STAFF = """
SELECT staff.id, staff.time_zone, organizations.country, organizations.holiday_region,
  organizations.public_holidays_off AS off
FROM service_staff
JOIN staff ON staff.id = service_staff.staff_id AND staff.active AND staff.organization_id = $2
JOIN organizations ON organizations.id = $2
WHERE service_staff.service_id = $1 AND ($3::uuid IS NULL OR staff.id = $3)
ORDER BY staff.id
"""
_HOURS = """
SELECT staff_id, iso_weekday, starts_minute, ends_minute FROM weekly_hours WHERE staff_id = ANY($1::uuid[])
ORDER BY starts_minute
"""
_EXCEPTIONS = """
SELECT staff_id, starts_on, ends_on, starts_minute, ends_minute FROM hours_exceptions
WHERE organization_id = $1 AND (staff_id IS NULL OR staff_id = ANY($2::uuid[])) AND starts_on <= $4 AND ends_on >= $3
"""
_RESOURCES = """
SELECT resources.id, resources.active FROM service_resources
JOIN resources ON resources.id = service_resources.resource_id WHERE service_resources.service_id = $1
ORDER BY resources.id
"""
_APPOINTMENTS = """
SELECT staff_id, resource_id, service_id, starts_at, ends_at, occupied_from, occupied_until, capacity, taken
FROM appointments WHERE status = 'ACTIVE' AND (staff_id = ANY($1::uuid[]) OR resource_id = ANY($2::uuid[]))
AND occupied_from < $4 AND occupied_until > $3
"""
_BLOCKS = """
SELECT staff_id, starts_at, ends_at FROM busy_blocks
WHERE staff_id = ANY($1::uuid[]) AND starts_at < $3 AND ends_at > $2
"""
