"""Amounts, dates and numbers as the French write them."""

from datetime import date
from decimal import Decimal

import pytest

from models.content import Address
from models.payment import PaymentMethod
from services import wording


def test_money_has_a_comma_narrow_spaces_and_its_sign_at_the_end() -> None:
    assert wording.money(1_234_567_89, "EUR") == "1\u202f234\u202f567,89\xa0€"
    assert wording.money(5_00, "CHF") == "5,00\xa0CHF"


@pytest.mark.parametrize(("amount", "text"), [("83.32", "83,32\xa0€"), ("11.6667", "11,6667\xa0€"), ("3", "3,00\xa0€")])
def test_a_unit_price_keeps_all_its_decimals(amount: str, text: str) -> None:
    assert wording.price(Decimal(amount), "EUR") == text


@pytest.mark.parametrize(
    ("hundredths", "text"), [(2000, "20\xa0%"), (550, "5,5\xa0%"), (210, "2,1\xa0%"), (0, "0\xa0%")]
)
def test_a_rate_has_the_decimals_it_needs(hundredths: int, text: str) -> None:
    assert wording.rate(hundredths) == text


def test_the_first_of_the_month_is_premier() -> None:
    assert wording.day(date(2025, 12, 1)) == "1er décembre 2025"
    assert wording.day(date(2025, 12, 11)) == "11 décembre 2025"


def test_a_french_phone_number_goes_by_pairs_and_a_foreign_one_stays() -> None:
    assert wording.phone("+33612345678") == "06 12 34 56 78"
    assert wording.phone("+32470123456") == "+32470123456"


def test_a_siren_and_a_siret_go_by_threes() -> None:
    assert wording.digits("123456782") == "123\xa0456\xa0782"
    assert wording.digits("12345678200012") == "123\xa0456\xa0782\xa000012"


def test_the_country_is_named_only_abroad() -> None:
    assert wording.address_lines(Address(lines=("1 rue A",), postal_code="75001", city="Paris")) == [
        "1 rue A",
        "75001 Paris",
    ]
    assert wording.address_lines(Address(city="Bruxelles", country="BE")) == ["Bruxelles", "Belgique"]


@pytest.mark.parametrize(("color", "ink"), [("#0b6e4f", "#ffffff"), ("#ffd400", "#000000"), ("#000000", "#ffffff")])
def test_text_on_a_brands_colour_can_be_read(color: str, ink: str) -> None:
    assert wording.ink_on(color) == ink


def test_every_way_of_paying_has_its_words() -> None:
    paid_by = wording.templates().filters["paid_by"]

    assert all(paid_by(method) for method in PaymentMethod)
