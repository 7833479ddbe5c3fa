"""Those who buy."""

from typing import Any
from uuid import UUID

from tortoise import fields

from models.base import AtStripe, Owned
from models.fields import CountryField, EmailField, PhoneField, SirenField, belongs_to


class Client(Owned, AtStripe):
    """A customer of the organization, one per e-mail address."""

    email = EmailField(description="E-mail address, one client each")
    first_name = fields.CharField(100, null=True, description="First name")
    last_name = fields.CharField(100, null=True, description="Last name")
    company = fields.CharField(200, null=True, description="Company, when the client is one")
    siren = SirenField(null=True, description="SIREN of the company, nine digits (EN 16931 BT-47)")
    phone = PhoneField(null=True, description="Phone number")
    address = fields.CharField(300, null=True, description="Street, one or several lines")
    postal_code = fields.CharField(20, null=True, description="Postal code")
    city = fields.CharField(100, null=True, description="Town")
    country = CountryField(null=True, description="Country")
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
