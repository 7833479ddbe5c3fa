"""Money that goes back: refunds, disputes, credit notes."""

from typing import Annotated

import strawberry
from strawberry import UNSET

import models
from schema.base import auto, input, node
from schema.lists import among, between, filter
from schema.organizations import Membership
from schema.scalars import Money, MoneyInput


@node(models.Refund)
class Refund:
    """Money of one payment given back, by Stripe or by hand."""

    order: Annotated["Order", strawberry.lazy("schema.orders")]  # type: ignore[name-defined]  # noqa: F821
    payment: Annotated["Payment", strawberry.lazy("schema.orders")] | None  # type: ignore[name-defined]  # noqa: F821
    status: auto
    method: auto
    amount: Money
    reason: auto
    live: auto
    stripe_id: auto
    reference: auto
    requested_by: Membership | None
    credit_notes: list[Annotated["Invoice", strawberry.lazy("schema.invoices")]]  # type: ignore[name-defined]  # noqa: F821
    refunded_at: auto
    failure_reason: auto
    created_at: auto


@node(models.Dispute)
class Dispute:
    """A client's bank asks for the money of a payment back. It is answered at Stripe."""

    order: Annotated["Order", strawberry.lazy("schema.orders")]  # type: ignore[name-defined]  # noqa: F821
    payment: Annotated["Payment", strawberry.lazy("schema.orders")] | None  # type: ignore[name-defined]  # noqa: F821
    status: auto
    amount: Money
    reason: auto
    live: auto
    stripe_id: auto
    opened_at: auto
    evidence_due_at: auto
    closed_at: auto


@filter(models.Refund)
class RefundFilter:
    """Which refunds."""

    status: among
    order: strawberry.ID
    payment: strawberry.ID
    live: auto
    created_at: between


@filter(models.Dispute)
class DisputeFilter:
    """Which disputes."""

    status: among
    order: strawberry.ID
    payment: strawberry.ID
    live: auto
    opened_at: between


@input(models.Refund)
class PaymentRefundInput:
    """How much of which payment to give back, and why."""

    payment: strawberry.ID = strawberry.field(description="The payment's global id.")
    amount: MoneyInput | None = strawberry.field(
        description="How much; all that is left of the payment unless told.", default=UNSET
    )
    reason: auto
    refunded_at: auto
    reference: auto
    cancel_bookings: bool | None = strawberry.field(
        description="Of an order of bookings, where all of the payment goes back: whether those to come are given up"
        " with it, and their clients told. They stand unless told so; `bookingCancel` gives one up with its money.",
        default=UNSET,
    )


@strawberry.input(description="How much of which invoice to credit, without giving money back, and why.")
class CreditNoteCreateInput:
    invoice: strawberry.ID = strawberry.field(description="The invoice's global id.")
    amount: MoneyInput | None = strawberry.field(
        description="How much, TTC; all that is left of the invoice unless told.", default=UNSET
    )
    reason: str = strawberry.field(description="Why, as the credit note says it to the client.")
