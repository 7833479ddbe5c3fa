"""Those who buy."""

from typing import Annotated

import strawberry

import models
from schema.base import auto, expression, input, node, pages
from schema.connections import Connection
from schema.lists import between, filter, order
from schema.organizations import Membership

CONSULTANT = "Who looks after them: the global id of their membership."


@node(models.Client)
class Client:
    """A customer of the organization, one per e-mail address."""

    email: auto
    first_name: auto
    last_name: auto
    company: auto
    siren: auto
    vat_number: auto
    electronic_address: auto
    electronic_address_scheme: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    delivery_address: auto
    delivery_postal_code: auto
    delivery_city: auto
    delivery_country: auto
    language: auto
    display_name: str = expression(
        "coalesce(nullif(concat_ws(' ', first_name, last_name), ''), company, email)",
        "What to call them: their name, else their company's, else their address.",
    )  # type: ignore[assignment]
    consultant: Membership | None
    orders: Connection[Annotated["Order", strawberry.lazy("schema.orders")]] = pages("orders", "What they bought.")  # type: ignore  # noqa: F821
    subscriptions: Connection[Annotated["ClientSubscription", strawberry.lazy("schema.subscriptions")]] = pages(  # type: ignore  # noqa: F821
        "subscriptions", "What they pay for each period."
    )
    stripe_id: auto
    created_at: auto


@input(models.Client)
class ClientCreateInput:
    """A new client."""

    email: auto
    first_name: auto
    last_name: auto
    company: auto
    siren: auto
    vat_number: auto
    electronic_address: auto
    electronic_address_scheme: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    delivery_address: auto
    delivery_postal_code: auto
    delivery_city: auto
    delivery_country: auto
    language: auto
    consultant: strawberry.ID | None = strawberry.field(description=CONSULTANT, default=strawberry.UNSET)


@input(models.Client, partial=True)
class ClientUpdateInput:
    """What to change of a client; what is left out stays, null takes away."""

    client: strawberry.ID = strawberry.field(description="The client's global id.")
    email: auto
    first_name: auto
    last_name: auto
    company: auto
    siren: auto
    vat_number: auto
    electronic_address: auto
    electronic_address_scheme: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    delivery_address: auto
    delivery_postal_code: auto
    delivery_city: auto
    delivery_country: auto
    language: auto
    consultant: strawberry.ID | None = strawberry.field(description=CONSULTANT, default=strawberry.UNSET)


@strawberry.input(description="Which client to delete.")
class ClientDeleteInput:
    client: strawberry.ID = strawberry.field(description="The client's global id.")


@filter(models.Client)
class ClientFilter:
    """Which clients."""

    email: auto
    consultant: strawberry.ID
    country: auto
    created_at: between


ClientOrder = order(models.Client, created_at="id", email="email")
