"""Addresses and phone numbers that are told at once, without the libraries, come out as the libraries have them."""

from itertools import product

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from models.mailboxes import mailbox
from models.phone import e164

DOMAINS = (
    "b.fr",
    "B.test",
    "",
    "é.fr",
    "xn--caf-dma.fr",
    "b..fr",
    "localhost",
    "[192.0.2.1]",
    f"{'d' * 60}." * 3 + "fr",
)
LOCALS = ("zoe", "Zoé", "a.b+c", "a..b", ".a", "a.", '"a b"', "a b", "<a", "a@b", "", "a" * 64, "a" * 65, "o'neil")


def test_an_address_is_what_the_library_says_whatever_it_is() -> None:
    for local, domain in product(LOCALS, DOMAINS):
        text = f"{local}@{domain}"
        assert _told(text) == _validated(text), text


def test_a_french_number_is_what_the_library_says_however_it_is_spaced() -> None:
    for first, space in product(range(10), ("", " ", ".", "-", "  ", "/")):
        for text in (f"0{first}{space}{space.join(('12', '34', '56', '78'))}", f"0{first}{space}12{space}34"):
            for region in ("FR", "BE", None):
                assert e164(text, region) == _parsed(text, region), (text, region)


def _told(text: str) -> str | None:
    try:
        return mailbox(text)
    except ValueError:
        return None


def _validated(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        return None


def _parsed(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
