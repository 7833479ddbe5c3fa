"""Clients' private links, for those who give them out; what they open is in `portals.py`."""

import strawberry

import models
from schema.base import auto, input, node
from schema.clients import Client
from schema.lists import filter
from schema.scalars import DateTime


@node(models.PortalToken)
class PortalToken:
    """A client's private link to their portal, one at a time. The token itself was shown once."""

    client: Client
    expires_at: auto
    last_used_at: auto
    revoked_at: auto
    created_at: auto


@filter(models.PortalToken)
class PortalTokenFilter:
    """Which private links."""

    client: strawberry.ID


@input(models.PortalToken)
class PortalTokenCreateInput:
    """A new private link of a client's, in place of the one that they have."""

    client: strawberry.ID = strawberry.field(description="The client's global id.")
    expires_at: DateTime | None = strawberry.field(
        description="Until when it is good, within a year; for 90 days unless told.", default=strawberry.UNSET
    )


@strawberry.type(description="A client's private link made.")
class PortalTokenCreated:
    portal_token: PortalToken = strawberry.field(description="What is kept of it.")
    token: str = strawberry.field(
        description="96 hexadecimal characters, sent as `Authorization: Bearer …`. Shown this once: give it to the"
        " client in a link to your front end, behind a `#`, where no server sees it."
    )


@strawberry.input(description="Which private link to withdraw.")
class PortalTokenRevokeInput:
    portal_token: strawberry.ID = strawberry.field(description="The link's global id.")
