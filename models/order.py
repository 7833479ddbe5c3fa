"""One way to be paid: everything sold becomes an order. The rules of one row, named like speech."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

import errors
from models.base import Owned
from models.client import Client
from models.fields import Coded, CurrencyField, belongs_to
from models.product import Interval, Product
from models.states import ORDER, OrderNews, OrderStatus


class OrderKind(Coded):
    """What was sold, and so what reacts to the payment."""

    PRODUCTS = "PRODUCTS", "Products of the catalogue"
    SUBSCRIPTION = "SUBSCRIPTION", "A period of a subscription: its first, or one more"
    BOOKING = "BOOKING", "Places in appointments"
    BILAN = "BILAN", "A part of a bilan's price"
    OPPORTUNITY = "OPPORTUNITY", "What an opportunity came to"


class OrderSource(Coded):
    """Who began it."""

    BACK_OFFICE = "BACK_OFFICE", "A person of the organization"
    STOREFRONT = "STOREFRONT", "A client, at a storefront"
    STRIPE = "STRIPE", "A client, at Stripe itself: a payment link or a product's page"
    QUOTE = "QUOTE", "A client, who accepted a quote"
    RENEWAL = "RENEWAL", "Stripe, which renewed a subscription"


class Order(Owned):
    """A sale: lines in integer cents, one currency, one client."""

    number = fields.IntField(description="Number within the organization, from 1")
    client_id: UUID
    client: Client = belongs_to("Client", "orders", "Who buys")
    kind = fields.CharEnumField(OrderKind, max_length=20, description="What was sold")
    status = fields.CharEnumField(OrderStatus, max_length=20, default=OrderStatus.OPEN, description="Where it stands")
    source = fields.CharEnumField(
        OrderSource, max_length=20, default=OrderSource.BACK_OFFICE, description="Who began it"
    )
    currency = CurrencyField(description="Currency of every amount")
    subtotal_cents = fields.IntField(description="What the lines come to, TTC, in minor units")
    discount_cents = fields.IntField(default=0, description="Taken off the whole, TTC, in minor units")
    discount_reason = fields.CharField(
        200, null=True, description="What the discount on the whole is for: a code, a word"
    )
    discount_code_id: UUID | None
    discount_code: Any = belongs_to("DiscountCode", "orders", "The code that gave the discount", null=True)
    holds_code = fields.BooleanField(default=False, description="Whether it counts against the code's limits")
    total_cents = fields.IntField(description="Total TTC, in minor units")
    deposit_cents = fields.IntField(default=0, description="To be paid first, TTC, in minor units; 0 for no deposit")
    paid_cents = fields.IntField(default=0, description="Paid so far, in minor units, what went back since included")
    waived_cents = fields.IntField(
        default=0, description="Taken off by credit notes before it was paid, in minor units: less is due"
    )
    refunded_cents = fields.IntField(default=0, description="Given back of what counts, in minor units")
    credited_cents = fields.IntField(
        default=0, description="Taken off by credit notes for money that went back, or is to, in minor units"
    )
    charged_back_cents = fields.IntField(
        default=0, description="Taken back by banks in disputes that were lost, in minor units"
    )
    written_off_cents = fields.IntField(
        default=0, description="Of what banks took back: given up by credit notes, in minor units"
    )
    # Made by PostgreSQL: read it back after a save, or take `balance`.
    balance_cents: Any = fields.IntField(generated=True, description="Still to be paid, in minor units")
    stripe_account = fields.CharField(255, description="Stripe account that is paid")
    live = fields.BooleanField(description="Whether real money moves")
    subscription_id: UUID | None
    subscription: Any = belongs_to(
        "ClientSubscription", "orders", "The subscription of which it pays a period", null=True
    )
    stripe_invoice_id = fields.CharField(255, null=True, description="Stripe's own invoice of that period")
    paid_at = fields.DatetimeField(null=True, description="When it was paid")
    event_id = fields.CharField(
        255, null=True, description="What settled it: the Stripe event's id, else a stable one of ours"
    )

    canceled_at = fields.DatetimeField(null=True, description="When it was given up")
    cancel_reason = fields.CharField(500, null=True, description="Why it was given up")
    welcomed_at = fields.DatetimeField(null=True, description="When the client was welcomed to what it opened")

    lines: Any
    attempts: Any
    payments: Any
    refunds: Any
    invoices: Any

    class Meta:
        table = "orders"
        unique_together = (("organization", "number"),)

    @property
    def is_open(self) -> bool:
        return self.status is OrderStatus.OPEN

    @property
    def is_paid(self) -> bool:
        """Whether it was paid in full, be it given back since."""
        return self.status in (OrderStatus.PAID, OrderStatus.REFUNDED)

    @property
    def is_free(self) -> bool:
        return self.total_cents == 0

    def must_be_open(self) -> None:
        """Raises Conflict where there is nothing left to pay."""
        if self.is_paid:
            raise errors.Conflict(f"Order {self.number} is already paid. Nothing was charged.", field="input.order")
        if not self.is_open:
            raise errors.Conflict(f"Order {self.number} was cancelled. Create a new order.", field="input.order")

    def must_be_sold_once(self) -> None:
        """Raises Conflict for the beginning of a subscription, which is paid on Stripe's page and nowhere else."""
        if self.kind is OrderKind.SUBSCRIPTION:
            raise errors.Conflict(
                f"Order {self.number} begins a subscription: start its checkout (checkoutStart).", field="input.order"
            )

    def must_be_unpaid(self) -> None:
        """Raises Conflict where a part of it is paid."""
        if self.kept_cents:
            raise errors.Conflict(
                f"Order {self.number} is paid in part: refund it before it is cancelled.", field="input.order"
            )

    @property
    def balance(self) -> int:
        """What is still to be paid, in minor units."""
        return self.total_cents - self.waived_cents - self.paid_cents

    @property
    def kept_cents(self) -> int:
        """What is still here of what was paid, in minor units."""
        return self.paid_cents - self.refunded_cents - self.charged_back_cents

    @property
    def due_cents(self) -> int:
        """What is asked for next: what is missing of the deposit, else of the whole."""
        return min(max(self.deposit_cents - self.paid_cents, 0) or self.balance, self.balance)

    @property
    def has_deposit_paid(self) -> bool:
        return 0 < self.deposit_cents <= self.paid_cents

    def receive(self, cents: int) -> None:
        """Money came, no more than the balance."""
        if not 0 < cents <= self.balance:
            raise ValueError(f"{cents} for order {self.id}, of which {self.balance} is to be paid")
        self.paid_cents += cents

    def pay(self, *, at: datetime, event_id: str) -> None:
        """Mark paid. What settled it is named once and for all: partners see it."""
        self.status = ORDER.after(self.status, OrderNews.PAID)
        self.paid_at, self.event_id = at, event_id

    def follow_its_money(self) -> None:
        """Money went back, or came back after all: whatever came first, the end is the same."""
        went = self.refunded_cents > 0 and self.kept_cents == 0
        self.status = ORDER.after(self.status, OrderNews.EMPTIED if went else OrderNews.REFILLED)

    def cancel(self, *, at: datetime, reason: str | None) -> None:
        """Mark given up. Raises Conflict where there is something to lose by it."""
        self.must_be_open()
        self.must_be_unpaid()
        self.give_up(at=at, reason=reason)

    def give_up(self, *, at: datetime, reason: str | None) -> None:
        self.status = ORDER.after(self.status, OrderNews.GIVEN_UP)
        self.canceled_at, self.cancel_reason = at, reason


class OrderLine(Owned):
    """One thing sold, at the price it had then."""

    order_id: UUID
    order: Order = belongs_to("Order", "lines", "The order")
    position = fields.IntField(description="Place on the order, from 1")
    product_id: UUID
    product: Product = belongs_to("Product", "lines", "The product sold")
    description = fields.CharField(200, description="Name of the product when it was sold")
    quantity = fields.IntField(description="How many, 1 or more")
    unit_price_cents = fields.IntField(description="Price TTC of one, in minor units")
    discount_cents = fields.IntField(default=0, description="Taken off the line, TTC, in minor units")
    share_cents = fields.IntField(default=0, description="Its share of the discount on the whole, TTC, in minor units")
    currency = CurrencyField(description="Currency of the price, the order's")
    vat_rate = fields.IntField(description="VAT rate in hundredths of a percent")
    interval = fields.CharEnumField(
        Interval, max_length=10, null=True, description="What the periods of its subscription are counted in"
    )
    interval_count = fields.IntField(null=True, description="How many of these make a period")
    period_start = fields.DatetimeField(null=True, description="From when on it is paid for, of a subscription")
    period_end = fields.DatetimeField(null=True, description="Until when it is paid for, of a subscription")
    total_cents = fields.IntField(description="Price TTC of all, the line's discount taken off, in minor units")

    class Meta:
        table = "order_lines"
        ordering = ("position",)
        unique_together = (("order", "position"),)


class ConflictKind(Coded):
    """Why a person has to look."""

    AMOUNT_MISMATCH = "AMOUNT_MISMATCH", "Stripe took another amount or currency than the order's"
    DUPLICATE_PAYMENT = "DUPLICATE_PAYMENT", "Paid a second time: one payment should be refunded"
    OVERPAID = "OVERPAID", "More came than what was still to be paid"
    CANCELED_ORDER_PAID = "CANCELED_ORDER_PAID", "Paid after it was cancelled"
    REACTION_FAILED = "REACTION_FAILED", "Paid, but what was sold could not react"
    UNKNOWN_SALE = "UNKNOWN_SALE", "Sold at Stripe, of what is not in the catalogue: there is no order"
    REFUND_FAILED = "REFUND_FAILED", "Money that was to go back did not: the client waits for it"
    INVOICE_INCOMPLETE = "INVOICE_INCOMPLETE", "Paid at Stripe, and its invoice lacks what the law asks for"
    SLOT_LOST = (
        "SLOT_LOST",
        "Paid after its hold had ended, and the time was taken: another is to be found, or a refund",
    )
    OPPORTUNITY_LOST = "OPPORTUNITY_LOST", "Paid, and its opportunity is not won, or not any more"
    REFUND_DUE = "REFUND_DUE", "A cancellation owes the client money that Stripe cannot give back"
    DISPUTE_LOST = "DISPUTE_LOST", "A bank took money back: claim it of the client, or write it off"


class ConflictProposal(Coded):
    """What a person may do about it."""

    LOOK = "LOOK", "Look into it"
    REFUND = "REFUND", "Refund the payment"


class Conflict(Owned):
    """Something that a person must settle, nearly always about an order; the money stands as it is."""

    order_id: UUID | None
    order: Order | None = belongs_to("Order", "conflicts", "The order, where there is one", null=True)
    payment_id: UUID | None
    payment: Any = belongs_to("Payment", "conflicts", "The payment that brought it", null=True)
    proposal = fields.CharEnumField(
        ConflictProposal, max_length=20, default=ConflictProposal.LOOK, description="What to do about it"
    )
    proposed_cents = fields.IntField(default=0, description="How much to refund, in minor units; 0 where nothing is")
    currency = CurrencyField(default="EUR", description="Currency of what is proposed")
    kind = fields.CharEnumField(ConflictKind, max_length=30, description="What kind of clash")
    reference = fields.CharField(255, description="What brought it: the payment's or event's id")
    message = fields.CharField(500, description="What happened, for a person")
    resolved_at = fields.DatetimeField(null=True, description="When a person settled it")
    resolution = fields.CharField(500, null=True, description="How it was settled, in that person's words")
    resolved_by_id: UUID | None
    resolved_by: Any = belongs_to("Membership", None, "Who settled it", null=True)

    class Meta:
        table = "conflicts"
        unique_together = (("order", "kind", "reference"),)
