"""Tickets: opened, answered, seen to. What clients read of one are its replies that are not internal: they are written
to of each, and whoever sees to it of what they write.

The client's row is locked first where they write themselves; a ticket is before a reply or a change of it. Numbers
follow each other: whoever takes one waits for whoever took the one before, and takes it last.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from errors import Invalid
from models import Client, Ticket, TicketPriority, TicketReply, TicketSource, TicketStatus, TicketType, TimelineKind
from models.database import query
from services import ticket_letters, timeline
from services.outbox import later

SUBJECT_MOST, BODY_MOST = 200, 20_000  # characters


@dataclass(frozen=True)
class Asked:
    """What a client asks."""

    subject: str
    body: str
    type: TicketType = TicketType.QUESTION
    priority: TicketPriority = TicketPriority.NORMAL


async def open(
    client: Client,
    asked: Asked,
    *,
    source: TicketSource,
    opened_by: UUID | None = None,
    assignee_id: UUID | None = None,
    at: datetime | None = None,
) -> Ticket:
    """A new ticket of a client's, of now or of `at`; `opened_by` is the membership of who wrote it down.

    Raises Invalid for a subject or a body that is empty or too long, naming `input.subject` or `input.body`, and
    Conflict for a client who was erased.
    """
    client.must_not_be_erased()
    now = at or datetime.now(UTC)
    ticket = Ticket(
        organization_id=client.organization_id, client_id=client.id, subject=subject_of(asked.subject),
        body=body_of(asked.body), type=asked.type, priority=asked.priority, source=source, opened_by_id=opened_by,
        assignee_id=assignee_id,
    )  # fmt: skip
    ticket.number = await _next_number(client.organization_id)
    await ticket.save()
    if source is TicketSource.PORTAL:
        await later(ticket_letters.tell_staff_of_new, ticket)
    else:
        await _tell_assignee(ticket, by=opened_by)
    await _note(ticket, TimelineKind.TICKET_OPENED, now, opened_by, source is not TicketSource.BACK_OFFICE)
    return ticket


async def reply(
    ticket: Ticket, body: str, *, author: UUID | None = None, from_client: bool = False, internal: bool = False
) -> TicketReply:
    """Write under a ticket, locked. What both sides read changes whose turn it is: a client's reply opens it again.

    Raises Conflict once it is closed, and Invalid for a body that is empty or too long.
    """
    text, now = body_of(body), datetime.now(UTC)
    written = TicketReply(
        organization_id=ticket.organization_id, ticket_id=ticket.id, author_id=author, from_client=from_client,
        internal=internal, body=text,
    )  # fmt: skip
    if not internal:
        ticket.hear(from_client=from_client, at=now)
        await ticket.save()
    await written.save()
    if not internal:
        await later(ticket_letters.tell_staff if from_client else ticket_letters.tell_client, written)
        await _note(ticket, TimelineKind.TICKET_REPLIED, now, author, from_client)
    return written


async def change(ticket: Ticket, *, by: UUID | None, **values: Any) -> Ticket:
    """Change what a ticket, locked, is, who sees to it, where it stands. Raises Conflict where it is past that."""
    now, before, had = datetime.now(UTC), ticket.status, ticket.assignee_id
    ticket.become(values.pop("status", ticket.status), at=now)
    ticket.update_from_dict(values)
    await ticket.save()
    if ticket.assignee_id != had:
        await _tell_assignee(ticket, by=by)
    if ticket.status is TicketStatus.RESOLVED is not before:
        await _note(ticket, TimelineKind.TICKET_RESOLVED, now, by, from_client=False)
    return ticket


def subject_of(text: str) -> str:
    """On one line. Raises Invalid."""
    line = " ".join(text.split())
    if not line:
        raise Invalid("Say in a line what it is about.", field="input.subject")
    return _fit(line, SUBJECT_MOST, "input.subject")


def body_of(text: str) -> str:
    """As it was written, HTML in it as letters. Raises Invalid."""
    if not text.strip():
        raise Invalid("This cannot be empty.", field="input.body")
    return _fit(text.replace("\r\n", "\n").strip(), BODY_MOST, "input.body")


def _fit(text: str, most: int, field: str) -> str:
    if "\x00" in text:
        raise Invalid("Text cannot hold a NUL character.", field=field)
    if len(text) > most:
        raise Invalid(f"This is longer than {most} characters.", field=field)
    return text


async def _next_number(organization_id: UUID) -> int:
    """Others who want one wait until this transaction ends."""
    await query("SELECT pg_advisory_xact_lock(hashtextextended('tickets ' || $1::text, 0))", str(organization_id))
    (row,) = await query("SELECT max(number) AS last FROM tickets WHERE organization_id = $1", organization_id)
    return int(row["last"] or 0) + 1


async def _tell_assignee(ticket: Ticket, *, by: UUID | None) -> None:
    """Who is given a ticket by somebody else."""
    if ticket.assignee_id not in (None, by):
        await later(ticket_letters.tell_assignee, ticket)


async def _note(ticket: Ticket, kind: TimelineKind, at: datetime, author: UUID | None, from_client: bool) -> None:
    await timeline.note(
        ticket.organization_id, ticket.client_id, kind, at=at, author=author, ticket=ticket.id, number=ticket.number,
        subject=ticket.subject, type=ticket.type, from_client=from_client,
    )  # fmt: skip
