"""Generations of master keys: which there were, so that none is lost or mistaken for another."""

from tortoise import fields

from models.base import Row


class KeyGeneration(Row):
    """A master key that this installation was started with. The key itself is nowhere in the database."""

    key_id = fields.CharField(20, unique=True, description="Its id, as envelopes name it")
    check_value = fields.CharField(
        32, null=True, description="Tells the key from another; null for one from before there were such, not yet seen"
    )
    sealing_since = fields.DatetimeField(null=True, description="When it became the one that seals")

    class Meta:
        table = "key_generations"
