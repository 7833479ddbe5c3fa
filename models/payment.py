"""Money: what we asked an outside system for, and what came of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.client import Client
from models.fields import Coded, CurrencyField, belongs_to
from models.order import Order
from models.product import Product
from models.states import PAYMENT, PaymentNews, PaymentStatus


class Operation(Coded):
    """What an attempt asks for."""

    CREATE_CUSTOMER = "CREATE_CUSTOMER", "The client's Stripe customer"
    CREATE_PRODUCT = "CREATE_PRODUCT", "The product's Stripe product"
    CREATE_PRICE = "CREATE_PRICE", "The product's recurring price at Stripe"
    CREATE_COUPON = "CREATE_COUPON", "The order's discount, as a Stripe coupon"
    CHECKOUT = "CHECKOUT", "A Checkout Session for the order"
    PAYMENT_INTENT = "PAYMENT_INTENT", "A PaymentIntent for the order"
    REFUND = "REFUND", "Money of the order given back"


class AttemptStatus(Coded):
    """What came of an attempt."""

    PENDING = "PENDING", "Asked; the outcome is not known yet"
    OPEN = "OPEN", "Granted, and waiting for the client"
    PROCESSING = "PROCESSING", "Used; the money is on its way"
    COMPLETED = "COMPLETED", "Granted and used"
    EXPIRED = "EXPIRED", "Granted, and never used in time"
    CLOSED = "CLOSED", "Granted, and taken back by us before it was used"
    FAILED = "FAILED", "Refused"


class Attempt(Owned):
    """One try at an outside operation. It gives the idempotency key, so the same try can be repeated safely.

    Stripe replays what it stored for a key, errors included: an unknown outcome repeats the same attempt; a
    refusal, another request or an expired session takes the next one.
    """

    order_id: UUID | None
    order: Order | None = belongs_to("Order", "attempts", "The order it is for", null=True)
    client_id: UUID | None
    client: Client | None = belongs_to("Client", "attempts", "The client it is for", null=True)
    product_id: UUID | None
    product: Product | None = belongs_to("Product", "attempts", "The product it is for", null=True)
    operation = fields.CharEnumField(Operation, max_length=30, description="What is asked for")
    number = fields.IntField(description="Which try, from 1")
    status = fields.CharEnumField(
        AttemptStatus, max_length=20, default=AttemptStatus.PENDING, description="What came of it"
    )
    request: Any = fields.JSONField(description="The parameters sent, the same at each repetition")
    stripe_account = fields.CharField(255, description="Stripe account that is asked")
    live = fields.BooleanField(description="Whether in live mode")
    stripe_id = fields.CharField(255, null=True, description="Id of what was granted")
    amount_cents = fields.IntField(null=True, description="What the client is asked to pay, in minor units")
    url: Any = fields.TextField(null=True, description="Where the client pays")
    expires_at = fields.DatetimeField(null=True, description="Until when the client may pay")
    error = fields.CharField(500, null=True, description="Why it was refused")

    class Meta:
        table = "attempts"

    @property
    def idempotency_key(self) -> str:
        """Derived from what is asked and for whom, never from the clock or an address."""
        subject, key = next(
            (name, value)
            for name, value in (("order", self.order_id), ("client", self.client_id), ("product", self.product_id))
            if value
        )
        return f"{subject}:{key}:{self.operation.value.lower()}:{self.number}"

    @property
    def is_to_pay(self) -> bool:
        """Whether a client is to use what it asks for: the rest is complete once granted."""
        return self.operation in (Operation.CHECKOUT, Operation.PAYMENT_INTENT)

    def grant(self, stripe_id: str, url: str | None = None, expires_at: datetime | None = None) -> None:
        """The outside system said yes. What is granted to be used stays open; the rest is complete at once."""
        self.stripe_id, self.url, self.expires_at, self.error = stripe_id, url, expires_at, None
        self.status = AttemptStatus.OPEN if self.is_to_pay else AttemptStatus.COMPLETED

    def can_be_used(self, operation: Operation, amount_cents: int, now: datetime) -> bool:
        """Whether a client can pay this amount by it."""
        good = self.status is AttemptStatus.OPEN and (self.expires_at is None or self.expires_at > now)
        return good and (self.operation, self.amount_cents) == (operation, amount_cents)

    def refuse(self, reason: str) -> None:
        """It said no, for good: the next try takes the next number."""
        self.status, self.error = AttemptStatus.FAILED, reason[:500]

    # News of one attempt may come in any order: what says most about the end wins.

    def expire(self) -> None:
        """The client did not use it in time."""
        if self.status in (AttemptStatus.PENDING, AttemptStatus.OPEN):
            self.status = AttemptStatus.EXPIRED

    def close(self) -> None:
        """We took it back, before it was used."""
        if self.status in (AttemptStatus.PENDING, AttemptStatus.OPEN, AttemptStatus.EXPIRED):
            self.status = AttemptStatus.CLOSED

    def process(self) -> None:
        """The client used it; the money is on its way."""
        if self.status not in (AttemptStatus.COMPLETED, AttemptStatus.FAILED):
            self.status = AttemptStatus.PROCESSING

    def fail(self) -> None:
        """The client used it, and no money came."""
        if self.status is not AttemptStatus.COMPLETED:
            self.status = AttemptStatus.FAILED

    def complete(self) -> None:
        self.status = AttemptStatus.COMPLETED


class PaymentMethod(Coded):
    """How money came."""

    STRIPE = "STRIPE", "Through Stripe"
    PAYPAL = "PAYPAL", "Through PayPal"
    TRANSFER = "TRANSFER", "Bank transfer"
    CHEQUE = "CHEQUE", "Cheque"
    CASH = "CASH", "Cash"
    CPF = "CPF", "Compte personnel de formation"


class Payment(Owned):
    """Money for an order, by one PaymentIntent or one manual record."""

    order_id: UUID
    order: Order = belongs_to("Order", "payments", "The order paid")
    method = fields.CharEnumField(PaymentMethod, max_length=20, description="How it was paid")
    status = fields.CharEnumField(PaymentStatus, max_length=20, description="What came of it")
    amount_cents = fields.IntField(description="Amount in minor units, more than 0")
    applied_cents = fields.IntField(
        default=0, description="How much of it counts towards the order; what does not fit waits for a person"
    )
    currency = CurrencyField(description="Currency of the amount")
    stripe_account = fields.CharField(255, description="Stripe account that was paid")
    live = fields.BooleanField(description="Whether real money moved")
    stripe_id = fields.CharField(255, null=True, description="Stripe's PaymentIntent")
    event_id = fields.CharField(255, null=True, description="Stripe's event that told of it")
    reference = fields.CharField(
        200, null=True, description="What the bank says of it: a transfer's label, a cheque's number"
    )
    recorded_by_id: UUID | None
    recorded_by: Any = belongs_to("Membership", None, "Who recorded it by hand", null=True)
    failure_code = fields.CharField(100, null=True, description="Stripe's code for a refusal")
    failure_message = fields.CharField(500, null=True, description="Why it was refused, in words")
    paid_at = fields.DatetimeField(null=True, description="When the money was taken")
    news_at = fields.DatetimeField(null=True, description="When Stripe said what we know: older news change nothing")
    told_at = fields.DatetimeField(null=True, description="When the client was told that it failed")

    class Meta:
        table = "payments"

    @property
    def uncounted_cents(self) -> int:
        """What of it never counted, and goes back first."""
        return self.amount_cents - self.applied_cents

    def hears(self, news: PaymentNews) -> bool:
        """Whether the news come in time to matter."""
        return PAYMENT.hears(self.status, news)

    def hear(self, news: PaymentNews) -> None:
        self.status = PAYMENT.after(self.status, news)
