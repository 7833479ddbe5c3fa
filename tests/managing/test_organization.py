"""How the organization presents itself, where it is paid, when it reminds."""

from typing import Any

import pytest

from models import Role
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import Shop

FIELDS = """name legalName legalForm shareCapital rcs siren address postalCode city country invoicePrefix brandName
  brandColor logoSvg contactEmail contactPhone website termsUrl iban bic paymentDays reminderEveryDays remindersMost
  vatOnDebits"""
UPDATE = f"""mutation ($input: OrganizationUpdateInput!) {{
  organizationUpdate(input: $input) {{ organization {{ {FIELDS} }} }}
}}"""
IBAN, BIC = "FR1420041010050500013M02606", "PSSTFRPPPAR"
LOGO = '<svg xmlns="http://www.w3.org/2000/svg"/>'


async def test_what_is_given_changes_what_is_left_out_stays_and_null_takes_away(shop: Shop) -> None:
    before = await changed(shop)

    for given in (
        {"name": "Comptoir", "brandName": "Le Comptoir", "brandColor": "#7A2E4D", "logoSvg": LOGO},
        {"legalName": "Comptoir SA", "legalForm": "SA", "shareCapital": "20 000 €", "rcs": "RCS Lyon 732 829 320"},
        {"address": "1 quai de Saône", "postalCode": "69002", "city": "Lyon", "country": "BE"},
        {"contactEmail": "hello@comptoir.test", "contactPhone": "+33400000000", "website": "https://comptoir.test/"},
        {"iban": IBAN, "bic": BIC, "paymentDays": 45, "reminderEveryDays": 10, "remindersMost": 0},
        {"iban": None, "bic": None, "logoSvg": None, "website": None, "termsUrl": None, "shareCapital": None},
        {"invoicePrefix": "CPT2", "vatOnDebits": True},
    ):
        before |= given
        assert await changed(shop, **given) == before, given


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("FR14 2004 1010 0505 0001 3M02 606", IBAN),
        ("fr1420041010050500013m02606", IBAN),
        ("DE89370400440532013000", "DE89370400440532013000"),
        ("BE68 5390 0754 7034", "BE68539007547034"),
        ("NO9386011117947", "NO9386011117947"),
    ],
)
async def test_an_iban_is_kept_as_banks_write_it(shop: Shop, given: str, kept: str) -> None:
    assert (await changed(shop, iban=given, bic="psst frpp"))["iban"] == kept


async def test_what_cannot_be_is_refused_and_named(shop: Shop) -> None:
    refusals: list[tuple[dict[str, Any], str, str]] = [
        *(
            ({"iban": iban}, "input.iban", "Not an IBAN")
            for iban in (
                "FR1420041010050500013M02607", "FR1520041010050500013M02606", "FR14", "", "FR14 2004\x7f",
                "1420041010050500013M02606", "FR14２0041010050500013M02606", "FR2420041010050500013M02606",
            )
        ),
        ({"iban": "F" * 35}, "input.iban", "longer than 34"),
        *(({"bic": bic}, "input.bic", "Not a BIC") for bic in ("PSSTFRP", "PSSTFRPPPA", "12345678", "")),
        ({"paymentDays": -1}, "input.paymentDays", "0 to 60"),
        ({"paymentDays": 61}, "input.paymentDays", "0 to 60"),
        ({"reminderEveryDays": 0}, "input.reminderEveryDays", "1 to 90"),
        ({"remindersMost": 13}, "input.remindersMost", "0 to 12"),
        ({"remindersMost": None}, "input.remindersMost", "null"),
        *(
            ({"invoicePrefix": prefix}, "input.invoicePrefix", "capital letters")
            for prefix in ("A", "fqca", "FQ-A", "FQ A", "É", "AB\n")
        ),
        ({"invoicePrefix": "A" * 11}, "input.invoicePrefix", "longer than 10"),
        ({"brandColor": "blue"}, "input.brandColor", "#rrggbb"),
        ({"logoSvg": "<svg onload='x'/>"}, "input.logoSvg", "SVG"),
        ({"contactEmail": "a@b.fr\r\nBcc: c@d.fr"}, "input.contactEmail", "Not an e-mail address"),
        ({"website": "javascript:alert(1)"}, "input.website", "http"),
        ({"name": "x" * 10_000}, "input.name", "longer than 200"),
        ({"siren": "552100554"}, "input", "'siren'"),
        ({"slug": "neighbour"}, "input", "'slug'"),
    ]  # fmt: skip

    async with nothing_changes(shop):
        for bad, field, says in refusals:
            code, blamed, message = await shop.refused(UPDATE, input={"city": "Lyon"} | bad)

            assert (code, blamed) == ("INVALID", field), bad
            assert says in message, bad


async def test_the_next_invoice_says_what_the_organization_is_now_and_is_the_first_of_its_prefix(shop: Shop) -> None:
    product = await shop.product()
    first = await shop.sell(product)
    await changed(shop, invoicePrefix="CPT", brandName="Le Comptoir")

    second = await shop.sell(product)

    assert [order["invoices"][0]["number"].rpartition("-")[::2] for order in (first, second)] == [
        (first["invoices"][0]["number"][:9], "000001"), (second["invoices"][0]["number"][:8], "000001"),
    ]  # fmt: skip
    assert second["invoices"][0]["number"].startswith("CPT-")


async def test_an_admin_may_and_nobody_elses_organization_changes(shop: Shop) -> None:
    theirs = await neighbour(shop)
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)

    await changed(admin, city="Lyon")

    assert (await changed(shop))["city"] == "Lyon"
    assert (await changed(theirs))["city"] == "Paris"


async def changed(shop: Shop, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await shop(UPDATE, input=given))["organization"]
    return found
