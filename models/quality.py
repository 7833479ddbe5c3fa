"""Quality, as the référentiel national qualité (Qualiopi) has it: surveys of beneficiaries, evidence by indicator, and
the file that an auditor is given."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise import fields

from errors import Conflict
from models.base import Owned
from models.bilan import Bilan
from models.export import ExportStatus, InProgress
from models.fields import Coded, belongs_to
from models.upload import StoredFile

EXPORT_KEPT = timedelta(days=30)
QualityExportStatus = ExportStatus  # as migration 0044 knows it


class SurveyKind(Coded):
    """When a beneficiary is asked."""

    END = "END", "At the end of the bilan"
    FOLLOW_UP = "FOLLOW_UP", "Six months later: what became of it"


class Survey(Owned):
    """What a beneficiary thinks of their bilan, asked by a letter and answered once."""

    bilan_id: UUID
    bilan: Bilan = belongs_to("Bilan", "surveys", "The bilan")
    kind = fields.CharEnumField(SurveyKind, max_length=20, description="When they are asked")
    due_at = fields.DatetimeField(description="From when on they are asked")
    sent_at = fields.DatetimeField(null=True, description="When they were written to last")
    answered_at = fields.DatetimeField(null=True, description="When they answered")
    satisfaction = fields.IntField(null=True, description="How content they are, 1 to 5")
    objectives = fields.IntField(null=True, description="How far their objectives were reached, 1 to 5")
    accompaniment = fields.IntField(null=True, description="How well they were accompanied, 1 to 5")
    recommends = fields.IntField(null=True, description="How likely they recommend it, 0 to 10")
    comment = fields.CharField(2000, null=True, description="What else they say")

    class Meta:
        table = "surveys"
        unique_together = (("bilan", "kind"),)

    def must_be_open(self) -> None:
        """Raises Conflict for one that was answered."""
        if self.answered_at is not None:
            raise Conflict("This survey is answered already. Thank you.", field="input.survey")


class ProofKind(Coded):
    """What happened, that proves something."""

    PHONE = "PHONE", "A telephone call"
    EMAIL = "EMAIL", "An e-mail"
    MEETING = "MEETING", "A meeting"
    TRAINING = "TRAINING", "A training that somebody followed"
    REMARK = "REMARK", "Something that was noted"
    FILE = "FILE", "A document"


class QualityProof(Owned):
    """Something that shows that an indicator is met, of a bilan or the organization."""

    indicator = fields.IntField(description="Which indicator of the référentiel, 1 to 32")
    kind = fields.CharEnumField(ProofKind, max_length=20, description="What it is")
    title = fields.CharField(200, description="What it shows, in a line")
    description = fields.CharField(2000, null=True, description="What there is to say of it")
    happened_on = fields.DateField(description="The day on which it happened, or of which it is")
    bilan_id: UUID | None
    bilan: Any = belongs_to("Bilan", "evidence", "The bilan that it is of; null: of the organization", null=True)
    document_id: UUID | None
    document: Any = belongs_to("Document", None, "The document that shows it", null=True)
    added_by_id: UUID | None
    added_by: Any = belongs_to("Membership", None, "Who added it", null=True)

    class Meta:
        table = "quality_proofs"


class QualityExport(InProgress, Owned):
    """What an auditor is given of a period: evidence by indicator, with an index."""

    status = fields.CharEnumField(
        ExportStatus, max_length=20, default=ExportStatus.PENDING, description="How far it is"
    )
    starts_on = fields.DateField(description="The first day, where the organization is")
    ends_on = fields.DateField(description="The last day")
    total = fields.IntField(default=0, description="How many pieces it has")
    done = fields.IntField(default=0, description="How many of them are in it")
    error = fields.CharField(500, null=True, description="Why it could not be made")
    finished_at = fields.DatetimeField(null=True, description="When it was ready, or failed")
    requested_by_id: UUID | None
    requested_by: Any = belongs_to("Membership", None, "Who asked for it", null=True)
    file_id: UUID | None
    file: StoredFile | None = belongs_to("StoredFile", None, "How it is kept", null=True)

    class Meta:
        table = "quality_exports"

    @property
    def is_kept(self) -> bool:
        """Whether there is a file to be fetched."""
        return bool(self.file_id and self.finished_at and datetime.now(UTC) < self.finished_at + EXPORT_KEPT)

    @property
    def filename(self) -> str:
        return f"Qualiopi-{self.starts_on}-{self.ends_on}.zip"
