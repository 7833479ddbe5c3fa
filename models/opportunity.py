"""Opportunities: what may come to be sold to a client, from the first word to won or lost."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

import errors
from models.base import Owned
from models.client import Client
from models.fields import Coded, CurrencyField, belongs_to

FIELD = "input.opportunity"

# What OpportunityPayment an opportunity is at, in SQL. Over the orders table, whose row is always seen with the
# client's.
PAYMENT = """coalesce((SELECT CASE
    WHEN o.status = 'REFUNDED' THEN 'REFUNDED' WHEN o.status = 'CANCELED' THEN 'CANCELED'
    WHEN o.status = 'PAID' AND o.refunded_cents + o.charged_back_cents > 0 THEN 'PARTLY_REFUNDED'
    WHEN o.status = 'PAID' THEN 'PAID'
    WHEN o.paid_cents - o.refunded_cents - o.charged_back_cents > 0 THEN 'PARTLY_PAID' ELSE 'AWAITED' END
    FROM orders o WHERE o.id = "opportunities"."order_id"), 'NOT_ASKED')"""


class OpportunityStage(Coded):
    """How far an opportunity has come."""

    LEAD = "LEAD", "Somebody may be interested"
    QUALIFIED = "QUALIFIED", "There is a need, and money for it"
    PROPOSAL = "PROPOSAL", "Something was proposed"
    NEGOTIATION = "NEGOTIATION", "It is being agreed on"
    WON = "WON", "The client said yes: it can be paid"
    LOST = "LOST", "It came to nothing"


class OpportunityPayment(Coded):
    """What came of the money of an opportunity. Computed from its order; no column holds it."""

    NOT_ASKED = "NOT_ASKED", "Nothing was asked for yet"
    AWAITED = "AWAITED", "Nothing of what was asked for is here"
    PARTLY_PAID = "PARTLY_PAID", "A part is paid"
    PAID = "PAID", "All of it is paid"
    PARTLY_REFUNDED = "PARTLY_REFUNDED", "A part of what was paid went back"
    REFUNDED = "REFUNDED", "All that was paid went back"
    CANCELED = "CANCELED", "Its order was given up"


class Opportunity(Owned):
    """Something that a client may buy, at an amount TTC that is known sooner or later."""

    client_id: UUID
    client: Client = belongs_to("Client", "opportunities", "Who may buy")
    title = fields.CharField(200, description="What it is, in a line; once won, the client reads it")
    description = fields.CharField(2000, null=True, description="More of it; the client does not read it")
    stage = fields.CharEnumField(
        OpportunityStage, max_length=20, default=OpportunityStage.LEAD, description="How far it has come"
    )
    amount_cents = fields.IntField(null=True, description="What it comes to, TTC, in minor units; null until known")
    deposit_cents = fields.IntField(default=0, description="To be paid first, TTC, in minor units; 0 for no deposit")
    currency = CurrencyField(default="EUR", description="Currency of every amount")
    vat_rate = fields.IntField(default=2000, description="VAT rate in hundredths of a percent: 2000 is 20 %")
    probability = fields.IntField(default=50, description="How likely it is to be won, in percent, 0 to 100")
    expected_on = fields.DateField(null=True, description="The day by which it should be decided")
    owner_id: UUID | None
    owner: Any = belongs_to("Membership", None, "Who sees to it", null=True)
    won_at = fields.DatetimeField(null=True, description="When it was won")
    lost_at = fields.DatetimeField(null=True, description="When it was lost")
    lost_reason = fields.CharField(500, null=True, description="Why it was lost")
    # Orders, invoices and Stripe know products. Made with the first order, and not for sale by itself.
    product_id: UUID | None
    product: Any = belongs_to("Product", None, "What stands for it on orders", null=True)
    order_id: UUID | None
    order: Any = belongs_to("Order", "opportunities", "The order by which it is paid", null=True)

    moves: Any
    quotes: Any

    class Meta:
        table = "opportunities"

    @property
    def is_won(self) -> bool:
        return self.stage is OpportunityStage.WON

    def must_be_payable(self) -> None:
        """Raises Conflict where nothing can be asked for."""
        if not self.is_won:
            raise errors.Conflict(
                f"This opportunity is {self.stage}: move it to WON (opportunityMove), then ask for its payment.",
                field=FIELD,
            )
        if self.amount_cents is None:
            raise errors.Conflict("This opportunity has no amount: give it one (opportunityUpdate).", field=FIELD)

    def come_to(self, stage: OpportunityStage, *, at: datetime, reason: str | None = None) -> None:
        """It is at another stage from now on."""
        self.stage = stage
        self.won_at = at if stage is OpportunityStage.WON else None
        self.lost_at, self.lost_reason = (at, reason) if stage is OpportunityStage.LOST else (None, None)


class OpportunityMove(Owned):
    """That an opportunity came from one stage to another, who moved it, and when."""

    opportunity_id: UUID
    opportunity: Opportunity = belongs_to("Opportunity", "moves", "The opportunity")
    author_id: UUID | None
    author: Any = belongs_to("Membership", None, "Who moved it; null for the client, and for a key", null=True)
    from_stage = fields.CharEnumField(
        OpportunityStage, max_length=20, null=True, description="Where it stood before; null at its beginning"
    )
    to_stage = fields.CharEnumField(OpportunityStage, max_length=20, description="Where it stands since")
    reason = fields.CharField(500, null=True, description="Why it was lost")

    class Meta:
        table = "opportunity_moves"
