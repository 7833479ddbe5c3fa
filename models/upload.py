"""Files that people send: where each is to be sent, and how what was received is kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from errors import Conflict, Expired
from models.base import Owned
from models.fields import Coded, belongs_to

FIELD = "input.upload"


class StoredFile(Owned):
    """A file in the store, encrypted under a key of its own: without the key it is noise."""

    place = fields.CharField(255, unique=True, description="Its key in the store")
    data_key: str | None = fields.TextField(null=True, description="Its key, sealed; null once it is destroyed")
    content_type = fields.CharField(100, description="What it is (IANA media type)")
    size_bytes = fields.IntField(description="How large it is, in bytes, before it was encrypted")
    sha256 = fields.CharField(64, description="SHA-256 of what was sent, hexadecimal")
    stored_sha256 = fields.CharField(
        64, null=True, description="SHA-256 of what lies in the store; null before it does"
    )
    destroy_at = fields.DatetimeField(null=True, description="When a clock destroys it; null: something else decides")
    destroyed_at = fields.DatetimeField(null=True, description="When its key was destroyed")
    deleted_at = fields.DatetimeField(null=True, description="When the store had deleted it, too")

    class Meta:
        table = "stored_files"

    @property
    def is_destroyed(self) -> bool:
        return self.destroyed_at is not None

    def destroy(self, *, at: datetime) -> None:
        """Nobody opens it any more."""
        self.data_key, self.destroyed_at = None, at


class UploadPurpose(Coded):
    """What a file is sent for."""

    CLIENT_IMPORT = "CLIENT_IMPORT", "Clients to be imported: CSV, 20 MB at most"
    DOCUMENT = "DOCUMENT", "A document: PDF, PNG, JPEG, DOCX, ODT, CSV or plain text, 25 MB at most"


class Upload(Owned):
    """A file that somebody is about to send, to a signed address that takes it once, and no other."""

    purpose = fields.CharEnumField(UploadPurpose, max_length=20, description="What it is sent for")
    name = fields.CharField(200, description="What the file is called, with its extension")
    content_type = fields.CharField(100, description="What it is (IANA media type): `application/pdf`")
    size_bytes = fields.IntField(description="How large it is, in bytes: exactly")
    created_by_id: UUID | None
    created_by: Any = belongs_to("Membership", None, "Who sends it; null for a server", null=True)
    expires_at = fields.DatetimeField(description="Until when it can be sent")
    received_at = fields.DatetimeField(
        null=True, description="When it was received, whole, and found to be what it says"
    )
    used_at = fields.DatetimeField(null=True, description="When something was made of it: it cannot be used again")
    file_id: UUID | None
    file: Any = belongs_to("StoredFile", None, "How it is kept", null=True)

    class Meta:
        table = "uploads"

    def must_be_open_at(self, now: datetime) -> None:
        """Raises Conflict where it was received already, and Expired where it is too late."""
        if self.received_at is not None:
            raise Conflict("This file was received already: each address takes one. Ask for another (uploadCreate).")
        if now >= self.expires_at:
            raise Expired("This address is no longer good. Ask for another (uploadCreate).")

    def use(self, purpose: UploadPurpose, *, at: datetime) -> None:
        """Something is made of it, once. Raises Conflict where it was not received, is used, or for something else."""
        if self.purpose is not purpose:
            raise Conflict(f"This file was sent for {self.purpose.value}: send it for {purpose.value}.", field=FIELD)
        if self.received_at is None:
            raise Conflict("This file was not received yet: PUT it to the upload's `url` first.", field=FIELD)
        if self.used_at is not None:
            raise Conflict("This file was used already: send it again (uploadCreate).", field=FIELD)
        self.used_at = at
