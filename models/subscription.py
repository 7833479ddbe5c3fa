"""What is bought again and again, until somebody ends it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise import fields

import errors
from models.base import Owned
from models.client import Client
from models.fields import Coded, CurrencyField, UrlField, belongs_to
from models.product import Interval, Product


class SubscriptionStatus(Coded):
    """Where a subscription stands, in Stripe's words (https://docs.stripe.com/billing/subscriptions/overview)."""

    INCOMPLETE = "INCOMPLETE", "Its first payment is still to come"
    INCOMPLETE_EXPIRED = "INCOMPLETE_EXPIRED", "Its first payment never came"
    TRIALING = "TRIALING", "Begun at Stripe with a trial that nothing is paid for"
    ACTIVE = "ACTIVE", "Paid for"
    PAST_DUE = "PAST_DUE", "A renewal failed; Stripe tries again"
    UNPAID = "UNPAID", "A renewal failed for good, and it was left standing"
    PAUSED = "PAUSED", "A trial ended without a way to pay"
    CANCELED = "CANCELED", "Ended"


_OF_A_REFUSAL = ("open_invoice", "pay_url", "failed_at", "failure_code", "failure_message")


class ClientSubscription(Owned):
    """A product that a client pays for each period: Stripe asks for the money, and each payment is an order."""

    client_id: UUID
    client: Client = belongs_to("Client", "subscriptions", "Who pays")
    product_id: UUID
    product: Product = belongs_to("Product", "subscriptions", "What they pay for")
    status = fields.CharEnumField(SubscriptionStatus, max_length=20, description="Where it stands")
    quantity = fields.IntField(description="How many, 1 or more")
    amount_cents = fields.IntField(description="What each period costs TTC, in minor units")
    currency = CurrencyField(description="Currency of the amount")
    interval = fields.CharEnumField(Interval, max_length=10, description="What its periods are counted in")
    interval_count = fields.IntField(description="How many of these make a period")
    current_period_start = fields.DatetimeField(description="When the current period began")
    current_period_end = fields.DatetimeField(description="When the current period ends")
    cancel_at_period_end = fields.BooleanField(default=False, description="Whether it ends with its current period")
    canceled_at = fields.DatetimeField(null=True, description="When somebody asked for its end")
    ended_at = fields.DatetimeField(null=True, description="When it ended")
    failed_at = fields.DatetimeField(
        null=True, description="When a renewal was refused last; null once nothing is open"
    )
    failure_code = fields.CharField(100, null=True, description="Stripe's code for the latest refusal")
    failure_message = fields.CharField(500, null=True, description="Why it was refused, in words")
    pay_url = UrlField(null=True, description="Where the client pays what is open; null where nothing is")
    open_invoice = fields.CharField(255, null=True, description="Stripe's invoice that is open after a refusal")
    told_of = fields.CharField(255, null=True, description="Stripe's invoice of whose refusal the client was told last")
    stripe_id = fields.CharField(255, description="Id of the subscription at Stripe")
    stripe_account = fields.CharField(255, description="Stripe account that is paid")
    live = fields.BooleanField(description="Whether real money moves")
    asked_at = fields.DatetimeField(description="When Stripe was asked what we know: older answers change nothing")

    orders: Any

    class Meta:
        table = "subscriptions"
        unique_together = (("stripe_account", "live", "stripe_id"),)

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None

    @property
    def goes_on(self) -> bool:
        """Whether another period is to follow the one that is paid."""
        return self.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE) and not self.cancel_at_period_end

    def must_go_on(self) -> None:
        """Raises Conflict for one that has ended."""
        if self.has_ended:
            raise errors.Conflict("This subscription has ended. Begin a new one.", field="input.subscription")

    def access_until(self, paid_until: datetime, starts_at: datetime, grace: timedelta) -> datetime:
        """Until when what was paid for may be used: its period, the days of grace while the next is awaited, and no
        longer than the subscription."""
        until = paid_until + grace if self.goes_on else paid_until
        if self.ended_at is not None:
            until = min(until, self.ended_at)
        return max(until, starts_at + timedelta(seconds=1))

    def hear_of_refusal(
        self, invoice: str, *, pay_url: str, at: datetime, code: str | None, message: str | None
    ) -> None:
        """Stripe's invoice could not be paid; the client can, at its page."""
        self.open_invoice, self.pay_url = invoice, pay_url
        self.failed_at, self.failure_code, self.failure_message = at, code, message

    def hear_of_no_debt(self) -> None:
        """Nothing of it is open any more."""
        self.update_from_dict(dict.fromkeys(_OF_A_REFUSAL))
