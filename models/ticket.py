"""Tickets: what clients ask, and what comes of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

import errors
from models.base import Owned
from models.client import Client
from models.fields import Coded, belongs_to

FIELD = "input.ticket"


class TicketType(Coded):
    """What a ticket is."""

    QUESTION = "QUESTION", "The client wants to know something"
    REQUEST = "REQUEST", "The client wants something done"
    INCIDENT = "INCIDENT", "Something does not work"
    COMPLAINT = "COMPLAINT", "The client is not content"


class TicketPriority(Coded):
    """How soon it is to be looked at."""

    LOW = "LOW", "When there is time"
    NORMAL = "NORMAL", "In its turn"
    HIGH = "HIGH", "Before others"
    URGENT = "URGENT", "At once"


class TicketStatus(Coded):
    """Where a ticket stands."""

    NEW = "NEW", "Nobody has looked at it"
    OPEN = "OPEN", "It is worked on"
    WAITING = "WAITING", "The client was asked something, or answered: it is their turn"
    RESOLVED = "RESOLVED", "Done; a client who writes again opens it again"
    CLOSED = "CLOSED", "Over: what comes up again is a new ticket"


# What may come of each, by a person or by a reply.
NEXT: dict[TicketStatus, frozenset[TicketStatus]] = {
    TicketStatus.NEW: frozenset(TicketStatus) - {TicketStatus.NEW},
    TicketStatus.OPEN: frozenset({TicketStatus.WAITING, TicketStatus.RESOLVED, TicketStatus.CLOSED}),
    TicketStatus.WAITING: frozenset({TicketStatus.OPEN, TicketStatus.RESOLVED, TicketStatus.CLOSED}),
    TicketStatus.RESOLVED: frozenset({TicketStatus.OPEN, TicketStatus.WAITING, TicketStatus.CLOSED}),
    TicketStatus.CLOSED: frozenset(),
}


class TicketSource(Coded):
    """How a ticket came."""

    BACK_OFFICE = "BACK_OFFICE", "Written down by a member"
    PORTAL = "PORTAL", "By the client, in their portal or signed in"
    EMAIL = "EMAIL", "From an e-mail of the client's"


class Ticket(Owned):
    """What a client asks. Texts are plain: HTML in them is letters like any other."""

    number = fields.IntField(description="Number within the organization, from 1")
    client_id: UUID
    client: Client = belongs_to("Client", "tickets", "Whose it is")
    subject = fields.CharField(200, description="What it is about, in a line")
    body = fields.TextField(description="What was asked, as plain text")
    type = fields.CharEnumField(TicketType, max_length=20, default=TicketType.QUESTION, description="What it is")
    priority = fields.CharEnumField(
        TicketPriority, max_length=20, default=TicketPriority.NORMAL, description="How soon it is to be looked at"
    )
    status = fields.CharEnumField(TicketStatus, max_length=20, default=TicketStatus.NEW, description="Where it stands")
    source = fields.CharEnumField(
        TicketSource, max_length=20, default=TicketSource.BACK_OFFICE, description="How it came"
    )
    assignee_id: UUID | None
    assignee: Any = belongs_to("Membership", None, "Who sees to it", null=True)
    opened_by_id: UUID | None
    opened_by: Any = belongs_to(
        "Membership", None, "The member who wrote it down; null where the client did", null=True
    )
    replied_at = fields.DatetimeField(null=True, description="When somebody last replied, for both sides to read")
    resolved_at = fields.DatetimeField(null=True, description="When it was last resolved; null while it is not")
    closed_at = fields.DatetimeField(null=True, description="When it was closed")

    replies: Any

    class Meta:
        table = "tickets"
        unique_together = (("organization", "number"),)

    def become(self, status: TicketStatus, *, at: datetime) -> None:
        """Raises Conflict where that cannot come of it; the same again changes nothing."""
        if status is self.status:
            return
        if status not in NEXT[self.status]:
            raise errors.Conflict(f"Ticket {self.number} is {self.status}, and cannot become {status}.", field=FIELD)
        if status is TicketStatus.RESOLVED:
            self.resolved_at = at
        elif status is TicketStatus.CLOSED:
            self.closed_at = at
        else:
            self.resolved_at = None
        self.status = status

    def hear(self, *, from_client: bool, at: datetime) -> None:
        """A reply that both sides read came. Raises Conflict once it is closed."""
        if self.status is TicketStatus.CLOSED:
            raise errors.Conflict(f"Ticket {self.number} is closed: open another one.", field=FIELD)
        self.replied_at = at
        if not from_client:
            self.become(TicketStatus.WAITING, at=at)
        elif self.status is not TicketStatus.NEW:
            self.become(TicketStatus.OPEN, at=at)


class TicketReply(Owned):
    """What was written under a ticket, by the client or by who sees to it."""

    ticket_id: UUID
    ticket: Ticket = belongs_to("Ticket", "replies", "The ticket")
    author_id: UUID | None
    author: Any = belongs_to(
        "Membership", None, "The member who wrote it; null for the client, and for a key", null=True
    )
    from_client = fields.BooleanField(default=False, description="Whether the client wrote it")
    internal = fields.BooleanField(default=False, description="Whether it is kept from the client")
    body = fields.TextField(description="What was written, as plain text")

    class Meta:
        table = "ticket_replies"
        ordering = ("id",)
