"""Appointments, which take somebody's time, and the clients' bookings of places in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

import errors
from models.agenda import Resource, Service, Staff
from models.base import Owned
from models.client import Client
from models.fields import Coded, CurrencyField, belongs_to
from models.states import BOOKING, BookingNews, BookingStatus


class AppointmentStatus(Coded):
    """Whether it takes somebody's time."""

    ACTIVE = "ACTIVE", "It is to be held, or was"
    CANCELED = "CANCELED", "It is not held, and its time is free"


class Appointment(Owned):
    """One occupation of a person's time, and of a resource's.

    A calendar knows it as one event (VEVENT, RFC 5545). Of two that are active none takes the same person or resource
    at once, from `occupied_from` to before `occupied_until`: the database refuses it, by the constraints
    appointments_staff and appointments_resource.
    """

    service_id: UUID
    service: Service = belongs_to("Service", "appointments", "What is held")
    staff_id: UUID
    staff: Staff = belongs_to("Staff", "appointments", "Who holds it")
    resource_id: UUID | None
    resource: Resource | None = belongs_to("Resource", "appointments", "What it is held with", null=True)
    starts_at = fields.DatetimeField(description="When it begins")
    ends_at = fields.DatetimeField(description="When it ends")
    occupied_from = fields.DatetimeField(description="From when on time is kept for it: the buffer before it included")
    occupied_until = fields.DatetimeField(description="Until when: the buffer after it included")
    capacity = fields.IntField(default=1, description="How many places it has")
    taken = fields.IntField(default=0, description="How many of them are taken")
    status = fields.CharEnumField(
        AppointmentStatus, max_length=20, default=AppointmentStatus.ACTIVE, description="Whether it is held"
    )
    sequence = fields.IntField(
        default=0, description="How often it was moved or cancelled: SEQUENCE of its calendar file (RFC 5545)"
    )
    meet_url = fields.CharField(500, null=True, description="Where the video is")
    location = fields.CharField(300, null=True, description="Where it is held")
    series_id: UUID | None = fields.UUIDField(null=True)
    # What who holds it was told last: a digest of it, the sequence, null before the first letter and after the one of
    # its end; and who that was.
    staff_told = fields.CharField(64, null=True)
    staff_told_sequence = fields.IntField(null=True)
    staff_told_id: UUID | None = fields.UUIDField(null=True)

    bookings: Any

    class Meta:
        table = "appointments"

    @property
    def is_active(self) -> bool:
        return self.status is AppointmentStatus.ACTIVE

    @property
    def is_full(self) -> bool:
        return self.taken >= self.capacity


class Booking(Owned):
    """A client's place in an appointment."""

    appointment_id: UUID
    appointment: Appointment = belongs_to("Appointment", "bookings", "What is booked")
    client_id: UUID
    client: Client = belongs_to("Client", "bookings", "Who comes")
    attendee_name = fields.CharField(200, description="What the client was called when it was booked")
    status = fields.CharEnumField(
        BookingStatus, max_length=20, default=BookingStatus.PENDING, description="Where it stands"
    )
    hold_expires_at = fields.DatetimeField(
        null=True, description="Until when the place is held without being paid; null once it is confirmed"
    )
    holds = fields.SmallIntField(default=0)  # how often it was held to be paid
    order_id: UUID | None
    order: Any = belongs_to("Order", "bookings", "The order by which it is paid", null=True)
    pack_id: UUID | None
    pack: Any = belongs_to("Pack", "bookings", "The prepaid pack that it was booked with", null=True)
    draws_session = fields.BooleanField(default=False, description="Whether it takes a session of the pack")
    price_cents = fields.IntField(description="Price TTC that was agreed, in minor units")
    fee_cents = fields.IntField(
        default=0, description="What cancelling it late or not coming costs, TTC, in minor units"
    )
    currency = CurrencyField(description="Currency of the price")
    client_notes = fields.CharField(2000, null=True, description="What the client wrote with it")
    # Not published with it: the client sees the row too.
    notes = fields.TextField(null=True, description="What was noted of it, for those who run the shop")
    canceled_at = fields.DatetimeField(null=True, description="When it was cancelled")
    canceled_by_id: UUID | None
    canceled_by: Any = belongs_to(
        "Membership", None, "The member who cancelled it; null for a server or a clock", null=True
    )
    cancel_reason = fields.CharField(500, null=True, description="Why it was cancelled")
    # What the client was told: the appointment and sequence that their calendar has, null before the first letter; and
    # of its end.
    told_appointment_id: UUID | None = fields.UUIDField(null=True)
    told_sequence = fields.IntField(null=True)
    cancel_told = fields.BooleanField(default=False)

    reminders: Any

    class Meta:
        table = "bookings"

    @property
    def is_live(self) -> bool:
        """Whether it takes its place."""
        return self.status not in (BookingStatus.CANCELED, BookingStatus.EXPIRED)

    @property
    def is_expected(self) -> bool:
        return self.status is BookingStatus.CONFIRMED

    @property
    def owed_cents(self) -> int:
        """What is to be paid of it as things stand: its price, what ending it costs, or nothing."""
        if self.status in (BookingStatus.CANCELED, BookingStatus.NO_SHOW):
            return self.fee_cents
        return self.price_cents if self.is_live else 0

    def is_held(self, now: datetime) -> bool:
        """Whether it takes its place at a moment: one that is pending does while its hold lasts."""
        if self.status is BookingStatus.PENDING:
            return self.hold_expires_at is None or now < self.hold_expires_at
        return self.is_live

    def hear(self, news: BookingNews) -> bool:
        """Whether the news change its state, and change it."""
        before = self.status
        self.status = BOOKING.after(before, news)
        if self.status is not BookingStatus.PENDING:
            self.hold_expires_at = None
        return self.status is not before

    def must_hear(self, news: BookingNews) -> None:
        """The same for what a person asks. Raises Conflict where it is past that."""
        if not self.hear(news):
            raise errors.Conflict(f"This booking {self.standing}.", field="input.booking")

    @property
    def standing(self) -> str:
        """Where it stands, as the end of a sentence."""
        return _STANDING[self.status]


_STANDING = {
    BookingStatus.PENDING: "is not paid yet",
    BookingStatus.CONFIRMED: "stands",
    BookingStatus.EXPIRED: "was not paid in time, and its place is free again",
    BookingStatus.CANCELED: "was cancelled before",
    BookingStatus.COMPLETED: "is over, and the client came",
    BookingStatus.NO_SHOW: "is over, and the client did not come",
}
