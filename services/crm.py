"""What is kept of clients besides: contacts, notes, tags, consents. Of their clients, whoever may see these writes it.

Whoever changes what belongs to a client has the client's row locked first.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from errors import Conflict, Invalid
from models import Client, ClientConsent, ClientNote, ClientTag, Contact, Tag

BODY_MOST = 10_000  # characters
AHEAD_MOST = timedelta(minutes=5)  # of clocks


async def contact_of(client: Client, values: dict[str, Any]) -> Contact:
    """A new contact. Raises Invalid for one of whom nothing is said."""
    contact = Contact(organization_id=client.organization_id, client=client, **values)
    _check_contact(contact)
    await contact.save()
    return contact


async def change_contact(contact: Contact, values: dict[str, Any]) -> Contact:
    """The contact with other values. Raises Invalid as `contact_of` does."""
    contact.update_from_dict(values)
    _check_contact(contact)
    await contact.save()
    return contact


def _check_contact(contact: Contact) -> None:
    if not (contact.first_name or contact.last_name or contact.email or contact.phone):
        raise Invalid("A contact has a name, an e-mail address or a phone number at least.", field="input")


async def note_of(client: Client, body: str, author_id: UUID | None) -> ClientNote:
    """A new note. Raises Invalid for one that is too long."""
    _check_body(body)
    return await ClientNote.create(
        organization_id=client.organization_id, client=client, author_id=author_id, body=body
    )


async def change_note(note: ClientNote, body: str) -> ClientNote:
    """The note with other words; that it was changed stays with it."""
    _check_body(body)
    note.body, note.edited_at = body, datetime.now(UTC)
    await note.save(update_fields=["body", "edited_at"])
    return note


def _check_body(text: str, field: str = "input.body") -> None:
    if len(text) > BODY_MOST:
        raise Invalid(f"This is longer than {BODY_MOST} characters.", field=field)


async def put_tag(client: Client, tag: Tag) -> None:
    """The client has the tag, once."""
    await ClientTag.bulk_create(
        [ClientTag(organization_id=client.organization_id, client=client, tag=tag)], ignore_conflicts=True
    )


async def take_tag(client: Client, tag: Tag) -> None:
    """The client has the tag no more."""
    await ClientTag.filter(client_id=client.id, tag_id=tag.id).delete()


async def delete_tag(tag: Tag) -> None:
    """Of everybody who has it."""
    await ClientTag.filter(tag_id=tag.id).delete()
    await tag.delete()


async def record_consent(client: Client, values: dict[str, Any]) -> ClientConsent:
    """That the client agreed, now unless told when; another of the same purpose breaks a constraint.

    Raises Invalid for a moment to come.
    """
    now = datetime.now(UTC)
    given_at = values.pop("given_at", None) or now
    if given_at > now + AHEAD_MOST:
        raise Invalid("A consent was given already: this is to come.", field="input.givenAt")
    _check_body(values["wording"], "input.wording")
    return await ClientConsent.create(
        organization_id=client.organization_id, client=client, given_at=min(given_at, now), **values
    )


async def withdraw_consent(consent: ClientConsent) -> ClientConsent:
    """From now on it does not hold; that it did is kept. Raises Conflict where it was taken back already."""
    if consent.withdrawn_at:
        raise Conflict("This consent was taken back already.", field="input.clientConsent")
    consent.withdrawn_at = max(datetime.now(UTC), consent.given_at)
    await consent.save(update_fields=["withdrawn_at"])
    return consent
