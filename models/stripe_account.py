"""An organization's own accounts at Stripe."""

from typing import Any

from tortoise import fields

from models.base import Owned


class StripeAccount(Owned):
    """An account and mode of Stripe's that an organization connected.

    It stays when another takes its place: what was sold through it is asked after, refunded and renewed there.
    """

    account = fields.CharField(255, description="Stripe's id of the account: `acct_…`")
    live = fields.BooleanField(description="Whether its keys move real money")
    name = fields.CharField(200, null=True, description="What the account is called at Stripe")
    current = fields.BooleanField(default=False, description="Whether new sales are paid there")
    secret_key: Any = fields.TextField(null=True, description="Secret or restricted key, sealed")
    publishable_key = fields.CharField(255, null=True, description="`pk_…`, for front ends with their own payment form")
    webhook_secrets: Any = fields.TextField(
        null=True, description="What signs its events, sealed: the newest first, two at most, comma-separated"
    )
    endpoint_id = fields.CharField(255, null=True, description="The webhook endpoint that we made there")
    version = fields.IntField(default=1, description="Goes up with each change of a key")
    refused_at = fields.DatetimeField(null=True, description="When Stripe refused its key last; null since it took it")

    class Meta:
        table = "stripe_accounts"
        unique_together = (("account", "live"),)
