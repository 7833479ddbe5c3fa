"""Every kind of invoice that is issued, by what it is."""

from datetime import date
from typing import Any

from models.content import Address, Corrected, Endpoint, InvoiceContent, Mention, NoteSubject, Party
from models.invoice import InvoiceType
from models.language import Language
from models.payment import PaymentMethod
from models.product import OperationCategory
from tests.invoices.samples import BALANCE_TO_PAY, DEPOSIT, SELLER, TAX_RETURN, TO_PAY, brand, invoice

COACHING = ("Coaching", 2, 90_00, 2000, 10_00)
BOOK = ("Livre", 1, 19_90, 550)
RATES = (COACHING, BOOK, ("Repas", 3, 14_00, 1000), ("Presse", 1, 9_99, 210), ("Bilan", 1, 1_200_00, 0))
COMPANY = Party(
    name="Durand SARL",
    siren="732829320",
    vat_number="FR44732829320",
    email="compta@durand.example",
    address=Address(
        lines=("Bâtiment B", "Escalier 2", "3e étage", "8 quai de Saône"), postal_code="69002", city="Lyon"
    ),
)
TERMS = (
    Mention(text="Indemnité forfaitaire de 40 €.", subject=NoteSubject.RECOVERY),
    Mention(text="Pénalités : trois fois le taux d'intérêt légal.", subject=NoteSubject.LATE_PAYMENT),
    Mention(text="Pas d'escompte.", subject=NoteSubject.EARLY_PAYMENT),
    Mention(text="Option pour le paiement de la taxe d'après les débits."),
)
ENDPOINT = Endpoint(scheme="0225", address="732829320_73282932000074")
# A red square of 2 × 2 pixels, half of it shining through.
LOGO = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAFElEQVR42mM8IafbwMDAwMDEAAUAGQEBlz+NZugAAAAASUVORK5CYII="
GOODS = OperationCategory.GOODS
ELSEWHERE = Address(lines=("Entrepôt 4", "2 rue du Port"), postal_code="13002", city="Marseille")
ABROAD = Party(
    name="Smith & Sons Ltd",
    email="accounts@smith.example",
    phone="+442079460000",
    address=Address(lines=("1 High Street",), postal_code="SW1A 1AA", city="London", country="GB"),
    is_company=True,
)
ENGLISH: dict[str, Any] = {
    "language": Language.EN,
    "order_number": 42,
    "mentions": (
        Mention(
            text="Pas d’escompte pour paiement anticipé.",
            english="No discount for early payment.",
            subject=NoteSubject.EARLY_PAYMENT,
        ),
        Mention(
            text="Catégorie de l’opération : prestation de services.", english="Category of the operation: services."
        ),
    ),
}
FRANCHISE = SELLER.model_copy(update={"vat_number": None})


def _credit_note(*sold: Any, **changes: Any) -> InvoiceContent:
    corrects = Corrected(number="FQCA-2025-000155", issued_on=date(2025, 11, 28))
    return invoice(*sold, type=InvoiceType.CREDIT_NOTE, corrects=corrects, **changes)


UNPAID: dict[str, Any] = {"paid_on": None, "paid_cents": 0, "payment_method": None}


def _in_franchise() -> InvoiceContent:
    content = invoice(("Conseil", 1, 500_00, 0), seller=FRANCHISE)
    (group,) = content.vat
    said = {"exemption": "TVA non applicable, art. 293 B du CGI", "exemption_code": "VATEX-FR-FRANCHISE"}
    return content.model_copy(update={"vat": (group.model_copy(update=said),)})


def _exempt_in_english() -> InvoiceContent:
    content = invoice(("Bilan de compétences", 1, 2_400_00, 0), **ENGLISH)
    (group,) = content.vat
    said = {"exemption_english": "Exempt from VAT, article 261-4-4° a of the French tax code (CGI)"}
    return content.model_copy(update={"vat": (group.model_copy(update=said),)})


CASES: dict[str, InvoiceContent] = {
    "to a person": invoice(),
    "to a person abroad": invoice(buyer=Party(name="Jan", email="jan@example.be", address=Address(country="BE"))),
    "to a company": invoice(buyer=COMPANY, mentions=TERMS, order_number=42),
    "to where a company says": invoice(buyer=COMPANY.model_copy(update={"endpoint": ENDPOINT})),
    "to a company, to be paid": invoice(buyer=COMPANY, mentions=TERMS, **TO_PAY),
    "exempt training": invoice(("Bilan de compétences", 1, 2_400_00, 0)),
    "exempt training without a VAT number": invoice(("Bilan", 1, 2_400_00, 0), seller=FRANCHISE),
    "franchise en base": _in_franchise(),
    "several rates": invoice(*RATES),
    "a discount on a line": invoice(COACHING),
    "a discount on the whole": invoice(COACHING, BOOK, discount_cents=19_00),
    "discounts on all, at several rates": invoice(*RATES, discount_cents=133_33),
    "all but a cent given away": invoice(TAX_RETURN, discount_cents=99_98),
    "a deposit": invoice(("Acompte de 30 %", 1, 30_00, 2000), type=InvoiceType.PREPAYMENT),
    "a deposit to be paid": invoice(("Acompte de 30 %", 1, 30_00, 2000), type=InvoiceType.PREPAYMENT, **TO_PAY),
    "the balance after a deposit": invoice(**BALANCE_TO_PAY),
    "a balance that is paid": invoice(deposits=(DEPOSIT,)),
    "a credit note, given back": _credit_note(),
    "a credit note, not given back": _credit_note(**UNPAID),
    "a credit note in part": _credit_note(("Avoir partiel sur la facture FQCA-2025-000155", 1, 10_00, 2000)),
    "a credit note of several rates": _credit_note(*RATES),
    "a credit note of discounts": _credit_note(COACHING, BOOK, discount_cents=19_00),
    "a credit note to a company": _credit_note(buyer=COMPANY, mentions=TERMS, **UNPAID),
    "a credit note without VAT": _credit_note(("Bilan", 1, 2_400_00, 0)),
    "in dollars, without VAT": invoice(("Bilan", 1, 2_400_00, 0), currency="USD"),
    "to be paid online only": invoice(**TO_PAY | {"transfer": None}),
    "to be paid, nobody says how": invoice(**TO_PAY | {"transfer": None, "pay_url": None}),
    "paid in part": invoice(**BALANCE_TO_PAY | {"deposits": (), "payment_method": PaymentMethod.CHEQUE}),
    "paid before it was issued": invoice(issued_on=date(2025, 12, 6)),
    "goods": invoice(operation_category=OperationCategory.GOODS),
    "goods and services": invoice(operation_category=OperationCategory.MIXED),
    "VAT on debits": invoice(vat_on_debits=True, mentions=TERMS, **TO_PAY),
    "goods delivered elsewhere": invoice(BOOK, buyer=COMPANY, deliver_to=ELSEWHERE, operation_category=GOODS),
    "in English": invoice(buyer=ABROAD, **ENGLISH),
    "in English, to be paid": invoice(*RATES, discount_cents=19_00, **ENGLISH | TO_PAY | {"buyer": ABROAD}),
    "in English, a balance": invoice(**ENGLISH | BALANCE_TO_PAY),
    "in English, a deposit": invoice(("Deposit of 30%", 1, 30_00, 2000), type=InvoiceType.PREPAYMENT, **ENGLISH),
    "in English, a credit note": _credit_note(notes=("Session cancelled",), **ENGLISH),
    "in English, a credit note to be deducted": _credit_note(**ENGLISH | UNPAID),
    "in English, exempt": _exempt_in_english(),
    "in English, 80 lines": invoice(*((f"Session {n}", 1, 50_00, 2000) for n in range(1, 81)), **ENGLISH),
    "a logo that shines through": invoice(brand=brand(logo_png=LOGO)),
    "a test": invoice(live=False),
    "a cent": invoice(("Un centime", 1, 1, 2000)),
    "0.99": invoice(("Presque rien", 1, 99, 2000)),
    "1,000,000.00": invoice(("Un million", 1, 1_000_000_00, 2000)),
    "a price that no cent carries": invoice(("Atelier CV", 3, 14_00, 2000), ("Vis", 9_999, 1, 2000)),
    "something free among the rest": invoice(TAX_RETURN, ("Offert", 1, 0, 2000)),
    "3 lines": invoice(*RATES[:3]),
    "7 lines": invoice(*(*RATES, *RATES[:2])),
    "200 lines": invoice(*((f"Séance {number}", number % 5 + 1, 9_99 + number, 2000) for number in range(200))),
    "names with all sorts of characters": invoice(
        ("<b>&amp; \x0b« 100 % » \U0001f600", 1, 1_00, 2000), buyer=Party(name="A\x07 & <B>", email="a@example.com")
    ),
    **{f"paid by {method}": invoice(payment_method=method) for method in PaymentMethod},
}
