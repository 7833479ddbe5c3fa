"""What is sold."""

import strawberry

import models
from schema.base import auto, input, node, through
from schema.lists import between, filter, order
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
    active: auto
    stripe_id: auto
    partners: list[Partner] = through("partner_links__partner", "Who is told when it is sold.")  # type: ignore[assignment]
    created_at: auto


@input(models.Product)
class ProductCreateInput:
    """A new product."""

    name: auto
    description: auto
    level: auto
    vat_rate: auto
    operation_category: auto
    price: MoneyInput = strawberry.field(description="Price TTC; 0 for a free product.")
    partners: list[strawberry.ID] = strawberry.field(
        description="Who is told when it is sold, by global id.", default_factory=list
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
    active: auto
    price: MoneyInput | None = strawberry.field(
        description="Price TTC; 0 for a free product. Orders that were made keep theirs.", default=strawberry.UNSET
    )
    partners: list[strawberry.ID] | None = strawberry.field(
        description="Who is told when it is sold, by global id, in place of those who were.", default=strawberry.UNSET
    )


@strawberry.input(description="Which product to delete.")
class ProductDeleteInput:
    product: strawberry.ID = strawberry.field(description="The product's global id.")


@filter(models.Product)
class ProductFilter:
    """Which products."""

    active: auto
    level: auto
    price: between
    created_at: between


ProductOrder = order(models.Product, created_at="id", name="name", price="price_cents")
