"""Prepaid packs, as clients have them."""

from datetime import UTC, datetime

import strawberry
from tortoise.expressions import F, Q, Subquery

import models
from schema.accesses import Access
from schema.base import auto, expression, node
from schema.clients import Client
from schema.lists import filter, holds


@node(models.Pack)
class Pack:
    """Sessions that a client paid for. From when to when they may be used is said by the access."""

    client: Client | None
    access: Access
    sessions: auto
    used: auto
    left: int = expression("sessions - used", "How many are left.")  # type: ignore[assignment]
    created_at: auto


def _usable() -> Q:
    in_time = Q(ends_at__isnull=True) | Q(ends_at__gt=datetime.now(UTC))
    usable = models.Access.filter(in_time, withdrawn_at__isnull=True)
    return Q(access_id__in=Subquery(usable.values("id")), used__lt=F("sessions"))


@filter(models.Pack)
class PackFilter:
    """Which packs."""

    client: strawberry.ID
    usable: holds(_usable, "Whether a session can be drawn from it now.")  # type: ignore[valid-type]
