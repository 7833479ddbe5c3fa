"""Numbers of companies, as they are typed and as they are kept."""

from collections.abc import Callable
from typing import Any

import pytest

from errors import Invalid
from models import companies
from schema.scalars import parse_siret, parse_vat_number


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("73282932000074", "73282932000074"),
        ("732 829 320 00074", "73282932000074"),
        ("35600000000048", "35600000000048"),  # La Poste's seat, which has Luhn's check
        ("35600000049837", "35600000049837"),  # an office of La Poste's: its digits add up to 45
    ],
)
def test_a_siret_is_kept_without_spaces(typed: str, kept: str) -> None:
    assert companies.siret(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "73282932000075", "7328293200007", "732829320000740", "73282932100074", "35600000049838", "7328293200007A",
        "٧٣٢٨٢٩٣٢٠٠٠٠٧٤",
    ],
)  # fmt: skip
def test_what_is_no_siret_is_refused(typed: str) -> None:
    assert companies.siret(typed) is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("FR44732829320", "FR44732829320"),
        ("fr 44 732.829.320", "FR44732829320"),
        ("FRK7399859412", "FRK7399859412"),  # a key with a letter
        ("FR53000004605", "FR53000004605"),  # Monaco
        ("DE136695976", "DE136695976"),
        ("BE0428759497", "BE0428759497"),
        ("ATU13585627", "ATU13585627"),
        ("NL004495445B01", "NL004495445B01"),
        ("IE6433435OA", "IE6433435OA"),
        ("ESX9999999T", "ESX9999999T"),
        ("EL094259216", "EL094259216"),
        ("XI123456789", "XI123456789"),
    ],
)
def test_a_vat_number_is_kept_in_capitals_without_spaces(typed: str, kept: str) -> None:
    assert companies.vat_number(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "FR", "FR45732829320", "FR44732829321", "FRI4732829320", "FR4473282932", "44732829320", "GB123456789",
        "DE12345678", "ATI13585627", "US123456789", "FR٤٤732829320", "FR44732829320\n0",
    ],
)  # fmt: skip
def test_what_is_no_vat_number_is_refused(typed: str) -> None:
    assert companies.vat_number(typed) is None


@pytest.mark.parametrize(
    ("parse", "told"),
    [(parse_siret, "Not a SIRET: .* five more"), (parse_vat_number, "Not a VAT number of the European Union")],
)
def test_a_client_is_told_what_is_wanted(parse: Callable[[Any], str], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        parse("1")
    with pytest.raises(Invalid, match="A string is wanted"):
        parse(1)
