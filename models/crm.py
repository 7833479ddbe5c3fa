"""What is kept of a client besides who they are: people, notes, tags, consents, and the records of merges."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.client import Client
from models.fields import Coded, EmailField, PhoneField, belongs_to


class Contact(Owned):
    """A person of a client: whom to call, whom to write to."""

    client_id: UUID
    client: Client = belongs_to("Client", "contacts", "Whose contact")
    first_name = fields.CharField(100, null=True, description="First name")
    last_name = fields.CharField(100, null=True, description="Last name")
    job_title = fields.CharField(100, null=True, description="What they do there")
    email = EmailField(null=True, description="E-mail address")
    phone = PhoneField(null=True, description="Phone number")

    class Meta:
        table = "contacts"


class ClientNote(Owned):
    """What the organization writes down of a client for itself. Clients never see it."""

    client_id: UUID
    client: Client = belongs_to("Client", "notes", "Whom it is about")
    author_id: UUID | None
    author: Any = belongs_to("Membership", None, "Who wrote it; null for a key", null=True)
    body = fields.TextField(description="What it says, as plain text")
    edited_at = fields.DatetimeField(null=True, description="When it was changed last")

    class Meta:
        table = "client_notes"


class Tag(Owned):
    """A word that the organization sorts its clients by. Clients never see it."""

    name = fields.CharField(50, description="The word; whether in capitals or not, there is one of each")

    class Meta:
        table = "tags"


class ClientTag(Owned):
    """That a client has a tag."""

    client_id: UUID
    client: Client = belongs_to("Client", "client_tags", "The client")
    tag_id: UUID
    tag: Tag = belongs_to("Tag", "client_tags", "The tag")

    class Meta:
        table = "client_tags"
        unique_together = (("client", "tag"),)


class ConsentPurpose(Coded):
    """What a client agrees to, or not."""

    EMAIL_MARKETING = "EMAIL_MARKETING", "Offers by e-mail"
    SMS_MARKETING = "SMS_MARKETING", "Offers by text message"
    PHONE_MARKETING = "PHONE_MARKETING", "Offers by phone"
    PARTNER_SHARING = "PARTNER_SHARING", "Their data given to partners"
    TESTIMONIAL = "TESTIMONIAL", "What they say of the organization made public, under their name"


class ConsentSource(Coded):
    """How a consent was given."""

    FORM = "FORM", "By a form of the organization's pages"
    EMAIL = "EMAIL", "By e-mail"
    PHONE = "PHONE", "On the phone"
    PAPER = "PAPER", "On paper"
    IN_PERSON = "IN_PERSON", "Face to face"
    IMPORT = "IMPORT", "Before, as an import says"


class ClientConsent(Owned):
    """That a client agreed to something, to which words, and until when (GDPR, article 7: it can be shown)."""

    client_id: UUID
    client: Client = belongs_to("Client", "consents", "Who agreed")
    purpose = fields.CharEnumField(ConsentPurpose, max_length=20, description="To what")
    wording = fields.TextField(description="The words that they agreed to")
    source = fields.CharEnumField(ConsentSource, max_length=20, description="How")
    given_at = fields.DatetimeField(description="When they agreed")
    withdrawn_at = fields.DatetimeField(null=True, description="When they took it back; null while it holds")

    class Meta:
        table = "client_consents"


class ClientMerge(Owned):
    """That two clients turned out to be one: the one was kept, and has what named the other."""

    client_id: UUID
    client: Client = belongs_to("Client", "merges", "Who was kept")
    duplicate_id = fields.UUIDField(description="The id of the one that is no more")
    duplicate_email = EmailField(description="The e-mail address that it had")
    moved: Any = fields.JSONField(description="How many rows went over, by table")
    merged_by_id: UUID | None
    merged_by: Any = belongs_to("Membership", None, "Who merged them; null for a key", null=True)

    class Meta:
        table = "client_merges"
