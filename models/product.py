"""What is sold from the catalogue."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import AtStripe, Owned
from models.fields import Coded, CurrencyField, belongs_to


class OperationCategory(Coded):
    """What is sold, as invoices have to say it (art. 242 nonies A, I-8° bis, de l'annexe II au CGI)."""

    GOODS = "GOODS", "Delivery of goods"
    SERVICES = "SERVICES", "Provision of services"
    MIXED = "MIXED", "Both"


class Interval(Coded):
    """What the periods of a subscription are counted in."""

    DAY = "DAY", "Days"
    WEEK = "WEEK", "Weeks"
    MONTH = "MONTH", "Months"
    YEAR = "YEAR", "Years"


class StandIn(Coded):
    """What a product stands for that is no thing of the catalogue: orders, invoices and Stripe know products alone."""

    SERVICE = "SERVICE", "A service that is booked"
    FORMULE = "FORMULE", "A bilan by its formule"
    OPPORTUNITY = "OPPORTUNITY", "Something that was agreed with one client"


class Product(Owned, AtStripe):
    """A thing in the catalogue, sold TTC: once, or each period of a subscription."""

    name = fields.CharField(200, description="Name, as on the invoice")
    description = fields.CharField(2000, null=True, description="What one gets")
    level = fields.IntField(null=True, description="Access level that buying it grants")
    price_cents = fields.IntField(description="Price TTC, in minor units; 0 for a free product")
    currency = CurrencyField(default="EUR", description="Currency of the price")
    vat_rate = fields.IntField(default=2000, description="VAT rate in hundredths of a percent: 2000 is 20 %")
    operation_category = fields.CharEnumField(
        OperationCategory, max_length=20, default=OperationCategory.SERVICES, description="Goods, services or both"
    )
    interval = fields.CharEnumField(
        Interval,
        max_length=10,
        null=True,
        description="What the periods of its subscription are counted in; null where it is sold once",
    )
    interval_count = fields.IntField(
        null=True, description="How many of these make a period that the price pays; null where it is sold once"
    )
    pack_sessions = fields.IntField(
        null=True, description="How many sessions it is a prepaid pack of; null for what is no pack"
    )
    pack_days = fields.IntField(
        null=True, description="For how many days from its payment a pack may be used; null for one without end"
    )
    active = fields.BooleanField(default=True, description="Whether it can be sold")
    stands_for = fields.CharEnumField(
        StandIn, max_length=20, null=True, description="What it stands for on orders; null for what is in the catalogue"
    )

    partner_links: Any
    service_links: Any

    class Meta:
        table = "products"

    @property
    def recurs(self) -> bool:
        return self.interval is not None


class AccessWithdrawal(Coded):
    """Why a client may not use something any longer."""

    REFUNDED = "REFUNDED", "The order was given back whole"
    DISPUTED = "DISPUTED", "Its payment is disputed, and the organization waits for the bank"
    DISPUTE_LOST = "DISPUTE_LOST", "The bank took its payment back"


class Access(Owned):
    """What a client may use, from when to when: each order grants its own, and takes only its own back."""

    client_id: UUID
    client: Any = belongs_to("Client", "accesses", "Who may use it")
    product_id: UUID
    product: Product = belongs_to("Product", "accesses", "What they may use")
    order_id: UUID
    order: Any = belongs_to("Order", "accesses", "The order that granted it")

    live = fields.BooleanField(description="Whether real money bought it")
    starts_at = fields.DatetimeField(description="From when on")
    ends_at = fields.DatetimeField(null=True, description="Until when; null for as long as it is not withdrawn")
    withdrawn_at = fields.DatetimeField(null=True, description="When it was withdrawn")
    withdrawn_reason = fields.CharEnumField(
        AccessWithdrawal, max_length=20, null=True, description="Why it was withdrawn"
    )

    class Meta:
        table = "accesses"
        unique_together = (("order", "product"),)

    def withdraw(self, reason: AccessWithdrawal) -> None:
        """It may not be used any longer; when that began stays, whatever is learnt of why."""
        self.withdrawn_at = self.withdrawn_at or datetime.now(UTC)
        self.withdrawn_reason = reason

    def restore(self) -> None:
        """It may be used again."""
        self.update_from_dict({"withdrawn_at": None, "withdrawn_reason": None})


class ProductPartner(Owned):
    """A partner who is told when the product is sold; the oldest one's brand is on the invoice."""

    product_id: UUID
    product: Product = belongs_to("Product", "partner_links", "The product")
    partner_id: UUID
    partner: Any = belongs_to("Partner", "product_links", "The partner")

    class Meta:
        table = "product_partners"
        unique_together = (("product", "partner"),)
