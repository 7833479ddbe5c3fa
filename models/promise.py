"""What is owed to the outside: the inbox of Stripe's events, the outbox of promises, the log of opened secrets."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Row
from models.fields import Coded, belongs_to


class Lane(Coded):
    """Kinds of work that must not delay one another."""

    EVENTS = "EVENTS", "Stripe's events to handle"
    RENDER = "RENDER", "Documents to make"
    MAIL = "MAIL", "Letters to send"
    DELIVER = "DELIVER", "Partners to tell"
    SYNC = "SYNC", "Outside systems to keep in step"


class Promise(Row):
    """A row of the outbox: written with the change that owes it, kept by a worker."""

    organization_id: UUID | None
    organization: Any = belongs_to("Organization", None, "For whom", null=True)
    lane = fields.CharEnumField(Lane, max_length=20, description="Which workers keep it")
    job = fields.CharField(100, description="Name of the job: `invoices.render`")
    subject_id = fields.UUIDField(description="The row that the job is about")
    after_id: UUID | None
    after: Any = belongs_to("Promise", None, "Waits until that one is kept", null=True)
    due_at = fields.DatetimeField(null=True, description="When; null while it waits for another")
    deaths = fields.IntField(default=0, description="How often a worker died holding it")
    failures = fields.IntField(default=0, description="How often it failed")
    failing_since = fields.DatetimeField(null=True, description="When it failed first")
    lease_until = fields.DatetimeField(null=True, description="Until when a worker holds it")
    token = fields.UUIDField(null=True, description="Who holds it")
    done_at = fields.DatetimeField(null=True, description="When it was kept")
    given_up_at = fields.DatetimeField(null=True, description="When it was given up")
    error = fields.CharField(1000, null=True, description="Why it failed last")

    made_in: object | None = None  # the transaction that promised it

    class Meta:
        table = "outbox"


class StripeEvent(Row):
    """An event as Stripe posted it, stored before anything else; handled once whatever the number of deliveries."""

    stripe_id = fields.CharField(255, description="Stripe's id: `evt_…`")
    stripe_account = fields.CharField(255, description="Account that it came from")
    live = fields.BooleanField(description="Stripe's livemode")
    type = fields.CharField(100, description="`checkout.session.completed` and so on")
    occurred_at = fields.DatetimeField(description="When Stripe made it")
    body = fields.BinaryField(description="The raw body, as signed")
    outcome = fields.CharField(500, null=True, description="What we made of it")
    handled_at = fields.DatetimeField(null=True, description="When it was handled")
    flagged_at = fields.DatetimeField(
        null=True, description="When it was left for an operator: money of nobody we know"
    )

    class Meta:
        table = "stripe_events"
        unique_together = (("stripe_account", "stripe_id"),)


class SecretOpening(Row):
    """One use of a sealed secret: the access log. Append-only."""

    organization_id: UUID | None
    organization: Any = belongs_to("Organization", None, "Whose secret; null for a person's", null=True)
    table_name = fields.CharField(63, description="Table of the row")
    row_id = fields.UUIDField(description="The row that holds it")
    field = fields.CharField(63, description="Which secret")
    key_id = fields.CharField(20, description="Master key that sealed it")
    purpose = fields.CharField(200, description="What it was opened for")
    secret_id: UUID | None  # by a trigger
    secret: Any = belongs_to("IntegrationSecret", None, "The key of an integration, where it is one", null=True)
    opened = fields.BooleanField(
        default=True, description="Whether it opened; one that was moved or altered does not, which is an alarm"
    )

    class Meta:
        table = "secret_openings"
