"""Letters about tickets: to the client who was answered, to whoever sees to what a client wrote,
and to whom it is given to see to."""

from email.message import EmailMessage

from models import Lane, Ticket, TicketReply, TicketStatus
from services import letters, post
from services.invoice_content import brand
from services.links import message_id
from services.outbox import job


@job(Lane.MAIL)
async def tell_client(reply: TicketReply) -> None:
    """A reply of ours, with all that it says."""
    ticket = await _with_everything(reply.ticket_id)
    said = {"number": ticket.number, "about": ticket.subject, "body": _spaced(reply.body)}
    await _send(ticket, "ticket_reply", said, ticket.client.name, ticket.client.email, message_id("reply", reply))


@job(Lane.MAIL)
async def tell_staff(reply: TicketReply) -> None:
    """What a client replied."""
    ticket = await _with_everything(reply.ticket_id)
    await _send_to_staff(ticket, reply.body, message_id("reply-staff", reply), news="REPLIED")


@job(Lane.MAIL)
async def tell_staff_of_new(ticket: Ticket) -> None:
    """What a client asks."""
    ticket = await _with_everything(ticket.id)
    await _send_to_staff(ticket, ticket.body, message_id("ticket-staff", ticket), news="OPENED")


@job(Lane.MAIL)
async def tell_assignee(ticket: Ticket) -> None:
    """That it is theirs to see to, with what was asked: to whom it is given by then, and to nobody where it is over."""
    ticket = await _with_everything(ticket.id)
    if ticket.assignee is not None and ticket.assignee.active and ticket.status is not TicketStatus.CLOSED:
        named = message_id(f"assigned-{ticket.assignee.id.hex}", ticket)
        await _send_to_staff(ticket, ticket.body, named, news="ASSIGNED")


async def _with_everything(id: object) -> Ticket:
    found: Ticket = await Ticket.get(id=id).prefetch_related(
        "organization", "client__consultant__user", "assignee__user"
    )
    return found


async def _send_to_staff(ticket: Ticket, body: str, named: str, *, news: str) -> None:
    """To who sees to it, else who looks after the client, else the organization."""
    client, consultant = ticket.client, ticket.client.consultant
    members = [member for member in (ticket.assignee, consultant) if member is not None and member.active]
    to = members[0].user.email if members else ticket.organization.contact_email
    name = members[0].user.first_name if members else ticket.organization.brand_name
    said = {
        "number": ticket.number, "about": ticket.subject, "body": _spaced(body), "news": news,
        "client": client.name, "client_email": client.email, "contacts": [],
    }  # fmt: skip
    await _send(ticket, "ticket_for_staff", said, name, to, named)


async def _send(ticket: Ticket, template: str, said: dict[str, object], name: str, to: str, named: str) -> None:
    envelope = post.envelope(to, named)
    letter = letters.of_no_order(template, said, name=name, brand=brand(ticket.organization), envelope=envelope)
    await post.send(ticket.organization_id, _in_thread(letter, ticket))


def _in_thread(letter: EmailMessage, ticket: Ticket) -> EmailMessage:
    """All of a ticket is one thread to mail programs (RFC 5322, 3.6.4)."""
    for header in ("In-Reply-To", "References"):
        letter[header] = message_id("ticket", ticket)
    return letter


def _spaced(body: str) -> str:
    """Each line stays one, where letters make one of those that stand together."""
    return body.replace("\n", "\n\n")
