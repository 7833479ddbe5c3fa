"""What is sold."""

from typing import Annotated

import strawberry

import models
from schema.agenda import Service
from schema.base import auto, input, node, pages, through
from schema.connections import Connection
from schema.lists import among, between, filter, order
from schema.partners import Partner
from schema.scalars import Money, MoneyInput


@node(models.Product)
class Product:
    """A thing in the catalogue, sold TTC."""

    name: auto
    description: auto
    level: auto
    price: Money
    vat_rate: auto
    operation_category: auto
    interval: auto
    interval_count: auto
    pack_sessions: auto
    pack_days: auto
    active: auto
    stripe_id: auto
    partners: list[Partner] = through("partner_links__partner", "Who is told when it is sold.")  # type: ignore[assignment]
    pack_services: list[Service] = through("service_links__service", "Of which services a pack's sessions may be.")  # type: ignore[assignment]
    subscriptions: Connection[Annotated["ClientSubscription", strawberry.lazy("schema.subscriptions")]] = pages(  # type: ignore  # noqa: F821
        "subscriptions", "Who pays for it each period."
    )
    created_at: auto


@input(models.Product)
class ProductCreateInput:
    """A new product."""

    name: auto
    description: auto
    level: auto
    vat_rate: auto
    operation_category: auto
    interval: auto
    interval_count: auto
    pack_sessions: auto
    pack_days: auto
    price: MoneyInput = strawberry.field(description="Price TTC, of each period where it recurs; 0 for a free product.")
    partners: list[strawberry.ID] = strawberry.field(
        description="Who is told when it is sold, by global id.", default_factory=list
    )
    pack_services: list[strawberry.ID] = strawberry.field(
        description="Of which services a pack's sessions may be, by global id; none where it is no pack.",
        default_factory=list,
    )


@input(models.Product, partial=True)
class ProductUpdateInput:
    """What to change of a product; what is left out stays."""

    product: strawberry.ID = strawberry.field(description="The product's global id.")
    name: auto
    description: auto
    level: auto
    vat_rate: auto
    operation_category: auto
    interval: auto
    interval_count: auto
    pack_sessions: auto
    pack_days: auto
    active: auto
    price: MoneyInput | None = strawberry.field(
        description="Price TTC; 0 for a free product. Orders and subscriptions that were made keep theirs.",
        default=strawberry.UNSET,
    )
    partners: list[strawberry.ID] | None = strawberry.field(
        description="Who is told when it is sold, by global id, in place of those who were.", default=strawberry.UNSET
    )
    pack_services: list[strawberry.ID] | None = strawberry.field(
        description="Of which services a pack's sessions may be, by global id, in place of those that they might.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="Which product to delete.")
class ProductDeleteInput:
    product: strawberry.ID = strawberry.field(description="The product's global id.")


@filter(models.Product)
class ProductFilter:
    """Which products."""

    active: auto
    level: auto
    interval: among
    price: between
    created_at: between


ProductOrder = order(models.Product, created_at="id", name="name", price="price_cents")
