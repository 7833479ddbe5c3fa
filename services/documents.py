"""Documents of bilans: added from what was uploaded, destroyed by a person or by the clocks of the law.

Who may open one is in `services/document_access.py`, with whom it is shared in `services/document_shares.py`.
Of rows that are locked together this is the order: bilan, document, stored file.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tortoise.expressions import Q, Subquery

from errors import Conflict
from models import Bilan, DestructionReason, DestructionRecord, Document, DocumentKind, StoredFile, UploadPurpose
from models.database import transaction
from services import bilan_law, stored_files, uploads
from services.bilan_law import Rule, RuleCode

AT_ONCE = 100  # documents that a clock destroys


# By which rule a document is destroyed after the end of its bilan, and why then. What proves that a bilan was held goes
# with what was agreed in writing.
_AT_THE_END = (RuleCode.WORKING_PAPERS_DAYS, DestructionReason.END_OF_BILAN)
_THREE_YEARS = (RuleCode.WRITTEN_DAYS, DestructionReason.THREE_YEARS)
CLOCKS: Mapping[DocumentKind, tuple[RuleCode, DestructionReason]] = {
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
    return sum([await _forget(kind, rule, at) for kind, (code, _) in CLOCKS.items() for rule in bilan_law.of(code)])


def is_due(kind: DocumentKind, bilan: Bilan, now: datetime) -> bool:
    """Whether a document of the bilan is to be destroyed by now."""
    ended_at, rule = bilan.completed_at or bilan.canceled_at, _rule(kind, bilan)
    return ended_at is not None and rule is not None and ended_at + timedelta(days=rule.value) <= now


def _rule(kind: DocumentKind, bilan: Bilan) -> Rule | None:
    code, _ = CLOCKS[kind]
    return bilan_law.on(code, bilan_law.day_of(bilan.created_at))


async def _forget(kind: DocumentKind, rule: Rule, now: datetime) -> int:
    """Those of bilans that were agreed under a rule."""
    before, (since, until) = now - timedelta(days=rule.value), rule.moments
    ended = Bilan.filter(Q(completed_at__lte=before) | Q(completed_at=None, canceled_at__lte=before))
    agreed = ended.filter(created_at__gte=since, created_at__lt=until)
    due = Document.filter(kind=kind, destroyed_at=None, bilan_id__in=Subquery(agreed.values("id")))
    _, reason = CLOCKS[kind]
    async with transaction():
        documents = await due.order_by("id").limit(AT_ONCE).select_for_update(skip_locked=True)
        for document in documents:
            await destroy(document, reason, by=None)
    return len(documents)
