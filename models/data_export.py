"""All that is kept of a client, put together for them (GDPR, articles 15 and 20)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.client import Client
from models.export import ExportStatus, InProgress
from models.fields import belongs_to
from models.upload import StoredFile

FETCHED_WITHIN = timedelta(days=7)


class ClientDataExport(InProgress, Owned):
    """All that is kept of a client as one file, for whoever ordered it; of each client one is made at a time."""

    client_id: UUID
    client: Client = belongs_to("Client", "data_exports", "Of whom")
    status = fields.CharEnumField(
        ExportStatus, max_length=20, default=ExportStatus.PENDING, description="How far it is"
    )
    total = fields.IntField(default=0, description="How many files there are to put into it")
    done = fields.IntField(default=0, description="How many of them are in it")
    error = fields.CharField(500, null=True, description="Why it could not be made")
    finished_at = fields.DatetimeField(null=True, description="When it was ready, or failed")
    told_at = fields.DatetimeField(
        null=True, description="When the client was written to that it is ready; null where somebody else ordered it"
    )
    requested_by_id: UUID | None
    requested_by: Any = belongs_to("Membership", None, "Who ordered it, and alone may fetch it", null=True)
    file_id: UUID | None
    file: StoredFile | None = belongs_to("StoredFile", None, "How it is kept", null=True)

    class Meta:
        table = "client_data_exports"

    @property
    def is_kept(self) -> bool:
        """Whether there is a file to be fetched."""
        return bool(self.file_id and self.finished_at and datetime.now(UTC) < self.finished_at + FETCHED_WITHIN)

    @property
    def filename(self) -> str:
        return f"donnees-personnelles-{self.created_at:%Y-%m-%d}.zip"
