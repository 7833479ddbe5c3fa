"""Amounts, dates and numbers as the French write them."""

from datetime import date
from decimal import Decimal

import pytest

from models.content import Address
from models.language import Language
from models.payment import PaymentMethod
from services import wording


def test_money_has_a_comma_narrow_spaces_and_its_sign_at_the_end() -> None:
    assert wording.money(1_234_567_89, "EUR") == "1\u202f234\u202f567,89\xa0€"
    assert wording.money(5_00, "CHF") == "5,00\xa0CHF"
    assert wording.money(-30_00, "EUR") == "−30,00\xa0€"


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


def test_in_english_amounts_dates_and_rates_are_written_as_the_english_do() -> None:
    english = {"language": Language.EN}
    assert wording.money(-1_234_56, "EUR", **english) == "−€1,234.56"
    assert wording.price(Decimal("11.6667"), "EUR", **english) == "€11.6667"
    assert wording.rate(550, **english) == "5.5%"
    assert wording.day(date(2025, 12, 1), **english) == "1 December 2025"
    assert wording.phone("+33612345678", **english) == "+33612345678"
    assert wording.address_lines(Address(city="Paris"), **english) == ["Paris", "France"]


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
    for language in Language:
        paid_by = wording.templates(language).filters["paid_by"]

        assert all(paid_by(method) for method in PaymentMethod)


def test_an_iban_goes_by_fours() -> None:
    assert wording.iban("FR7630006000011234567890189") == "FR76 3000 6000 0112 3456 7890 189"


@pytest.mark.parametrize("code", ["insufficient_funds", "expired_card", "card_declined", "generic_decline"])
def test_a_known_refusal_is_told_in_french(code: str) -> None:
    assert wording.declined(code)


def test_a_refusal_that_we_have_no_words_for_is_not_told() -> None:
    assert wording.declined("a_code_of_tomorrow") is None
    assert wording.declined(None) is None


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "pickup_card", "fraudulent"])
def test_a_suspicion_is_not_told(code: str) -> None:
    assert wording.declined(code) == wording.declined("card_declined")


def test_a_sentence_does_not_break_before_its_punctuation() -> None:
    assert wording.french("Commande n° 42 : « payée » ? Oui ; merci !") == (
        "Commande n°\xa042\xa0: «\xa0payée\xa0»\xa0? Oui\xa0; merci\xa0!"
    )


def test_paragraphs_stand_between_empty_lines_and_keep_their_hard_spaces() -> None:
    assert wording.paragraphs("\nUn\ndeux :\n\n\n trois 3,00\xa0€\n") == ["Un deux\xa0:", "trois 3,00\xa0€"]
    assert wording.paragraphs("\n\n \n") == []


def test_words_in_bold_leave_all_else_escaped() -> None:
    html = wording.bold("Facture <F-1> de <b>", "<F-1>")

    assert html == 'Facture <b style="white-space:nowrap">&lt;F-1&gt;</b> de &lt;b&gt;'


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//host", "", None])
def test_only_an_address_of_the_web_may_be_a_link(url: str | None) -> None:
    assert not wording.is_web(url)
    assert wording.is_web("https://comptoir.example/pay")


def test_an_address_is_read_by_its_host() -> None:
    assert wording.host("https://pay.comptoir.example:8443/pay/0197") == "pay.comptoir.example"
