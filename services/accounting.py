"""Accounting entries of what was invoiced and paid: pure, one entry for each document and each movement of money.

A sale is entered when it is invoiced: 411 owes the whole, what is sold and its VAT are earned. A deposit's invoice is a
debt until the sale (4191); its VAT is due with it. The invoice of the sale then takes both over. A credit note is its
invoice, the other way round. Money goes between the client's account and where it lies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from models import InvoiceType, OperationCategory, PaymentMethod
from models.accounting import ACCOUNTS, AccountUse

SALES, BANK, TILL = ("VE", "Ventes"), ("BQ", "Banque"), ("CA", "Caisse")  # journals: (code, name)

_VAT = {
    2000: AccountUse.VAT_20, 1000: AccountUse.VAT_10, 550: AccountUse.VAT_5_5, 210: AccountUse.VAT_2_1,
}  # fmt: skip
_MONEY = {
    PaymentMethod.STRIPE: AccountUse.STRIPE, PaymentMethod.PAYPAL: AccountUse.PAYPAL,
    PaymentMethod.TRANSFER: AccountUse.BANK, PaymentMethod.CPF: AccountUse.BANK,
    PaymentMethod.CHEQUE: AccountUse.CHEQUES, PaymentMethod.CASH: AccountUse.CASH,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Posting:
    """A line of an entry: `cents` is a debit, or a credit where it is less than 0."""

    use: AccountUse
    cents: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What one document or one movement of money comes to in the books; its postings come to 0."""

    journal: tuple[str, str]
    on: date
    piece: str
    label: str
    client_id: UUID
    client: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        if sum(posting.cents for posting in self.postings):
            raise ValueError(f"{self.piece}: debits are not credits")


@dataclass(frozen=True, slots=True)
class Vat:
    """Of one rate, in hundredths of a percent, and what it is of: minor units."""

    rate: int
    net_cents: int
    vat_cents: int

    def taken_off(self) -> "Vat":
        return Vat(self.rate, -self.net_cents, -self.vat_cents)


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice or a credit note, as far as books go by it. `deposits` is the VAT of the deposits' invoices that it
    takes into account, their credit notes' taken off, `corrects` the kind of invoice that a credit note corrects."""

    type: InvoiceType
    number: str
    on: date
    client_id: UUID
    client: str
    category: OperationCategory
    vat: tuple[Vat, ...]
    deposits: tuple[Vat, ...] = ()
    corrects: InvoiceType | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that came (`cents` more than 0) or went."""

    piece: str
    label: str
    on: date
    client_id: UUID
    client: str
    method: PaymentMethod
    cents: int


def of_document(issued: Issued) -> Entry:
    """The entry of an invoice or a credit note."""
    is_credit = issued.type is InvoiceType.CREDIT_NOTE
    kind = (issued.corrects or InvoiceType.INVOICE) if is_credit else issued.type
    sold = AccountUse.DEPOSITS if kind is InvoiceType.PREPAYMENT else _sold(issued.category)
    earned = _summed(issued.vat, sold)
    for use, cents in _summed(issued.deposits, AccountUse.DEPOSITS).items():
        earned[use] = earned.get(use, 0) - cents
    owed = sum(earned.values())
    sign = -1 if is_credit else 1
    return Entry(
        SALES, issued.on, issued.number, f"{_NAMES[issued.type]} {issued.number} {issued.client}", issued.client_id,
        issued.client,
        tuple(
            Posting(use, sign * cents)
            for use, cents in [(AccountUse.CLIENTS, owed), *((use, -cents) for use, cents in earned.items())]
            if cents
        ),
    )  # fmt: skip


def of_money(moved: Moved) -> Entry:
    """The entry of money that came or went."""
    return Entry(
        TILL if moved.method is PaymentMethod.CASH else BANK, moved.on, moved.piece, f"{moved.label} {moved.client}",
        moved.client_id, moved.client,
        (Posting(_MONEY[moved.method], moved.cents), Posting(AccountUse.CLIENTS, -moved.cents)),
    )  # fmt: skip


def account(use: AccountUse, own: Mapping[str, str]) -> tuple[str, str]:
    """(number, name) of an account, by the numbers of the organization's own where it has some."""
    number, name = ACCOUNTS[use]
    return own.get(use, number), name


_NAMES = {
    InvoiceType.INVOICE: "Facture", InvoiceType.PREPAYMENT: "Facture d'acompte", InvoiceType.CREDIT_NOTE: "Avoir",
}  # fmt: skip


def _sold(category: OperationCategory) -> AccountUse:
    return AccountUse.GOODS if category is OperationCategory.GOODS else AccountUse.SERVICES


def _summed(groups: Iterable[Vat], sold: AccountUse) -> dict[AccountUse, int]:
    """What is earned, and the VAT on it by rate."""
    summed: dict[AccountUse, int] = {}
    for group in groups:
        for use, cents in ((sold, group.net_cents), (_VAT.get(group.rate, AccountUse.VAT_OTHER), group.vat_cents)):
            summed[use] = summed.get(use, 0) + cents
    return summed
