"""Partners, what they are told, and every try at telling them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Branded, Owned
from models.fields import Coded, UrlField, belongs_to
from models.invoice import Invoice
from models.order import Order

ATTEMPTS = 3  # of the partner guide


class RetryPolicy(Coded):
    """What comes after an answer that is not 2xx."""

    GUIDE = "GUIDE", "The partner guide's: 4xx and redirects are final; three attempts: at once, after 5 min, after 30"
    STANDARD = (
        "STANDARD",
        "Standard Webhooks': ten attempts over 75 h whatever the answer, `Retry-After` honoured; 429 makes all wait,"
        " 410 disables the endpoint",
    )

    @property
    def pauses(self) -> tuple[timedelta, ...]:
        """How long after each failure the next attempt is due."""
        return _PAUSES[self]

    @property
    def attempts(self) -> int:
        return len(self.pauses) + 1


_PAUSES = {
    RetryPolicy.GUIDE: (timedelta(minutes=5), timedelta(minutes=30)),
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Deliverability"
    RetryPolicy.STANDARD: (
        timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30),
        *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
    ),
}  # fmt: skip


class PartnerEvent(Coded):
    """What a partner can ask to be told."""

    ORDER_CREATED = "order.created", "An order is paid"
    ORDER_REFUNDED = "order.refunded", "Money of an order was given back"


class Partner(Owned, Branded):
    """Someone whose products we sell, told of each order."""

    slug = fields.CharField(63, description="Short name, as in a Stripe product's metadata")
    name = fields.CharField(200, description="Usual name")
    staging_url = UrlField(null=True, description="Where test orders are told")
    production_url = UrlField(null=True, description="Where real orders are told")
    api_key = fields.TextField(null=True, description="Sealed: sent as X-API-KEY")
    api_key_last4 = fields.CharField(4, null=True, description="Last four characters of their API key")
    signing_secret = fields.TextField(null=True, description="Sealed: signs each notification")
    previous_secret = fields.TextField(null=True, description="Sealed: signs beside the other during a rotation")
    previous_secret_until = fields.DatetimeField(null=True, description="Until when the secret before signs too")
    retry_policy = fields.CharEnumField(
        RetryPolicy, max_length=20, default=RetryPolicy.GUIDE, description="What comes after a failure"
    )
    max_per_minute = fields.IntField(null=True, description="Most notifications a minute; null for no bound")
    breaker_threshold = fields.IntField(
        null=True, description="Failures in a row after which all wait for one probe to succeed; null for never"
    )
    active = fields.BooleanField(default=True, description="Whether it is told of new orders")
    tell_free_orders = fields.BooleanField(default=False, description="Whether free orders are told too")
    events = fields.TextField(default=PartnerEvent.ORDER_CREATED.value, description="What it is told, one event a line")

    product_links: Any
    endpoints: Any

    class Meta:
        table = "partners"

    @property
    def event_list(self) -> list[PartnerEvent]:
        return [PartnerEvent(event) for event in self.events.splitlines()]

    def url(self, live: bool) -> str | None:
        """Where to tell: production for real money, staging for tests."""
        chosen: str | None = self.production_url if live else self.staging_url
        return chosen

    @property
    def is_rotating(self) -> bool:
        """Whether the secret before still signs too."""
        return self.previous_secret_until is not None and self.previous_secret_until > datetime.now(UTC)


class BreakerState(Coded):
    """Whether an endpoint is told as things fall due."""

    CLOSED = "CLOSED", "It is"
    OPEN = "OPEN", "Too many failures in a row: all wait, and use up no attempt"
    HALF_OPEN = "HALF_OPEN", "The next notification is a probe: all go out again once it is accepted"


class PartnerEndpoint(Owned):
    """One of a partner's two addresses, and how telling it goes."""

    partner_id: UUID
    partner: Partner = belongs_to("Partner", "endpoints", "Whose address")
    live = fields.BooleanField(description="Production address, else staging")
    failures = fields.IntField(default=0, description="Failures in a row: 5xx, 429, or no answer")
    opened_at = fields.DatetimeField(null=True, description="Since when the breaker is open")
    probes = fields.IntField(default=0, description="Probes that failed since the breaker opened")
    held_until = fields.DatetimeField(null=True, description="Nothing is sent before: pace, breaker, or their wish")
    disabled_at = fields.DatetimeField(null=True, description="Since when nothing is sent: what is due is kept")
    disabled_reason = fields.CharField(200, null=True, description="Why it is disabled")
    told_at = fields.DatetimeField(null=True, description="When it was told last")
    alerted_at = fields.DatetimeField(null=True, description="When somebody was last alerted of this outage")
    lease_until = fields.DatetimeField(null=True, description="Until when a worker tells it")
    lease_id = fields.UUIDField(null=True, description="Whose turn it is: a worker's, for one round")

    class Meta:
        table = "partner_endpoints"
        unique_together = (("partner", "live"),)

    @property
    def is_leased(self) -> bool:
        """Whether a worker is telling it."""
        return self.lease_until is not None and self.lease_until > datetime.now(UTC)

    @property
    def breaker(self) -> BreakerState:
        """Half open once its time is over, until the probe."""
        if self.opened_at is None:
            return BreakerState.CLOSED
        waits = self.held_until is not None and self.held_until > datetime.now(UTC)
        return BreakerState.OPEN if waits else BreakerState.HALF_OPEN


class NotificationStatus(Coded):
    """Where a notification stands."""

    PENDING = "PENDING", "To be sent, or sent again"
    DELIVERED = "DELIVERED", "The partner answered 2xx"
    FAILED = "FAILED", "Given up; an admin can send it again"
    SKIPPED = "SKIPPED", "Left out when its endpoint was enabled again; an admin can send it"


class Notification(Owned):
    """An event told to a partner, the same `event_id` and `webhook-id` at each try."""

    partner_id: UUID
    partner: Partner = belongs_to("Partner", "notifications", "Who is told")
    order_id: UUID
    order: Order = belongs_to("Order", "notifications", "The order it is about")
    invoice_id: UUID | None
    invoice: Invoice | None = belongs_to("Invoice", "notifications", "Its invoice", null=True)
    event_type = fields.CharField(50, description="What happened: `order.created`, `order.refunded`")
    event_id = fields.CharField(255, description="The event's id, the same at each try")
    payload = fields.TextField(
        description="What is sent, as JSON in the guide's order; the invoice's link is made at each try"
    )
    live = fields.BooleanField(description="Production address, else staging")
    status = fields.CharEnumField(
        NotificationStatus, max_length=20, default=NotificationStatus.PENDING, description="Where it stands"
    )
    attempts_left = fields.IntField(default=ATTEMPTS, description="Tries left before it is given up")
    next_attempt_at = fields.DatetimeField(
        null=True, description="When the next try is due; null while it waits for its invoice, and at the end"
    )
    delivered_at = fields.DatetimeField(null=True, description="When the partner accepted it")

    attempts: Any

    class Meta:
        table = "notifications"
        unique_together = (("partner", "order", "event_type", "event_id"),)

    @property
    def webhook_id(self) -> str:
        """Standard Webhooks' message id."""
        return webhook_id(self.id)


def webhook_id(id: UUID) -> str:
    """The same, of a notification that is not at hand."""
    return f"msg_{id.hex}"


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


class Missed(Coded):
    """What becomes of what fell due while an endpoint was disabled."""

    TELL = "TELL", "It is told now"
    SKIP = "SKIP", "It is left out: its status is `SKIPPED`, and it can be sent by hand"


class NotificationReplay(Owned):
    """What failed within a time, sent again: so many at once, until all are."""

    partner_id: UUID
    partner: Partner = belongs_to("Partner", "replays", "Who is told again")
    live = fields.BooleanField(default=False, description="Production address, else staging")
    since = fields.DatetimeField(description="From when on they were made")
    until = fields.DatetimeField(description="Before when they were made")
    total = fields.IntField(description="How many had failed")
    replayed = fields.IntField(default=0, description="How many of them were sent again, or are about to be")
    reached_id = fields.UUIDField(null=True, description="The last of them: they are taken in the order of their ids")
    finished_at = fields.DatetimeField(null=True, description="When the last was")

    class Meta:
        table = "notification_replays"
