"""Money that goes back: what we give, and what a client's bank takes."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.fields import CurrencyField, belongs_to
from models.order import Order
from models.payment import Attempt, Payment, PaymentMethod
from models.states import DISPUTE, REFUND, DisputeNews, DisputeStatus, RefundNews, RefundStatus


class Refund(Owned):
    """Money of one payment given back, by Stripe or by hand."""

    order_id: UUID
    order: Order = belongs_to("Order", "refunds", "The order whose money it was")
    payment_id: UUID
    payment: Payment = belongs_to("Payment", "refunds", "The payment given back, whole or in part")
    attempt_id: UUID | None
    attempt: Attempt | None = belongs_to("Attempt", None, "How we asked Stripe for it", null=True)
    status = fields.CharEnumField(
        RefundStatus, max_length=20, default=RefundStatus.PENDING, description="What came of it"
    )
    method = fields.CharEnumField(PaymentMethod, max_length=20, description="How it goes back")
    amount_cents = fields.IntField(description="Amount in minor units, more than 0")
    currency = CurrencyField(description="Currency of the amount, the payment's")
    reason = fields.CharField(500, null=True, description="Why, as the credit note says it")
    stripe_account = fields.CharField(255, description="Stripe account that was paid")
    live = fields.BooleanField(description="Whether real money moves")
    stripe_id = fields.CharField(255, null=True, description="Stripe's refund")
    event_id = fields.CharField(255, null=True, description="What told that it went back: Stripe's event, or ours")
    reference = fields.CharField(200, null=True, description="What the bank says of it, where it was by hand")
    requested_by_id: UUID | None
    requested_by: Any = belongs_to("Membership", None, "Who asked for it; null for Stripe's dashboard", null=True)
    refunded_at = fields.DatetimeField(null=True, description="When the money went back")
    failure_reason = fields.CharField(200, null=True, description="Why it failed, in Stripe's word")

    class Meta:
        table = "refunds"

    def hear(self, news: RefundNews) -> bool:
        """Whether the news change its state, and change it."""
        before = self.status
        self.status = REFUND.after(before, news)
        return self.status is not before


class Dispute(Owned):
    """A client's bank asks for the money of a payment back."""

    order_id: UUID
    order: Order = belongs_to("Order", "disputes", "The order whose money it is")
    payment_id: UUID
    payment: Payment = belongs_to("Payment", "disputes", "The payment disputed")
    status = fields.CharEnumField(
        DisputeStatus, max_length=20, default=DisputeStatus.OPEN, description="What came of it"
    )
    amount_cents = fields.IntField(description="How much is asked back, in minor units")
    currency = CurrencyField(description="Currency of the amount")
    reason = fields.CharField(100, description="Why, in Stripe's word: `fraudulent`")
    stripe_account = fields.CharField(255, description="Stripe account that was paid")
    live = fields.BooleanField(description="Whether real money is asked for")
    stripe_id = fields.CharField(255, description="Stripe's dispute")
    opened_at = fields.DatetimeField(description="When the bank asked")
    evidence_due_at = fields.DatetimeField(null=True, description="Until when it can be answered, at Stripe")
    closed_at = fields.DatetimeField(null=True, description="When the bank had decided")

    class Meta:
        table = "disputes"
        unique_together = (("stripe_account", "live", "stripe_id"),)

    def hear(self, news: DisputeNews) -> bool:
        """Whether the news change its state, and change it."""
        before = self.status
        self.status = DISPUTE.after(before, news)
        return self.status is not before
