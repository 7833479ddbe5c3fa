"""The outside of letters: who they name, and what can never get into their headers."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import Invalid
from models.content import Party
from services.envelopes import Envelope
from tests.invoices.post import ALL, TO_CLIENTS, Letter, about, body, paid
from tests.invoices.samples import BRAND, brand, invoice

ENCODED = "=?utf-8?q?Marie=0D=0ABcc:_all@example.com?="  # a line break and a header, to who decodes it

every_letter = pytest.mark.parametrize("letter", ALL)


@every_letter
def test_the_headers_name_the_brand_and_answers_go_to_its_contact(letter: Letter) -> None:
    message = letter()

    assert message["From"] == "Service Fiscalité – ComptAppart <factures@comptoir.example>"
    assert message["Reply-To"].addresses[0].addr_spec == "contact@comptappart.example"
    assert message["Message-ID"] == "<0197f0a2c0de@comptoir.example>"
    assert message["Date"].datetime == datetime(2025, 12, 5, 14, 30, tzinfo=UTC)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"].endswith(" – Service Fiscalité – ComptAppart")


@pytest.mark.parametrize("letter", TO_CLIENTS)
def test_a_letter_to_a_client_names_the_client(letter: Letter) -> None:
    assert letter()["To"] == "Marie Martin <marie.martin@example.com>"
    assert "Bonjour Marie Martin," in body(letter(), "plain")


@every_letter
def test_a_line_break_in_a_name_makes_no_header(letter: Letter) -> None:
    message = about(letter, client="Marie\r\nBcc: all@example.com", name="Nous\nSubject: gagné\x00")

    assert message["Bcc"] is None
    assert len(message.get_all("Subject")) == 1
    assert message["Subject"].endswith(" – Nous Subject: gagné")
    if letter in TO_CLIENTS:
        assert message["To"].addresses[0].display_name == "Marie Bcc: all@example.com"


@every_letter
def test_what_looks_encoded_is_taken_as_it_was_typed(letter: Letter) -> None:
    message = about(letter, client=ENCODED, name=ENCODED)

    assert message["Bcc"] is None
    assert message["Subject"].endswith(ENCODED)


@every_letter
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
def test_an_address_that_could_not_stand_in_a_header_is_refused(
    letter: Letter, field: str, changes: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refusal:
        letter(**changes)

    assert refusal.value.field == field


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"à:,.–é", "régler", "Fiscalité", "FQCA-2025-000156", '"SARL"', "(Lyon)", ENCODED]) | st.text()
    )
)
def test_every_subject_and_name_arrives_as_it_was_whatever_it_holds(words: list[str]) -> None:
    name = " ".join("".join(char for char in word if char.isprintable()) for word in words)
    name = " ".join(name.split())

    sent = Envelope("a@example.com", "<a@b>", "b@example.com").letter(
        f"Objet {name}", brand=brand(name=name), name=name
    )

    # Read by the older parser: the newer one adds spaces between the encoded words of a name.
    received = message_from_bytes(sent.as_bytes(), policy=policy.compat32)
    assert decoded(received["Subject"]) == f"Objet {name}".strip()
    for header, address in (("From", "b@example.com"), ("To", "a@example.com"), ("Reply-To", BRAND.contact_email)):
        display, mailbox = parseaddr(received[header].replace("\r\n", ""))
        assert (decoded(display), mailbox) == (name, address)
    assert all(len(line) <= 998 for line in sent.as_bytes().splitlines())


def test_a_domain_with_accents_is_sent_in_ascii() -> None:
    assert paid(to="marie@été.example")["To"].addresses[0].addr_spec == "marie@xn--t-9fab.example"


def test_a_long_name_or_message_id_survives_the_folding_of_headers() -> None:
    long = "<" + "0197f0a2" * 8 + "@comptoir.example>"
    message = paid(invoice(buyer=Party(name="Élodie " * 30)), message_id=long)

    assert message["Message-ID"].strip() == long
    assert message["To"].addresses[0].addr_spec == "marie.martin@example.com"


def decoded(header: str) -> str:
    """A header as RFC 2047 reads it."""
    return str(make_header(decode_header(header.replace("\r\n", ""))))
