"""Partners and what they are told."""

from typing import Annotated, Any

import strawberry

import models
from models import PartnerEvent
from schema.base import auto, computed, enum, input, node, pages
from schema.connections import Connection
from schema.lists import among, between, filter, order
from schema.scalars import DateTime
from services.partner_previews import Preview

EVENT = enum(PartnerEvent)


@node(models.PartnerEndpoint)
class PartnerEndpoint:
    """One of a partner's two addresses, and how telling it goes."""

    live: auto
    failures: auto
    held_until: auto
    opened_at: auto
    disabled_at: auto
    disabled_reason: auto
    told_at: auto

    @computed("Whether it is told as things fall due.", needs=("opened_at", "held_until"))
    def breaker(root: Any) -> enum(models.BreakerState):  # type: ignore[valid-type]
        return models.PartnerEndpoint(opened_at=root.opened_at, held_until=root.held_until).breaker


@node(models.Partner)
class Partner:
    """Someone whose products we sell, told of each order."""

    slug: auto
    name: auto
    staging_url: auto
    production_url: auto
    api_key_last4: auto
    previous_secret_until: auto
    retry_policy: auto
    max_per_minute: auto
    breaker_threshold: auto
    active: auto
    tell_free_orders: auto
    endpoints: list[PartnerEndpoint]
    brand_name: auto
    brand_color: auto
    logo_svg: auto
    logo_png: auto
    contact_email: auto
    contact_phone: auto
    website: auto
    terms_url: auto

    @computed("What it is told.", needs=("events",))
    def events(root: Any) -> list[EVENT]:  # type: ignore[valid-type]
        listed: list[PartnerEvent] = root.event_list
        return listed

    notifications: Connection[Annotated["Notification", strawberry.lazy("schema.partners")]] = pages(  # type: ignore
        "notifications", "What they were told."
    )
    keys: Connection[Annotated["PartnerKey", strawberry.lazy("schema.keys")]] = pages("keys", "Their own keys.")  # type: ignore  # noqa: F821


PartnerOrder = order(models.Partner, created_at="id", name="name")


@node(models.NotificationAttempt)
class NotificationAttempt:
    """One try at telling a partner, and what they answered."""

    number: auto
    url: auto
    started_at: auto
    duration_ms: auto
    status_code: auto
    error: auto
    response: auto
    accepted: auto


@node(models.Notification)
class Notification:
    """An event told to a partner."""

    event_type: auto
    event_id: auto
    status: auto
    live: auto
    attempts_left: auto
    next_attempt_at: auto
    delivered_at: auto
    partner: Partner
    order: Annotated["Order", strawberry.lazy("schema.orders")] | None  # type: ignore[name-defined]  # noqa: F821
    attempts: list[NotificationAttempt]
    created_at: auto

    @computed("The same at each try: Standard Webhooks' `webhook-id`.", needs=("id",))
    def webhook_id(root: Any) -> str:
        return str(root.webhook_id)


@node(models.NotificationReplay)
class NotificationReplay:
    """What failed within a time, sent again: so many at once, until all are."""

    partner: Partner
    live: auto
    since: auto
    until: auto
    total: auto
    replayed: auto
    finished_at: auto
    created_at: auto


@filter(models.Notification)
class NotificationFilter:
    """Which notifications."""

    status: among
    live: auto
    partner: strawberry.ID
    order: strawberry.ID
    created_at: between


@input(models.Partner)
class PartnerCreateInput:
    """A new partner."""

    slug: auto
    name: auto
    staging_url: auto
    production_url: auto
    tell_free_orders: auto
    retry_policy: auto
    max_per_minute: auto
    breaker_threshold: auto
    brand_name: auto
    brand_color: auto
    logo_svg: auto
    logo_png: auto
    contact_email: auto
    contact_phone: auto
    website: auto
    terms_url: auto
    events: list[EVENT] | None = strawberry.field(  # type: ignore[valid-type]
        description="What it is told, one at least; only of orders that are paid unless told.",
        default=strawberry.UNSET,
    )
    api_key: str | None = strawberry.field(
        description="Sent to them as X-API-KEY, 32 characters or more; kept sealed.", default=None
    )


@strawberry.type(description="A partner made.")
class PartnerCreated:
    partner: Partner = strawberry.field(description="The new partner.")
    signing_secret: str = strawberry.field(
        description="Verifies what we send (Standard Webhooks, `whsec_…`). Shown this once: give it to the partner."
    )


@input(models.Partner, partial=True)
class PartnerUpdateInput:
    """What to change of a partner; what is left out stays. Its slug, which Stripe's products name, does."""

    partner: strawberry.ID = strawberry.field(description="The partner's global id.")
    name: auto
    staging_url: auto
    production_url: auto
    active: auto
    tell_free_orders: auto
    retry_policy: auto
    max_per_minute: auto
    breaker_threshold: auto
    brand_name: auto
    brand_color: auto
    logo_svg: auto
    logo_png: auto
    contact_email: auto
    contact_phone: auto
    website: auto
    terms_url: auto
    events: list[EVENT] | None = strawberry.field(  # type: ignore[valid-type]
        description="What it is told from now on, one at least.", default=strawberry.UNSET
    )
    api_key: str | None = strawberry.field(
        description="Sent to them as X-API-KEY from now on, 32 characters or more, kept sealed; null for none.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="Which partner to delete.")
class PartnerDeleteInput:
    partner: strawberry.ID = strawberry.field(description="The partner's global id.")


@strawberry.input(description="Which partner gets another signing secret.")
class PartnerSecretRotateInput:
    partner: strawberry.ID = strawberry.field(description="The partner's global id.")
    overlap_hours: int = strawberry.field(
        description="For how many hours the secret before signs too, beside the new one: 168 at most.", default=0
    )


@strawberry.type(description="A partner has another signing secret.")
class PartnerSecretRotated:
    partner: Partner = strawberry.field(description="The partner.")
    signing_secret: str = strawberry.field(
        description="Verifies what we send from now on. Shown this once: give it to the partner."
    )


@strawberry.input(description="Which notification to send again.")
class NotificationResendInput:
    notification: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.input(description="Which partner to send a test.")
class PartnerTestInput:
    partner: strawberry.ID = strawberry.field(description="The partner's global id.")


@strawberry.type(description="A header of a request.")
class RequestHeader:
    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value; of an API key the last four characters.")


@strawberry.type(
    description="A POST to a partner, to the byte; what HTTP itself adds is left out (Host, Content-Length)."
)
class PartnerRequest:
    url: str | None = strawberry.field(description="Where to; null where the partner has no such address.")
    headers: list[RequestHeader] = strawberry.field(description="In their order; the signature is a real one.")
    body: str = strawberry.field(description="What is sent is this as UTF-8.")

    @classmethod
    def of(cls, shown: Preview) -> "PartnerRequest":
        headers = [RequestHeader(name=name, value=value) for name, value in shown.headers.items()]
        return cls(url=shown.url, headers=headers, body=shown.body)


@strawberry.type(description="A test that was sent, and what came back.")
class PartnerTested:
    request: PartnerRequest = strawberry.field(description="What was sent.")
    accepted: bool = strawberry.field(description="Whether the partner answered 2xx.")
    status_code: int | None = strawberry.field(description="HTTP status of the answer.")
    error: str | None = strawberry.field(description="What went wrong, when nothing was answered.")
    response: str = strawberry.field(description="First 4 KiB of the answer.")
    duration_ms: int = strawberry.field(description="How long the answer took, in milliseconds.")


@strawberry.input(description="What to show the request of.")
class NotificationPreviewInput:
    notification: strawberry.ID | None = strawberry.field(description="The notification's global id.", default=None)
    order: strawberry.ID | None = strawberry.field(description="Or an order that is paid,", default=None)
    partner: strawberry.ID | None = strawberry.field(description="and the partner to tell of it.", default=None)


@strawberry.type(description="What would be sent.")
class NotificationPreviewed:
    request: PartnerRequest = strawberry.field(description="As it would be sent now. Nothing is.")


@input(models.PartnerEndpoint)
class PartnerEndpointDisableInput:
    """Which endpoint to disable."""

    endpoint: strawberry.ID = strawberry.field(description="Its global id.")
    disabled_reason: auto


@strawberry.input(description="Which endpoint to enable.")
class PartnerEndpointEnableInput:
    endpoint: strawberry.ID = strawberry.field(description="Its global id.")
    missed: enum(models.Missed) = strawberry.field(  # type: ignore[valid-type]
        description="What becomes of what fell due meanwhile."
    )


@strawberry.input(description="What to send again.")
class NotificationsReplayInput:
    partner: strawberry.ID = strawberry.field(description="To whom: a partner's global id.")
    live: bool = strawberry.field(description="To the production address, else to staging.")
    since: DateTime = strawberry.field(description="From when on they were made.")
    until: DateTime | None = strawberry.field(description="Before when they were made; now unless given.", default=None)
