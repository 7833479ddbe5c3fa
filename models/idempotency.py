"""What a caller asked for under a key of its choice, and what it was answered."""

from datetime import datetime
from uuid import UUID

from tortoise import fields

from models.base import Owned


class IdempotencyKey(Owned):
    """A key of one caller's: what was asked under it and, once that is done, the answer. Kept for a day."""

    caller: UUID = fields.UUIDField(description="Whose key: `Actor.own_id`")
    key = fields.CharField(255, description="The key, chosen by the caller")
    mutation = fields.CharField(100, description="What was asked")
    input_hash = fields.CharField(64, description="SHA-256 of the canonical input, hexadecimal")
    lease_until: datetime = fields.DatetimeField(description="Until when who asked first is at work; then it is free")
    begun = fields.CharField(100, null=True, description="Global id of what an exchange made before it ended")
    answer = fields.TextField(null=True, description="What was answered, sealed; null while under way")

    class Meta:
        table = "idempotency_keys"
