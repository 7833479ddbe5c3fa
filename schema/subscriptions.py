"""Subscriptions, and what Stripe keeps of a client to pay them."""

import strawberry

import models
from schema.base import auto, node
from schema.catalogue import Product
from schema.clients import Client
from schema.lists import among, between, filter, order
from schema.scalars import URL, Money


@node(models.ClientSubscription)
class ClientSubscription:
    """A product that a client pays for each period: Stripe asks for the money, and each payment is an order
    (`orders(filter: { subscription: … })`)."""

    client: Client
    product: Product | None
    status: auto
    quantity: auto
    amount: Money
    interval: auto
    interval_count: auto
    current_period_start: auto
    current_period_end: auto
    cancel_at_period_end: auto
    canceled_at: auto
    ended_at: auto
    failed_at: auto
    failure_code: auto
    failure_message: auto
    pay_url: auto
    stripe_id: auto
    live: auto
    created_at: auto


@filter(models.ClientSubscription)
class SubscriptionFilter:
    """Which subscriptions."""

    status: among
    client: strawberry.ID
    product: strawberry.ID
    cancel_at_period_end: auto
    live: auto
    current_period_end: between
    created_at: between


SubscriptionOrder = order(models.ClientSubscription, created_at="id", current_period_end="current_period_end")


@strawberry.input(description="Which subscription to end, and when.")
class SubscriptionCancelInput:
    subscription: strawberry.ID = strawberry.field(description="The subscription's global id.")
    at_period_end: bool = strawberry.field(
        description="With the period that is paid for; false ends it, and the access, at once. Nothing is given back by"
        " itself.",
        default=True,
    )


@strawberry.input(description="Which subscription to let go on, that was to end with its period.")
class SubscriptionResumeInput:
    subscription: strawberry.ID = strawberry.field(description="The subscription's global id.")


@strawberry.input(description="Whose billing portal to open, and where the client comes back to.")
class BillingPortalStartInput:
    client: strawberry.ID = strawberry.field(description="The client's global id.")
    return_url: URL = strawberry.field(description="Where the client comes back to: a page of your front ends.")


@strawberry.type(description="A client's way to their cards and subscriptions at Stripe.")
class BillingPortalStarted:
    url: URL = strawberry.field(
        description="The portal, for some minutes: send the client there at once. Who has it acts for the client."
    )


@strawberry.type(description="What a client can pay by while they are away, as Stripe keeps it.")
class SavedPaymentMethod:
    id: str = strawberry.field(description="Stripe's id of it.")
    type: str = strawberry.field(description="What it is, in Stripe's words: `card`, `sepa_debit`.")
    brand: str | None = strawberry.field(description="Of a card: `visa`, `mastercard`, `amex`.")
    last4: str | None = strawberry.field(description="The last four characters of its number.")
    exp_month: int | None = strawberry.field(description="Of a card: the last month that it is good, 1 to 12.")
    exp_year: int | None = strawberry.field(description="Of a card: the year of that month.")
    is_default: bool = strawberry.field(description="Whether it is charged unless a subscription says otherwise.")
