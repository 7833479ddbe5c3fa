"""The tenant, and the people who work in it."""

from typing import Any
from uuid import UUID

from tortoise import fields

from errors import Invalid
from models import legal
from models.base import Branded, Owned, Row
from models.fields import Coded, CountryField, EmailField, SirenField, SiretField, VatNumberField, belongs_to
from models.language import Language
from models.mention import MentionCode

# An invoice in another currency says its VAT in this one too, at a rate that nobody gives us (art. 289 du CGI;
# BR-FR-CO-12 of AFNOR XP Z12-012).
VAT_CURRENCY = "EUR"
VAT_RATES = (2000, 1000, 550, 210)  # metropolitan France, art. 278 to 281 nonies du CGI, hundredths of a percent


def can_be_invoiced(rate: int, currency: str) -> bool:
    """Whether an invoice in a currency may bear VAT of a rate, in hundredths of a percent."""
    return rate == 0 or currency == VAT_CURRENCY


class VatRegime(Coded):
    """How the organization stands towards French VAT."""

    STANDARD = "STANDARD", "Charges VAT"
    FRANCHISE = "FRANCHISE", "Franchise en base, art. 293 B du CGI"
    EXEMPT_TRAINING = "EXEMPT_TRAINING", "Attested training body, exempt under art. 261-4-4° a du CGI"


EXEMPTIONS = {
    VatRegime.STANDARD: MentionCode.VAT_EXEMPT,
    VatRegime.FRANCHISE: MentionCode.VAT_FRANCHISE,
    VatRegime.EXEMPT_TRAINING: MentionCode.VAT_TRAINING,
}

# EN 16931 BT-121, of the code list VATEX.
EXEMPTION_CODES = {
    VatRegime.FRANCHISE: "VATEX-FR-FRANCHISE",
    VatRegime.EXEMPT_TRAINING: "VATEX-FR-CGI261-4",
}


class Role(Coded):
    """What a person may do in an organization."""

    OWNER = "OWNER", "Everything, members and billing settings included"
    ADMIN = "ADMIN", "Everything but ownership and the audit log"
    CONSULTANT = "CONSULTANT", "Their own clients and work"
    ACCOUNTANT = "ACCOUNTANT", "Reads orders, payments and invoices"
    BENEFICIARY = "BENEFICIARY", "Their own orders and invoices only"


class Organization(Row, Branded):
    """An institute, a consultancy, a freelance: whoever sells."""

    slug = fields.CharField(63, unique=True, description="Short name for addresses")
    name = fields.CharField(200, description="Usual name")
    legal_name = fields.CharField(200, description="Name in the register (EN 16931 BT-27)")
    legal_form = fields.CharField(100, description="SAS, SARL, EI…")
    share_capital = fields.CharField(50, null=True, description="As printed: `10 000 €`")
    siren = SirenField(description="SIREN, nine digits (BT-30)")
    siret = SiretField(description="SIRET, fourteen digits")
    rcs = fields.CharField(100, null=True, description="Register and its town: `RCS Paris 123 456 782`")
    vat_number = VatNumberField(null=True, description="Intra-community VAT number (BT-31)")
    vat_regime = fields.CharEnumField(VatRegime, max_length=20, description="VAT regime")
    vat_on_debits = fields.BooleanField(
        default=False, description="Whether it opted to owe VAT on services with the invoice, not with the payment"
    )
    address = fields.CharField(300, description="Street, one or several lines")
    postal_code = fields.CharField(20, description="Postal code")
    city = fields.CharField(100, description="Town")
    country = CountryField(default="FR", description="Country")
    time_zone = fields.CharField(64, default="Europe/Paris", description="IANA zone: the day and year of invoices")
    invoice_prefix = fields.CharField(10, description="What invoice numbers begin with: `FQCA`")
    iban = fields.CharField(34, null=True, description="Account that transfers go to (EN 16931 BT-84)")
    bic = fields.CharField(11, null=True, description="BIC of its bank (BT-86)")
    payment_days = fields.IntField(default=30, description="Days to pay an invoice sent before the payment")
    reminder_every_days = fields.IntField(
        default=7, description="Days from the due date to a reminder, and to the next"
    )
    reminders_most = fields.IntField(default=3, description="How many reminders are sent at most; 0 for none")
    quote_days = fields.IntField(default=30, description="Days that a quote is good for, unless it says otherwise")
    language = fields.CharEnumField(
        Language,
        max_length=2,
        default=Language.FR,
        description="What documents and letters are in, unless a client has another",
    )
    grace_days = fields.IntField(
        default=7, description="Days that a subscription may be used beyond what is paid, while Stripe tries again"
    )
    suspend_disputed = fields.BooleanField(
        default=False, description="Whether access is withdrawn while a payment is disputed, until that is won"
    )
    public_holidays_off = fields.BooleanField(
        default=True,
        description="Whether nobody works on the public holidays of its country, unless their hours say so",
    )
    holiday_region = fields.CharField(
        20,
        null=True,
        description="Region of its country whose own public holidays it has too, by its code of ISO 3166-2:"
        " 6AE (Alsace), 57 (Moselle), 974 (La Réunion)",
    )
    reminder_minutes = fields.CharField(60, default="1440 120")  # with a space between
    # Accounts with numbers of its own, by `AccountUse`.
    account_numbers: Any = fields.JSONField(default=dict)
    # Keys of the providers that are switched on, one a line: a trigger on integrations keeps it.
    providers_on = fields.TextField(default="")
    last_order_number = fields.IntField(default=0, description="Number of the newest order")

    class Meta:
        table = "organizations"

    @property
    def reminder_list(self) -> list[int]:
        """How long before appointments begin clients are reminded, in minutes, unless a service has its own."""
        return [int(each) for each in self.reminder_minutes.split()]

    @property
    def invoiced_vat_number(self) -> str | None:
        """The VAT number as invoices show it: none where no VAT is charged at all."""
        return None if self.vat_regime is VatRegime.FRANCHISE else self.vat_number

    @property
    def missing_legal_fields(self) -> list[str]:
        """The columns that its invoices need and that are empty: nothing is sold before they are filled."""
        return legal.missing(self)

    @property
    def exemption(self) -> MentionCode:
        """The mention that says why a sale at rate 0 bears no VAT."""
        return EXEMPTIONS[self.vat_regime]

    def vat_exemption_code(self, rate: int) -> str | None:
        """The same for machines; None too where the code list has none."""
        return EXEMPTION_CODES.get(self.vat_regime) if rate == 0 else None

    def must_be_able_to_charge(self, rate: int, currency: str) -> None:
        """Raises Invalid for a VAT rate that the regime does not know, in hundredths of a percent, and for VAT in
        another currency than its own."""
        rates = {VatRegime.STANDARD: VAT_RATES, VatRegime.FRANCHISE: (0,)}.get(self.vat_regime, (*VAT_RATES, 0))
        if rate not in rates:
            known = ", ".join(map(str, rates))
            raise Invalid(
                f"Under {self.vat_regime} VAT rates are {known} (hundredths of a percent).", field="input.vatRate"
            )
        if not can_be_invoiced(rate, currency):
            raise Invalid(f"VAT is invoiced in {VAT_CURRENCY}: sell this in it.", field="input.price.currency")


class Storefront(Row, Branded):
    """Whoever sells, as the pages of its shop show it: the public columns of an organization, in the same table."""

    name = fields.CharField(200, description="Usual name")

    class Meta:
        table = "organizations"


class User(Row):
    """A person who signs in; may belong to several organizations."""

    email = EmailField(unique=True, description="E-mail address")
    password_hash = fields.CharField(255)
    first_name = fields.CharField(100, description="First name")
    last_name = fields.CharField(100, description="Last name")
    # When somebody showed that they read its letters; none for an account that a member made for an address.
    confirmed_at = fields.DatetimeField(null=True)
    totp_secret = fields.CharField(500, null=True)  # sealed; being set up until the next column has a value
    second_factor_since = fields.DatetimeField(
        null=True, description="Since when a code is asked for besides the password"
    )
    totp_step = fields.BigIntField(default=0)  # of the newest code that was taken: none is taken twice

    class Meta:
        table = "users"


class Membership(Owned):
    """A person's role in an organization."""

    user_id: UUID
    user: User = belongs_to("User", "memberships", "The person")
    role = fields.CharEnumField(Role, max_length=20, description="What they may do there")
    # What somebody did keeps their name: one who leaves is not deleted.
    active = fields.BooleanField(default=True, description="Whether they are let in; false once removed")

    class Meta:
        table = "memberships"
        unique_together = (("organization", "user"),)
