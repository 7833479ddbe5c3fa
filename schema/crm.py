"""What is kept of clients besides: contacts, notes, tags, consents."""

import strawberry

import models
from schema.base import auto, input, optional

_CLIENT = "The client's global id."
_CONTACT = "The contact's global id."
_NOTE = "The note's global id."
_TAG = "The tag's global id."


@input(models.Contact)
class ContactCreateInput:
    """A person of a client: a name, an e-mail address or a phone number at least."""

    client: strawberry.ID = strawberry.field(description=_CLIENT)
    first_name: auto
    last_name: auto
    job_title: auto
    email: auto
    phone: auto


@input(models.Contact, partial=True)
class ContactUpdateInput:
    """What to change of a contact; what is left out stays, null takes away."""

    contact: strawberry.ID = strawberry.field(description=_CONTACT)
    first_name: auto
    last_name: auto
    job_title: auto
    email: auto
    phone: auto


@strawberry.input(description="Which contact.")
class ContactDeleteInput:
    contact: strawberry.ID = strawberry.field(description=_CONTACT)


@input(models.ClientNote)
class ClientNoteCreateInput:
    """What to write down of a client."""

    client: strawberry.ID = strawberry.field(description=_CLIENT)
    body: auto


@input(models.ClientNote)
class ClientNoteUpdateInput:
    """What a note says from now on."""

    client_note: strawberry.ID = strawberry.field(description=_NOTE)
    body: auto


@strawberry.input(description="Which note.")
class ClientNoteDeleteInput:
    client_note: strawberry.ID = strawberry.field(description=_NOTE)


@input(models.Tag)
class TagCreateInput:
    """A word to sort clients by."""

    name: auto


@input(models.Tag)
class TagUpdateInput:
    """What a tag is called from now on, of all who have it."""

    tag: strawberry.ID = strawberry.field(description=_TAG)
    name: auto


@strawberry.input(description="Which tag.")
class TagDeleteInput:
    tag: strawberry.ID = strawberry.field(description=_TAG)


@strawberry.input(description="A tag of a client.")
class ClientTagInput:
    client: strawberry.ID = strawberry.field(description=_CLIENT)
    tag: strawberry.ID = strawberry.field(description=_TAG)


@input(models.ClientConsent)
class ClientConsentRecordInput:
    """What a client agreed to."""

    client: strawberry.ID = strawberry.field(description=_CLIENT)
    purpose: auto
    wording: auto
    source: auto
    given_at: optional


@strawberry.input(description="Which consent.")
class ClientConsentInput:
    client_consent: strawberry.ID = strawberry.field(description="The consent's global id.")


@strawberry.input(description="Two clients that are the same.")
class ClientMergeInput:
    client: strawberry.ID = strawberry.field(description="Who is kept: the client's global id.")
    duplicate: strawberry.ID = strawberry.field(description="Who is one with them, and is no more: their global id.")


@strawberry.type(description="How many rows of a kind.")
class RowCount:
    kind: str = strawberry.field(description="What they are, as the type is called: `Order`.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="What a merge would do.")
class ClientMergePreview:
    moved: list[RowCount] = strawberry.field(description="What would go over to the client who is kept.")
    learned: list[str] = strawberry.field(
        description="What the client who is kept lacks and would have from the other, as the fields are called."
    )
    refusals: list[str] = strawberry.field(description="Why they cannot be merged as they are; nothing where they can.")
