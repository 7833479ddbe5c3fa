"""That a client was erased, as they asked (GDPR, article 17)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.client import Client
from models.fields import belongs_to


class Erasure(Owned):
    """What was taken away of a client and what was kept, and why. It holds nothing of the person."""

    client_id: UUID
    client: Client = belongs_to("Client", "erasures", "Who was erased; there is one of each")
    deleted: Any = fields.JSONField(description="How many rows were deleted, by type")
    blanked: Any = fields.JSONField(description="How many rows had what they said of the person taken away, by type")
    kept: Any = fields.JSONField(description="How many rows were kept and why, as [type, count, reason]")
    documents = fields.IntField(default=0, description="How many documents were destroyed")
    erased_by_id: UUID | None
    erased_by: Any = belongs_to("Membership", None, "Who erased them", null=True)
    stripe_erased_at: datetime | None = fields.DatetimeField(
        null=True, description="When Stripe had deleted the customer, with the payment methods saved there"
    )

    class Meta:
        table = "erasures"
