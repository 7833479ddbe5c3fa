"""Prepaid packs (forfaits): sessions granted once paid, drawn by bookings and given back by free cancellations.

From when to when a pack may be used, and that it may not where its money went back or is disputed, is its access's
(`accesses.py`). Of rows that are locked together it comes after the client, and before any service, staff or
appointment.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from errors import Conflict, Invalid
from models import Access, Booking, Client, OrderLine, Pack, Product, ProductService, Service
from models.database import query

SESSIONS_MOST = 500
DAYS_MOST = 5 * 366
SERVICES_MOST = 50


def check(product: Product) -> None:
    """Raises Invalid, naming the field, for a product that could be no pack."""
    if product.pack_sessions is None:
        if product.pack_days is not None:
            raise Invalid("Only a pack has days to use it: give packSessions too.", field="input.packDays")
        return
    if not 1 <= product.pack_sessions <= SESSIONS_MOST:
        raise Invalid(f"A pack has 1 to {SESSIONS_MOST} sessions.", field="input.packSessions")
    if product.pack_days is not None and not 1 <= product.pack_days <= DAYS_MOST:
        raise Invalid(f"A pack is good for 1 to {DAYS_MOST} days, or without end.", field="input.packDays")
    if product.recurs:
        raise Invalid("A pack is sold once: leave interval out.", field="input.packSessions")


async def set_services(product: Product, services: Sequence[Service]) -> None:
    """Of which services the sessions of a product, saved, may be. Raises Invalid for a pack of none, and for services
    of what is no pack; Conflict for taking one away from what was sold."""
    check(product)
    if product.pack_sessions is None:
        if services:
            raise Invalid("Only a pack is of services: give packSessions too.", field="input.packServices")
        return
    if not 1 <= len(services) <= SERVICES_MOST:
        raise Invalid(f"A pack is of 1 to {SERVICES_MOST} services.", field="input.packServices")
    known = {link.service_id: link for link in await ProductService.filter(product_id=product.id)}
    wanted = {service.id: service for service in services}
    gone = [link.id for service_id, link in known.items() if service_id not in wanted]
    if gone and await Pack.exists(access__product_id=product.id):
        raise Conflict(
            "Packs of it were sold, and stay good for these services: make another product.", field="input.packServices"
        )
    await ProductService.filter(id__in=gone).delete()
    for service_id, service in wanted.items():
        if service_id not in known:
            await ProductService.create(organization_id=product.organization_id, product=product, service=service)


def ends_at(line: OrderLine, starts_at: datetime) -> datetime | None:
    """Until when what a line sold may be used, counted from its payment; None for no pack, or one without end."""
    product = line.product
    return starts_at + timedelta(days=product.pack_days) if product.pack_sessions and product.pack_days else None


async def grant(access: Access, line: OrderLine) -> None:
    """The sessions of a line that was paid, where it sold a pack; with its access, just granted."""
    if line.product.pack_sessions is None:
        return
    await Pack.create(
        organization_id=access.organization_id, client_id=access.client_id, access=access,
        sessions=line.product.pack_sessions * line.quantity,
    )  # fmt: skip


def lasting(client: Client, now: datetime) -> QuerySet[Pack]:
    """A client's packs that are not over, their sessions used or not: neither past their end, nor withdrawn."""
    in_time = Q(access__ends_at__isnull=True) | Q(access__ends_at__gt=now)
    here = {"organization_id": client.organization_id, "client_id": client.id}
    return Pack.filter(in_time, **here, access__withdrawn_at__isnull=True)


async def draw(pack_id: UUID, client: Client, service: Service, starts_at: datetime, *, field: str) -> Pack:
    """Take a session of a client's pack for a service at a time. Raises Invalid or Conflict, naming the field, where it
    is not for that, may not be used then, or has none left."""
    pack = await Pack.select_for_update().get(id=pack_id)
    access = await Access.get(id=pack.access_id)
    if pack.client_id != client.id:
        raise Invalid("This pack is another client's.", field=field)
    if not await ProductService.exists(product_id=access.product_id, service_id=service.id):
        raise Invalid("This pack is not for this service.", field=field)
    _must_be_good_at(access, starts_at, field)
    if pack.remaining == 0:
        raise Conflict("All sessions of this pack are used. Book without it, or buy another.", field=field)
    pack.used += 1
    await pack.save(update_fields=["used"])
    return pack


async def must_be_good_at(booking: Booking, starts_at: datetime, *, field: str) -> None:
    """Raises Conflict where the pack that a booking drew from may not be used at that time."""
    pack = await Pack.get(id=booking.pack_id)
    _must_be_good_at(await Access.get(id=pack.access_id), starts_at, field)


def _must_be_good_at(access: Access, starts_at: datetime, field: str) -> None:
    if access.withdrawn_at is not None:
        raise Conflict("This pack was refunded or is disputed: its sessions cannot be used.", field=field)
    if not access.starts_at <= starts_at or (access.ends_at is not None and starts_at >= access.ends_at):
        raise Conflict("This pack is over by then. Choose an earlier time, or book without it.", field=field)


async def give_back(booking: Booking) -> None:
    """The pack of a booking, locked, has its session again; nothing where it drew none. Saves the booking's part."""
    if not booking.draws_session:
        return
    booking.draws_session = False
    await booking.save(update_fields=["draws_session"])
    await query("UPDATE packs SET used = used - 1 WHERE id = $1 RETURNING id", booking.pack_id)
