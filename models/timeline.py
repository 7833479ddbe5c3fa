"""The timeline of a client: what happened with them, one event after another."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.client import Client
from models.fields import Coded, belongs_to


class TimelineKind(Coded):
    """What happened. Each has data of its own."""

    CLIENT_EMAIL = "CLIENT_EMAIL", "An e-mail of the client's, or to them"
    PAYMENT_RECEIVED = "PAYMENT_RECEIVED", "Money came for an order"
    PAYMENT_FLAGGED = "PAYMENT_FLAGGED", "Money came that fits no order as it is: a person looks at it"
    PAYMENT_REFUNDED = "PAYMENT_REFUNDED", "Money went back to the client"
    QUOTE_SENT = "QUOTE_SENT", "A quote was sent"
    QUOTE_ACCEPTED = "QUOTE_ACCEPTED", "The client accepted a quote"
    QUOTE_REFUSED = "QUOTE_REFUSED", "The client refused a quote"
    BOOKING_CONFIRMED = "BOOKING_CONFIRMED", "A booking stands"
    BOOKING_MOVED = "BOOKING_MOVED", "A booking has another time"
    BOOKING_CANCELED = "BOOKING_CANCELED", "A booking was cancelled"
    TICKET_OPENED = "TICKET_OPENED", "A ticket was opened"
    TICKET_REPLIED = "TICKET_REPLIED", "Somebody replied to a ticket, for both sides to read"
    TICKET_RESOLVED = "TICKET_RESOLVED", "A ticket was resolved"
    OPPORTUNITY_MOVED = "OPPORTUNITY_MOVED", "An opportunity came to another stage"
    BILAN_MOVED = "BILAN_MOVED", "A bilan came to another step"


class TimelineEvent(Owned):
    """Something that happened with a client, at its time; never changed."""

    client_id: UUID
    client: Client = belongs_to("Client", "timeline", "With whom it happened")
    kind = fields.CharEnumField(TimelineKind, max_length=30, description="What happened")
    occurred_at = fields.DatetimeField(description="When it happened; of an e-mail when it was sent")
    author_id: UUID | None
    author: Any = belongs_to("Membership", None, "The member who did it, or noted it", null=True)
    data: Any = fields.JSONField(description="What there is to say of it, by kind: see `services/timeline.py`")
    message_id = fields.CharField(255, null=True, description="Message-ID of an e-mail, as `<left@right>`")
    thread_id = fields.CharField(
        255, null=True, description="Message-ID of the e-mail with which its thread began; the same for all of it"
    )
    fingerprint = fields.CharField(64, null=True, description="SHA-256 of what makes two e-mails the same one")

    class Meta:
        table = "timeline_events"
