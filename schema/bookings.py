"""Appointments, and the clients' bookings of places in them."""

from typing import Annotated

import strawberry
from strawberry import UNSET

import models
from schema.agenda import Resource, Service, Staff
from schema.base import auto, input, node, pages
from schema.clients import Client
from schema.connections import Connection
from schema.lists import among, between, filter, order
from schema.orders import Order
from schema.organizations import Membership
from schema.packs import Pack
from schema.scalars import URL, DateTime, Email, Money, PhoneNumber


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


@node(models.BookingReminder)
class BookingReminder:
    """A reminder of a booking, so long before it begins."""

    channel: auto
    minutes_before: auto
    starts_at: auto
    due_at: auto
    sent_at: auto


@node(models.Booking)
class Booking:
    """A client's place in an appointment."""

    appointment: Appointment
    client: Client | None
    attendee_name: auto
    status: auto
    hold_expires_at: auto
    order: Order | None
    pack: Pack | None
    draws_session: auto
    price: Money
    fee: Money
    client_notes: auto
    canceled_at: auto
    canceled_by: Membership | None
    cancel_reason: auto
    reminders: list[BookingReminder]
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


@input(models.Booking)
class BookingCreateInput:
    """A time of a service, for a client."""

    client: strawberry.ID | None = strawberry.field(
        description="The client's global id; a storefront gives an address instead.", default=UNSET
    )
    service: strawberry.ID = strawberry.field(description="The service's global id.")
    starts_at: DateTime = strawberry.field(description="When it begins: one of `availability`.")
    staff: strawberry.ID | None = strawberry.field(
        description="With whom; with who is free and has least to do, unless told.", default=UNSET
    )
    client_notes: auto
    pack: strawberry.ID | None = strawberry.field(
        description="The client's prepaid pack that it takes a session of: nothing is to be paid then.", default=UNSET
    )
    pays_later: bool | None = strawberry.field(
        description="Of who runs the shop: confirmed at once, and paid later.", default=UNSET
    )
    email: Email | None = strawberry.field(description="Of a storefront: the client's address.", default=UNSET)
    first_name: str | None = strawberry.field(description="Of a storefront: the client's first name.", default=UNSET)
    last_name: str | None = strawberry.field(description="Of a storefront: the client's last name.", default=UNSET)
    phone: PhoneNumber | None = strawberry.field(
        description="Of a storefront: the client's phone number.", default=UNSET
    )


@strawberry.type(description="A place is held, or taken.")
class BookingMade:
    booking: Booking | None = strawberry.field(description="The booking, where the caller may see it.")
    starts_at: DateTime = strawberry.field(description="When it begins.")
    ends_at: DateTime = strawberry.field(description="When it ends.")
    confirmed: bool = strawberry.field(description="Whether the client is expected; else it is to be paid first.")
    hold_expires_at: DateTime | None = strawberry.field(
        description="Until when the place is held without being paid; longer while the client is at the payment page."
    )
    pay_url: URL | None = strawberry.field(description="Where the client pays; null where nothing is to be paid.")
    order_number: int | None = strawberry.field(description="Number of the order by which it is paid.")


@strawberry.input(description="A time that repeats, for a client.")
class BookingSeriesCreateInput:
    client: strawberry.ID = strawberry.field(description="The client's global id.")
    service: strawberry.ID = strawberry.field(description="The service's global id.")
    staff: strawberry.ID = strawberry.field(description="With whom.")
    starts_at: DateTime = strawberry.field(description="When the first begins.")
    rule: str = strawberry.field(
        description="When it repeats (RRULE of RFC 5545): FREQ=DAILY, WEEKLY or MONTHLY with COUNT (2 to 52) or UNTIL,"
        " and INTERVAL, BYDAY, BYMONTHDAY. By the person's wall clock: the hour stays across daylight-saving time."
    )
    skip_taken: bool | None = strawberry.field(
        description="Whether dates that are not free are left out; else nothing is booked, and the refusal names them.",
        default=UNSET,
    )
    client_notes: str | None = strawberry.field(description="What the client wrote with it.", default=UNSET)
    pays_later: bool | None = strawberry.field(
        description="Confirmed at once, and paid later, by one order.", default=UNSET
    )


@strawberry.type(description="A series of bookings.")
class BookingSeriesMade:
    first: Booking | None = strawberry.field(description="The first of them; all have its `order`, where it is paid.")
    count: int = strawberry.field(description="How many there are.")
    skipped: list[DateTime] = strawberry.field(description="Times that were left out, since they are not free.")
    pay_url: URL | None = strawberry.field(description="Where the client pays for all; null where nothing is due.")


@strawberry.input(description="Which booking to move, and to when.")
class BookingMoveInput:
    booking: strawberry.ID = strawberry.field(description="The booking's global id.")
    starts_at: DateTime = strawberry.field(description="When it begins instead.")
    staff: strawberry.ID | None = strawberry.field(description="With whom, if not with the same.", default=UNSET)


@strawberry.input(description="Which booking to give up.")
class BookingCancelInput:
    booking: strawberry.ID = strawberry.field(description="The booking's global id.")
    reason: str | None = strawberry.field(description="Why; it stands on the credit note.", default=UNSET)
    for_client: bool | None = strawberry.field(
        description="Of who runs the shop: the client asked for it, and the rules of the service say what it costs;"
        " else all goes back.",
        default=UNSET,
    )


@strawberry.input(description="Which booking.")
class BookingInput:
    booking: strawberry.ID = strawberry.field(description="The booking's global id.")


@strawberry.input(description="What to note of a booking.")
class BookingNoteInput:
    booking: strawberry.ID = strawberry.field(description="The booking's global id.")
    notes: str | None = strawberry.field(description="Notes that clients do not read; null for none.")


@strawberry.type(description="What was noted of a booking.")
class BookingNotes:
    notes: str | None = strawberry.field(description="Clients do not read it; null for none.")


@strawberry.input(description="Which appointment to move with all who come, and to when.")
class AppointmentMoveInput:
    appointment: strawberry.ID = strawberry.field(description="The appointment's global id.")
    starts_at: DateTime = strawberry.field(description="When it begins instead.")
    staff: strawberry.ID | None = strawberry.field(description="Who holds it, if not the same.", default=UNSET)


@strawberry.input(description="Which appointment to give up, for all who come.")
class AppointmentCancelInput:
    appointment: strawberry.ID = strawberry.field(description="The appointment's global id.")
    reason: str | None = strawberry.field(description="Why; it stands on the credit notes.", default=UNSET)
