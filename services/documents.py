"""Documents of bilans: added from what was uploaded, destroyed by a person or by the clocks of the law.

Who may open one is in `services/document_access.py`, with whom it is shared in `services/document_shares.py`.
Of rows that are locked together this is the order: bilan, document, stored file.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tortoise.expressions import Q, Subquery

from errors import Conflict
from models import Bilan, DestructionReason, DestructionRecord, Document, DocumentKind, StoredFile, UploadPurpose
from models.database import transaction
from services import stored_files, uploads

AT_ONCE = 100  # documents that a clock destroys


@dataclass(frozen=True)
class Clock:
    """How long after the end of its bilan a document is kept, and why it is destroyed then."""

    kept_for: timedelta
    reason: DestructionReason


# Art. R6313-7 du code du travail: what a bilan was held with goes at its end, the synthesis and what was agreed in
# writing three years later; what proves that it was held goes with these.
_AT_THE_END = Clock(timedelta(), DestructionReason.END_OF_BILAN)
_THREE_YEARS = Clock(timedelta(days=3 * 365 + 1), DestructionReason.THREE_YEARS)
CLOCKS: Mapping[DocumentKind, Clock] = {
    DocumentKind.SYNTHESIS: _THREE_YEARS,
    DocumentKind.CONVENTION: _THREE_YEARS,
    DocumentKind.CONSENT: _THREE_YEARS,
    DocumentKind.EVIDENCE: _THREE_YEARS,
    DocumentKind.OTHER: _AT_THE_END,
}


async def add(
    bilan: Bilan, upload_id: UUID, kind: DocumentKind, *, name: str | None = None, by: UUID | None
) -> Document:
    """A document of the bilan, which is locked, made of what was uploaded. Raises Conflict where its time is over
    already, and what `uploads.take` raises."""
    if is_due(kind, bilan, datetime.now(UTC)):
        raise Conflict(
            f"This bilan is over, and {kind.value} is kept no longer: nothing can be added.", field="input.kind"
        )
    upload = await uploads.take(bilan.organization_id, upload_id, UploadPurpose.DOCUMENT)
    file: StoredFile = upload.file
    return await Document.create(
        organization_id=bilan.organization_id, bilan=bilan, kind=kind, name=name or upload.name, file=file,
        content_type=file.content_type, size_bytes=file.size_bytes, sha256=file.sha256, added_by_id=by,
    )  # fmt: skip


async def destroy(document: Document, reason: DestructionReason, *, by: UUID | None) -> DestructionRecord:
    """From the end of the transaction on nobody can open it. The document is locked. Raises Conflict where it was
    destroyed already."""
    now = datetime.now(UTC)
    document.destroy(at=now)
    await document.save(update_fields=["destroyed_at", "name"])
    file = await StoredFile.select_for_update().get(id=document.file_id)
    await stored_files.destroy(file)
    return await DestructionRecord.create(
        organization_id=document.organization_id, document=document, kind=document.kind, sha256=document.sha256,
        reason=reason, destroyed_at=now, destroyed_by_id=by,
    )  # fmt: skip


async def destroy_all_of(
    bilans: list[UUID],
    reason: DestructionReason,
    *,
    by: UUID | None,
    kinds: Collection[DocumentKind] = tuple(DocumentKind),
) -> int:
    """Destroy all documents of bilans, or those of some kinds, in the open transaction; how many."""
    due = Document.filter(bilan_id__in=bilans, kind__in=tuple(kinds), destroyed_at=None)
    documents = await due.order_by("id").select_for_update()
    for document in documents:
        await destroy(document, reason, by=by)
    return len(documents)


async def forget(now: datetime | None = None) -> int:
    """Destroy those whose time is over, some of each kind; how many. `now` is the moment that counts."""
    at = now or datetime.now(UTC)
    return sum([await _forget(kind, clock, at) for kind, clock in CLOCKS.items()])


def is_due(kind: DocumentKind, bilan: Bilan, now: datetime) -> bool:
    """Whether a document of the bilan is to be destroyed by now."""
    ended_at = bilan.completed_at or bilan.canceled_at
    return ended_at is not None and ended_at + CLOCKS[kind].kept_for <= now


async def _forget(kind: DocumentKind, clock: Clock, now: datetime) -> int:
    before = now - clock.kept_for
    ended = Bilan.filter(Q(completed_at__lte=before) | Q(completed_at=None, canceled_at__lte=before))
    due = Document.filter(kind=kind, destroyed_at=None, bilan_id__in=Subquery(ended.values("id")))
    async with transaction():
        documents = await due.order_by("id").limit(AT_ONCE).select_for_update(skip_locked=True)
        for document in documents:
            await destroy(document, clock.reason, by=None)
    return len(documents)
