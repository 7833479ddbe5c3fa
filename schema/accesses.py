"""What clients may use."""

from datetime import UTC, datetime

import strawberry
from tortoise.expressions import Q

import models
from schema.base import auto, node
from schema.catalogue import Product
from schema.clients import Client
from schema.lists import between, filter, holds
from schema.orders import Order


@node(models.Access)
class Access:
    """What a client may use, from when to when. Of what was bought twice there are two, by two orders."""

    client: Client | None
    product: Product | None
    order: Order
    starts_at: auto
    ends_at: auto
    withdrawn_at: auto
    withdrawn_reason: auto
    live: auto


def _usable() -> Q:
    now = datetime.now(UTC)
    return Q(withdrawn_at__isnull=True, starts_at__lte=now) & (Q(ends_at__isnull=True) | Q(ends_at__gt=now))


@filter(models.Access)
class AccessFilter:
    """Which of them."""

    client: strawberry.ID
    product: strawberry.ID
    order: strawberry.ID
    active: holds(_usable, "Whether it may be used at this moment.")  # type: ignore[valid-type]
    live: auto
    starts_at: between
    ends_at: between
