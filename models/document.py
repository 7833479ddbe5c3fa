"""Documents of bilans: what is kept, with whom it is shared, who opened it or was refused, what was destroyed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from errors import Conflict
from models.base import Owned
from models.bilan import Bilan
from models.fields import Coded, EmailField, belongs_to
from models.upload import StoredFile

FIELD = "input.document"


class DocumentKind(Coded):
    """What a document is, and so who may open it and how long it is kept."""

    SYNTHESIS = "SYNTHESIS", "The synthesis: for the beneficiary alone (art. L6313-4 du code du travail)"
    CONVENTION = "CONVENTION", "A convention that was signed"
    CONSENT = "CONSENT", "A consent that was given in writing"
    EVIDENCE = "EVIDENCE", "Evidence that the bilan was held as it should be: a signed attendance sheet"
    OTHER = "OTHER", "What the bilan is held with: tests, notes, results"


class Document(Owned):
    """A document of a bilan. Its content is a stored file, which only some may open."""

    bilan_id: UUID
    bilan: Bilan = belongs_to("Bilan", "documents", "The bilan that it is of")
    kind = fields.CharEnumField(DocumentKind, max_length=20, description="What it is")
    name = fields.CharField(200, description="What it is called; of what was destroyed, what it was")
    content_type = fields.CharField(100, description="What it is (IANA media type)")
    size_bytes = fields.IntField(description="How large it is, in bytes")
    sha256 = fields.CharField(64, description="SHA-256 of its content, hexadecimal")
    file_id: UUID
    file: StoredFile = belongs_to("StoredFile", None, "How it is kept")
    added_by_id: UUID | None
    added_by: Any = belongs_to("Membership", None, "Who added it", null=True)
    destroyed_at = fields.DatetimeField(null=True, description="When it was destroyed: nobody can open it any more")

    shares: Any

    class Meta:
        table = "documents"

    @property
    def is_synthesis(self) -> bool:
        return self.kind is DocumentKind.SYNTHESIS

    @property
    def is_destroyed(self) -> bool:
        return self.destroyed_at is not None

    def must_be_there(self) -> None:
        """Raises Conflict for one that was destroyed."""
        if self.destroyed_at is not None:
            raise Conflict(f"This document was destroyed on {self.destroyed_at:%Y-%m-%d}.", field=FIELD)

    def destroy(self, *, at: datetime) -> None:
        """What it was stays, and nothing that anybody wrote. Raises Conflict where it was destroyed already."""
        self.must_be_there()
        self.destroyed_at, self.name = at, self.kind.value


class DocumentShare(Owned):
    """Somebody else may open a document, for a while, as its beneficiary agreed in writing. It is not changed, only
    ended."""

    document_id: UUID
    document: Document = belongs_to("Document", "shares", "The document")
    recipient_name = fields.CharField(200, description="Who may open it")
    recipient_email = EmailField(description="Their address")
    statement = fields.TextField(description="What the beneficiary agreed to, word for word")
    consented_at = fields.DatetimeField(description="When they agreed")
    consented_by_id: UUID | None
    consented_by: Any = belongs_to(
        "Membership", None, "The beneficiary, who agreed here; null where it was on paper", null=True
    )
    consent_document_id: UUID | None
    consent_document: Any = belongs_to("Document", None, "What they signed; null where they agreed here", null=True)
    recorded_by_id: UUID | None
    recorded_by: Any = belongs_to("Membership", None, "Who noted it", null=True)
    expires_at = fields.DatetimeField(description="Until when it may be opened")
    revoked_at = fields.DatetimeField(null=True, description="When it was taken back")

    class Meta:
        table = "document_shares"

    def is_good_at(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


class DocumentAccess(Owned):
    """Somebody opened a document, or asked for it and was refused. It is not changed."""

    document_id: UUID
    document: Document = belongs_to("Document", None, "The document")
    granted = fields.BooleanField(description="Whether they were let in")
    reason = fields.CharField(500, null=True, description="Why they were refused")
    membership_id: UUID | None
    membership: Any = belongs_to("Membership", None, "Who asked, or noted that somebody did", null=True)
    share_id: UUID | None
    share: Any = belongs_to("DocumentShare", None, "The share by which it was opened", null=True)
    requester = fields.CharField(200, null=True, description="Who asked, where it was nobody of the organization")
    address = fields.CharField(64, null=True, description="The network address from which it was opened")

    class Meta:
        table = "document_accesses"


class DestructionReason(Coded):
    """Why a document was destroyed."""

    END_OF_BILAN = "END_OF_BILAN", "The bilan had ended (art. R6313-7 du code du travail)"
    THREE_YEARS = "THREE_YEARS", "Three years had passed since the end of the bilan (art. R6313-7 du code du travail)"
    ERASURE = "ERASURE", "The person asked for it (art. 17 of the GDPR)"
    MISTAKE = "MISTAKE", "It was added by mistake"


class DestructionRecord(Owned):
    """That a document was destroyed, when, why and by whom. Only when the store had deleted it follows."""

    document_id: UUID
    document: Document = belongs_to("Document", None, "What was destroyed")
    kind = fields.CharEnumField(DocumentKind, max_length=20, description="What it was")
    sha256 = fields.CharField(64, description="SHA-256 of what it held, hexadecimal")
    reason = fields.CharEnumField(DestructionReason, max_length=20, description="Why")
    destroyed_at = fields.DatetimeField(description="When its key was destroyed: from then on nobody can read it")
    destroyed_by_id: UUID | None
    destroyed_by: Any = belongs_to("Membership", None, "Who did it; null: a clock", null=True)
    deleted_at = fields.DatetimeField(null=True, description="When the store had deleted what was left")

    class Meta:
        table = "destruction_records"
