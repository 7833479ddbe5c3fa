"""What a client asks those who look after them by their private link."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from models import Client, Ticket, TicketReply, TicketSource
from policy import Actor
from services import portal_tokens, tickets

SHOWN_MOST = 20  # tickets: the latest
REPLIES_MOST = 500  # of all of these: the latest


@dataclass(frozen=True, slots=True)
class Thread:
    """A ticket, and what was written under it for the client to read, in order."""

    ticket: Ticket
    replies: Sequence[TicketReply]


async def latest(client: Client) -> list[Thread]:
    """The client's tickets, newest first; nothing that is internal."""
    here = {"organization_id": client.organization_id}
    found = await Ticket.filter(**here, client_id=client.id).order_by("-id").limit(SHOWN_MOST)
    written = TicketReply.filter(**here, ticket_id__in=[each.id for each in found], internal=False)
    replies = defaultdict(list)
    for reply in reversed(await written.order_by("-id").limit(REPLIES_MOST)):
        replies[reply.ticket_id].append(reply)
    return [Thread(each, replies[each.id]) for each in found]


async def open(actor: Actor, *, subject: str, body: str) -> Ticket:
    """A question of the client's, in the open transaction. Raises like `tickets.open`."""
    client = await portal_tokens.locked_client_of(actor)
    return await tickets.open(client, tickets.Asked(subject, body), source=TicketSource.PORTAL)


async def reply(actor: Actor, *, ticket: str, body: str) -> Ticket:
    """Write under a ticket of the client's, in the open transaction. Raises NotFound, and like `tickets.reply`."""
    client = await portal_tokens.locked_client_of(actor)
    row = await portal_tokens.theirs(client, Ticket, ticket, field="input.ticket", for_update=True)
    await tickets.reply(row, body, from_client=True)
    return row
