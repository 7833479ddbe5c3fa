"""Invoices to print and to send, and stand-ins for the work of a rendering process."""

import os
from collections.abc import Sequence
from datetime import date
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from models.amounts import Sold, breakdown
from models.content import Address, Branding, InvoiceContent, Line, Party, VatBreakdown, VatCategory
from models.payment import PaymentMethod
from services.rendering import render_invoice

TAX_RETURN = ("Déclaration d'impôts - Formule Complète", 1, 99_99, 2000)
EXEMPTION = "Exonération de TVA, article 261-4-4° a du CGI"

SELLER = Party(
    name="ComptAppart",
    legal_form="SAS",
    share_capital="10 000 €",
    address=Address(lines=("12 rue de la Paix",), postal_code="75002", city="Paris"),
    siren="123456782",
    siret="12345678200012",
    rcs="RCS Paris 123 456 782",
    vat_number="FR32123456782",
    email="compta@comptappart.example",
)
BUYER = Party(name="Marie Martin", email="marie.martin@example.com")
BRAND = Branding(
    name="Service Fiscalité – ComptAppart",
    color="#0b6e4f",
    contact_email="contact@comptappart.example",
    phone="+33140000000",
    website="https://comptappart.example",
    terms_url="https://comptappart.example/cgv",
)


def invoice(*sold: tuple[str, int, int, int], **changes: Any) -> InvoiceContent:
    """A paid invoice for (description, quantity, unit price TTC in cents, VAT rate); rate 0 is exempt."""
    lines = sold or (TAX_RETURN,)
    amounts = breakdown([Sold(quantity, price, rate) for _, quantity, price, rate in lines])
    content: dict[str, Any] = {
        "number": "FQCA-2025-000156",
        "issued_on": date(2025, 12, 5),
        "operation_on": date(2025, 12, 5),
        "due_on": date(2025, 12, 5),
        "paid_on": date(2025, 12, 5),
        "currency": "EUR",
        "live": True,
        "seller": SELLER,
        "buyer": BUYER,
        "lines": _lines(lines),
        "vat": tuple(
            VatBreakdown(
                category=_category(rate.vat_rate),
                rate=rate.vat_rate,
                net_cents=rate.net_cents,
                vat_cents=rate.vat_cents,
                exemption=None if rate.vat_rate else EXEMPTION,
            )
            for rate in amounts.rates
        ),
        "net_cents": amounts.net_cents,
        "vat_cents": amounts.vat_cents,
        "gross_cents": amounts.gross_cents,
        "paid_cents": amounts.gross_cents,
        "payment_method": PaymentMethod.STRIPE,
        "mentions": ("Pas d’escompte pour paiement anticipé.",),
        "brand": BRAND,
    }
    return InvoiceContent(**(content | changes))


def brand(**changes: Any) -> Branding:
    return BRAND.model_copy(update=changes)


def work(content: InvoiceContent) -> bytes:
    """Stands in for the rendering: tells its process, or misbehaves as the number says, leaving its mark first."""
    if content.notes:
        Path(content.notes[0]).write_text(str(os.getpid()))
    while content.number == "stuck":
        pass
    if content.number == "die":
        os._exit(3)
    return str(os.getpid()).encode()


def work_without_pango(content: InvoiceContent) -> bytes:
    """The real rendering, where loading WeasyPrint fails as it does on a machine without Pango."""
    import sys

    class NoPango(MetaPathFinder):
        def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
            if name.partition(".")[0] == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    sys.meta_path.insert(0, NoPango())
    return render_invoice(content)


def _lines(sold: Sequence[tuple[str, int, int, int]]) -> tuple[Line, ...]:
    amounts = breakdown([Sold(quantity, price, rate) for _, quantity, price, rate in sold])
    return tuple(
        Line(
            description=description,
            quantity=quantity,
            unit_net=line.unit_net,
            base_quantity=line.base_quantity,
            vat_category=_category(rate),
            vat_rate=rate,
            net_cents=line.net_cents,
            vat_cents=line.vat_cents,
            gross_cents=line.gross_cents,
        )
        for (description, quantity, _, rate), line in zip(sold, amounts.lines, strict=True)
    )


def _category(rate: int) -> VatCategory:
    return VatCategory.STANDARD if rate else VatCategory.EXEMPT
