"""E-mails of clients in their timelines, as somebody pastes them; ready for a mailbox to bring them.

What is said of one: `sender`, `sender_name`, `recipients`, `from_client`, `subject`, `body`, `truncated` and
`attachments`, each with `name`, `content_type` and `size`; its ids are columns.
"""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from errors import Conflict, Known
from models import Client, Contact, Ticket, TicketSource, TimelineEvent, TimelineKind
from models.base import global_id
from services import audit, emails, tickets, timeline
from services.emails import Email
from services.tickets import Asked

BODY_MOST = 100_000  # characters; more is cut
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


async def add(client: Client, source: str, *, author: UUID | None, field: str) -> TimelineEvent:
    """Put an e-mail, pasted as `services/emails.py` reads it, into the timeline of a client, locked.

    Raises Known where it is there already, Invalid, blaming the field, for what is no e-mail, and Conflict for a client
    who was erased.
    """
    client.must_not_be_erased()
    organization = await client.organization
    # In a thread: of what is made to take long, everybody else would wait for it.
    email = await asyncio.to_thread(emails.parse, source, ZoneInfo(organization.time_zone), field=field)
    fingerprint = _fingerprint(email)
    if same := await TimelineEvent.filter(client_id=client.id, fingerprint=fingerprint).first():
        raise Known("This e-mail is in the timeline already.", global_id(same), field=field)
    event = timeline.event(
        client.organization_id, client.id, TimelineKind.CLIENT_EMAIL, at=_sent_at(email), author=author,
        sender=email.sender, sender_name=email.sender_name, recipients=email.recipients,
        from_client=await _is_theirs(client, email.sender), subject=email.subject, body=email.body[:BODY_MOST],
        truncated=len(email.body) > BODY_MOST, attachments=[asdict(each) for each in email.attachments],
    )  # fmt: skip
    event.message_id, event.thread_id, event.fingerprint = email.message_id, email.thread_id, fingerprint
    await event.save()
    return event


async def open_ticket(client: Client, event: TimelineEvent, *, author: UUID | None) -> Ticket:
    """A ticket of what an e-mail asks."""
    subject, body = event.data["subject"] or "(sans objet)", event.data["body"] or "(sans texte)"
    asked = Asked(subject[: tickets.SUBJECT_MOST], body[: tickets.BODY_MOST])
    return await tickets.open(client, asked, source=TicketSource.EMAIL, opened_by=author)


async def remove(event: TimelineEvent, *, field: str) -> None:
    """Take an e-mail out of a timeline: it was another client's, say. Raises Conflict for any other event."""
    if event.kind is not TimelineKind.CLIENT_EMAIL:
        raise Conflict("What happened stays in the timeline: only e-mails are taken out.", field=field)
    await event.delete()
    await audit.note("clientEmailRemove", organization_id=event.organization_id, subject=event)


def _fingerprint(email: Email) -> str:
    """The same for the same message, told by its id where it has one."""
    said = (email.sender, email.subject, email.sent_at and email.sent_at.isoformat(), email.body)
    return sha256((email.message_id or repr(said)).encode()).hexdigest()


def _sent_at(email: Email) -> datetime:
    """When it says that it was sent, where that can be."""
    now = datetime.now(UTC)
    sent_at = email.sent_at
    return sent_at if sent_at and EARLIEST <= sent_at <= now + timedelta(days=1) else now


async def _is_theirs(client: Client, sender: str | None) -> bool:
    return sender is not None and (
        sender == client.email or await Contact.filter(client_id=client.id, email=sender).exists()
    )
