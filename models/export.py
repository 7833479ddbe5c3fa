"""What accountants fetch: entries and lists of a period, made by a worker and kept for a while."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.fields import Coded, belongs_to


class ExportKind(Coded):
    """What is in it."""

    FEC = "FEC", "Accounting entries, as art. A47 A-1 du livre des procédures fiscales has them"
    INVOICES_CSV = "INVOICES_CSV", "Invoices and credit notes, one a line, for French spreadsheets"
    PAYMENTS_CSV = "PAYMENTS_CSV", "Payments, one a line, for French spreadsheets"
    PDF_ZIP = "PDF_ZIP", "The PDF of every invoice and credit note, with a list of them"


class ExportStatus(Coded):
    """How far it is."""

    PENDING = "PENDING", "A worker will begin"
    RUNNING = "RUNNING", "Being made"
    READY = "READY", "It can be fetched"
    FAILED = "FAILED", "It cannot be made: `error` says why"


UNDER_WAY = (ExportStatus.PENDING, ExportStatus.RUNNING)


class InProgress:
    """How far a worker is with a file that somebody ordered."""

    status: ExportStatus
    total: int
    done: int

    @property
    def is_finished(self) -> bool:
        return self.status not in UNDER_WAY

    @property
    def percent(self) -> int:
        """How far it is, of 100."""
        if self.status is ExportStatus.READY:
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0


class Export(InProgress, Owned):
    """A file of what happened in a period, in test or in live mode."""

    kind = fields.CharEnumField(ExportKind, max_length=20, description="What is in it")
    status = fields.CharEnumField(
        ExportStatus, max_length=20, default=ExportStatus.PENDING, description="How far it is"
    )
    starts_on = fields.DateField(description="The first day, where the organization is")
    ends_on = fields.DateField(description="The last day")
    live = fields.BooleanField(description="Whether it is of real sales; those of test mode are never among them")
    total = fields.IntField(default=0, description="How many documents and payments there are to read")
    done = fields.IntField(default=0, description="How many of them are read")
    left_out = fields.IntField(default=0, description="How many are not in it, being in another currency than the euro")
    filename = fields.CharField(100, description="What the file is called")
    file_key = fields.CharField(255, null=True, description="Where it is stored")
    file_sha256 = fields.CharField(64, null=True, description="SHA-256 of the file, hexadecimal")
    file_bytes = fields.BigIntField(null=True, description="How large it is, in bytes")
    error = fields.CharField(500, null=True, description="Why it could not be made")
    finished_at = fields.DatetimeField(null=True, description="When it was ready, or failed")
    requested_by_id: UUID | None
    requested_by: Any = belongs_to("Membership", None, "Who asked for it; null for a server", null=True)

    class Meta:
        table = "exports"
