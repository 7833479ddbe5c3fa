"""What asking Stripe came to, run by run."""

import models
from schema.base import auto, node
from schema.lists import between, filter
from schema.orders import Order


@node(models.Drift)
class Drift:
    """Something that is different at Stripe, and that no answer of Stripe's explained."""

    kind: auto
    reference: auto
    message: auto
    order: Order


@node(models.Reconciliation)
class Reconciliation:
    """Stripe's list of events, its payments and what is stuck, compared with what we know; by a clock, each hour."""

    live: auto
    since: auto
    started_at: auto
    ended_at: auto
    events_missed: auto
    orders_mended: auto
    unexplained: auto
    drifts: list[Drift]


@filter(models.Reconciliation)
class ReconciliationFilter:
    """Which runs."""

    live: auto
    started_at: between
    unexplained: between
