"""Orders, their lines, payments, and the checkout."""

from typing import Annotated

import strawberry

import models
from schema.base import auto, input, node
from schema.catalogue import Product
from schema.clients import Client
from schema.invoices import Invoice
from schema.lists import among, between, filter, order
from schema.partners import Notification
from schema.scalars import URL, DateTime, Money


@node(models.OrderLine)
class OrderLine:
    """One thing sold, at the price it had then."""

    position: auto
    product: Product
    description: auto
    quantity: auto
    unit_price: Money
    vat_rate: auto
    total: Money


@node(models.Payment)
class Payment:
    """Money for an order, come or refused."""

    method: auto
    status: auto
    amount: Money
    live: auto
    stripe_id: auto
    failure_code: auto
    failure_message: auto
    paid_at: auto


@node(models.Conflict)
class Conflict:
    """Something about an order that a person must settle."""

    kind: auto
    message: auto
    created_at: auto
    resolved_at: auto


@node(models.Order)
class Order:
    """A sale: everything sold becomes one, and the order is what is paid."""

    number: auto
    kind: auto
    status: auto
    client: Client
    total: Money
    lines: list[OrderLine]
    payments: list[Payment]
    invoices: list[Invoice]
    notifications: list[Notification]
    conflicts: list[Conflict]
    live: auto
    paid_at: auto
    created_at: auto


@filter(models.Order)
class OrderFilter:
    """Which orders."""

    status: among
    kind: among
    number: auto
    client: strawberry.ID
    live: auto
    total: between
    created_at: between
    paid_at: between


OrderOrder = order(models.Order, created_at="id", number="number", total="total_cents")


@input(models.OrderLine)
class OrderLineInput:
    """What is bought, and how many."""

    product: strawberry.ID = strawberry.field(description="The product's global id.")
    quantity: auto


@input(models.Order)
class OrderCreateInput:
    """A new order."""

    client: strawberry.ID = strawberry.field(description="The client's global id.")
    lines: list[OrderLineInput] = strawberry.field(description="1 to 100 lines.")


@input(models.Order)
class CheckoutStartInput:
    """Which order to pay, and where the client comes back to."""

    order: strawberry.ID = strawberry.field(description="The order's global id.")
    success_url: URL = strawberry.field(
        description="Where the client lands once paid; `{CHECKOUT_SESSION_ID}` is filled in."
    )
    cancel_url: URL | None = strawberry.field(description="Where the client lands on giving up.", default=None)


@strawberry.type(description="The client can pay.")
class CheckoutStarted:
    order: Order = strawberry.field(description="The order to be paid.")
    url: URL = strawberry.field(description="The payment page, to send the client to.")
    expires_at: DateTime = strawberry.field(description="Until when the page can be used.")


@strawberry.type(description="There was nothing to pay: the order is complete.")
class OrderCompleted:
    order: Order = strawberry.field(description="The completed order.")


CheckoutResult = Annotated[
    CheckoutStarted | OrderCompleted,
    strawberry.union("CheckoutResult", description="What came of starting a checkout."),
]
