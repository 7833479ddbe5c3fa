"""Opportunities, their moves, and the board on which they stand."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from strawberry import UNSET
from tortoise.queryset import QuerySet

import models
from engine.roots import Groups, Sum
from schema.base import auto, computed, enum, expression, input, node, pages
from schema.clients import Client
from schema.connections import Connection, Paginated
from schema.lists import among, between, filter, order
from schema.orders import Order
from schema.organizations import Membership
from schema.scalars import URL, CurrencyCode, DateTime, Money, MoneyInput

STAGE: Any = enum(models.OpportunityStage)

OWNER = "Who sees to it: the global id of their membership."


@node(models.OpportunityMove)
class OpportunityMove:
    """That an opportunity came from one stage to another."""

    author: Membership | None
    from_stage: auto
    to_stage: auto
    reason: auto
    created_at: auto


@node(models.Opportunity)
class Opportunity:
    """Something that a client may buy, on its way through the pipeline."""

    client: Client
    title: auto
    description: auto
    stage: auto
    deposit: Money
    vat_rate: auto
    probability: auto
    expected_on: auto
    owner: Membership | None
    won_at: auto
    lost_at: auto
    lost_reason: auto
    order: Order | None
    payment_status: enum(models.OpportunityPayment) = expression(  # type: ignore[valid-type]
        models.opportunity.PAYMENT, "What came of its money, by the order that it is paid by."
    )
    moves: Connection[OpportunityMove] = pages("moves", "How it came where it stands.")  # type: ignore[assignment]
    quotes: Connection[Annotated["Quote", strawberry.lazy("schema.quotes")]] = pages(  # type: ignore  # noqa: F821
        "quotes", "Quotes that are for it, each version of them."
    )
    created_at: auto

    @computed("What it comes to, TTC; null until it is known.", needs=("amount_cents", "currency"))
    def amount(root: Any) -> Money | None:
        if root.amount_cents is None:
            return None
        return Money(amount=root.amount_cents, currency=CurrencyCode(root.currency))


@strawberry.type(description="The opportunities of one stage.")
class OpportunityColumn:
    stage: STAGE = strawberry.field(description="The stage.")
    count: int = strawberry.field(description="How many there are.")
    totals: list[Money] = strawberry.field(description="What those of a known amount come to, TTC, by currency.")
    rows: strawberry.Private[QuerySet[models.Opportunity] | None]

    @classmethod
    def of(cls, stage: str, sums: Sequence[Sum], rows: QuerySet[models.Opportunity] | None) -> "OpportunityColumn":
        """A stage, given what stands there."""
        known = [(amount, currency) for currency, _, amount in sums if amount is not None]
        return cls(
            stage=models.OpportunityStage(stage),
            count=sum(number for _, number, _ in sums),
            totals=[Money(amount=amount, currency=CurrencyCode(currency)) for amount, currency in known],
            rows=rows,
        )

    @strawberry.field(description="They themselves.", extensions=[Paginated()])
    def opportunities(self) -> Connection[Opportunity]:
        return self.rows  # type: ignore[return-value]


@strawberry.type(description="The pipeline: every stage in its order, with what stands there.")
class OpportunityBoard:
    columns: list[OpportunityColumn] = strawberry.field(description="All six stages, from LEAD to LOST.")


BY_STAGE = Groups(
    models.Opportunity, by="stage", values=[stage.value for stage in models.OpportunityStage], amount="amount_cents",
    currency="currency", make=OpportunityColumn.of, groups="columns", rows="opportunities",
)  # fmt: skip


@filter(models.Opportunity)
class OpportunityFilter:
    """Which opportunities."""

    stage: among
    client: strawberry.ID
    owner: strawberry.ID
    order: strawberry.ID
    expected_on: auto
    probability: between
    created_at: between
    won_at: between


OpportunityOrder = order(models.Opportunity, created_at="id")


@input(models.Opportunity)
class OpportunityCreateInput:
    """A new opportunity."""

    client: strawberry.ID = strawberry.field(description="The client's global id.")
    title: auto
    description: auto
    stage: auto
    amount: MoneyInput | None = strawberry.field(description="What it comes to, TTC, where known.", default=UNSET)
    deposit: MoneyInput | None = strawberry.field(description="What is to be paid first of it.", default=UNSET)
    vat_rate: auto
    probability: auto
    expected_on: auto
    owner: strawberry.ID | None = strawberry.field(description=f"{OWNER} Whoever makes it unless told.", default=UNSET)


@input(models.Opportunity, partial=True)
class OpportunityUpdateInput:
    """What to change of an opportunity; what is left out stays, null takes away."""

    opportunity: strawberry.ID = strawberry.field(description="The opportunity's global id.")
    title: auto
    description: auto
    amount: MoneyInput | None = strawberry.field(
        description="What it comes to, TTC. A payment link that asks for another amount is taken back.", default=UNSET
    )
    deposit: MoneyInput | None = strawberry.field(description="What is to be paid first of it.", default=UNSET)
    vat_rate: auto
    probability: auto
    expected_on: auto
    owner: strawberry.ID | None = strawberry.field(description=OWNER, default=UNSET)


@input(models.Opportunity)
class OpportunityMoveInput:
    """Where an opportunity goes, from where it was seen."""

    opportunity: strawberry.ID = strawberry.field(description="The opportunity's global id.")
    from_stage: STAGE = strawberry.field(description="The stage at which one sees it: it is not moved from another.")
    to_stage: STAGE = strawberry.field(description="The stage to which it comes.")
    lost_reason: auto


@strawberry.input(description="Which opportunity to have paid.")
class OpportunityPaymentLinkInput:
    opportunity: strawberry.ID = strawberry.field(description="The opportunity's global id.")


@strawberry.type(description="Where an opportunity is paid.")
class OpportunityPaymentLink:
    opportunity: Opportunity = strawberry.field(description="The opportunity.")
    order: Order = strawberry.field(description="The order by which it is paid.")
    amount: Money = strawberry.field(description="What is asked for: what is due now.")
    url: URL | None = strawberry.field(
        description="Stripe's Checkout page, the same while it can be used; null where a discount left nothing to pay."
    )
    expires_at: DateTime | None = strawberry.field(description="Until when this page is good: then ask for another.")
