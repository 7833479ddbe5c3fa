"""Orders, their lines, payments, and the checkout."""

from typing import Annotated, Any

import strawberry
from strawberry import UNSET

import models
from schema.base import auto, computed, input, node
from schema.catalogue import Product
from schema.clients import Client
from schema.discounts import DiscountCode, DiscountInput, PartInput
from schema.invoices import Invoice, Reminder
from schema.lists import among, between, filter, is_set, order
from schema.organizations import Membership
from schema.partners import Notification
from schema.refunds import Dispute, Refund
from schema.scalars import URL, DateTime, Email, Money, MoneyInput
from services import links


@node(models.OrderLine)
class OrderLine:
    """One thing sold, at the price it had then."""

    position: auto
    product: Product
    description: auto
    quantity: auto
    unit_price: Money
    discount: Money
    share: Money
    interval: auto
    interval_count: auto
    period_start: auto
    period_end: auto
    vat_rate: auto
    total: Money


@node(models.Payment)
class Payment:
    """Money for an order, come or refused."""

    method: auto
    status: auto
    amount: Money
    applied: Money
    live: auto
    stripe_id: auto
    reference: auto
    recorded_by: Membership | None
    failure_code: auto
    failure_message: auto
    paid_at: auto


@node(models.Conflict)
class Conflict:
    """Something that a person must settle, nearly always about an order."""

    kind: auto
    message: auto
    order: Annotated["Order", strawberry.lazy("schema.orders")] | None
    payment: Payment | None
    proposal: auto
    proposed: Money
    created_at: auto
    resolved_at: auto
    resolution: auto
    resolved_by: Membership | None


@node(models.Order)
class Order:
    """A sale: everything sold becomes one, and the order is what is paid."""

    number: auto
    kind: auto
    status: auto
    source: auto
    client: Client
    subtotal: Money
    discount: Money
    discount_reason: auto
    discount_code: DiscountCode | None
    total: Money
    deposit: Money
    paid: Money
    refunded: Money
    charged_back: Money
    waived: Money
    balance: Money
    lines: list[OrderLine]
    payments: list[Payment]
    refunds: list[Refund]
    disputes: list[Dispute]
    invoices: list[Invoice]
    notifications: list[Notification]
    reminders: list[Reminder]
    conflicts: list[Conflict]
    subscription: Annotated["ClientSubscription", strawberry.lazy("schema.subscriptions")] | None  # type: ignore  # noqa: F821
    bookings: list[Annotated["Booking", strawberry.lazy("schema.bookings")]]  # type: ignore  # noqa: F821
    quotes: list[Annotated["Quote", strawberry.lazy("schema.quotes")]]  # type: ignore  # noqa: F821
    opportunities: list[Annotated["Opportunity", strawberry.lazy("schema.opportunities")]]  # type: ignore  # noqa: F821
    live: auto
    paid_at: auto
    canceled_at: auto
    cancel_reason: auto
    created_at: auto

    @computed("Where the client pays what is due, whenever that is; null where nothing is.", needs=("id", "status"))
    def pay_url(root: Any) -> URL | None:
        return URL(links.pay_link(root)) if root.is_open else None


@filter(models.Order)
class OrderFilter:
    """Which orders."""

    status: among
    kind: among
    source: among
    number: auto
    client: strawberry.ID
    subscription: strawberry.ID
    live: auto
    total: between
    balance: between
    created_at: between
    paid_at: between


@filter(models.Conflict)
class ConflictFilter:
    """Which of them."""

    kind: among
    order: strawberry.ID
    resolved: is_set("resolved_at")  # type: ignore[valid-type]
    created_at: between


OrderOrder = order(models.Order, created_at="id", number="number", total="total_cents")


@input(models.OrderLine)
class OrderLineInput:
    """What is bought, and how many."""

    product: strawberry.ID = strawberry.field(description="The product's global id.")
    quantity: auto
    discount: PartInput | None = strawberry.field(description="Taken off this line.", default=UNSET)


@input(models.Order)
class OrderCreateInput:
    """A new order."""

    client: strawberry.ID = strawberry.field(description="The client's global id.")
    lines: list[OrderLineInput] = strawberry.field(description="1 to 100 lines.")
    discount: DiscountInput | None = strawberry.field(description="Taken off the whole.", default=UNSET)
    discount_code: str | None = strawberry.field(description="A code instead, as the client gave it.", default=UNSET)
    deposit: PartInput | None = strawberry.field(
        description="What is to be paid first, of the total; the rest is its balance.", default=UNSET
    )


@strawberry.input(description="Another discount on the whole of an order; none takes it away.")
class OrderDiscountInput:
    order: strawberry.ID = strawberry.field(description="The order's global id.")
    discount: DiscountInput | None = strawberry.field(description="Taken off the whole.", default=UNSET)
    discount_code: str | None = strawberry.field(description="A code instead, as the client gave it.", default=UNSET)


@strawberry.input(description="Which order to invoice before it is paid.")
class OrderInvoiceInput:
    order: strawberry.ID = strawberry.field(description="The order's global id.")


@input(models.Order)
class OrderCancelInput:
    """Which order to give up, and why."""

    order: strawberry.ID = strawberry.field(description="The order's global id.")
    cancel_reason: auto


@input(models.Payment)
class PaymentRecordInput:
    """Money that came outside Stripe."""

    order: strawberry.ID = strawberry.field(description="The order that it pays.")
    method: auto
    amount: MoneyInput | None = strawberry.field(description="How much; all of the balance unless told.", default=UNSET)
    paid_at: auto
    reference: auto


@strawberry.input(description="Which order to ask Stripe about.")
class PaymentConfirmInput:
    order: strawberry.ID = strawberry.field(description="The order's global id.")


@strawberry.input(description="Which order to pay by the front end's own form.")
class PaymentIntentStartInput:
    order: strawberry.ID = strawberry.field(description="The order's global id.")


@input(models.Conflict)
class ConflictResolveInput:
    """What a person settled, and how."""

    conflict: strawberry.ID = strawberry.field(description="Its global id.")
    resolution: str = strawberry.field(description="How it was settled: who comes after reads it.")


@input(models.Client)
class CheckoutStartInput:
    """Which order to pay, or, from a storefront, what is bought by whom; and where the client comes back to."""

    order: strawberry.ID | None = strawberry.field(description="The order's global id.", default=UNSET)
    email: Email | None = strawberry.field(description="Of a storefront: the client's address.", default=UNSET)
    lines: list[OrderLineInput] | None = strawberry.field(
        description="Of a storefront: what is bought, 1 to 100 lines.", default=UNSET
    )
    discount_code: str | None = strawberry.field(
        description="Of a storefront: a code, as the client gave it.", default=UNSET
    )
    first_name: auto
    last_name: auto
    phone: auto
    success_url: URL = strawberry.field(
        description="Where the client lands once paid; `{CHECKOUT_SESSION_ID}` is filled in."
    )
    cancel_url: URL | None = strawberry.field(description="Where the client lands on giving up.", default=UNSET)


@strawberry.type(description="The client can pay.")
class CheckoutStarted:
    order: Order | None = strawberry.field(description="The order to be paid, where the caller may see it.")
    order_number: int = strawberry.field(description="The order's number.")
    amount: Money = strawberry.field(description="What is due now: all of it, a deposit, or a balance.")
    url: URL = strawberry.field(description="The payment page, to send the client to.")
    expires_at: DateTime = strawberry.field(description="Until when the page can be used.")


@strawberry.type(description="There was nothing to pay: the order is complete.")
class OrderCompleted:
    order: Order | None = strawberry.field(description="The completed order, where the caller may see it.")
    order_number: int = strawberry.field(description="The order's number.")


@strawberry.type(description="The front end's form can take the payment.")
class PaymentIntentStarted:
    order: Order | None = strawberry.field(description="The order to be paid.")
    amount: Money = strawberry.field(description="What is due now: all of it, a deposit, or a balance.")
    client_secret: str = strawberry.field(
        description="For Stripe.js (`stripe.confirmPayment`). Who holds it can pay, and see the amount: log it nowhere."
    )
    publishable_key: str | None = strawberry.field(description="Stripe's own, for Stripe.js; null where it is not set.")


CheckoutResult = Annotated[
    CheckoutStarted | OrderCompleted,
    strawberry.union("CheckoutResult", description="What came of starting a checkout."),
]

PaymentIntentResult = Annotated[
    PaymentIntentStarted | OrderCompleted,
    strawberry.union("PaymentIntentResult", description="What came of starting a PaymentIntent."),
]
