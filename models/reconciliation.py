"""Stripe asked on a clock whether we know what it knows: how far that is, each run, what stays different."""

from uuid import UUID

from tortoise import fields

from models.base import Owned, Row
from models.fields import Coded, belongs_to
from models.order import Order


class ReconciliationPoint(Row):
    """How far a Stripe account and mode is reconciled, and who does it now."""

    stripe_account = fields.CharField(255, description="Stripe account")
    live = fields.BooleanField(description="Stripe's livemode")
    reached_at = fields.DatetimeField(description="Of events made before this none is missing")
    ended_at = fields.DatetimeField(null=True, description="When a run came to its end last")
    leased_until = fields.DatetimeField(null=True, description="Until when a process is at it")
    token = fields.UUIDField(null=True, description="Which one")

    class Meta:
        table = "reconciliation_points"
        unique_together = (("stripe_account", "live"),)


class Reconciliation(Owned):
    """One run: Stripe's list of events and what is stuck were compared with what we know."""

    stripe_account = fields.CharField(255, description="Stripe account that was asked")
    live = fields.BooleanField(description="Whether about real money")
    since = fields.DatetimeField(description="From when on events and payments were compared")
    started_at = fields.DatetimeField(description="When it began")
    ended_at = fields.DatetimeField(description="When it was done")
    events_missed = fields.IntField(description="Events that had never come, and are handled now")
    orders_mended = fields.IntField(description="Orders that Stripe's answer brought up to date")
    unexplained = fields.IntField(description="What stays different")

    class Meta:
        table = "reconciliations"


class DriftKind(Coded):
    """What is different."""

    NOT_COUNTED = "NOT_COUNTED", "Paid at Stripe, and no payment here"
    NOT_PAID = "NOT_PAID", "A payment here that is not paid at Stripe"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS", "Another amount or currency at Stripe"
    NOT_HANDLED = "NOT_HANDLED", "An event that came, and could not be handled yet"
    NOT_ANSWERED = "NOT_ANSWERED", "Stripe does not answer what was asked about an order"


class Drift(Owned):
    """What a reconciliation could not explain."""

    reconciliation_id: UUID
    reconciliation: Reconciliation = belongs_to("Reconciliation", "drifts", "The run that found it")
    order_id: UUID
    order: Order = belongs_to("Order", None, "The order that it is about")
    kind = fields.CharEnumField(DriftKind, max_length=20, description="What is different")
    reference = fields.CharField(255, description="Stripe's id of what it is about")
    message = fields.CharField(500, description="What is different, in words")

    class Meta:
        table = "drifts"
        unique_together = (("reconciliation", "kind", "reference"),)
