"""Quotes."""

from typing import Any

import strawberry
from strawberry import UNSET

import models
from policy import Permission
from schema.base import auto, computed, input, node
from schema.catalogue import Product
from schema.clients import Client
from schema.discounts import DiscountInput, PartInput
from schema.lists import among, between, filter, order
from schema.opportunities import Opportunity
from schema.orders import Order, OrderLineInput
from schema.organizations import Membership
from schema.scalars import URL, Money
from services import files, links


@node(models.QuoteLine)
class QuoteLine:
    """One thing offered, at the price that it had when the version was written."""

    position: auto
    product: Product
    description: auto
    quantity: auto
    unit_price: Money
    discount: Money
    share: Money
    vat_rate: auto
    total: Money


@node(models.Quote)
class Quote:
    """One version of a quote (devis). Once it is sent it stands as it is; another version takes its place."""

    number: auto
    version: auto
    status: auto
    client: Client
    note: auto
    subtotal: Money
    discount: Money
    discount_reason: auto
    total: Money
    deposit: Money
    lines: list[QuoteLine]
    live: auto
    valid_until: auto
    expires_at: auto
    content_sha256: auto
    rendered_at: auto
    sent_at: auto
    emailed_at: auto
    accepted_at: auto
    accepted_name: auto
    accepted_from: auto
    accepted_by: Membership | None
    refused_at: auto
    refuse_reason: auto
    ended_at: auto
    opportunity: Opportunity | None
    order: Order | None
    created_at: auto

    @computed("As it is printed: the number, and from the second on the version.", needs=("number", "version"))
    def document_number(root: Any) -> str | None:
        return str(root.document_number) if root.number else None

    @computed(
        "Where to fetch the PDF, for 24 hours; null until it is made.", needs=("id", "number", "version", "file_key")
    )
    def pdf_url(root: Any) -> URL | None:
        return URL(files.quote_link(root)) if root.is_rendered else None

    @computed(
        "The client's own page, where it is read and answered; null before it is sent, and to who only reads quotes.",
        needs=("id", "sent_at"),
        requires=Permission.QUOTES_WRITE,
    )
    def page_url(root: Any) -> URL | None:
        return URL(links.quote_link(root)) if root.sent_at else None


@filter(models.Quote)
class QuoteFilter:
    """Which quotes."""

    status: among
    number: auto
    client: strawberry.ID
    opportunity: strawberry.ID
    live: auto
    total: between
    created_at: between
    expires_at: between


QuoteOrder = order(models.Quote, created_at="id", total="total_cents")


@input(models.Quote)
class QuoteCreateInput:
    """What is offered to a client, at the catalogue's prices."""

    client: strawberry.ID = strawberry.field(description="The client's global id.")
    opportunity: strawberry.ID | None = strawberry.field(
        description="Global id of the opportunity that it is for: once it is accepted, that is won.", default=UNSET
    )
    lines: list[OrderLineInput] = strawberry.field(description="1 to 100 lines.")
    discount: DiscountInput | None = strawberry.field(description="Taken off the whole.", default=UNSET)
    deposit: PartInput | None = strawberry.field(
        description="What is to be paid first once it is accepted, of the total.", default=UNSET
    )
    note: auto
    valid_until: auto


@input(models.Quote)
class QuoteUpdateInput:
    """A draft written anew: what is left out is not in it."""

    quote: strawberry.ID = strawberry.field(description="The quote's global id.")
    lines: list[OrderLineInput] = strawberry.field(description="1 to 100 lines.")
    discount: DiscountInput | None = strawberry.field(description="Taken off the whole.", default=UNSET)
    deposit: PartInput | None = strawberry.field(
        description="What is to be paid first once it is accepted, of the total.", default=UNSET
    )
    note: auto
    valid_until: auto


@strawberry.input(description="Which version of a quote.")
class QuoteInput:
    quote: strawberry.ID = strawberry.field(description="The quote's global id.")


@strawberry.input(description="What the client signed on paper.")
class QuoteAcceptInput:
    quote: strawberry.ID = strawberry.field(description="The quote's global id.")
    name: str = strawberry.field(description="Who signed it: first and last name.")


@input(models.Quote)
class QuoteRefuseInput:
    """What the client does not want, and why."""

    quote: strawberry.ID = strawberry.field(description="The quote's global id.")
    refuse_reason: auto
