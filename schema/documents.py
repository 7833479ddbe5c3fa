"""Documents of bilans: who may open them, with whom they are shared, what was destroyed."""

from typing import Annotated

import strawberry
from strawberry import UNSET

import models
from schema.base import auto, enum, input, node
from schema.bilans import Bilan
from schema.lists import among, between, filter
from schema.organizations import Membership
from schema.scalars import URL, DateTime, Email


@node(models.DocumentShare)
class DocumentShare:
    """Somebody else may open a document, for a while, as its beneficiary agreed in writing."""

    recipient_name: auto
    recipient_email: auto
    statement: auto
    consented_at: auto
    consented_by: Membership | None
    recorded_by: Membership | None
    expires_at: auto
    revoked_at: auto
    created_at: auto


@node(models.Document)
class Document:
    """A document of a bilan. What it holds is opened by `documentOpen`, by those who may."""

    bilan: Bilan
    kind: auto
    name: auto
    content_type: auto
    size_bytes: auto
    sha256: auto
    added_by: Membership | None
    shares: list[DocumentShare]
    destroyed_at: auto
    created_at: auto


@node(models.DocumentAccess)
class DocumentAccess:
    """Somebody opened a document, or asked for it and was refused."""

    document: Document
    granted: auto
    reason: auto
    membership: Membership | None
    share: DocumentShare | None
    requester: auto
    address: auto
    created_at: auto


@node(models.DestructionRecord)
class DestructionRecord:
    """That a document was destroyed, when, why and by whom."""

    document: Document
    kind: auto
    sha256: auto
    reason: auto
    destroyed_at: auto
    destroyed_by: Membership | None
    deleted_at: auto


@filter(models.Document)
class DocumentFilter:
    """Which documents."""

    bilan: strawberry.ID
    kind: among
    destroyed_at: between
    created_at: between


@filter(models.DocumentAccess)
class DocumentAccessFilter:
    """Which accesses."""

    document: strawberry.ID
    granted: auto
    created_at: between


@filter(models.DestructionRecord)
class DestructionRecordFilter:
    """Which destructions."""

    kind: among
    reason: among
    destroyed_at: between


@strawberry.type(description="Where a document is fetched.")
class DocumentOpened:
    url: URL = strawberry.field(description="Good for five minutes, for whoever has it: each opening is logged.")
    expires_at: DateTime = strawberry.field(description="Until when it is good.")


@strawberry.type(description="The caller may not open the document. That they asked is kept.")
class DocumentRefused:
    reason: str = strawberry.field(description="Why, in French and in English.")


DocumentOpenResult = Annotated[
    DocumentOpened | DocumentRefused,
    strawberry.union("DocumentOpenResult", description="Where the document is, or why the caller may not open it."),
]


@input(models.Document)
class DocumentAddInput:
    """What was uploaded, to be kept with a bilan."""

    bilan: strawberry.ID = strawberry.field(description="The bilan's global id.")
    upload: strawberry.ID = strawberry.field(description="The upload's global id: of a file that was received.")
    kind: auto
    name: str | None = strawberry.field(description="What to call it; as it was sent, unless given.", default=UNSET)


@strawberry.input(description="Which document.")
class DocumentInput:
    document: strawberry.ID = strawberry.field(description="The document's global id.")


@strawberry.input(description="A document that should not be there any more, and why.")
class DocumentDestroyInput:
    document: strawberry.ID = strawberry.field(description="The document's global id.")
    reason: enum(models.DestructionReason) = strawberry.field(description="ERASURE or MISTAKE; clocks do the rest.")  # type: ignore[valid-type]


@input(models.DocumentShare)
class DocumentShareCreateInput:
    """With whom a document is shared, and how its beneficiary agreed."""

    document: strawberry.ID = strawberry.field(description="The document's global id.")
    recipient_name: auto
    recipient_email: auto
    expires_at: DateTime | None = strawberry.field(
        description="Until when, a year at most; thirty days unless given.", default=UNSET
    )
    consent_document: strawberry.ID | None = strawberry.field(
        description="What the beneficiary signed: a CONSENT among the bilan's documents. The beneficiary needs none.",
        default=UNSET,
    )


@strawberry.type(name="DocumentShareCreatePayload", description="What `documentShareCreate` returns.")
class DocumentShareCreated:
    document_share: DocumentShare = strawberry.field(description="What is kept of it.")
    url: URL = strawberry.field(
        description="Where the recipient, who is written to with it, opens the document. Shown this once, to whoever"
        " shares it alone."
    )


@strawberry.input(description="Which share.")
class DocumentShareInput:
    document_share: strawberry.ID = strawberry.field(description="The share's global id.")


@strawberry.input(description="Somebody outside who asked for a document: an employer, an institution.")
class DocumentRequestRecordInput:
    document: strawberry.ID = strawberry.field(description="The document's global id.")
    requester: str = strawberry.field(description="Who asked, as they gave their name.")
    email: Email | None = strawberry.field(description="Their address, where they gave one.", default=UNSET)
