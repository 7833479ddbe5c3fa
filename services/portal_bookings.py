"""What a client books, moves and gives up by their private link: by the rules of the services, as any client."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from errors import Conflict, Disconnected, NotConfigured, Refused
from models import Appointment, Booking, Client, OrderSource, Pack, Service, ServiceStaff, Staff
from models.amounts import off
from policy import Actor
from services import availability, bookings, cancellations, moves, portal_tokens
from services.portal_tokens import offered, theirs

log = logging.getLogger("comptoir.portal")

LINKS_MOST = 500  # of a service with somebody who gives it


@dataclass(frozen=True, slots=True)
class Offered:
    """A service that can be booked, and who gives it, by name."""

    service: Service
    staff: list[Staff] = field(default_factory=list)


async def services(organization_id: UUID) -> Sequence[Offered]:
    """What can be booked at present: services that somebody gives, by name."""
    links = ServiceStaff.filter(organization_id=organization_id, service__active=True, staff__active=True)
    given: dict[UUID, Offered] = {}
    for link in await links.order_by("id").limit(LINKS_MOST).prefetch_related("service", "staff"):
        given.setdefault(link.service_id, Offered(link.service)).staff.append(link.staff)
    for each in given.values():
        each.staff.sort(key=lambda person: person.display_name)
    return sorted(given.values(), key=lambda each: each.service.name)


async def availabilities(
    actor: Actor, service: str, staff: str | None, begins: datetime, ends: datetime
) -> list[availability.Offer]:
    """The times of a service, by the global ids of it and of somebody. Raises NotFound, and like
    `availability.offers`."""
    client = await portal_tokens.client_of(actor)
    wanted = await offered(client.organization_id, Service, service, field="service")
    person = await offered(client.organization_id, Staff, staff, field="staff") if staff else None
    return await availability.offers(wanted, person.id if person else None, begins, ends)


async def book(
    actor: Actor, *, service: str, starts_at: datetime, staff: str | None, pack: str | None, notes: str | None
) -> Booking:  # fmt: skip
    """A place, held until it is paid, or taken at once where nothing is to be paid, or by a session of a pack of the
    client's; in the open transaction. Raises like `bookings.book`, and Conflict where nothing can be sold at present,
    for a reason that is not for clients."""
    client = await portal_tokens.client_of(actor)
    wanted = bookings.Wanted(
        await offered(client.organization_id, Service, service, field="input.service"),
        starts_at,
        await _staff(client.organization_id, staff),
        client_notes=notes,
        pack_id=await _pack(client, pack),
        source=OrderSource.STOREFRONT,
    )
    try:
        return await bookings.book(client, wanted)
    except NotConfigured as missing:
        log.warning("service %s: not booked by a client's link: %s", wanted.service.id, missing)
        raise Conflict(
            "This cannot be booked at this moment. Ask those who hold it.", field="input.service"
        ) from missing


async def move(actor: Actor, *, booking: str, starts_at: datetime, staff: str | None) -> Booking:
    """The client's booking at another time, while cancelling it is free; in the open transaction. Raises like
    `moves.move`."""
    client = await portal_tokens.client_of(actor)
    row = await theirs(client, Booking, booking, field="input.booking")
    return await moves.move(row, starts_at, await _staff(client.organization_id, staff), by_rules=True)


async def cancel(actor: Actor, *, booking: str, reason: str | None) -> Booking:
    """The client's booking, given up for what that costs by the rules of its service. Raises like
    `cancellations.cancel`, and Conflict for what Stripe says of those who sold it."""
    client = await portal_tokens.client_of(actor)
    row = await theirs(client, Booking, booking, field="input.booking")
    try:
        return await cancellations.cancel(row, reason, by_rules=True, by_id=None)
    except (Refused, Disconnected) as refusal:
        log.warning("booking %s: not cancelled by its client's link: %s", row.id, refusal)
        raise Conflict(
            "This cannot be cancelled at this moment. Ask those who hold it.", field="input.booking"
        ) from refusal


def free_until(appointment: Appointment) -> datetime:
    """Until when an appointment, with its service, is cancelled for nothing, and can be moved."""
    begins: datetime = appointment.starts_at
    return begins - timedelta(hours=appointment.service.free_cancel_hours)


def late_fee(booking: Booking) -> int:
    """What cancelling a booking costs after that, in minor units; with its appointment and service."""
    return off(booking.price_cents, booking.appointment.service.late_cancel_percent)


async def _pack(client: Client, id: str | None) -> UUID | None:
    return (await theirs(client, Pack, id, field="input.pack")).id if id else None


async def _staff(organization_id: UUID, id: str | None) -> UUID | None:
    return (await offered(organization_id, Staff, id, field="input.staff")).id if id else None
