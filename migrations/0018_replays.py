"""How far a replay is, and to which address; what processes of the version before do not say of a partner."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

RULES = [
    "ALTER TABLE partners ALTER COLUMN retry_policy SET DEFAULT 'GUIDE'",
    "CREATE UNIQUE INDEX notification_replays_one ON notification_replays (partner_id, live) WHERE finished_at IS NULL",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0017_quotes")]
    initial = False

    operations: list[Any] = [
        ops.AddField(
            model_name="NotificationReplay",
            name="live",
            field=fields.BooleanField(default=False, description="Production address, else staging"),
        ),
        ops.AddField(
            model_name="NotificationReplay",
            name="reached_id",
            field=fields.UUIDField(null=True, description="The last of them: they are taken in the order of their ids"),
        ),
        ops.RunSQL(RULES, []),
    ]
