"""What can be booked, with whom, and when they work."""

from collections.abc import Sequence
from typing import Any, TypeVar

import strawberry
from tortoise.models import Model
from tortoise.queryset import QuerySet

import models
from errors import Forbidden
from policy import Permission, row_id
from schema.agenda import (
    BusyBlock,
    BusyBlockFilter,
    BusyBlockOrder,
    HoursException,
    HoursExceptionFilter,
    HoursExceptionOrder,
    Resource,
    ResourceFilter,
    ResourceOrder,
    Service,
    ServiceFilter,
    ServiceOrder,
    Staff,
    StaffFilter,
    StaffOrder,
)
from schema.agenda_inputs import (
    BusyBlockCreateInput,
    BusyBlockDeleteInput,
    HoursExceptionCreateInput,
    HoursExceptionDeleteInput,
    ResourceCreateInput,
    ResourceUpdateInput,
    ServiceCreateInput,
    ServiceUpdateInput,
    StaffCreateInput,
    StaffUpdateInput,
    WeeklyHoursSetInput,
)
from schema.base import Deleted, given
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from services import agenda

M = TypeVar("M", bound=Model)


@connection(Service, requires=Permission.SERVICES_READ, order=ServiceOrder)
def services(info: Info, filter: ServiceFilter | None = None) -> QuerySet[models.Service]:
    """What can be booked."""
    return filtered(actor(info).rows(models.Service), filter)


@one(Service, requires=Permission.SERVICES_READ)
def service(id: strawberry.ID) -> Wanted:
    """One service."""
    return models.Service, row_id(models.Service, id)


@connection(Staff, requires=Permission.SERVICES_READ, order=StaffOrder)
def staff(info: Info, filter: StaffFilter | None = None) -> QuerySet[models.Staff]:
    """Who can be booked."""
    return filtered(actor(info).rows(models.Staff), filter)


@one(Staff, requires=Permission.SERVICES_READ)
def staff_member(id: strawberry.ID) -> Wanted:
    """One who can be booked."""
    return models.Staff, row_id(models.Staff, id)


@connection(Resource, requires=Permission.AGENDA_READ, order=ResourceOrder)
def resources(info: Info, filter: ResourceFilter | None = None) -> QuerySet[models.Resource]:
    """Rooms and devices that services take."""
    return filtered(actor(info).rows(models.Resource), filter)


@one(Resource, requires=Permission.AGENDA_READ)
def resource(id: strawberry.ID) -> Wanted:
    """One room or device."""
    return models.Resource, row_id(models.Resource, id)


@connection(HoursException, requires=Permission.AGENDA_READ, order=HoursExceptionOrder)
def hours_exceptions(info: Info, filter: HoursExceptionFilter | None = None) -> QuerySet[models.HoursException]:
    """Days on which hours are others than each week."""
    return filtered(actor(info).rows(models.HoursException), filter)


@one(HoursException, requires=Permission.AGENDA_READ)
def hours_exception(id: strawberry.ID) -> Wanted:
    """One exception to the weekly hours."""
    return models.HoursException, row_id(models.HoursException, id)


@connection(BusyBlock, requires=Permission.AGENDA_READ, order=BusyBlockOrder)
def busy_blocks(info: Info, filter: BusyBlockFilter | None = None) -> QuerySet[models.BusyBlock]:
    """Times at which people are busy for a reason that is no booking. A consultant sees their own."""
    return filtered(actor(info).rows(models.BusyBlock), filter)


@one(BusyBlock, requires=Permission.AGENDA_READ)
def busy_block(id: strawberry.ID) -> Wanted:
    """One such time."""
    return models.BusyBlock, row_id(models.BusyBlock, id)


@mutation(Service, requires=Permission.AGENDA_WRITE, idempotent=True)
async def service_create(info: Info, input: ServiceCreateInput) -> models.Service:
    """Offer a service, with who gives it and what it takes."""
    values, staff, resources = await _of_service(info, given(input))
    return await agenda.create_service(actor(info).organization_id, values, staff or [], resources or [])


@mutation(Service, requires=Permission.AGENDA_WRITE)
async def service_update(info: Info, input: ServiceUpdateInput) -> models.Service:
    """Change a service. Appointments that were made keep their times and prices."""
    values, staff, resources = await _of_service(info, given(input))
    row = await actor(info).get(models.Service, values.pop("service"), field="input.service", for_update=True)
    return await agenda.update_service(row, values, staff, resources)


@mutation(Staff, requires=Permission.AGENDA_WRITE, idempotent=True)
async def staff_create(info: Info, input: StaffCreateInput) -> models.Staff:
    """Make somebody bookable. They are booked once they have hours, and give a service."""
    values = await _of_staff(info, given(input))
    return await agenda.create_staff(actor(info).organization_id, values)


@mutation(Staff, requires=Permission.AGENDA_WRITE)
async def staff_update(info: Info, input: StaffUpdateInput) -> models.Staff:
    """Change somebody who can be booked. Their appointments stay."""
    values = await _of_staff(info, given(input))
    row = await actor(info).get(models.Staff, values.pop("staff"), field="input.staff", for_update=True)
    return await agenda.update_staff(row, values)


@mutation(Staff, requires=Permission.HOURS_WRITE)
async def weekly_hours_set(info: Info, input: WeeklyHoursSetInput) -> models.Staff:
    """Say all hours that somebody works each week. A consultant says their own."""
    row = await _own_staff(info, input.staff)
    hours = [given(each, path=f"input.hours.{place}") for place, each in enumerate(input.hours)]
    return await agenda.set_hours(row, hours)


@mutation(HoursException, requires=Permission.HOURS_WRITE, idempotent=True)
async def hours_exception_create(info: Info, input: HoursExceptionCreateInput) -> models.HoursException:
    """Say on which days somebody, or everybody, does not work, or works other hours. A consultant says their own."""
    values = given(input)
    key = values.pop("staff", None)
    if key is None:
        _must_run_the_agenda(info)
    staff = await _own_staff(info, key) if key else None
    return await agenda.create_exception(actor(info).organization_id, staff, values)


@mutation(Deleted, requires=Permission.HOURS_WRITE)
async def hours_exception_delete(info: Info, input: HoursExceptionDeleteInput) -> Deleted:
    """Take an exception back: those days are as each week again."""
    row = await actor(info).get(models.HoursException, input.hours_exception, field="input.hoursException")
    await _must_be_own(info, row.staff_id)
    await row.delete()
    return Deleted(id=input.hours_exception)


@mutation(Resource, requires=Permission.AGENDA_WRITE, idempotent=True)
async def resource_create(info: Info, input: ResourceCreateInput) -> models.Resource:
    """Add a room or device, which one appointment at a time can use."""
    return await models.Resource.create(organization_id=actor(info).organization_id, **given(input))


@mutation(Resource, requires=Permission.AGENDA_WRITE)
async def resource_update(info: Info, input: ResourceUpdateInput) -> models.Resource:
    """Rename a room or device, or use it no more. Appointments that have it keep it."""
    values = given(input)
    row = await actor(info).get(models.Resource, values.pop("resource"), field="input.resource", for_update=True)
    await row.update_from_dict(values).save()
    return row


@mutation(BusyBlock, requires=Permission.HOURS_WRITE, idempotent=True)
async def busy_block_create(info: Info, input: BusyBlockCreateInput) -> models.BusyBlock:
    """Say when somebody is busy: nobody books them then. Appointments that were made stay. A consultant says their
    own."""
    values = given(input)
    return await agenda.create_block(await _own_staff(info, values.pop("staff")), values)


@mutation(Deleted, requires=Permission.HOURS_WRITE)
async def busy_block_delete(info: Info, input: BusyBlockDeleteInput) -> Deleted:
    """Free a time that was entered here; what a calendar says is taken out there."""
    row = await actor(info).get(models.BusyBlock, input.busy_block, field="input.busyBlock")
    await _must_be_own(info, row.staff_id)
    await agenda.delete_block(row)
    return Deleted(id=input.busy_block)


async def _of_service(
    info: Info, values: dict[str, Any]
) -> tuple[dict[str, Any], list[models.Staff] | None, list[models.Resource] | None]:
    """(columns, who gives it, what it takes) of an input; None for what was left out."""
    price, deposit, staff, resources = (values.pop(name, None) for name in ("price", "deposit", "staff", "resources"))
    columns = {"price_cents": price.amount, "currency": price.currency} if price else {}
    columns |= {"deposit_cents": deposit.amount, "deposit_currency": deposit.currency} if deposit else {}
    return (
        values | columns,
        None if staff is None else await _named(info, models.Staff, staff, "staff"),
        None if resources is None else await _named(info, models.Resource, resources, "resources"),
    )


async def _named(info: Info, model: type[M], keys: Sequence[strawberry.ID], name: str) -> list[M]:
    return [
        await actor(info).get(model, key, field=f"input.{name}.{place}")
        for place, key in enumerate(keys[: agenda.LINKS_MOST + 1])
    ]


async def _of_staff(info: Info, values: dict[str, Any]) -> dict[str, Any]:
    """The columns of an input, with the member where one was named, or null."""
    if "member" not in values:
        return values
    key = values.pop("member")
    member = await actor(info).get(models.Membership, key, field="input.member") if key else None
    return values | {"membership_id": member and member.id}


async def _own_staff(info: Info, key: str) -> models.Staff:
    """Somebody whose time the caller may change, locked."""
    row = await actor(info).get(models.Staff, key, field="input.staff", for_update=True)
    if row.membership_id is None or row.membership_id != actor(info).own_id:
        _must_run_the_agenda(info)
    return row


async def _must_be_own(info: Info, staff_id: Any) -> None:
    own = await models.Staff.filter(id=staff_id, membership_id=actor(info).own_id).exists() if staff_id else False
    if not own:
        _must_run_the_agenda(info)


def _must_run_the_agenda(info: Info) -> None:
    """Raises Forbidden for who may change their own time alone."""
    if not actor(info).may(Permission.AGENDA_WRITE):
        raise Forbidden("You may change your own hours alone. Ask an owner or an admin.")
