"""What an invoice says, all of it: fixed at issue, stored as JSON, printed on the PDF.

Names follow EN 16931 where it has one (BT and BG numbers beside them). Nothing here is looked up again later: a product
renamed or an organization that moves changes no invoice. Amounts are integer minor units of `currency`.
"""

import hashlib
import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.amounts import CENT
from models.invoice import InvoiceType
from models.language import Language
from models.payment import PaymentMethod
from models.product import OperationCategory

Cents = Annotated[int, Field(ge=0)]
VatRate = Annotated[int, Field(ge=0, le=10_000)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


class _Fixed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VatCategory(StrEnum):
    """UNCL 5305 code (BT-118, BT-151)."""

    STANDARD = "S"
    EXEMPT = "E"


class NoteSubject(StrEnum):
    """UNTDID 4451 code (BT-21) of what French law wants said (AFNOR XP Z12-012, BR-FR-05 and BR-FR-06)."""

    RECOVERY = "PMT"  # the fixed sum for costs of recovery
    LATE_PAYMENT = "PMD"  # penalties
    EARLY_PAYMENT = "AAB"  # discount for it, or none


class Mention(_Fixed):
    """A sentence printed at the end (BG-1). Those that machines look for have a subject."""

    text: str
    english: str | None = None  # where who is billed reads it
    subject: NoteSubject | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_before(cls, given: object) -> object:
        """Contents issued before subjects were kept hold the bare sentence."""
        return {"text": given} if isinstance(given, str) else given


class Address(_Fixed):
    """A postal address (BG-5, BG-8). Lines are what stands above the town; the country is ISO 3166-1 alpha-2."""

    lines: tuple[str, ...] = ()
    postal_code: str | None = None
    city: str | None = None
    country: str = "FR"


class Endpoint(_Fixed):
    """Where a company takes e-invoices (BT-49), and the list (EAS) that this address is of; 0225 is the French one."""

    scheme: str
    address: str


class Party(_Fixed):
    """Seller (BG-4) or buyer (BG-7). A person who buys has a name, and little else."""

    name: str
    legal_form: str | None = None
    share_capital: str | None = None  # as printed: "10 000 €"
    address: Address | None = None
    siren: str | None = None
    siret: str | None = None
    rcs: str | None = None  # as printed: "RCS Paris 123 456 782"
    vat_number: str | None = None
    email: str | None = None
    phone: str | None = None  # E.164
    endpoint: Endpoint | None = None
    is_company: bool = False


class Branding(_Fixed):
    """How the organization, or the partner whose product was sold, presents itself. The logo is an SVG document, or
    else a PNG in base64."""

    name: str
    color: Color
    logo_svg: str | None = None
    logo_png: str | None = None
    contact_email: str
    phone: str | None = None  # E.164
    website: str | None = None
    terms_url: str | None = None


class Line(_Fixed):
    """A line (BG-25): `unit_net` is the price without VAT of `base_quantity` units, in currency units; the line's
    discount (BG-27), without VAT, is taken off, and `net_cents` remains."""

    description: str
    quantity: Annotated[int, Field(ge=1)]
    unit_net: Decimal
    base_quantity: Annotated[int, Field(ge=1)] = 1
    discount_net_cents: Cents = 0
    vat_category: VatCategory
    vat_rate: VatRate
    net_cents: Cents
    vat_cents: Cents
    gross_cents: Cents

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = (self.unit_net * self.quantity / self.base_quantity).quantize(CENT, ROUND_HALF_UP)
        _equal("unit price × quantity", int(total.scaleb(2)), self.net_cents + self.discount_net_cents)
        _equal("line net + VAT", self.net_cents + self.vat_cents, self.gross_cents)
        return self


class Allowance(_Fixed):
    """What the lines of one category and rate bear of a discount on the whole (BG-20)."""

    reason: str
    vat_category: VatCategory
    vat_rate: VatRate
    net_cents: Cents
    gross_cents: Cents


class Deposit(_Fixed):
    """A deposit invoice that this invoice takes into account (BG-3), and what it came to with VAT."""

    number: str
    issued_on: date
    cents: Cents


class Corrected(_Fixed):
    """The invoice that a credit note corrects (BG-3)."""

    number: str
    issued_on: date


class Transfer(_Fixed):
    """Where a bank transfer goes (BG-17), and what is written on it (BT-83)."""

    iban: str
    bic: str | None = None
    reference: str


class VatBreakdown(_Fixed):
    """All lines of one category and rate (BG-23); an exempt one says why."""

    category: VatCategory
    rate: VatRate
    net_cents: Cents
    vat_cents: Cents
    exemption: str | None = None
    exemption_code: str | None = None  # VATEX (BT-121)
    exemption_english: str | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if (self.category is VatCategory.EXEMPT) != bool(self.exemption):
            raise ValueError("An exempt category names the article that exempts it, and no other does")
        if self.category is VatCategory.EXEMPT and (self.rate or self.vat_cents):
            raise ValueError("An exempt category has no VAT")
        return self


class Sums(_Fixed):
    """What is sold and what it comes to. Refuses to exist where its amounts do not add up."""

    currency: str
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]
    vat: Annotated[tuple[VatBreakdown, ...], Field(min_length=1)]
    allowances: tuple[Allowance, ...] = ()
    net_cents: Cents
    vat_cents: Cents
    gross_cents: Cents

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        _equal("net + VAT", self.net_cents + self.vat_cents, self.gross_cents)
        for group in self.vat:
            kind = (group.category, group.rate)
            lines = [line for line in self.lines if (line.vat_category, line.vat_rate) == kind]
            taken = [each for each in self.allowances if (each.vat_category, each.vat_rate) == kind]
            net = sum(line.net_cents for line in lines) - sum(each.net_cents for each in taken)
            gross = sum(line.gross_cents for line in lines) - sum(each.gross_cents for each in taken)
            _equal(f"net at {group.rate}", net, group.net_cents)
            _equal(f"net + VAT at {group.rate}", gross, group.net_cents + group.vat_cents)
        _equal("net of the rates", sum(group.net_cents for group in self.vat), self.net_cents)
        _equal("VAT of the rates", sum(group.vat_cents for group in self.vat), self.vat_cents)
        rates = {(group.category, group.rate) for group in self.vat}
        said: tuple[Line | Allowance, ...] = (*self.lines, *self.allowances)
        if any((each.vat_category, each.vat_rate) not in rates for each in said):
            raise ValueError("Every line and allowance is of a category and rate of the breakdown")
        return self


class InvoiceContent(Sums):
    """The whole document. Amounts of a credit note are what it takes off the invoice that it corrects, not negative."""

    type: InvoiceType = InvoiceType.INVOICE
    number: str
    order_number: int | None = None
    issued_on: date  # in the organization's time zone, as the two below
    operation_on: date
    due_on: date
    paid_on: date | None = None
    live: bool  # False: TEST stands across every page
    seller: Party
    buyer: Party
    corrects: Corrected | None = None  # of a credit note, and of nothing else
    deposits: tuple[Deposit, ...] = ()
    paid_cents: Cents = 0  # the deposits included; of a credit note what was given back
    payment_method: PaymentMethod | None = None
    transfer: Transfer | None = None
    pay_url: str | None = None  # where what is still due can be paid
    language: Language = Language.FR
    mentions: tuple[Mention, ...] = ()
    operation_category: OperationCategory = OperationCategory.SERVICES
    vat_on_debits: bool = False  # VAT is due with the invoice, not with the payment (BT-8)
    deliver_to: Address | None = None  # of goods, where it is another address than the buyer's (BG-15)
    brand: Branding
    notes: tuple[str, ...] = ()

    @property
    def due_cents(self) -> int:
        """What is still to be paid (BT-115)."""
        return self.gross_cents - self.paid_cents

    @property
    def is_paid(self) -> bool:
        return self.due_cents == 0

    @model_validator(mode="after")
    def _was_paid(self) -> Self:
        if sum(deposit.cents for deposit in self.deposits) > self.paid_cents:
            raise ValueError("The deposits taken into account were paid")
        if self.paid_cents > self.gross_cents or (self.paid_cents > 0) != (self.paid_on is not None):
            raise ValueError("What was paid has a date, and is no more than the total")
        if (self.type is InvoiceType.CREDIT_NOTE) != (self.corrects is not None):
            raise ValueError("A credit note names the invoice that it corrects, and no other document does")
        return self


class QuoteContent(Sums):
    """What a quote says: what is offered to whom, at which price, and until when."""

    number: str  # with its version, from the second on
    issued_on: date  # in the organization's time zone, as the next
    valid_until: date
    live: bool
    seller: Party
    buyer: Party
    deposit_cents: Cents = 0
    note: str | None = None
    language: Language = Language.FR
    mentions: tuple[Mention, ...] = ()
    brand: Branding

    @model_validator(mode="after")
    def _asks_for_a_part(self) -> Self:
        if self.deposit_cents and self.deposit_cents >= self.gross_cents:
            raise ValueError("A deposit is less than the total")
        return self

    @property
    def sha256(self) -> str:
        """Of all that it says, as JSON with sorted keys and no spaces, in UTF-8: the same however it was stored."""
        said = self.model_dump(mode="json")
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class PreviewContent(InvoiceContent):
    """What an invoice would look like: it has no number, and no machine reads it."""


def _equal(what: str, is_: int, should_be: int) -> None:
    if is_ != should_be:
        raise ValueError(f"{what}: {is_}, not {should_be}")
