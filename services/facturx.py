"""An invoice as machines read it: Factur-X, profile EN 16931, in the syntax CII (UN/CEFACT Cross Industry Invoice).

Keys are EN 16931's: BT is a term, BG a group of terms. What France asks for besides is the BR-FR rules of AFNOR
XP Z12-012; `services/conformance.py` looks whether all of it holds.
"""

import re
from collections.abc import Iterator
from typing import Any

from facturx import generate_xml

from models.content import Address, Allowance, InvoiceContent, Line, NoteSubject, Party, VatBreakdown, VatCategory
from models.invoice import InvoiceType
from models.payment import PaymentMethod
from models.product import OperationCategory

NAME = "factur-x.xml"  # of the file within the PDF, as the Factur-X specification has it

# UNTDID 1001 (BT-3).
_TYPES = {InvoiceType.INVOICE: "380", InvoiceType.PREPAYMENT: "386", InvoiceType.CREDIT_NOTE: "381"}

# UNTDID 4461 (BT-81). A transfer that was made is 42: 58 is one that is asked for, with the account it goes to.
_MEANS = {
    PaymentMethod.STRIPE: "68",
    PaymentMethod.PAYPAL: "68",
    PaymentMethod.TRANSFER: "42",
    PaymentMethod.CHEQUE: "20",
    PaymentMethod.CASH: "10",
    PaymentMethod.CPF: "42",
}
_ONLINE, _SEPA_TRANSFER = "68", "58"

_OPERATIONS = {OperationCategory.GOODS: "B", OperationCategory.SERVICES: "S", OperationCategory.MIXED: "M"}
_INVOICE_DATE = "5"  # UNTDID 2475 (BT-8): VAT is due with the invoice, not with the payment
_DISCOUNT = "95"  # UNTDID 5189 (BT-98, BT-140)
_PIECE = "C62"  # UN/ECE Recommendation 20 (BT-130)
_SIREN, _SIRET, _PLATFORM, _EMAIL = "0002", "0009", "0225", "EM"  # ISO 6523 and EAS, of identifiers and addresses

# What code de commerce, art. L441-9 and L441-10, wants said; BR-FR-05 wants it of every invoice, whoever buys.
_STATUTORY = {
    NoteSubject.RECOVERY: "Entre professionnels, indemnité forfaitaire pour frais de recouvrement en cas de retard :"
    " 40 €.",
    NoteSubject.LATE_PAYMENT: "Entre professionnels, pénalités de retard : trois fois le taux d'intérêt légal.",
    NoteSubject.EARLY_PAYMENT: "Pas d'escompte pour paiement anticipé.",
}

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(content: InvoiceContent) -> bytes:
    """The document, in UTF-8: the same bytes whenever the content is the same. What it says is not validated here."""
    said: bytes = generate_xml(_terms(content), level="en16931", check_xsd=False, check_schematron=None)
    return said


def _terms(content: InvoiceContent) -> dict[str, Any]:
    return {
        "BT-1": content.number,
        "BT-2": content.issued_on,
        "BT-3": _TYPES[content.type],
        "BT-5": content.currency,
        **_vat_in_euros(content),
        "BT-8": _INVOICE_DATE if content.vat_on_debits else None,
        "BT-9": content.due_on,
        "BT-14": str(content.order_number) if content.order_number else None,
        "BT-23": _framework(content),
        "BT-72": content.operation_on,
        "BG-1": list(_notes(content)),
        "BG-3": list(_preceding(content)),
        "BG-4": _seller(content.seller),
        "BG-7": _buyer(content.buyer),
        "BG-13": {"name": _text(content.buyer.name), **_address(content.deliver_to)} if content.deliver_to else None,
        **_payment(content),
        "BG-20": [_allowance(allowance) for allowance in content.allowances],
        "BG-23": [_vat(group) for group in content.vat],
        "BG-25": [_line(position, line) for position, line in enumerate(content.lines, start=1)],
        "BT-106": _amount(sum(line.net_cents for line in content.lines)),
        "BT-107": _amount(sum(each.net_cents for each in content.allowances)) if content.allowances else None,
        "BT-109": _amount(content.net_cents),
        "BT-110": _amount(content.vat_cents),
        "BT-112": _amount(content.gross_cents),
        "BT-113": _amount(content.paid_cents),
        "BT-115": _amount(content.due_cents),
    }


def _vat_in_euros(content: InvoiceContent) -> dict[str, str]:
    """France has VAT told in euros whatever the invoice is in (BR-FR-CO-12). Where there is some, we have no rate of
    exchange: such an invoice does not conform."""
    if content.currency == "EUR" or content.vat_cents:
        return {}
    return {"BT-6": "EUR", "BT-111": _amount(0)}


def _preceding(content: InvoiceContent) -> Iterator[dict[str, Any]]:
    """The invoices that it builds on: its deposits', the one that it corrects."""
    if content.corrects:
        yield {"BT-25": content.corrects.number, "BT-26": content.corrects.issued_on}
    for deposit in content.deposits:
        yield {"BT-25": deposit.number, "BT-26": deposit.issued_on}


def _framework(content: InvoiceContent) -> str:
    """Billing framework (cadre de facturation): what is sold, and whether it is paid, the balance of a deposit, or
    still to be paid."""
    if content.is_paid:
        return _OPERATIONS[content.operation_category] + "2"
    return _OPERATIONS[content.operation_category] + ("4" if content.deposits else "1")


def _notes(content: InvoiceContent) -> Iterator[dict[str, str | None]]:
    """All that is printed besides amounts, each under its subject (UNTDID 4451), and what has to be said of any."""
    said = {mention.subject for mention in content.mentions}
    yield {"BT-21": "BAR", "BT-22": "B2B" if content.buyer.siren else "B2C"}
    for mention in content.mentions:
        yield {"BT-21": mention.subject, "BT-22": _text(mention.text)}
    for subject, text in _STATUTORY.items():
        if subject not in said:
            yield {"BT-21": subject, "BT-22": text}
    for note in content.notes:
        yield {"BT-21": None, "BT-22": _text(note)}


def _seller(seller: Party) -> dict[str, Any]:
    capital = f"au capital de {seller.share_capital}" if seller.share_capital else None
    reached = {"name": _text(seller.name), "phone": seller.phone, "email": seller.email}
    return {
        **_party(seller),
        "identifiers": {_SIRET: seller.siret} if seller.siret else {},
        "legal_info": _text(" ".join(filter(None, (seller.legal_form, capital, seller.rcs)))) or None,
        "vat_identifier": seller.vat_number,
        "tax_identifier": None if seller.vat_number else seller.siren,
        "contacts": [reached] if seller.phone or seller.email else [],
    }


def _buyer(buyer: Party) -> dict[str, Any]:
    return {**_party(buyer), "vat_identifier": buyer.vat_number}


def _party(party: Party) -> dict[str, Any]:
    """A company is reached where it says, else by its SIREN on the platforms' directory, a person by e-mail."""
    reached = (party.siren, _PLATFORM) if party.siren else (party.email, _EMAIL)
    if party.endpoint:
        reached = (party.endpoint.address, party.endpoint.scheme)
    return {
        "name": _text(party.name),
        "legal_identifier": party.siren,
        "legal_identifier_schemeid": _SIREN,
        "einvoicing_addr": reached[0],
        "einvoicing_addr_schemeid": reached[1],
        **_address(party.address),
    }


def _address(address: Address | None) -> dict[str, str | None]:
    """The country stands alone where a person left no address: EN 16931 wants it of everyone (BR-11)."""
    if address is None:
        return {"country_code": "FR"}
    first, second, *others = (*map(_text, address.lines), "", "")
    return {
        "addr_l1": first,
        "addr_l2": second,
        "addr_l3": ", ".join(filter(None, others)),
        "postcode": _text(address.postal_code or ""),
        "city": _text(address.city or ""),
        "country_code": address.country,
    }


def _payment(content: InvoiceContent) -> dict[str, str | None]:
    """How it was paid, else how it can be."""
    if content.is_paid:
        return {"BT-81": _MEANS[content.payment_method] if content.payment_method else None}
    if content.transfer is None:
        return {"BT-81": _ONLINE if content.pay_url else None}
    return {
        "BT-81": _SEPA_TRANSFER,
        "BT-83": content.transfer.reference,
        "BT-84": content.transfer.iban,
        "BT-85": _text(content.seller.name),
        "BT-86": content.transfer.bic,
    }


def _allowance(allowance: Allowance) -> dict[str, str]:
    return {
        "amount": _amount(allowance.net_cents),
        "reason": _text(allowance.reason),
        "reason_code": _DISCOUNT,
        "vat_category_code": allowance.vat_category,
        "vat_rate": _rate(allowance.vat_rate),
    }


def _vat(group: VatBreakdown) -> dict[str, str | None]:
    return {
        "BT-116": _amount(group.net_cents),
        "BT-117": _amount(group.vat_cents),
        "BT-118": group.category,
        "BT-119": _rate(group.rate),
        "BT-120": group.exemption if group.category is VatCategory.EXEMPT else None,
        "BT-121": group.exemption_code,
    }


def _line(position: int, line: Line) -> dict[str, Any]:
    taken = {"amount": _amount(line.discount_net_cents), "reason": "Remise", "reason_code": _DISCOUNT}
    return {
        "BT-126": str(position),
        "BT-129": str(line.quantity),
        "BT-130": _PIECE,
        "BT-131": _amount(line.net_cents),
        "BT-146": f"{line.unit_net:f}",
        "BT-149": str(line.base_quantity) if line.base_quantity > 1 else None,
        "BT-151": line.vat_category,
        "BT-152": _rate(line.vat_rate),
        "BT-153": _text(line.description),
        "BG-27": [taken] if line.discount_net_cents else [],
    }


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _rate(hundredths: int) -> str:
    """A rate as BR-FR-16 lists them: `20`, `5.5`."""
    return f"{hundredths / 100:g}"


def _text(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)
