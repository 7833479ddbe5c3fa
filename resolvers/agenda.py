"""What can be booked, with whom, and when they work."""

import strawberry
from tortoise.queryset import QuerySet

import models
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
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, one


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
