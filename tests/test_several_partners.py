"""One order with lines of several partners: an invoice for each brand, and each partner told of its own only."""

from typing import Any

import pytest

from tests.printer import Printer
from tests.shop import CHECKOUT, Shop

pytestmark = pytest.mark.usefixtures("printer")


@pytest.fixture
async def sale(shop: Shop) -> dict[str, Any]:
    """Lines of A, of B, of both (A's brand), of B first and A, and of nobody; two of each."""
    a, b = await shop.partner("a"), await shop.partner("b")
    products = [
        await shop.product(1000, (a,), name="Of A"),
        await shop.product(2000, (b,), name="Of B", vatRate=550),
        await shop.product(4000, (a, b), name="Of both, A first"),
        await shop.product(8000, (b, a), name="Of both, B first", vatRate=1000),
        await shop.product(16_000, name="Of nobody"),
    ]
    client = await shop.client("marie@example.com", firstName="Marie", lastName="Martin")
    return await shop.sell(*products, client=client, quantity=2)


async def test_each_brand_invoices_its_own_lines(shop: Shop, printer: Printer, sale: dict[str, Any]) -> None:
    invoices = {(each["partner"] or {}).get("slug"): each for each in sale["invoices"]}

    assert {slug: each["total"]["amount"] for slug, each in invoices.items()} == {
        "a": 10_000,
        "b": 20_000,
        None: 32_000,
    }
    printed = {slug: printer.printed[each["number"]] for slug, each in invoices.items()}
    assert {slug: [line.description for line in content.lines] for slug, content in printed.items()} == {
        "a": ["Of A", "Of both, A first"],
        "b": ["Of B", "Of both, B first"],
        None: ["Of nobody"],
    }
    assert {slug: content.brand.name for slug, content in printed.items()} == {
        "a": "Service A", "b": "Service B", None: "ComptAppart",
    }  # fmt: skip
    assert {content.seller.siren for content in printed.values()} == {"732829320"}
    assert sum(each["total"]["amount"] for each in sale["invoices"]) == sale["total"]["amount"] == 62_000


async def test_numbers_follow_one_another_over_the_brands(shop: Shop, sale: dict[str, Any]) -> None:
    rows = await shop.sql("SELECT sequence FROM invoices ORDER BY id")

    assert [row["sequence"] for row in rows] == [1, 2, 3]


async def test_each_partner_is_told_of_its_lines_and_total_and_of_no_invoice_with_the_lines_of_others(
    shop: Shop, sale: dict[str, Any]
) -> None:
    (of_a,), (of_b,) = shop.told("a"), shop.told("b")

    assert [line["product_name"] for line in of_a.json["order"]["products"]] == [
        "Of A", "Of both, A first", "Of both, B first",
    ]  # fmt: skip
    assert [line["product_name"] for line in of_b.json["order"]["products"]] == [
        "Of B", "Of both, A first", "Of both, B first",
    ]  # fmt: skip
    assert (of_a.json["order"]["total_amount"], of_b.json["order"]["total_amount"]) == (260.0, 280.0)
    numbers = {each["partner"]["slug"]: each["number"] for each in sale["invoices"] if each["partner"]}
    assert (of_a.json["invoice"]["number"], of_b.json["invoice"]["number"]) == (numbers["a"], numbers["b"])
    assert of_a.json["order_id"] == of_b.json["order_id"] == sale["number"]


async def test_the_link_that_a_partner_gets_opens_its_own_invoice(shop: Shop, sale: dict[str, Any]) -> None:
    numbers = {each["partner"]["slug"]: each["number"] for each in sale["invoices"] if each["partner"]}

    for slug in ("a", "b"):
        document = await shop.browse(shop.told(slug)[-1].json["invoice"]["pdf_url"])
        assert document.content == b"%PDF-1.7 " + numbers[slug].encode()


async def test_the_client_gets_a_letter_for_each_brand(shop: Shop, sale: dict[str, Any]) -> None:
    letters = shop.letters(sale)

    assert {str(letter.message["From"]).partition(" <")[0] for letter in letters} == {
        "Service A", "Service B", "ComptAppart",
    }  # fmt: skip
    assert len(letters) == 3


async def test_a_partner_of_nothing_in_the_order_hears_nothing(shop: Shop) -> None:
    await shop.partner("other")

    await shop.sell(await shop.product(1000, (await shop.partner("a"),)))

    assert (len(shop.told("a")), shop.told("other")) == (1, [])


async def test_a_partner_who_is_inactive_hears_nothing_and_its_brand_still_invoices(shop: Shop) -> None:
    a, b = await shop.partner("a"), await shop.partner("b")
    product = await shop.product(1000, (a, b))
    await shop.change("partner", a["id"], active=False)

    sold = await shop.sell(product)

    assert (shop.told("a"), len(shop.told("b"))) == ([], 1)
    (invoice,) = sold["invoices"]
    assert invoice["partner"] == {"slug": "a"}
    assert [each["partner"]["slug"] for each in sold["notifications"]] == ["b"]


async def test_a_partner_that_is_down_delays_no_other(shop: Shop) -> None:
    a, b = await shop.partner("a"), await shop.partner("b")
    shop.sandbox.partner.answer(500, slug="a")

    sold = await shop.sell(await shop.product(1000, (a,)), await shop.product(1000, (b,)))

    assert {each["partner"]["slug"]: each["status"] for each in sold["notifications"]} == {
        "a": "PENDING", "b": "DELIVERED",
    }  # fmt: skip


async def test_a_discount_on_the_whole_is_borne_by_each_partners_lines(shop: Shop) -> None:
    a, b = await shop.partner("a"), await shop.partner("b")
    order = await shop.order(await shop.product(1000, (a,)), await shop.product(2000, (b,)), discount={"percent": 5000})

    await shop.pay(order)

    assert [shop.told(slug)[-1].json["order"]["total_amount"] for slug in ("a", "b")] == [5.0, 10.0]
    (line,) = shop.told("a")[-1].json["order"]["products"]
    assert line["unit_price"] == 4.17


async def test_free_lines_of_one_beside_paid_lines_of_another_are_told_without_an_invoice(shop: Shop) -> None:
    a, b = await shop.partner("a"), await shop.partner("b")

    sold = await shop.sell(await shop.product(0, (a,), name="Cadeau"), await shop.product(1000, (b,)))

    assert [each["partner"]["slug"] for each in sold["invoices"]] == ["b"]
    (told,) = shop.told("a")
    assert (told.json["invoice"], told.json["order"]["total_amount"]) == (None, 0.0)


async def test_a_free_order_of_two_is_told_to_the_one_who_asked(shop: Shop) -> None:
    asked, other = await shop.partner("asked", tellFreeOrders=True), await shop.partner("other")
    order = await shop.order(await shop.product(0, (asked, other)))

    await shop(CHECKOUT, input=shop.checkout_input(order))
    await shop.work_is_done()

    assert (len(shop.told("asked")), shop.told("other")) == (1, [])
