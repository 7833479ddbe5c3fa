"""Generations of master keys are remembered, and openings that failed are in the access log."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._known import Known

SEALED = (
    ("idempotency_keys", "answer"),
    ("integration_secrets", "sealed"),
    ("partners", "api_key"),
    ("partners", "previous_secret"),
    ("partners", "signing_secret"),
    ("users", "totp_secret"),
)
USED = " UNION ".join(f"SELECT split_part({column}, '.', 2) AS key_id FROM {table}" for table, column in SEALED)

RULES = [
    "ALTER TABLE secret_openings ADD COLUMN opened boolean NOT NULL DEFAULT true",
    "ALTER TABLE key_generations ADD CONSTRAINT key_generations_check_value_check"
    " CHECK (check_value ~ '^[0-9a-f]{32}$')",
    "INSERT INTO key_generations (id, created_at, key_id)"
    f" SELECT gen_random_uuid(), now(), key_id FROM ({USED}) AS used WHERE key_id <> ''",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0027_agenda")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="KeyGeneration",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "key_id",
                    fields.CharField(unique=True, description="Its id, as envelopes name it", max_length=20),
                ),
                (
                    "check_value",
                    fields.CharField(
                        null=True,
                        description="Tells the key from another; null for one from before there were such, not yet"
                        " seen",
                        max_length=32,
                    ),
                ),
                (
                    "sealing_since",
                    fields.DatetimeField(
                        null=True, description="When it became the one that seals", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "key_generations",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A master key that this installation was started with. The key itself is nowhere"
                " in the database.",
            },
            bases=["Row"],
        ),
        Known(
            model_name="SecretOpening",
            name="opened",
            field=fields.BooleanField(
                default=True, description="Whether it opened; one that was moved or altered does not, which is an alarm"
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
