"""Places in time: whether a time can be booked, who is free then, and taking it so that nobody else can.

Whoever takes time of a person has that person's row locked, and of a resource the resource's: two who want the same
take turns, and the second is told. That no two appointments overlap is the database's rule in any case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Subquery

from errors import Conflict, Invalid, NotFound, SlotTaken
from models import (
    Appointment,
    AppointmentStatus,
    Booking,
    BookingStatus,
    Resource,
    Service,
    ServiceResource,
    ServiceStaff,
    Staff,
)
from models.base import global_id_of
from models.database import query, savepoint
from services import availability

AHEAD_MOST = timedelta(days=730)
NEAREST = 5  # slots that are told instead
AROUND = timedelta(days=7)  # in which they are looked for


@dataclass(frozen=True)
class Asked:
    """A time that is wanted: with somebody, or with anybody who gives the service. `field` is the input to blame."""

    service: Service
    starts_at: datetime
    staff_id: UUID | None = None
    field: str = "input.startsAt"
    ends_at: datetime | None = None  # of one that was agreed before the service changed

    @property
    def ends(self) -> datetime:
        return self.ends_at or self.starts_at + timedelta(minutes=self.service.duration_minutes)

    @property
    def occupied(self) -> tuple[datetime, datetime]:
        """With the buffers of the service."""
        before = timedelta(minutes=self.service.buffer_before_minutes)
        return self.starts_at - before, self.ends + timedelta(minutes=self.service.buffer_after_minutes)


@dataclass(frozen=True)
class Seat:
    """Who and what is free; or the appointment, locked, that has a place left."""

    staff: Staff
    resource: Resource | None
    joins: Appointment | None = None


def check(asked: Asked, *, by_rules: bool) -> None:
    """Whether a service can be booked at that time. Its notice and how far ahead bind clients (`by_rules`), not people
    of the organization. Raises Conflict for a service that is not given any more, and Invalid."""
    service, starts_at, now = asked.service, asked.starts_at, datetime.now(UTC)
    if not service.active:
        raise Conflict(f"{service.name} cannot be booked any more.", field="input.service")
    if starts_at.second or starts_at.microsecond:
        raise Invalid("An appointment begins at a whole minute.", field=asked.field)
    if starts_at <= now:
        raise Invalid("This is in the past: choose a time to come.", field=asked.field)
    if starts_at > now + AHEAD_MOST:
        raise Invalid(f"This is more than {AHEAD_MOST.days} days ahead.", field=asked.field)
    if not by_rules:
        return
    if starts_at < now + timedelta(minutes=service.min_notice_minutes):
        raise Invalid(
            f"{service.name} is booked at least {service.min_notice_minutes} minutes ahead.", field=asked.field
        )
    if starts_at > now + timedelta(days=service.max_ahead_days):
        raise Invalid(f"{service.name} is booked at most {service.max_ahead_days} days ahead.", field=asked.field)


async def seat(asked: Asked, *, but: UUID | None = None, joining: bool = True) -> Seat:
    """Who takes an appointment at that time, with their row and the resource's locked: of a group with a place left the
    one that has it, else who is free and has the fewest appointments around that day, of equals the one who was there
    first. `but` is an appointment that gives its own time up, `joining` whether a place in a group will do.

    Raises NotFound for somebody who does not give the service, Invalid outside of all hours, and SlotTaken.
    """
    wanted = await _who_may(asked)
    working = await availability.working(wanted, asked.service, asked.starts_at, asked.ends)
    if not working:
        raise Invalid("Nobody works then: choose a time within the hours (availability).", field=asked.field)
    hopeful = await _seatable(asked, [each.id for each in working], but)
    if not hopeful:
        raise await taken(asked)
    staff = await Staff.filter(id__in=hopeful).order_by("id").select_for_update(no_key=True)
    resources = await _lock_resources(asked.service)
    if joining and (joined := await _with_a_place(asked, staff, but)):
        return joined
    free = await _seatable(asked, [each.id for each in staff], but)
    by_id = {each.id: each for each in staff}
    resource = await _free_resource(asked, resources, but)
    if not free or (resources and resource is None):
        raise await taken(asked)
    return Seat(by_id[free[0]], resource)


async def sit(asked: Asked, seat: Seat, *, again: Appointment | None = None) -> Appointment:
    """The appointment, with one place more taken: the one that has a place left, else a new one, or one `again` that
    was given up. Raises SlotTaken."""
    if seat.joins:
        seat.joins.taken += 1
        await seat.joins.save()
        return seat.joins
    appointment = again or Appointment(
        organization_id=asked.service.organization_id, service=asked.service, capacity=asked.service.capacity
    )
    appointment.taken, appointment.status = 1, AppointmentStatus.ACTIVE
    await place(appointment, asked, seat)
    return appointment


async def place(appointment: Appointment, asked: Asked, seat: Seat) -> None:
    """Have an appointment take that time of these. Raises SlotTaken: the last word is the database's."""
    appointment.staff, appointment.resource = seat.staff, seat.resource
    appointment.starts_at, appointment.ends_at = asked.starts_at, asked.ends
    appointment.occupied_from, appointment.occupied_until = asked.occupied
    appointment.location = asked.service.location
    try:
        async with savepoint():
            await appointment.save()
    except IntegrityError as error:
        if getattr(error.__cause__, "constraint_name", "") in ("appointments_staff", "appointments_resource"):
            raise await taken(asked) from error
        raise


async def locked(appointment_id: UUID) -> Appointment:
    return await Appointment.select_for_update(no_key=True).get(id=appointment_id)


async def has_a_place(client_id: UUID, appointment: Appointment) -> bool:
    """Whether the client has one there already."""
    ended = (BookingStatus.CANCELED, BookingStatus.EXPIRED)
    return await Booking.filter(appointment_id=appointment.id, client_id=client_id).exclude(status__in=ended).exists()


async def taken(asked: Asked) -> SlotTaken:
    """The refusal, with the nearest slots that are free."""
    nearest = await availability.nearest(asked.service, asked.staff_id, asked.starts_at, most=NEAREST, within=AROUND)
    told: Sequence[Mapping[str, str]] = [
        {
            "staff": global_id_of(Staff, free.staff_ids[0]),
            "startsAt": datetime.fromtimestamp(free.slot.begins, UTC).isoformat(),
            "endsAt": datetime.fromtimestamp(free.slot.ends, UTC).isoformat(),
        }
        for free in nearest
    ]
    return SlotTaken("This time is taken: choose another.", field=asked.field, nearest=told)


async def _who_may(asked: Asked) -> list[Staff]:
    gives = ServiceStaff.filter(service_id=asked.service.id).values("staff_id")
    staff = Staff.filter(organization_id=asked.service.organization_id, active=True, id__in=Subquery(gives))
    if asked.staff_id:
        staff = staff.filter(id=asked.staff_id)
    found = await staff.order_by("id")
    if not found and asked.staff_id:
        raise NotFound("Nobody of this id gives this service.", field="input.staff")
    if not found:
        raise Conflict(f"Nobody gives {asked.service.name} at present.", field="input.service")
    return found


async def _seatable(asked: Asked, staff_ids: Sequence[UUID], but: UUID | None) -> list[UUID]:
    """Those who have the time free, or a group with a place left: who has least to do first."""
    rows = await query(_FREE, list(staff_ids), *asked.occupied, but, asked.service.id, asked.starts_at)
    return [row["id"] for row in rows]


async def _with_a_place(asked: Asked, staff: Sequence[Staff], but: UUID | None) -> Seat | None:
    if asked.service.capacity == 1:
        return None
    groups = Appointment.filter(
        service_id=asked.service.id, staff_id__in=[each.id for each in staff], starts_at=asked.starts_at,
        status=AppointmentStatus.ACTIVE,
    )  # fmt: skip
    for group in await groups.order_by("id").select_for_update(no_key=True):
        if group.id != but and not group.is_full:
            return Seat(next(each for each in staff if each.id == group.staff_id), None, group)
    return None


async def _lock_resources(service: Service) -> list[Resource]:
    needed = ServiceResource.filter(service_id=service.id).values("resource_id")
    if not await ServiceResource.exists(service_id=service.id):
        return []
    found = Resource.filter(id__in=Subquery(needed), active=True).order_by("id").select_for_update(no_key=True)
    if locked := await found:
        return list(locked)
    raise Conflict(f"{service.name} needs a room, and none can be used at present.", field="input.service")


async def _free_resource(asked: Asked, resources: Sequence[Resource], but: UUID | None) -> Resource | None:
    if not resources:
        return None
    rows = await query(_USED, [each.id for each in resources], *asked.occupied, but)
    used = {row["resource_id"] for row in rows}
    return next((each for each in resources if each.id not in used), None)


_FREE = """
SELECT staff.id FROM staff
LEFT JOIN LATERAL (
    SELECT count(*) AS busy FROM appointments
    WHERE staff_id = staff.id AND status = 'ACTIVE' AND starts_at > $2::timestamptz - interval '84 hours'
    AND starts_at < $2::timestamptz + interval '84 hours' AND occupied_until > $2::timestamptz - interval '84 hours'
) around ON true
WHERE staff.id = ANY($1::uuid[])
AND NOT EXISTS (
    SELECT FROM appointments WHERE staff_id = staff.id AND status = 'ACTIVE' AND id IS DISTINCT FROM $4::uuid
    AND occupied_from < $3 AND occupied_until > $2
    AND NOT (service_id = $5 AND starts_at = $6 AND taken < capacity AND capacity > 1)
)
AND NOT EXISTS (SELECT FROM busy_blocks WHERE staff_id = staff.id AND starts_at < $3 AND ends_at > $2)
ORDER BY around.busy, staff.id
"""
_USED = """
SELECT resource_id FROM appointments WHERE resource_id = ANY($1::uuid[]) AND status = 'ACTIVE'
AND occupied_from < $3 AND occupied_until > $2 AND id IS DISTINCT FROM $4::uuid
"""
