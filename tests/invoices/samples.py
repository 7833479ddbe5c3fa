"""Invoices to print and to send, and stand-ins for the work of a rendering process."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

import pytest

from errors import NotConfigured
from models.amounts import Sold, breakdown, spread
from models.content import (
    Address,
    Allowance,
    Branding,
    Deposit,
    InvoiceContent,
    Line,
    Mention,
    NoteSubject,
    Party,
    Transfer,
    VatBreakdown,
    VatCategory,
)
from models.payment import PaymentMethod
from services.rendering import Renderer, render_document

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


TRANSFER = Transfer(iban="FR7630006000011234567890189", bic="AGRIFRPPXXX", reference="FQCA-2025-000156")
PAY_URL = f"https://api.comptappart.example/pay/{'0197f0a2' * 12}"
DEPOSIT = Deposit(number="FQCA-2025-000012", issued_on=date(2025, 12, 1), cents=30_00)
TO_PAY: dict[str, Any] = {
    "order_number": 42,
    "due_on": date(2026, 1, 5),
    "paid_on": None,
    "paid_cents": 0,
    "payment_method": None,
    "transfer": TRANSFER,
    "pay_url": PAY_URL,
}
BALANCE_TO_PAY = TO_PAY | {
    "paid_on": date(2025, 12, 1),
    "paid_cents": 30_00,
    "payment_method": PaymentMethod.STRIPE,
    "deposits": (DEPOSIT,),
}


def invoice(
    *sold: tuple[str, int, int, int] | tuple[str, int, int, int, int], discount_cents: int = 0, **changes: Any
) -> InvoiceContent:
    """A paid invoice for (description, quantity, unit price TTC in cents, VAT rate, discount TTC if any), of which
    `discount_cents` is taken off the whole; rate 0 is exempt."""
    lines = _shared(sold or (TAX_RETURN,), discount_cents)
    amounts = breakdown([line for _, line in lines])
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
        "lines": tuple(
            Line(
                description=description,
                quantity=line.quantity,
                unit_net=amount.unit_net,
                base_quantity=amount.base_quantity,
                discount_net_cents=amount.discount_net_cents,
                vat_category=_category(line.vat_rate),
                vat_rate=line.vat_rate,
                net_cents=amount.net_cents,
                vat_cents=amount.vat_cents,
                gross_cents=amount.gross_cents,
            )
            for (description, line), amount in zip(lines, amounts.lines, strict=True)
        ),
        "vat": tuple(
            VatBreakdown(
                category=_category(rate.vat_rate),
                rate=rate.vat_rate,
                net_cents=rate.net_cents,
                vat_cents=rate.vat_cents,
                exemption=None if rate.vat_rate else EXEMPTION,
                exemption_code=None if rate.vat_rate else "VATEX-FR-CGI261-4",
            )
            for rate in amounts.rates
        ),
        "allowances": tuple(
            Allowance(
                reason="Code BIENVENUE",
                vat_category=_category(rate.vat_rate),
                vat_rate=rate.vat_rate,
                net_cents=rate.allowance_net_cents,
                gross_cents=rate.allowance_gross_cents,
            )
            for rate in amounts.rates
            if rate.allowance_gross_cents
        ),
        "net_cents": amounts.net_cents,
        "vat_cents": amounts.vat_cents,
        "gross_cents": amounts.gross_cents,
        "paid_cents": amounts.gross_cents,
        "payment_method": PaymentMethod.STRIPE,
        "mentions": (Mention(text="Pas d’escompte pour paiement anticipé.", subject=NoteSubject.EARLY_PAYMENT),),
        "brand": BRAND,
    }
    return InvoiceContent(**(content | changes))


def brand(**changes: Any) -> Branding:
    return BRAND.model_copy(update=changes)


async def drawing(renderer: Renderer) -> Renderer:
    """It, on a machine that can draw; on any other the test is skipped."""
    try:
        await renderer.invoice(invoice())
    except NotConfigured as missing:
        pytest.skip(str(missing))
    return renderer


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
    return render_document(content)


def _shared(sold: Sequence[tuple[Any, ...]], discount_cents: int) -> list[tuple[str, Sold]]:
    """(description, line), each line with its part of the discount on the whole."""
    lines = [
        (description, Sold(quantity, price, rate, *discount)) for description, quantity, price, rate, *discount in sold
    ]
    shares = spread(discount_cents, [line.gross_cents for _, line in lines])
    return [
        (description, replace(line, share_cents=share))
        for (description, line), share in zip(lines, shares, strict=True)
    ]


def _category(rate: int) -> VatCategory:
    return VatCategory.STANDARD if rate else VatCategory.EXEMPT
