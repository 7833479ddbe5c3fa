"""Those who buy."""

from typing import Any
from uuid import UUID

from tortoise import fields

from errors import Conflict
from models.base import AtStripe, Owned
from models.fields import Coded, CountryField, EmailField, PhoneField, SirenField, VatNumberField, belongs_to
from models.language import Language

ERASED = "@erased.invalid"  # what the address of one who was erased ends with; no such domain is ever there (RFC 2606)
FRENCH_DIRECTORY = "0225"  # EAS: SIREN, or SIREN_…, in the French directory of e-invoicing


class ClientKind(Coded):
    """What a client is."""

    PERSON = "PERSON", "A person"
    COMPANY = "COMPANY", "A company, or another organization"


class ClientStatus(Coded):
    """Whether a client subscribes to anything. Computed; no column holds it."""

    ACTIVE = "ACTIVE", "A subscription of theirs runs"
    TRIAL = "TRIAL", "One is being tried, and none is paid for"
    INACTIVE = "INACTIVE", "None runs; they may buy all the same"


class Client(Owned, AtStripe):
    """A customer of the organization, one per e-mail address."""

    kind = fields.CharEnumField(
        ClientKind, max_length=10, default=ClientKind.PERSON, description="A person or a company"
    )
    email = EmailField(description="E-mail address, one client each")
    first_name = fields.CharField(100, null=True, description="First name")
    last_name = fields.CharField(100, null=True, description="Last name")
    company = fields.CharField(200, null=True, description="Company, when the client is one")
    siren = SirenField(null=True, description="SIREN of the company, nine digits (EN 16931 BT-47)")
    vat_number = VatNumberField(null=True, description="VAT number of the company (BT-48)")
    electronic_address = fields.CharField(
        100, null=True, description="Where the company takes e-invoices (BT-49); its SIREN unless given"
    )
    electronic_address_scheme = fields.CharField(
        4,
        default=FRENCH_DIRECTORY,
        description="Code of the list that this address is of (EAS); 0225 is the French one",
    )
    phone = PhoneField(null=True, description="Phone number")
    address = fields.CharField(300, null=True, description="Street, one or several lines")
    postal_code = fields.CharField(20, null=True, description="Postal code")
    city = fields.CharField(100, null=True, description="Town")
    country = CountryField(null=True, description="Country")
    delivery_address = fields.CharField(
        300, null=True, description="Street that goods are delivered to, where it is another (BG-15)"
    )
    delivery_postal_code = fields.CharField(20, null=True, description="Postal code of the delivery")
    delivery_city = fields.CharField(100, null=True, description="Town of the delivery")
    delivery_country = CountryField(null=True, description="Country of the delivery")
    language = fields.CharEnumField(
        Language,
        max_length=2,
        null=True,
        description="What documents and letters are in; the organization's unless given",
    )
    consultant_id: UUID | None
    consultant: Any = belongs_to("Membership", None, "Who looks after them", null=True)
    member_id: UUID | None
    member: Any = belongs_to("Membership", None, "Their own way in: the membership with which they sign in", null=True)

    class Meta:
        table = "clients"

    @property
    def name(self) -> str:
        """What to call them: company, else first and last name, else the address."""
        return self.company or " ".join(filter(None, (self.first_name, self.last_name))) or self.email

    @property
    def is_erased(self) -> bool:
        """Whether they asked to be, and nothing is known of them any more."""
        return self.email.endswith(ERASED)

    def must_not_be_erased(self, *, field: str = "input.client") -> None:
        """Raises Conflict for one who was erased: nothing is written of them again."""
        if self.is_erased:
            raise Conflict("This client was erased. Make another client.", field=field)

    @property
    def is_company(self) -> bool:
        """Whether it buys as a company: what the law asks of invoices between companies holds."""
        return bool(self.company or self.siren)

    @property
    def endpoint(self) -> tuple[str, str] | None:
        """(scheme, address) where the company takes e-invoices (BT-49-1, BT-49)."""
        if self.electronic_address:
            return self.electronic_address_scheme, self.electronic_address
        return (FRENCH_DIRECTORY, self.siren) if self.siren else None
