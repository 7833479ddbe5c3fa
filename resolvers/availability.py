"""When something can be booked, for whoever may book."""

from typing import Annotated

import strawberry

import models
from policy import Permission
from schema.availability import AvailabilitySlot, Since, Until, slots_of
from schema.context import Info, actor
from schema.roots import query
from services import availability as availability_service


@query(list[AvailabilitySlot], requires=Permission.SERVICES_READ)
async def availability(
    info: Info,
    service: Annotated[strawberry.ID, strawberry.argument(description="The service's global id.")],
    since: Since,
    until: Until,
    staff: Annotated[
        strawberry.ID | None, strawberry.argument(description="With whom, by global id; left out for anybody.")
    ] = None,
) -> list[AvailabilitySlot]:
    """The times at which a service is given, in order, each with whether it can be booked, and by whom or why not.

    Times outside of working hours are not among them. Where clocks are put forward nothing begins in the hour that is
    skipped; where they are put back what begins in the doubled hour is there twice.
    """
    wanted = await actor(info).get(models.Service, service)
    person = await actor(info).get(models.Staff, staff) if staff else None
    return slots_of(await availability_service.offers(wanted, person.id if person else None, since, until))
