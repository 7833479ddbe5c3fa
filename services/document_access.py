"""Documents of bilans opened: asked of people, of links, and of whoever asks from outside; each answer is kept.

Who may is in `services/document_rules.py`. A link says who asked, and whether they still may is looked at again when it
is opened.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from errors import Conflict, NotFound
from models import Bilan, ClientDataExport, Document, DocumentAccess, DocumentShare, Membership, StoredFile
from models.database import transaction
from models.document import FIELD
from services import audit, data_exports, documents, limits, quality_export, stored_files, tokens
from services.document_rules import ALONE, refused
from services.outside import outside

LINK_LIFE = timedelta(minutes=5)

_FETCHED = "clientDataExportFetched"
_NO_SHARE = (
    "Aucun accord écrit du bénéficiaire ne vous désigne pour ce document. / No written consent of the beneficiary names"
    " you for this document."
)


@dataclass(frozen=True)
class Opening:
    """A file that somebody is let into."""

    name: str
    file: StoredFile
    pieces: AsyncIterator[bytes]

    @property
    def headers(self) -> dict[str, str]:
        """It is saved, never shown: whatever is in it, no browser runs it (RFC 6266, RFC 8187)."""
        return {
            "Content-Type": self.file.content_type,
            "Content-Length": str(self.file.size_bytes),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(self.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }


async def ask(document: Document, member: Membership) -> tuple[str, datetime] | str:
    """(address, until when it is good) of a document's content for a person, or why they may not open it, which is
    kept. In the open transaction. Raises Conflict for one that was destroyed."""
    bilan = await Bilan.get(id=document.bilan_id).prefetch_related("client")
    must_be_kept(document, bilan)
    refusal = refused(document, bilan, member)
    if refusal:
        await _note(document, granted=False, reason=refusal, membership_id=member.id)
        return refusal
    token, expires_at = tokens.sign(
        tokens.DOCUMENT, {"document": str(document.id), "membership": str(member.id)}, LINK_LIFE
    )
    return _address(token), expires_at


def share_link(share: DocumentShare) -> str:
    """Where whom a document is shared with opens it, until the share ends. Whoever has it opens the document: it is
    shown to who shares it alone, once."""
    left = share.expires_at - datetime.now(UTC)
    return _address(tokens.sign(tokens.DOCUMENT, {"share": str(share.id)}, left)[0])


def quality_export_link(export_id: UUID) -> str:
    """Where what an auditor is given is fetched, for five minutes."""
    return _address(tokens.sign(tokens.DOCUMENT, {"qualityExport": str(export_id)}, LINK_LIFE)[0])


def data_export_link(export_id: UUID, membership_id: UUID) -> tuple[str, datetime]:
    """(where who ordered an export of a client's data fetches it, until when)."""
    claims = {"dataExport": str(export_id), "membership": str(membership_id)}
    token, expires_at = tokens.sign(tokens.DOCUMENT, claims, LINK_LIFE)
    return _address(token), expires_at


async def opened(token: str, address: str | None, *, read: bool = True) -> Opening:
    """What a link opens, for who asks from an address; that they did is kept, unless they only ask what it is and
    `read` nothing.

    Raises NotFound for a link that opens nothing, or nothing any more; Limited; NotConfigured where the document was
    altered, or is not in the store.
    """
    await limits.spend_link("documents", token, address)
    let_in: _LetIn | None = None
    match tokens.read(tokens.DOCUMENT, token):
        case {"share": id}:
            let_in = await _by_share(UUID(id))
        case {"document": id, "membership": membership_id}:
            let_in = await _by_member(UUID(id), UUID(membership_id))
        case {"qualityExport": id}:
            let_in = await _by_quality_export(UUID(id))
        case {"dataExport": id, "membership": membership_id}:
            let_in = await _by_data_export(UUID(id), UUID(membership_id))
    if let_in is None:
        raise NotFound("This link is no longer good.")
    if read:  # before anything is: nobody reads unseen
        await _note_reading(let_in, address)
    return Opening(let_in.name, let_in.file, stored_files.read(let_in.file, let_in.purpose))


async def record_request(document: Document, requester: str, email: str | None, *, by: UUID) -> DocumentAccess:
    """Somebody outside asked for a document, as a member notes: refused, unless it is shared with their address. What
    they are to be answered is the reason. Raises Conflict for one that was destroyed."""
    document.must_be_there()
    now = datetime.now(UTC)
    shares = await DocumentShare.filter(document_id=document.id, recipient_email=email) if email else []
    good = next((share for share in shares if share.is_good_at(now)), None)
    return await _note(
        document, granted=good is not None, reason=None if good else ALONE if document.is_synthesis else _NO_SHARE,
        membership_id=by, share_id=good and good.id, requester=requester,
    )  # fmt: skip


def must_be_kept(document: Document, bilan: Bilan) -> None:
    """Raises Conflict for one that was destroyed, or is to be, whatever a clock has done of it."""
    document.must_be_there()
    if documents.is_due(document.kind, bilan, datetime.now(UTC)):
        raise Conflict("The time for which this document is kept is over: it is being destroyed.", field=FIELD)


@dataclass(frozen=True)
class _LetIn:
    """What a link opens, and what is noted of whom it lets in; of an export for an auditor nothing is."""

    name: str
    file: StoredFile
    purpose: str
    document: Document | None = None
    data_export: ClientDataExport | None = None
    by: Mapping[str, UUID] = field(default_factory=dict)


async def _by_member(document_id: UUID, membership_id: UUID) -> _LetIn | None:
    document = await Document.get_or_none(id=document_id).prefetch_related("bilan__client", "file")
    member = await Membership.get_or_none(id=membership_id)
    if document is None or member is None or not _is_kept(document) or refused(document, document.bilan, member):
        return None
    return _of(document, membership_id=member.id)


async def _by_share(share_id: UUID) -> _LetIn | None:
    share = await DocumentShare.get_or_none(id=share_id).prefetch_related("document__file", "document__bilan")
    if share is None or not share.is_good_at(datetime.now(UTC)) or not _is_kept(share.document):
        return None
    return _of(share.document, share_id=share.id)


async def _by_quality_export(export_id: UUID) -> _LetIn | None:
    export = await quality_export.opened(export_id)
    if export is None or export.file is None:
        return None
    return _LetIn(export.filename, export.file, "document_access.quality_export")


async def _by_data_export(export_id: UUID, membership_id: UUID) -> _LetIn | None:
    export = await ClientDataExport.get_or_none(id=export_id).prefetch_related("client", "file")
    member = await Membership.get_or_none(id=membership_id)
    if export is None or member is None or not export.is_kept or not data_exports.may_fetch(export, member):
        return None
    if export.file is None or export.file.is_destroyed:
        return None
    return _LetIn(
        export.filename, export.file, "document_access.data_export", data_export=export,
        by={"membership_id": member.id},
    )  # fmt: skip


def _of(document: Document, **by: UUID) -> _LetIn:
    return _LetIn(document.name, document.file, "document_access.opened", document, by=by)


async def _note_reading(let_in: _LetIn, address: str | None) -> None:
    if let_in.document:
        await _note(let_in.document, granted=True, address=address, **let_in.by)
    if export := let_in.data_export:
        with audit.acting(_FETCHED, None, address=address):
            async with transaction():
                await audit.note(
                    _FETCHED, organization_id=export.organization_id, member_id=let_in.by["membership_id"],
                    subject=export,
                )  # fmt: skip


def _is_kept(document: Document) -> bool:
    return not (document.is_destroyed or documents.is_due(document.kind, document.bilan, datetime.now(UTC)))


async def _note(document: Document, *, granted: bool, **said: Any) -> DocumentAccess:
    return await DocumentAccess.create(
        organization_id=document.organization_id, document=document, granted=granted, **said
    )


def _address(token: str) -> str:
    return f"{outside().settings.app_url}/documents/{token}"
