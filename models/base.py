"""What every table has. Ids are UUIDv7 made here: a row can be sealed, promised and named before it is saved."""

import base64
import binascii
import re
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model
from uuid_utils.compat import uuid7

from models.fields import EmailField, PhoneField, UrlField, belongs_to


class Row(Model):
    """A table's row."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    created_at = fields.DatetimeField(auto_now_add=True, description="When it was made")

    class Meta:
        abstract = True


class Owned(Row):
    """A row of one organization (the tenant); nothing crosses."""

    organization_id: UUID
    organization: Any = belongs_to("Organization", None, "The tenant that it belongs to")

    class Meta:
        abstract = True


class Branded(Model):
    """How one presents oneself on invoices and in e-mails."""

    brand_name = fields.CharField(100, description="Name shown to clients")
    brand_color = fields.CharField(7, default="#1f3a5f", description="Accent colour, `#rrggbb`")
    logo_svg = fields.TextField(null=True, description="Logo, as SVG")
    logo_png = fields.TextField(null=True, description="Logo, as PNG in base64, where there is none as SVG")
    contact_email = EmailField(description="Where clients write to")
    contact_phone = PhoneField(null=True, description="Phone number for clients, E.164")
    website = UrlField(null=True, description="Public site")
    terms_url = UrlField(null=True, description="General terms of sale (CGV)")

    class Meta:
        abstract = True


class AtStripe(Model):
    """A row that has a twin at Stripe, in one account and one mode."""

    stripe_id = fields.CharField(255, null=True, description="Id of the twin object at Stripe")
    stripe_account = fields.CharField(255, null=True, description="Stripe account of the twin")
    stripe_live = fields.BooleanField(null=True, description="Whether the twin is in live mode")

    class Meta:
        abstract = True

    def known_at(self, account: str, live: bool) -> bool:
        """Whether the twin exists in that account and mode: an id of test mode means nothing in live mode."""
        return self.stripe_id is not None and (self.stripe_account, self.stripe_live) == (account, live)


def global_id(row: Model) -> str:
    """The opaque id that clients hold (Relay's global object identification)."""
    return global_id_of(type(row), row.pk)


def global_id_of(model: type[Model], key: UUID | str) -> str:
    """The same, of a row that is not at hand."""
    return base64.urlsafe_b64encode(f"{model.__name__}:{key}".encode()).decode().rstrip("=")


def global_id_in_sql(model: type[Model]) -> str:
    """The same, said by PostgreSQL over the row's own columns. Letters, digits, `:` and `-` never give the two
    characters in which base64 for addresses differs; padding and line ends are taken off where there are some."""
    named = f"{model.__name__}:"
    encoded = f"encode(convert_to('{named}' || \"id\", 'UTF8'), 'base64')"
    length = len(named) + 36
    if length >= 57:  # PostgreSQL breaks lines at 76 characters
        encoded = f"replace({encoded}, E'\\n', '')"
    return f"rtrim({encoded}, '=')" if length % 3 else encoded


def in_words(name: str) -> str:
    """A model's name as people say it: "client subscription"."""
    return re.sub("(?<!^)(?=[A-Z])", " ", name).lower()


def parse_global_id(text: str) -> tuple[str, UUID] | None:
    """(model name, id), or None for what was never an id of ours."""
    try:
        name, _, key = (
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode().partition(":")
        )
        return name, UUID(key)
    except (ValueError, binascii.Error, UnicodeDecodeError):
        return None
