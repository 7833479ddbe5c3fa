"""Letters of every kind as a mail program receives them."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from typing import Any

from models.content import InvoiceContent, Party
from models.payment import PaymentMethod
from services import letters
from services.envelopes import Envelope
from services.letters import Notice
from tests.invoices.samples import BRAND, PAY_URL, TO_PAY, brand, invoice

PDF = b"%PDF-1.7 and so on"
LINES = (("Déclaration d'impôts", 1), ("Atelier CV", 3))

Letter = Callable[..., EmailMessage]


def paid(content: InvoiceContent | None = None, **changes: Any) -> EmailMessage:
    return _sent(letters.paid, content or invoice(), order_number=42, pdf=PDF, **changes)


def invoiced(content: InvoiceContent | None = None, **changes: Any) -> EmailMessage:
    return _sent(letters.invoiced, content or invoice(**TO_PAY), order_number=42, pdf=PDF, **changes)


def reminder(content: InvoiceContent | None = None, **changes: Any) -> EmailMessage:
    given = {"order_number": 42, "balance_cents": 99_99, "number": 1, "pdf": PDF} | changes
    return _sent(letters.reminder, content or invoice(**TO_PAY), **given)


def receipt(content: InvoiceContent | None = None, **changes: Any) -> EmailMessage:
    given = {"paid_cents": 99_99, "paid_on": date(2026, 1, 4), "method": PaymentMethod.TRANSFER} | changes
    return _sent(letters.receipt, content or invoice(**TO_PAY), order_number=42, pdf=PDF, **given)


def failed(told: Notice | None = None, **changes: Any) -> EmailMessage:
    given = {"reason": "expired_card", "canceled": False, "pay_url": PAY_URL} | changes
    return _sent(letters.payment_failed, told or notice(), **given)


def failed_for_staff(told: Notice | None = None, **changes: Any) -> EmailMessage:
    given = {"client_email": "marie.martin@example.com", "client_phone": "+33612345678", "canceled": False}
    given |= {"reason": "expired_card", "message": "Your card has expired.", "to": "lea@comptoir.example"}
    return _sent(letters.payment_failed_for_staff, told or notice(), **given | changes)


def renewal_failed(told: Notice | None = None, **changes: Any) -> EmailMessage:
    return failed(told, renewal=True, **changes)


def renewal_failed_for_staff(told: Notice | None = None, **changes: Any) -> EmailMessage:
    return failed_for_staff(told, renewal=True, **changes)


def subscription_ended(told: Notice | None = None, **changes: Any) -> EmailMessage:
    return _sent(letters.subscription_ended, told or notice(), **changes)


def welcome(told: Notice | None = None, **changes: Any) -> EmailMessage:
    return _sent(letters.welcome, told or notice(), **{"products": ["Déclaration d'impôts", "Atelier CV"]} | changes)


def notice(**changes: Any) -> Notice:
    told: dict[str, Any] = {"brand": BRAND, "name": "Marie Martin", "order_number": 42, "amount_cents": 141_99}
    return Notice(**told | {"currency": "EUR", "live": True, "lines": LINES} | changes)


def about(letter: Letter, *, client: str = "Marie Martin", live: bool = True, **branding: Any) -> EmailMessage:
    """A letter of any kind to such a client, in such a mode, under such a brand."""
    given = {"live": live, "brand": brand(**branding)}
    if letter in WITH_INVOICE:
        return letter(invoice(**TO_PAY, buyer=Party(name=client), **given))
    return letter(notice(name=client, **given))


WITH_INVOICE: list[Letter] = [paid, invoiced, reminder, receipt]
TO_CLIENTS: list[Letter] = [*WITH_INVOICE, failed, renewal_failed, subscription_ended, welcome]
ALL: list[Letter] = [*TO_CLIENTS, failed_for_staff, renewal_failed_for_staff]


def source(message: EmailMessage) -> str:
    """The HTML of a letter, as it is."""
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def body(message: EmailMessage, kind: str) -> str:
    """One of a letter's two bodies, every run of spaces as one, references to characters resolved."""
    part = message.get_body((kind,))
    assert part is not None
    return " ".join((unescape(part.get_content()) if kind == "html" else part.get_content()).split())


def says(message: EmailMessage, kind: str, *said: str) -> bool:
    """Whether one of a letter's two bodies says all of these, in this order."""
    return re.search(".*".join(map(re.escape, said)), body(message, kind)) is not None


def _sent(compose: Letter, subject: InvoiceContent | Notice, **given: Any) -> EmailMessage:
    """A letter as a mail program reads it, after a journey as bytes."""
    envelope: dict[str, Any] = {
        "to": "marie.martin@example.com",
        "message_id": "<0197f0a2c0de@comptoir.example>",
        "sender": "factures@comptoir.example",
        "sent_at": datetime(2025, 12, 5, 14, 30, tzinfo=UTC),
    }
    changed = {name: given.pop(name) for name in envelope if name in given}
    sent = compose(subject, envelope=Envelope(**envelope | changed), **given)
    return message_from_bytes(sent.as_bytes(policy=policy.SMTP), policy=policy.default)
