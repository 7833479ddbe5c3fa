"""Appointments, and the clients' bookings of places in them."""

from typing import Annotated

import strawberry

import models
from schema.agenda import Resource, Service, Staff
from schema.base import auto, node, pages
from schema.clients import Client
from schema.connections import Connection
from schema.lists import among, between, filter, order
from schema.orders import Order
from schema.organizations import Membership
from schema.scalars import Money


@node(models.Appointment)
class Appointment:
    """One occupation of a person's time, and of a resource's: what a calendar knows as one event."""

    service: Service
    staff: Staff
    resource: Resource | None
    starts_at: auto
    ends_at: auto
    occupied_from: auto
    occupied_until: auto
    capacity: auto
    taken: auto
    status: auto
    sequence: auto
    meet_url: auto
    location: auto
    bookings: Connection[Annotated["Booking", strawberry.lazy("schema.bookings")]] = pages("bookings", "Who comes.")  # type: ignore[assignment]
    created_at: auto


@node(models.Booking)
class Booking:
    """A client's place in an appointment."""

    appointment: Appointment
    client: Client | None
    attendee_name: auto
    status: auto
    hold_expires_at: auto
    order: Order | None
    price: Money
    fee: Money
    client_notes: auto
    canceled_at: auto
    canceled_by: Membership | None
    cancel_reason: auto
    created_at: auto


@filter(models.Appointment)
class AppointmentFilter:
    """Which appointments."""

    service: strawberry.ID
    staff: strawberry.ID
    resource: strawberry.ID
    status: among
    starts_at: between
    ends_at: between


@filter(models.Booking)
class BookingFilter:
    """Which bookings."""

    appointment: strawberry.ID
    client: strawberry.ID
    order: strawberry.ID
    status: among
    created_at: between


AppointmentOrder = order(models.Appointment, created_at="id", starts_at="starts_at")
BookingOrder = order(models.Booking, created_at="id")
