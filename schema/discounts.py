"""Discounts: a part of an amount, and the codes that give one."""

import strawberry
from strawberry import UNSET

import models
from schema.base import auto, input, node
from schema.lists import between, filter, order
from schema.scalars import Money, MoneyInput
from services.pricing import Part


@node(models.DiscountCode)
class DiscountCode:
    """A word that a client gives for a discount."""

    code: auto
    name: auto
    percent: auto
    amount: Money
    minimum: Money
    starts_at: auto
    ends_at: auto
    redemptions_most: auto
    per_client_most: auto
    redemptions: auto
    active: auto
    created_at: auto


@strawberry.input(description="A part of an amount: a percent or an amount, one of the two.")
class PartInput:
    percent: int | None = strawberry.field(
        description="In hundredths of a percent, 1 to 10000: 1000 is 10 %.", default=UNSET
    )
    amount: int | None = strawberry.field(description="TTC, in minor units of the order's currency.", default=UNSET)

    @property
    def part(self) -> Part:
        return Part(**{name: value for name, value in vars(self).items() if value is not UNSET})


@strawberry.input(description="A discount on the whole: a percent or an amount, one of the two, and what it is for.")
class DiscountInput(PartInput):
    reason: str | None = strawberry.field(description="What it is for, as on the invoice.", default=UNSET)


@input(models.DiscountCode)
class DiscountCodeCreateInput:
    """A new code: what it takes off, and its limits."""

    code: auto
    name: auto
    percent: auto
    amount: MoneyInput | None = strawberry.field(
        description="Taken off, TTC; none where it is a percent.", default=UNSET
    )
    minimum: MoneyInput | None = strawberry.field(description="Only for orders of as much, TTC.", default=UNSET)
    starts_at: auto
    ends_at: auto
    redemptions_most: auto
    per_client_most: auto


@input(models.DiscountCode, partial=True)
class DiscountCodeUpdateInput:
    """What of a code to change; what it takes off stays as it was told."""

    discount_code: strawberry.ID = strawberry.field(description="Its global id.")
    name: auto
    starts_at: auto
    ends_at: auto
    redemptions_most: auto
    per_client_most: auto
    active: auto


@filter(models.DiscountCode)
class DiscountCodeFilter:
    """Which codes."""

    code: auto
    active: auto
    created_at: between


DiscountCodeOrder = order(models.DiscountCode, created_at="id", code="code")
