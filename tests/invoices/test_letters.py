"""The letter that carries the invoice: what it says, and what can never get into its headers."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from errors import Invalid
from models.content import InvoiceContent, Party
from services import letters
from tests.invoices.samples import TAX_RETURN, brand, invoice

PDF = b"%PDF-1.7 and so on"


def letter(content: InvoiceContent | None = None, **changes: Any) -> EmailMessage:
    """The letter as the customer's mail program reads it, after a journey as bytes."""
    given: dict[str, Any] = {
        "order_number": 42,
        "to": "marie.martin@example.com",
        "message_id": "<0197f0a2c0de@comptoir.example>",
        "sender": "factures@comptoir.example",
        "pdf": PDF,
        "sent_at": datetime(2025, 12, 5, 14, 30, tzinfo=UTC),
    }
    sent = letters.paid(content or invoice(), **(given | changes))
    return message_from_bytes(sent.as_bytes(policy=policy.SMTP), policy=policy.default)


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return " ".join(text.split())


def test_the_headers_name_the_brand_and_answers_go_to_its_contact() -> None:
    message = letter()

    assert message["From"] == "Service Fiscalité – ComptAppart <factures@comptoir.example>"
    assert message["To"] == "Marie Martin <marie.martin@example.com>"
    assert message["Reply-To"].addresses[0].addr_spec == "contact@comptappart.example"
    assert message["Subject"] == "Votre facture FQCA-2025-000156 – Service Fiscalité – ComptAppart"
    assert message["Message-ID"] == "<0197f0a2c0de@comptoir.example>"
    assert message["Date"].datetime == datetime(2025, 12, 5, 14, 30, tzinfo=UTC)
    assert message["Auto-Submitted"] == "auto-generated"


def test_the_invoice_is_attached_under_its_number() -> None:
    (attachment,) = letter().iter_attachments()

    assert attachment.get_filename() == "Facture-FQCA-2025-000156.pdf"
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_content() == PDF


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_the_order_is_told_in_text_and_in_html(kind: str) -> None:
    message = letter(invoice(TAX_RETURN, ("Atelier CV", 3, 14_00, 2000)))

    text = body(message, kind)

    assert "Bonjour Marie Martin," in text
    assert "votre facture" in text and "FQCA-2025-000156" in text
    assert "our invoice is attached as a PDF" in text
    assert "ommande n° 42" in text.replace("&nbsp;", " ") or "COMMANDE N° 42" in text
    for said in ("Déclaration d", "99,99 €", "Atelier CV", "× 3", "42,00 €", "118,32 €", "23,67 €", "141,99 €"):
        assert said in text
    assert "Payé le 5 décembre 2025 en ligne." in text
    assert "contact@comptappart.example" in text and "01 40 00 00 00" in text
    assert "https://comptappart.example/cgv" in text


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_everyone_the_customer_may_write_to_is_named_once(kind: str) -> None:
    partner = brand(name="Qlower", contact_email="bonjour@qlower.example", phone=None)

    text = body(letter(partner=partner), kind)

    assert "Qlower :" in text and "bonjour@qlower.example" in text
    assert "compta@comptappart.example" in text
    assert body(letter(partner=brand()), "plain").count("contact@comptappart.example") == 1


def test_a_test_invoice_says_so_everywhere() -> None:
    message = letter(invoice(live=False))

    assert message["Subject"].startswith("[TEST] ")
    assert "TEST" in body(message, "plain") and "TEST" in body(message, "html")
    assert "TEST" not in letter().as_string()


def test_nothing_in_it_is_fetched_from_elsewhere() -> None:
    html = body(letter(), "html")

    assert "<img" not in html and "src=" not in html and "url(" not in html and "<script" not in html


def test_names_are_text_in_html() -> None:
    html = body(letter(invoice(("<script>alert(1)</script>", 1, 1_00, 2000), brand=brand(name="<b>Nous</b>"))), "html")

    assert "<script>" not in html and "<b>Nous" not in html
    assert "&lt;script&gt;" in html


def test_only_web_addresses_become_links() -> None:
    html = body(letter(invoice(brand=brand(terms_url="javascript:alert(1)"))), "html")

    assert 'href="javascript' not in html


def test_a_line_break_in_a_name_makes_no_header() -> None:
    message = letter(
        invoice(buyer=Party(name="Marie\r\nBcc: all@example.com"), brand=brand(name="Nous\nSubject: gagné\x00"))
    )

    assert message["Bcc"] is None
    assert message["To"].addresses[0].display_name == "Marie Bcc: all@example.com"
    assert message["Subject"] == "Votre facture FQCA-2025-000156 – Nous Subject: gagné"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("to", {"to": "marie@example.com\r\nBcc: all@example.com"}),
        ("to", {"to": "marie@example.com, paul@example.com"}),
        ("to", {"to": "marie"}),
        ("to", {"to": ""}),
        ("to", {"to": "@example.com"}),
        ("sender", {"sender": "factures@comptoir.example>\nBcc: all@example.com"}),
        ("messageId", {"message_id": "<a@b>\r\nBcc: all@example.com"}),
        ("messageId", {"message_id": "a@b"}),
        ("messageId", {"message_id": "<@b>"}),
    ],
)
def test_an_address_that_could_not_stand_in_a_header_is_refused(field: str, changes: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refusal:
        letter(**changes)

    assert refusal.value.field == field


def test_a_domain_with_accents_is_sent_in_ascii() -> None:
    assert letter(to="marie@été.example")["To"].addresses[0].addr_spec == "marie@xn--t-9fab.example"


def test_a_long_name_or_message_id_survives_the_folding_of_headers() -> None:
    long = "<" + "0197f0a2" * 8 + "@comptoir.example>"
    message = letter(invoice(buyer=Party(name="Élodie " * 30)), message_id=long)

    assert message["Message-ID"].strip() == long
    assert message["To"].addresses[0].addr_spec == "marie.martin@example.com"
