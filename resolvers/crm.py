"""What is kept of clients besides: contacts, notes, tags, consents."""

from typing import TypeVar

import models
from models.base import Owned, global_id_of
from policy import Permission
from schema.base import Deleted, given
from schema.clients import Client, ClientConsent, ClientNote, Contact, Tag
from schema.context import Info, actor
from schema.crm import (
    ClientConsentInput,
    ClientConsentRecordInput,
    ClientNoteCreateInput,
    ClientNoteDeleteInput,
    ClientNoteUpdateInput,
    ClientTagInput,
    ContactCreateInput,
    ContactDeleteInput,
    ContactUpdateInput,
    TagCreateInput,
    TagDeleteInput,
    TagUpdateInput,
)
from schema.roots import mutation
from services import crm

M = TypeVar("M", bound=Owned)


@mutation(Contact, requires=Permission.CRM_WRITE, idempotent=True)
async def contact_create(info: Info, input: ContactCreateInput) -> models.Contact:
    """Note a person of a client: whom to call, whom to write to. The client is found by them too."""
    values = given(input)
    return await crm.contact_of(await _client(info, values.pop("client")), values)


@mutation(Contact, requires=Permission.CRM_WRITE)
async def contact_update(info: Info, input: ContactUpdateInput) -> models.Contact:
    """Change a contact."""
    values = given(input)
    return await crm.change_contact(await _of_client(info, models.Contact, values.pop("contact"), "contact"), values)


@mutation(Deleted, requires=Permission.CRM_WRITE)
async def contact_delete(info: Info, input: ContactDeleteInput) -> Deleted:
    """Delete a contact."""
    await (await _of_client(info, models.Contact, input.contact, "contact")).delete()
    return Deleted(id=input.contact)


@mutation(ClientNote, requires=Permission.CRM_WRITE, idempotent=True)
async def client_note_create(info: Info, input: ClientNoteCreateInput) -> models.ClientNote:
    """Write down something of a client, for those who work here alone."""
    body, caller = given(input)["body"], actor(info)
    author_id = caller.membership_id if caller.may(Permission.MEMBER) else None
    return await crm.note_of(await _client(info, input.client), body, author_id)


@mutation(ClientNote, requires=Permission.CRM_WRITE)
async def client_note_update(info: Info, input: ClientNoteUpdateInput) -> models.ClientNote:
    """Change what a note says."""
    body = given(input)["body"]
    return await crm.change_note(await _of_client(info, models.ClientNote, input.client_note, "clientNote"), body)


@mutation(Deleted, requires=Permission.CRM_WRITE)
async def client_note_delete(info: Info, input: ClientNoteDeleteInput) -> Deleted:
    """Delete a note."""
    await (await _of_client(info, models.ClientNote, input.client_note, "clientNote")).delete()
    return Deleted(id=input.client_note)


@mutation(Tag, requires=Permission.CRM_WRITE, idempotent=True)
async def tag_create(info: Info, input: TagCreateInput) -> models.Tag:
    """Make a word to sort clients by. One of each, whether in capitals or not: a second is a CONFLICT."""
    return await models.Tag.create(organization_id=actor(info).organization_id, name=given(input)["name"].strip())


@mutation(Tag, requires=Permission.CLIENTS_WRITE)
async def tag_update(info: Info, input: TagUpdateInput) -> models.Tag:
    """Call a tag something else, of all who have it."""
    name = given(input)["name"].strip()
    tag = await actor(info).get(models.Tag, input.tag, field="input.tag", for_update=True)
    tag.name = name
    await tag.save(update_fields=["name"])
    return tag


@mutation(Deleted, requires=Permission.CLIENTS_WRITE)
async def tag_delete(info: Info, input: TagDeleteInput) -> Deleted:
    """Delete a tag, of all who have it."""
    await crm.delete_tag(await actor(info).get(models.Tag, input.tag, field="input.tag", for_update=True))
    return Deleted(id=input.tag)


@mutation(Client, requires=Permission.CRM_WRITE)
async def client_tag(info: Info, input: ClientTagInput) -> models.Client:
    """Put a tag on a client. One that is there already stays."""
    client = await _client(info, input.client)
    await crm.put_tag(client, await actor(info).get(models.Tag, input.tag, field="input.tag"))
    return client


@mutation(Client, requires=Permission.CRM_WRITE)
async def client_untag(info: Info, input: ClientTagInput) -> models.Client:
    """Take a tag off a client."""
    client = await _client(info, input.client)
    await crm.take_tag(client, await actor(info).get(models.Tag, input.tag, field="input.tag"))
    return client


@mutation(ClientConsent, requires=Permission.CRM_WRITE, idempotent=True)
async def client_consent_record(info: Info, input: ClientConsentRecordInput) -> models.ClientConsent:
    """Note what a client agreed to, and to which words. Of each purpose one holds: a second is a CONFLICT."""
    values = given(input)
    return await crm.record_consent(await _client(info, values.pop("client")), values)


@mutation(ClientConsent, requires=Permission.CRM_WRITE)
async def client_consent_withdraw(info: Info, input: ClientConsentInput) -> models.ClientConsent:
    """Note that a client took a consent back. That it was given stays on record."""
    consent = await _of_client(info, models.ClientConsent, input.client_consent, "clientConsent")
    return await crm.withdraw_consent(consent)


async def _client(info: Info, key: str) -> models.Client:
    client = await actor(info).get(models.Client, key, field="input.client", for_update=True)
    client.must_not_be_erased()
    return client


async def _of_client(info: Info, model: type[M], key: str, name: str) -> M:
    """The row, locked behind its client's."""
    row = await actor(info).get(model, key, field=f"input.{name}")
    await _client(info, global_id_of(models.Client, row.client_id))  # type: ignore[attr-defined]
    return await actor(info).get(model, key, field=f"input.{name}", for_update=True)
