"""Appointments and bookings."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.bookings import (
    Appointment,
    AppointmentFilter,
    AppointmentOrder,
    Booking,
    BookingFilter,
    BookingOrder,
)
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, one


@connection(Appointment, requires=Permission.BOOKINGS_READ, order=AppointmentOrder)
def appointments(info: Info, filter: AppointmentFilter | None = None) -> QuerySet[models.Appointment]:
    """Appointments. A consultant sees their own and those of their clients, a client those that they booked."""
    return filtered(actor(info).rows(models.Appointment), filter)


@one(Appointment, requires=Permission.BOOKINGS_READ)
def appointment(id: strawberry.ID) -> Wanted:
    """One appointment."""
    return models.Appointment, row_id(models.Appointment, id)


@connection(Booking, requires=Permission.BOOKINGS_READ, order=BookingOrder)
def bookings(info: Info, filter: BookingFilter | None = None) -> QuerySet[models.Booking]:
    """Bookings. A consultant sees those made with them and those of their clients, a client their own."""
    return filtered(actor(info).rows(models.Booking), filter)


@one(Booking, requires=Permission.BOOKINGS_READ)
def booking(id: strawberry.ID) -> Wanted:
    """One booking."""
    return models.Booking, row_id(models.Booking, id)
