"""How far a bilan is beyond a rule is kept with its warning: a decision holds for what was known then."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0054_internal_replies_told")]

    initial = False

    operations: list[Any] = [
        ops.AddField(
            model_name="BilanWarning",
            name="extent",
            field=fields.IntField(null=True, description="How far it is from what the rule asks, in the rule's unit"),
        ),
        ops.AlterField(
            model_name="BilanWarning",
            name="message",
            field=fields.CharField(500, description="What breaks it, in the organization's language"),
        ),
        ops.AlterField(
            model_name="BilanWarning",
            name="reference",
            field=fields.CharField(300, description="Where the rule is written, in the organization's language"),
        ),
    ]
