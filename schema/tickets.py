"""Tickets: what clients ask."""

import strawberry

import models
from schema.base import auto, input, node, pages
from schema.clients import Client
from schema.connections import Connection
from schema.lists import among, between, filter
from schema.organizations import Membership

ASSIGNEE = "Who sees to it: the global id of their membership."


@node(models.TicketReply)
class TicketReply:
    """What was written under a ticket, by the client or by who sees to it."""

    author: Membership | None
    from_client: auto
    internal: auto
    body: auto
    created_at: auto


@node(models.Ticket)
class Ticket:
    """What a client asks. Texts are plain: HTML in them is letters like any other."""

    number: auto
    client: Client
    subject: auto
    body: auto
    type: auto
    priority: auto
    status: auto
    source: auto
    assignee: Membership | None
    opened_by: Membership | None
    replies: Connection[TicketReply] = pages("replies", "What was written under it.")  # type: ignore[assignment]
    replied_at: auto
    resolved_at: auto
    closed_at: auto
    created_at: auto


@filter(models.Ticket)
class TicketFilter:
    """Which tickets."""

    client: strawberry.ID
    assignee: strawberry.ID
    status: among
    type: among
    priority: among
    source: among
    number: auto
    created_at: between


@input(models.Ticket)
class TicketCreateInput:
    """What a client asks, as a member writes it down."""

    client: strawberry.ID = strawberry.field(description="The client's global id.")
    subject: auto
    body: auto
    type: auto
    priority: auto
    assignee: strawberry.ID | None = strawberry.field(description=ASSIGNEE, default=strawberry.UNSET)


@input(models.Ticket, partial=True)
class TicketUpdateInput:
    """What to change of a ticket; what is left out stays."""

    ticket: strawberry.ID = strawberry.field(description="The ticket's global id.")
    type: auto
    priority: auto
    status: auto
    assignee: strawberry.ID | None = strawberry.field(
        description=f"{ASSIGNEE} Null for nobody.", default=strawberry.UNSET
    )


@input(models.TicketReply)
class TicketReplyInput:
    """What to write under a ticket."""

    ticket: strawberry.ID = strawberry.field(description="The ticket's global id.")
    body: auto
    internal: auto
