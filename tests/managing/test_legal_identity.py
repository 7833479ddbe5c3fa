"""What invoices have to say of the organization: named where it lacks, and nothing is sold before it is there."""

from types import SimpleNamespace

import pytest

from models import Client, Invoice, Order, Organization
from models.legal import missing
from services import doctor, organizations
from tests.documents import CHECKOUT, INTENT, mutation
from tests.security.surroundings import nothing_changes
from tests.security.test_keys import storefront
from tests.shop import Shop

UPDATE = """mutation ($input: OrganizationUpdateInput!) {
  organizationUpdate(input: $input) { organization { missingLegalFields } }
}"""
WHOLE = {
    "legal_name": "Comptoir", "legal_form": "SAS", "siren": "732829320", "siret": "73282932000074",
    "address": "1 rue A", "postal_code": "75001", "city": "Paris", "country": "FR", "share_capital": "10 000 €",
    "rcs": "RCS Paris 732 829 320", "vat_number": "FR44732829320", "vat_regime": "STANDARD",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({}, []),
        ({"share_capital": None, "rcs": None}, ["share_capital", "rcs"]),
        ({"share_capital": " "}, ["share_capital"]),
        ({"legal_form": "S.A.R.L. unipersonnelle", "share_capital": None}, ["share_capital"]),
        ({"legal_form": "Société par actions simplifiée", "share_capital": None}, ["share_capital"]),
        ({"legal_form": "Société en nom collectif", "share_capital": None, "rcs": None}, ["rcs"]),
        ({"legal_form": "EI", "share_capital": None, "rcs": None}, []),
        ({"legal_form": "Entrepreneur individuel", "share_capital": None, "rcs": None}, []),
        ({"legal_form": "Association loi 1901", "share_capital": None, "rcs": None}, []),
        ({"vat_number": None}, ["vat_number"]),
        ({"vat_number": None, "vat_regime": "FRANCHISE"}, []),
        ({"vat_number": None, "vat_regime": "EXEMPT_TRAINING"}, []),
        ({"address": "", "city": ""}, ["address", "city"]),
    ],
)
def test_what_is_needed_follows_from_the_legal_form_and_the_vat_regime(
    changed: dict[str, str | None], lacks: list[str]
) -> None:
    assert missing(SimpleNamespace(**WHOLE | changed)) == lacks


async def test_an_order_cannot_be_paid_nor_invoiced_before_the_identity_is_complete(shop: Shop) -> None:
    order = await shop.order(await shop.product())
    await incomplete()

    async with nothing_changes(shop):
        for document, input in (
            (CHECKOUT, {"order": order["id"], "successUrl": "http://comptoir.test/"}),
            (INTENT, {"order": order["id"]}),
            (mutation("orderInvoice"), {"order": order["id"]}),
            (mutation("paymentRecord"), {"order": order["id"], "method": "TRANSFER"}),
        ):
            answer = await shop.post(document, {"input": input})
            (error,) = answer["errors"]
            assert error["extensions"] == {
                "code": "NOT_CONFIGURED", "field": "input.order", "missing": ["shareCapital", "rcs"],
            }  # fmt: skip
            assert "shareCapital, rcs" in error["message"] and "organizationUpdate" in error["message"]

    assert (await shop(UPDATE, input={"rcs": "RCS Paris 732 829 320", "shareCapital": "1 €"}))["organization"] == {
        "missingLegalFields": []
    }
    assert (await shop.sell(await shop.product()))["status"] == "PAID"


async def test_a_storefront_makes_neither_client_nor_order_of_who_cannot_sell(shop: Shop) -> None:
    product, page = await shop.product(), await storefront(shop)
    await incomplete()

    cart = {
        "email": "marie@example.com",
        "lines": [{"product": product, "quantity": 1}],
        "successUrl": "http://comptoir.test/",
    }
    code, field, message = await page.refused(CHECKOUT, input=cart)

    assert (code, field) == ("NOT_CONFIGURED", "input.lines") and "shareCapital, rcs" in message
    assert not await Order.exists() and not await Client.exists()


async def test_what_is_free_needs_no_invoice_and_no_identity(shop: Shop) -> None:
    order = await shop.order(await shop.product(0))
    await incomplete()

    await shop(CHECKOUT, input={"order": order["id"], "successUrl": "http://comptoir.test/"})

    assert (await Order.get()).is_paid and not await Invoice.exists()


async def test_who_sells_does_not_become_incomplete(shop: Shop) -> None:
    await shop.order(await shop.product())

    async with nothing_changes(shop):
        for given, field in (
            ({"rcs": None}, "rcs"),
            ({"shareCapital": ""}, "shareCapital"),
            ({"vatNumber": None}, "vatNumber"),
        ):
            code, blamed, _ = await shop.refused(UPDATE, input=given)
            assert (code, blamed) == ("INVALID", f"input.{field}")

    assert (await shop(UPDATE, input={"legalForm": "EI"}))["organization"] == {"missingLegalFields": []}


async def test_what_is_incomplete_can_be_mended_bit_by_bit_and_be_so_before_it_sells(shop: Shop) -> None:
    lacking = await shop(UPDATE, input={"rcs": None, "shareCapital": None})
    assert lacking["organization"] == {"missingLegalFields": ["shareCapital", "rcs"]}

    await shop.order(await shop.product())

    assert (await shop(UPDATE, input={"rcs": "RCS Paris"}))["organization"] == {"missingLegalFields": ["shareCapital"]}


async def test_a_vat_number_is_of_the_organization(shop: Shop) -> None:
    code, field, _ = await shop.refused(UPDATE, input={"vatNumber": "FR83404833048"})

    assert (code, field) == ("INVALID", "input.vatNumber")


async def test_the_doctor_names_who_sells_and_may_not(shop: Shop) -> None:
    await shop.order(await shop.product())
    (invariant,) = [each for each in doctor.INVARIANTS if each.broken is organizations.incomplete]
    assert (await doctor.examine(invariant)).good

    await incomplete()

    assert (await doctor.examine(invariant)).examples == ("shop: shareCapital, rcs",)


async def incomplete() -> None:
    await Organization.all().update(rcs=None, share_capital=None)
