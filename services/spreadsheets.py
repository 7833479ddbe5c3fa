"""Lists for spreadsheets in French: UTF-8 that says so (a byte order mark), semicolons, decimal commas, dates as
jj/mm/aaaa."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date

from services.books import Period, Row

BOM = b"\xef\xbb\xbf"

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Column = tuple[str, Callable[[Row, Period], object]]  # heading, and the cell of a row

_TYPES = {"INVOICE": "Facture", "PREPAYMENT": "Facture d'acompte", "CREDIT_NOTE": "Avoir"}
_METHODS = {
    "STRIPE": "Stripe", "PAYPAL": "PayPal", "TRANSFER": "Virement", "CHEQUE": "Chèque", "CASH": "Espèces", "CPF": "CPF",
}  # fmt: skip

INVOICE_COLUMNS = (
    "t.number, t.type, t.currency, t.net_cents, t.vat_cents, t.total_cents, t.credited_cents, t.due_on, t.settled_at,"
    " t.file_key, t.file_sha256, r.number AS corrects, o.number AS order_number,"
    " t.content->'buyer'->>'name' AS client, t.content->'buyer'->>'siren' AS siren"
)
INVOICES: tuple[Column, ...] = (
    ("Numéro", lambda row, _: row["number"]),
    ("Type", lambda row, _: _TYPES[row["type"]]),
    ("Date", lambda row, period: period.day(row["at"])),
    ("Échéance", lambda row, _: row["due_on"]),
    ("Réglée le", lambda row, period: row["settled_at"] and period.day(row["settled_at"])),
    ("Client", lambda row, _: row["client"]),
    ("SIREN du client", lambda row, _: row["siren"]),
    ("Commande", lambda row, _: row["order_number"]),
    ("Corrige la facture", lambda row, _: row["corrects"]),
    ("Total HT", lambda row, _: _amount(row, "net_cents")),
    ("TVA", lambda row, _: _amount(row, "vat_cents")),
    ("Total TTC", lambda row, _: _amount(row, "total_cents")),
    ("Devise", lambda row, _: row["currency"]),
)
PAYMENT_COLUMNS = (
    "t.amount_cents, t.applied_cents, t.currency, t.method, t.stripe_id, t.reference, o.number AS order_number,"
    " coalesce(c.company, nullif(concat_ws(' ', c.first_name, c.last_name), ''), c.email) AS client"
)
PAYMENTS: tuple[Column, ...] = (
    ("Date", lambda row, period: period.day(row["at"])),
    ("Client", lambda row, _: row["client"]),
    ("Commande", lambda row, _: row["order_number"]),
    ("Moyen de paiement", lambda row, _: _METHODS[row["method"]]),
    ("Montant", lambda row, _: _amount(row, "amount_cents")),
    ("Dont imputé à la commande", lambda row, _: _amount(row, "applied_cents")),
    ("Devise", lambda row, _: row["currency"]),
    ("Référence", lambda row, _: row["reference"]),
    ("Identifiant Stripe", lambda row, _: row["stripe_id"]),
)


class Money(str):
    """An amount as it is printed: begun by us, and so no formula, whatever its sign."""


def heading(columns: Sequence[Column]) -> bytes:
    """The first line, and before it what says that it is UTF-8."""
    return BOM + written([name for name, _ in columns])


def line(columns: Sequence[Column], row: Row, period: Period) -> bytes:
    """A row, as a line."""
    return written([cell(row, period) for _, cell in columns])


def written(cells: Sequence[object]) -> bytes:
    """Cells as a line; text of people begins no formula."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow([_cell(each) for each in cells])
    return text.getvalue().encode()


def _cell(value: object) -> str:
    """What people typed is text, whatever it begins with."""
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, str) and not isinstance(value, Money) and value.startswith(_FORMULA):
        return f"'{value}"
    return str(value)


def _amount(row: Row, column: str) -> Money:
    """In the currency's units; what a credit note says is taken off."""
    cents = -row[column] if row.get("type") == "CREDIT_NOTE" else row[column]
    return Money(f"{'-' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02}")
