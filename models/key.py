"""Ways in without a person: a storefront's publishable key, a partner's own key, an API key of a server's, a client's
private link."""

from uuid import UUID

from tortoise import fields

from models.base import Owned
from models.client import Client
from models.fields import Coded, belongs_to
from models.partner import Partner


class ApiScope(Coded):
    """What an API key may do. Each opens what its rows always name as well."""

    ACCESSES_READ = "ACCESSES_READ", "Read what clients may use, and the orders that granted it"
    AGENDA_READ = "AGENDA_READ", "Read services, staff and their hours"
    AGENDA_WRITE = "AGENDA_WRITE", "Read and change services, staff, hours and resources"
    CATALOGUE_READ = "CATALOGUE_READ", "Read products"
    CATALOGUE_WRITE = "CATALOGUE_WRITE", "Read and change products; to name their partners takes PARTNERS_READ too"
    CLIENTS_READ = "CLIENTS_READ", "Read clients, with their contacts, consents, notes and tags"
    CLIENTS_WRITE = "CLIENTS_WRITE", "Read and change clients, with all that is kept of them"
    DISCOUNTS_READ = "DISCOUNTS_READ", "Read discount codes"
    DISCOUNTS_WRITE = "DISCOUNTS_WRITE", "Read and change discount codes"
    BOOKINGS_READ = "BOOKINGS_READ", "Read appointments and bookings, their clients, services and staff"
    BOOKINGS_WRITE = "BOOKINGS_WRITE", "Read, make and change bookings"
    ORDERS_READ = "ORDERS_READ", "Read orders, their payments, clients and products"
    ORDERS_WRITE = "ORDERS_WRITE", "Read, make and change orders"
    ORDERS_PAY = "ORDERS_PAY", "Read orders, and start and ask after their payment"
    QUOTES_READ = "QUOTES_READ", "Read quotes, their clients and products"
    QUOTES_WRITE = "QUOTES_WRITE", "Read, make, send and change quotes; an accepted one becomes an order"
    TICKETS_READ = "TICKETS_READ", "Read tickets and the replies to them, and their clients"
    TICKETS_WRITE = "TICKETS_WRITE", "Read, open, answer and change tickets"
    TIMELINE_READ = "TIMELINE_READ", "Read clients and what happened with them, e-mails included"
    TIMELINE_WRITE = "TIMELINE_WRITE", "Read clients and what happened with them, and add e-mails to it"
    BILANS_READ = "BILANS_READ", "Read bilans and who pays for them, and nothing of what happens in them"
    BILANS_WRITE = "BILANS_WRITE", "Read, agree, change and fund bilans"
    OPPORTUNITIES_READ = "OPPORTUNITIES_READ", "Read opportunities, their clients, orders and quotes"
    OPPORTUNITIES_WRITE = "OPPORTUNITIES_WRITE", "Read, make, change and move opportunities"
    CONFLICTS_READ = "CONFLICTS_READ", "Read orders, and what waits for a person"
    INVOICES_READ = "INVOICES_READ", "Read orders and invoices"
    INVOICES_WRITE = "INVOICES_WRITE", "Read orders and invoices, and issue these"
    EXPORTS = "EXPORTS", "Make, read and fetch exports: accounting entries, lists, invoices"
    PARTNERS_READ = "PARTNERS_READ", "Read partners and what they were told"
    PARTNERS_WRITE = "PARTNERS_WRITE", "Read, change and tell partners"


class PublishableKey(Owned):
    """What a storefront shows to the API from its own pages: no secret, bound to its origins."""

    name = fields.CharField(100, description="What it is for")
    key = fields.CharField(60, unique=True, description="The key itself, public like the pages that hold it")
    origins = fields.TextField(description="Where it may be used from, one origin a line")
    last_used_at = fields.DatetimeField(null=True, description="When it was used last, to the hour")
    revoked_at = fields.DatetimeField(null=True, description="When it was withdrawn")

    class Meta:
        table = "publishable_keys"

    @property
    def origin_list(self) -> list[str]:
        return self.origins.splitlines()


class PartnerKey(Owned):
    """A partner's own way to its notifications. The key is shown once; its hash is kept."""

    partner_id: UUID
    partner: Partner = belongs_to("Partner", "keys", "Whose key")
    name = fields.CharField(100, description="What it is for")
    prefix = fields.CharField(20, description="How it begins: enough to recognize it")
    key_hash = fields.CharField(64, unique=True, description="SHA-256 of the key, hexadecimal")
    expires_at = fields.DatetimeField(null=True, description="Until when it is good")
    last_used_at = fields.DatetimeField(null=True, description="When it was used last, to the hour")
    revoked_at = fields.DatetimeField(null=True, description="When it was withdrawn")

    class Meta:
        table = "partner_keys"


class ApiKey(Owned):
    """A way in for a server of the organization's, to what its scopes open. The key is shown once; its hash is kept."""

    name = fields.CharField(100, description="What it is for")
    prefix = fields.CharField(20, description="How it begins: enough to recognize it")
    key_hash = fields.CharField(64, unique=True, description="SHA-256 of the key, hexadecimal")
    scopes = fields.TextField(description="What it may do, one scope a line")
    expires_at = fields.DatetimeField(null=True, description="Until when it is good")
    last_used_at = fields.DatetimeField(null=True, description="When it was used last, to the hour")
    revoked_at = fields.DatetimeField(null=True, description="When it was withdrawn")

    class Meta:
        table = "api_keys"

    @property
    def scope_list(self) -> list[ApiScope]:
        return [ApiScope(scope) for scope in self.scopes.splitlines()]


class PortalToken(Owned):
    """A client's private link to their portal, one at a time. The token is shown once; its hash is kept."""

    client_id: UUID
    client: Client = belongs_to("Client", None, "Whose link")
    token_hash = fields.CharField(64, unique=True, description="SHA-256 of the token, hexadecimal")
    expires_at = fields.DatetimeField(description="Until when it is good")
    last_used_at = fields.DatetimeField(null=True, description="When it was used last, to the hour")
    revoked_at = fields.DatetimeField(null=True, description="When it was withdrawn")

    class Meta:
        table = "portal_tokens"
