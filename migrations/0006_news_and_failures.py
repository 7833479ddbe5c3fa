"""When Stripe said what is known of a payment, and since when a promise fails."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

FILLED = [
    "UPDATE payments SET news_at = stripe_events.occurred_at FROM stripe_events"
    " WHERE stripe_events.stripe_account = payments.stripe_account AND stripe_events.stripe_id = payments.event_id",
    "UPDATE outbox SET failing_since = created_at WHERE failures > 0",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0005_people_and_storefronts")]
    initial = False

    operations: list[Any] = [
        ops.AddField(
            model_name="Payment",
            name="news_at",
            field=fields.DatetimeField(
                null=True,
                description="When Stripe said what we know: older news change nothing",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.AddField(
            model_name="Promise",
            name="failing_since",
            field=fields.DatetimeField(
                null=True, description="When it failed first", auto_now=False, auto_now_add=False
            ),
        ),
        ops.RunSQL(FILLED, []),
    ]
