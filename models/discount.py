"""Codes that take something off an order."""

from datetime import datetime

from tortoise import fields

import errors
from models.base import Owned
from models.fields import CurrencyField

FIELD = "input.discountCode"  # the input to blame for a code that does not apply


class DiscountCode(Owned):
    """A word that a client gives for a discount: a share of the whole, or an amount; within its limits."""

    code = fields.CharField(40, description="What the client types, upper case")
    name = fields.CharField(200, null=True, description="What it is for, as on the invoice")
    percent = fields.IntField(default=0, description="Taken off, in hundredths of a percent; 0 where it is an amount")
    amount_cents = fields.IntField(default=0, description="Taken off, TTC, in minor units; 0 where it is a share")
    currency = CurrencyField(default="EUR", description="Currency of its amounts")
    minimum_cents = fields.IntField(default=0, description="Only for orders of as much, TTC, in minor units")
    starts_at = fields.DatetimeField(null=True, description="From when on it is good")
    ends_at = fields.DatetimeField(null=True, description="Until when it is good")
    redemptions_most = fields.IntField(null=True, description="How many orders may use it; null for any number")
    per_client_most = fields.IntField(null=True, description="How many orders of one client may use it")
    redemptions = fields.IntField(default=0, description="How many orders use it")
    active = fields.BooleanField(default=True, description="Whether it can be used")

    class Meta:
        table = "discount_codes"

    def must_apply(self, *, subtotal_cents: int, currency: str, used_by_client: int, now: datetime) -> None:
        """Raises Invalid or Conflict, blaming the code, where it does not. The row must be locked."""
        if not self.active or (self.starts_at and now < self.starts_at) or (self.ends_at and now >= self.ends_at):
            raise errors.Invalid("This code is not valid today.", field=FIELD)
        if currency != self.currency and (self.amount_cents or self.minimum_cents):
            raise errors.Invalid(f"This code is for orders in {self.currency}.", field=FIELD)
        if subtotal_cents < self.minimum_cents:
            raise errors.Invalid(
                f"This code is for orders of {self.minimum_cents / 100:.2f} {self.currency} or more.", field=FIELD
            )
        if self.redemptions_most is not None and self.redemptions >= self.redemptions_most:
            raise errors.Conflict("This code has been used as often as it may be.", field=FIELD)
        if self.per_client_most is not None and used_by_client >= self.per_client_most:
            raise errors.Conflict("This client has used this code as often as one may.", field=FIELD)
