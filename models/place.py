"""From where people are known."""

from tortoise import fields

from models.base import Row


class KnownPlace(Row):
    """An address from which somebody proved who they are, with whom: as a keyed hash, which tells neither.

    In PostgreSQL and not in Redis, which may be emptied at any time: who is forgotten while somebody else tries their
    passwords would be locked out.
    """

    place_hash = fields.CharField(64, unique=True, description="HMAC-SHA256 of both, hexadecimal")
    seen_at = fields.DatetimeField(db_index=True, description="When it was proved last, to the day")

    class Meta:
        table = "known_places"
