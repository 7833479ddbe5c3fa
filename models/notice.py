"""What people hear of bookings: reminders, and feeds of a person's appointments."""

from uuid import UUID

from tortoise import fields

from models.agenda import Staff
from models.base import Owned
from models.booking import Booking
from models.fields import Coded, belongs_to


class ReminderChannel(Coded):
    """How somebody is reminded."""

    EMAIL = "EMAIL", "By e-mail"


class BookingReminder(Owned):
    """A reminder of a booking, so long before it begins. One that was moved is reminded of anew."""

    booking_id: UUID
    booking: Booking = belongs_to("Booking", "reminders", "The booking")
    channel = fields.CharEnumField(
        ReminderChannel, max_length=20, default=ReminderChannel.EMAIL, description="How the client is reminded"
    )
    minutes_before = fields.IntField(description="How long before the beginning, in minutes")
    starts_at = fields.DatetimeField(description="The beginning that it reminds of")
    due_at = fields.DatetimeField(description="When it is to go")
    sent_at = fields.DatetimeField(null=True, description="When it went; null where it did not, or not yet")

    class Meta:
        table = "booking_reminders"
        unique_together = (("booking", "channel", "minutes_before", "starts_at"),)


class CalendarFeed(Owned):
    """A secret address at which calendars ask for a person's appointments, one at a time. It is shown once; the hash of
    its token is kept."""

    staff_id: UUID
    staff: Staff = belongs_to("Staff", None, "Whose appointments")
    token_hash = fields.CharField(64, unique=True, description="SHA-256 of the token, hexadecimal")
    last_used_at = fields.DatetimeField(null=True, description="When it was asked for last, to the hour")
    revoked_at = fields.DatetimeField(null=True, description="When it was withdrawn")
    # What it said when it was asked for last, and since when: null before.
    etag = fields.CharField(34, null=True)
    changed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "calendar_feeds"
