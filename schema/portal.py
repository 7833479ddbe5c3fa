"""Clients' private links, and the portal that they open."""

import strawberry

import models
from schema.base import auto, enum, input, node
from schema.clients import Client
from schema.lists import filter
from schema.organizations import Storefront
from schema.scalars import URL, Date, DateTime, Money


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


@strawberry.type(description="An order, as its client sees it.")
class PortalOrder:
    number: int = strawberry.field(description="Number within the organization.")
    status: enum(models.OrderStatus) = strawberry.field(description="Where it stands.")  # type: ignore[valid-type]
    total: Money = strawberry.field(description="All of it, TTC.")
    balance: Money = strawberry.field(description="What is still to be paid.")
    created_at: DateTime = strawberry.field(description="When it was made.")
    paid_at: DateTime | None = strawberry.field(description="When it was paid in full.")
    pay_url: URL | None = strawberry.field(description="Where what is due is paid; null where nothing is.")


@strawberry.type(description="An invoice, as its client sees it.")
class PortalInvoice:
    number: str = strawberry.field(description="Its number.")
    type: enum(models.InvoiceType) = strawberry.field(description="What it is.")  # type: ignore[valid-type]
    issued_at: DateTime = strawberry.field(description="When it was issued.")
    due_on: Date = strawberry.field(description="Until when it is to be paid.")
    settled_at: DateTime | None = strawberry.field(description="When it was paid in full.")
    total: Money = strawberry.field(description="What it comes to, TTC.")
    pdf_url: URL | None = strawberry.field(description="Where to fetch the PDF, for 24 hours; null until it is made.")


@strawberry.type(description="What a client sees by their private link: what is theirs, and nothing internal.")
class Portal:
    storefront: Storefront = strawberry.field(description="Whose client they are.")
    client_name: str = strawberry.field(description="What to call the client.")
    orders: list[PortalOrder] = strawberry.field(description="What they ordered, open and paid: the latest 100.")
    invoices: list[PortalInvoice] = strawberry.field(description="Their invoices: the latest 100.")
