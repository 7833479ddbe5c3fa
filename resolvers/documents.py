"""Documents of bilans: added, opened, shared, asked for and destroyed."""

import strawberry
from strawberry import UNSET
from tortoise.queryset import QuerySet

import models
from errors import Invalid
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.documents import (
    DestructionRecord,
    DestructionRecordFilter,
    Document,
    DocumentAccess,
    DocumentAccessFilter,
    DocumentAddInput,
    DocumentDestroyInput,
    DocumentFilter,
    DocumentInput,
    DocumentOpened,
    DocumentOpenResult,
    DocumentRefused,
    DocumentRequestRecordInput,
    DocumentShare,
    DocumentShareCreated,
    DocumentShareCreateInput,
    DocumentShareInput,
)
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from schema.scalars import URL, DateTime
from services import document_access as access_service
from services import document_shares
from services import documents as documents_service

REQUESTER_MOST = 200  # characters


@connection(Document, requires=Permission.DOCUMENTS_READ)
def documents(info: Info, filter: DocumentFilter | None = None) -> QuerySet[models.Document]:
    """Documents of bilans, newest first."""
    return filtered(actor(info).rows(models.Document), filter)


@one(Document, requires=Permission.DOCUMENTS_READ)
def document(id: strawberry.ID) -> Wanted:
    """One document."""
    return models.Document, row_id(models.Document, id)


@connection(DocumentAccess, requires=Permission.DOCUMENTS_READ)
def document_accesses(info: Info, filter: DocumentAccessFilter | None = None) -> QuerySet[models.DocumentAccess]:
    """Who opened documents, and who was refused, newest first."""
    return filtered(actor(info).rows(models.DocumentAccess), filter)


@one(DocumentAccess, requires=Permission.DOCUMENTS_READ)
def document_access(id: strawberry.ID) -> Wanted:
    """One access, or refusal."""
    return models.DocumentAccess, row_id(models.DocumentAccess, id)


@connection(DestructionRecord, requires=Permission.DOCUMENTS_READ)
def destruction_records(
    info: Info, filter: DestructionRecordFilter | None = None
) -> QuerySet[models.DestructionRecord]:
    """What was destroyed, newest first."""
    return filtered(actor(info).rows(models.DestructionRecord), filter)


@one(DestructionRecord, requires=Permission.DOCUMENTS_READ)
def destruction_record(id: strawberry.ID) -> Wanted:
    """One destruction."""
    return models.DestructionRecord, row_id(models.DestructionRecord, id)


@mutation(Document, requires=Permission.DOCUMENTS_WRITE, idempotent=True)
async def document_add(info: Info, input: DocumentAddInput) -> models.Document:
    """Keep what was uploaded (`uploadCreate`, purpose DOCUMENT) with a bilan. It is destroyed by the clocks of the law:
    OTHER at the end of the bilan, all else three years later."""
    caller, values = actor(info), given(input)
    bilan = await caller.get(models.Bilan, input.bilan, field="input.bilan", for_update=True)
    upload = await caller.get(models.Upload, input.upload, field="input.upload")
    return await documents_service.add(bilan, upload.id, input.kind, name=values.get("name"), by=caller.membership_id)


@mutation(DocumentOpenResult, requires=Permission.DOCUMENTS_READ)
async def document_open(info: Info, input: DocumentInput) -> DocumentOpened | DocumentRefused:
    """Where a document is fetched, within five minutes. A synthesis is opened by its beneficiary, and by who holds the
    bilan while it is under way; who is refused is told why, and that they asked is kept."""
    caller = actor(info)
    row = await caller.get(models.Document, input.document, field="input.document")
    answer = await access_service.ask(row, await models.Membership.get(id=caller.membership_id))
    if isinstance(answer, str):
        return DocumentRefused(reason=answer)
    address, expires_at = answer
    return DocumentOpened(url=URL(address), expires_at=DateTime(expires_at))


@mutation(DocumentShareCreated, requires=Permission.DOCUMENTS_READ, idempotent=True)
async def document_share_create(info: Info, input: DocumentShareCreateInput) -> DocumentShareCreated:
    """Let somebody else open a document for a while. The beneficiary agrees by asking; for anybody else who asks, what
    the beneficiary signed stands for it. The recipient is written to with the `url`, which is shown this once."""
    caller, values = actor(info), given(input)
    row = await caller.get(models.Document, input.document, field="input.document", for_update=True)
    paper = None
    if values.get("consent_document"):
        paper = await caller.get(models.Document, values["consent_document"], field="input.consentDocument")
    member = await models.Membership.get(id=caller.membership_id)
    share = await document_shares.create(
        row, input.recipient_name, input.recipient_email, values.get("expires_at"), paper, member
    )
    return DocumentShareCreated(document_share=share, url=URL(access_service.share_link(share)))  # type: ignore[arg-type]


@mutation(DocumentShare, requires=Permission.DOCUMENTS_READ)
async def document_share_revoke(info: Info, input: DocumentShareInput) -> models.DocumentShare:
    """Take a share back: it opens nothing from now on."""
    share = await actor(info).get(
        models.DocumentShare, input.document_share, field="input.documentShare", for_update=True
    )
    return await document_shares.revoke(share)


@mutation(DocumentAccess, requires=Permission.DOCUMENTS_WRITE, idempotent=True)
async def document_request_record(info: Info, input: DocumentRequestRecordInput) -> models.DocumentAccess:
    """Note that somebody outside asked for a document: `reason` is what to answer. They are refused unless a share
    names their address."""
    caller = actor(info)
    if not input.requester.strip() or "\x00" in input.requester or len(input.requester) > REQUESTER_MOST:
        raise Invalid(f"A name is text of {REQUESTER_MOST} characters at most.", field="input.requester")
    row = await caller.get(models.Document, input.document, field="input.document")
    email = None if input.email is UNSET else input.email
    return await access_service.record_request(row, input.requester, email, by=caller.membership_id)


@mutation(DestructionRecord, requires=Permission.DOCUMENTS_WRITE)
async def document_destroy(info: Info, input: DocumentDestroyInput) -> models.DestructionRecord:
    """Destroy a document before its time: its key at once, what is left in the store soon after. For good."""
    caller = actor(info)
    row = await caller.get(models.Document, input.document, field="input.document", for_update=True)
    if input.reason not in (models.DestructionReason.ERASURE, models.DestructionReason.MISTAKE):
        raise Invalid("A person destroys for ERASURE or MISTAKE: clocks do the rest.", field="input.reason")
    return await documents_service.destroy(row, input.reason, by=caller.membership_id)
