"""Partners, what they are told, and every try at telling them."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Branded, Owned
from models.fields import Coded, UrlField, belongs_to
from models.invoice import Invoice
from models.order import Order

ATTEMPTS = 3


class Partner(Owned, Branded):
    """Someone whose products we sell, told of each order."""

    slug = fields.CharField(63, description="Short name, as in a Stripe product's metadata")
    name = fields.CharField(200, description="Usual name")
    staging_url = UrlField(null=True, description="Where test orders are told")
    production_url = UrlField(null=True, description="Where real orders are told")
    api_key = fields.TextField(null=True, description="Sealed: sent as X-API-KEY")
    api_key_last4 = fields.CharField(4, null=True, description="Last four characters of their API key")
    signing_secret = fields.TextField(null=True, description="Sealed: signs each notification")
    active = fields.BooleanField(default=True, description="Whether it is told of new orders")
    tell_free_orders = fields.BooleanField(default=False, description="Whether free orders are told too")

    product_links: Any

    class Meta:
        table = "partners"

    def url(self, live: bool) -> str | None:
        """Where to tell: production for real money, staging for tests."""
        chosen: str | None = self.production_url if live else self.staging_url
        return chosen


class NotificationStatus(Coded):
    """Where a notification stands."""

    PENDING = "PENDING", "To be sent, or sent again"
    DELIVERED = "DELIVERED", "The partner answered 2xx"
    FAILED = "FAILED", "Given up; an admin can send it again"


class Notification(Owned):
    """An event told to a partner, the same `event_id` and `webhook-id` at each try."""

    partner_id: UUID
    partner: Partner = belongs_to("Partner", "notifications", "Who is told")
    order_id: UUID
    order: Order = belongs_to("Order", "notifications", "The order it is about")
    invoice_id: UUID | None
    invoice: Invoice | None = belongs_to("Invoice", "notifications", "Its invoice", null=True)
    event_type = fields.CharField(50, description="What happened: `order.created`")
    event_id = fields.CharField(255, description="The event's id, the same at each try")
    payload = fields.TextField(
        description="What is sent, as JSON in the guide's order; the invoice's link is made at each try"
    )
    live = fields.BooleanField(description="Production address, else staging")
    status = fields.CharEnumField(
        NotificationStatus, max_length=20, default=NotificationStatus.PENDING, description="Where it stands"
    )
    attempts_left = fields.IntField(default=ATTEMPTS, description="Tries left before it is given up")
    next_attempt_at = fields.DatetimeField(null=True, description="When the next try is due")
    delivered_at = fields.DatetimeField(null=True, description="When the partner accepted it")

    attempts: Any

    class Meta:
        table = "notifications"
        unique_together = (("partner", "order", "event_type"),)

    @property
    def webhook_id(self) -> str:
        """Standard Webhooks' message id."""
        return f"msg_{self.id.hex}"


class NotificationAttempt(Owned):
    """One try at telling a partner, and what they answered."""

    notification_id: UUID
    notification: Notification = belongs_to("Notification", "attempts", "The notification")
    number = fields.IntField(description="Which try, from 1")
    url = fields.TextField(description="Where it was sent")
    started_at = fields.DatetimeField(description="When it was sent")
    duration_ms = fields.IntField(description="How long the answer took, in milliseconds")
    status_code = fields.IntField(null=True, description="HTTP status of the answer")
    # Made by PostgreSQL from the status: read it back after a save.
    accepted: Any = fields.BooleanField(generated=True, description="Whether the partner accepted it")
    error = fields.CharField(500, null=True, description="What went wrong, when nothing was answered")
    response = fields.TextField(null=True, description="First 4 KiB of the answer")

    class Meta:
        table = "notification_attempts"
        ordering = ("number",)
        unique_together = (("notification", "number"),)
