"""Those who buy."""

from typing import Annotated

import strawberry

import models
from schema.base import auto, expression, input, node, pages
from schema.connections import Connection
from schema.lists import between, filter, order


@node(models.Client)
class Client:
    """A customer of the organization, one per e-mail address."""

    email: auto
    first_name: auto
    last_name: auto
    company: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    display_name: str = expression(
        "coalesce(nullif(concat_ws(' ', first_name, last_name), ''), company, email)",
        "What to call them: their name, else their company's, else their address.",
    )  # type: ignore[assignment]
    orders: Connection[Annotated["Order", strawberry.lazy("schema.orders")]] = pages("orders", "What they bought.")  # type: ignore  # noqa: F821
    stripe_id: auto
    created_at: auto


@input(models.Client)
class ClientCreateInput:
    """A new client."""

    email: auto
    first_name: auto
    last_name: auto
    company: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto


@filter(models.Client)
class ClientFilter:
    """Which clients."""

    email: auto
    country: auto
    created_at: between


ClientOrder = order(models.Client, created_at="id", email="email")
