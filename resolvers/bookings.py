"""Appointments and bookings."""

from typing import Any
from uuid import UUID

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Invalid
from models import OrderSource, Role
from policy import Actor, Permission, row_id
from schema.base import given
from schema.bookings import (
    Appointment,
    AppointmentCancelInput,
    AppointmentFilter,
    AppointmentMoveInput,
    AppointmentOrder,
    Booking,
    BookingCancelInput,
    BookingCreateInput,
    BookingFilter,
    BookingInput,
    BookingMade,
    BookingMoveInput,
    BookingNoteInput,
    BookingNotes,
    BookingOrder,
    BookingSeriesCreateInput,
    BookingSeriesMade,
)
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted as Named
from schema.roots import connection, exchange, mutation, one, query
from schema.scalars import URL, DateTime
from services import booking_series, cancellations, links, moves
from services import bookings as bookings_service
from services.bookings import Wanted


@connection(Appointment, requires=Permission.BOOKINGS_READ, order=AppointmentOrder)
def appointments(info: Info, filter: AppointmentFilter | None = None) -> QuerySet[models.Appointment]:
    """Appointments. A consultant sees their own and those of their clients, a client those that they booked."""
    return filtered(actor(info).rows(models.Appointment), filter)


@one(Appointment, requires=Permission.BOOKINGS_READ)
def appointment(id: strawberry.ID) -> Named:
    """One appointment."""
    return models.Appointment, row_id(models.Appointment, id)


@connection(Booking, requires=Permission.BOOKINGS_READ, order=BookingOrder)
def bookings(info: Info, filter: BookingFilter | None = None) -> QuerySet[models.Booking]:
    """Bookings. A consultant sees those made with them and those of their clients, a client their own."""
    return filtered(actor(info).rows(models.Booking), filter)


@one(Booking, requires=Permission.BOOKINGS_READ)
def booking(id: strawberry.ID) -> Named:
    """One booking."""
    return models.Booking, row_id(models.Booking, id)


@query(BookingNotes, requires=Permission.BOOKINGS_WRITE)
async def booking_notes(info: Info, booking: strawberry.ID) -> BookingNotes:
    """What was noted of a booking, for those who run the shop; clients do not read it."""
    row: models.Booking = await actor(info).get(models.Booking, booking, field="booking")
    return BookingNotes(notes=row.notes)


@mutation(BookingMade, requires=Permission.BOOKINGS_MAKE, idempotent=True)
async def booking_create(info: Info, input: BookingCreateInput) -> Any:
    """Book a time. What it costs is paid by an order, and the place is held meanwhile; what is free is confirmed at
    once. A storefront gives the client's address. A time that is taken is a SLOT_TAKEN, with the nearest that are free.
    """
    given(input)
    caller = actor(info)
    if input.pays_later:
        caller.require(Permission.BOOKINGS_WRITE)
    wanted = Wanted(
        await caller.get(models.Service, input.service, field="input.service"),
        input.starts_at,
        await _staff(caller, input.staff),
        client_notes=input.client_notes or None,
        by_rules=not caller.may(Permission.BOOKINGS_WRITE),
        pays_later=bool(input.pays_later),
        pack_id=(await caller.get(models.Pack, input.pack, field="input.pack")).id if input.pack else None,
        source=OrderSource.STOREFRONT if caller.is_storefront else OrderSource.BACK_OFFICE,
    )
    return await _made(await _book(caller, input, wanted))


@mutation(BookingSeriesMade, requires=Permission.BOOKINGS_WRITE, idempotent=True)
async def booking_series_create(info: Info, input: BookingSeriesCreateInput) -> Any:
    """Book a time that repeats: all of its dates, or none; or those that are free."""
    caller = actor(info)
    staff = await caller.get(models.Staff, input.staff, field="input.staff")
    wanted = Wanted(
        await caller.get(models.Service, input.service, field="input.service"),
        input.starts_at,
        staff.id,
        client_notes=input.client_notes or None,
        by_rules=False,
        pays_later=bool(input.pays_later),
    )
    client = await caller.get(models.Client, input.client, field="input.client")
    made, skipped = await booking_series.book(client, wanted, staff, input.rule, skip_taken=bool(input.skip_taken))
    return BookingSeriesMade(
        first=made[0],  # type: ignore[arg-type]
        count=len(made),
        skipped=[DateTime(at) for at in skipped],
        pay_url=URL(links.pay_link(made[0].order)) if made[0].order else None,
    )


@mutation(Booking, requires=Permission.BOOKINGS_MAKE, idempotent=True)
async def booking_move(info: Info, input: BookingMoveInput) -> models.Booking:
    """Hold a booking at another time. A client may while cancelling is free."""
    row = await actor(info).get(models.Booking, input.booking, field="input.booking")
    staff_id = await _staff(actor(info), input.staff)
    return await moves.move(row, input.starts_at, staff_id, by_rules=_by_rules(info))


@exchange(Booking, requires=Permission.BOOKINGS_MAKE, idempotent=True)
async def booking_cancel(info: Info, input: BookingCancelInput) -> models.Booking:
    """Give a booking up. A client pays what the service says, and the rest goes back; whom the organization lets down
    gets all back. What could still be paid by is taken back at Stripe first."""
    caller = actor(info)
    row = await caller.get(models.Booking, input.booking, field="input.booking")
    return await cancellations.cancel(
        row, input.reason or None, by_rules=bool(input.for_client) or _by_rules(info), by_id=_member(caller)
    )


@mutation(Booking, requires=Permission.BOOKINGS_WRITE)
async def booking_complete(info: Info, input: BookingInput) -> models.Booking:
    """Note that the client came."""
    row = await actor(info).get(models.Booking, input.booking, field="input.booking", for_update=True)
    return await bookings_service.complete(row, by_id=_member(actor(info)))


@mutation(Booking, requires=Permission.BOOKINGS_WRITE)
async def booking_no_show(info: Info, input: BookingInput) -> models.Booking:
    """Note that the client did not come: it costs what the service says, and what was paid beyond goes back."""
    row = await actor(info).get(models.Booking, input.booking, field="input.booking")
    return await cancellations.no_show(row, by_id=_member(actor(info)))


@mutation(Booking, requires=Permission.BOOKINGS_WRITE)
async def booking_note(info: Info, input: BookingNoteInput) -> models.Booking:
    """Note something of a booking, for those who run the shop."""
    row = await actor(info).get(models.Booking, input.booking, field="input.booking", for_update=True)
    return await bookings_service.note(row, input.notes)


@mutation(Appointment, requires=Permission.BOOKINGS_WRITE, idempotent=True)
async def appointment_move(info: Info, input: AppointmentMoveInput) -> models.Appointment:
    """Hold an appointment at another time, with all who come."""
    row = await actor(info).get(models.Appointment, input.appointment, field="input.appointment")
    staff_id = await _staff(actor(info), input.staff)
    return await moves.move_appointment(row, input.starts_at, staff_id)


@mutation(Appointment, requires=Permission.BOOKINGS_WRITE)
async def appointment_cancel(info: Info, input: AppointmentCancelInput) -> models.Appointment:
    """Give an appointment up, for all who come: everything goes back to them."""
    row = await actor(info).get(models.Appointment, input.appointment, field="input.appointment")
    await cancellations.cancel_appointment(row, input.reason or None, by_id=_member(actor(info)))
    return row


async def _book(caller: Actor, input: BookingCreateInput, wanted: Wanted) -> models.Booking:
    if not caller.is_storefront:
        if not input.client:
            raise Invalid("Name the client who comes.", field="input.client")
        client = await caller.get(models.Client, input.client, field="input.client")
        return await bookings_service.book(client, wanted)
    if input.client:
        raise Invalid("A storefront names an e-mail address instead of a client.", field="input.client")
    if not input.email:
        raise Invalid("Give the client's e-mail address.", field="input.email")
    known = {name: getattr(input, name) or None for name in ("first_name", "last_name", "phone")}
    return await bookings_service.book_at_storefront(caller.organization_id, input.email, wanted, known)


async def _staff(caller: Actor, id: strawberry.ID | None) -> UUID | None:
    return (await caller.get(models.Staff, id, field="input.staff")).id if id else None


async def _made(booking: models.Booking) -> BookingMade:
    appointment = await models.Appointment.get(id=booking.appointment_id)
    order = await models.Order.get(id=booking.order_id) if booking.order_id else None
    expires_at = booking.hold_expires_at
    return BookingMade(
        booking=booking,  # type: ignore[arg-type]
        starts_at=DateTime(appointment.starts_at),
        ends_at=DateTime(appointment.ends_at),
        confirmed=booking.is_expected,
        hold_expires_at=DateTime(expires_at) if expires_at else None,
        pay_url=URL(links.pay_link(order)) if order and order.is_open else None,
        order_number=order.number if order else None,
    )


def _by_rules(info: Info) -> bool:
    """Who runs the shop is free of the rules that bind clients."""
    return not actor(info).may(Permission.BOOKINGS_WRITE)


def _member(caller: Actor) -> UUID | None:
    return caller.own_id if isinstance(caller.kind, Role) else None
