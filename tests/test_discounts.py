"""Discounts: on a line, on the whole, by a code; what a person, a partner and the invoice then say."""

from typing import Any

import pytest

from tests.printer import Printer
from tests.security.surroundings import nothing_changes
from tests.shop import CHECKOUT, Shop, said

pytestmark = pytest.mark.usefixtures("printer")

CREATE = "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id } } }"
TOO_LONG = "x" * 10_000


async def test_a_line_may_be_sold_for_less(shop: Shop, printer: Printer) -> None:
    product = await shop.product(5000, (await shop.partner(),), name="Conseil")
    lines = [{"product": product, "quantity": 2, "discount": {"percent": 1550}}, {"product": product, "quantity": 1}]
    order = await shop.see(await shop.order(product, lines=lines))
    assert (order["subtotal"]["amount"], order["discount"]["amount"], order["total"]["amount"]) == (13_450, 0, 13_450)
    assert [(line["discount"]["amount"], line["total"]["amount"]) for line in order["lines"]] == [
        (1550, 8450), (0, 5000),
    ]  # fmt: skip

    paid = await shop.pay(order)

    (invoice,) = paid["invoices"]
    content = printer.printed[invoice["number"]]
    assert [(line.discount_net_cents, line.gross_cents) for line in content.lines] == [(1292, 8450), (0, 5000)]
    assert (content.gross_cents, content.allowances) == (13_450, ())
    told = shop.told()[-1].json["order"]
    assert (told["total_amount"], [line["unit_price"] for line in told["products"]]) == (134.5, [35.21, 41.66])


async def test_the_whole_may_be_sold_for_less_and_each_rate_bears_its_part(shop: Shop, printer: Printer) -> None:
    products = [await shop.product(8000, name="Conseil"), await shop.product(2000, name="Livre", vatRate=550)]
    client = await shop.client("marie@example.com")
    order = await shop.see(
        await shop.order(*products, client=client, discount={"amount": 1001, "reason": "Ancienne cliente"})
    )
    assert (order["subtotal"]["amount"], order["discount"]["amount"], order["total"]["amount"]) == (10_000, 1001, 8999)
    assert (order["discountReason"], order["discountCode"]) == ("Ancienne cliente", None)
    assert [line["share"]["amount"] for line in order["lines"]] == [801, 200]

    paid = await shop.pay(order)

    content = printer.printed[paid["invoices"][0]["number"]]
    assert {(each.vat_rate, each.reason, each.gross_cents) for each in content.allowances} == {
        (2000, "Ancienne cliente", 801), (550, "Ancienne cliente", 200),
    }  # fmt: skip
    assert content.gross_cents == 8999
    (letter,) = shop.letters(paid)
    assert "Remise (Ancienne cliente) : −10,01 €" in said(letter)


async def test_each_brand_bears_its_part_of_the_discount(shop: Shop) -> None:
    first, second = await shop.partner("first"), await shop.partner("second")
    products = await shop.product(1000, (first,), name="A"), await shop.product(3000, (second,), name="B")

    paid = await shop.pay(await shop.order(*products, discount={"percent": 1000}))

    totals = {invoice["partner"]["slug"]: invoice["total"]["amount"] for invoice in paid["invoices"]}
    assert totals == {"first": 900, "second": 2700}
    assert [shop.told(slug)[-1].json["order"]["total_amount"] for slug in totals] == [9.0, 27.0]


async def test_a_discount_is_changed_and_taken_away_while_nothing_was_paid(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), discount={"amount": 1000})

    changed = await shop.do("orderDiscount", order, discount={"percent": 2500, "reason": "Salon"})
    assert (changed["total"]["amount"], changed["discountReason"]) == (7500, "Salon")
    assert changed["lines"][0]["share"]["amount"] == 2500

    away = await shop.do("orderDiscount", order)
    assert (away["total"]["amount"], away["discountReason"], away["discount"]["amount"]) == (10_000, None, 0)
    assert away["lines"][0]["share"]["amount"] == 0


async def test_a_discount_may_give_way_to_a_code_and_a_code_to_another(shop: Shop) -> None:
    await shop.code("PREMIER", percent=1000)
    await shop.code("SECOND", percent=2000, name="Le second")
    order = await shop.order(await shop.product(10_000), discount={"amount": 500})

    first = await shop.do("orderDiscount", order, discountCode="premier")
    assert (first["total"]["amount"], first["discountReason"]) == (9000, "Code PREMIER")
    second = await shop.do("orderDiscount", order, discountCode=" Second ")

    assert (second["total"]["amount"], second["discountReason"]) == (8000, "Le second")
    assert second["discountCode"] == {"code": "SECOND", "redemptions": 1}
    assert await uses(shop) == {"PREMIER": 0, "SECOND": 1}


async def test_what_costs_nothing_any_more_is_complete_at_once(shop: Shop) -> None:
    await shop.code("CADEAU", percent=10_000)
    order = await shop.order(await shop.product(10_000), discountCode="CADEAU")

    completed = await shop(CHECKOUT, input=shop.checkout_input(order))
    await shop.work_is_done()

    assert completed["__typename"] == "OrderCompleted"
    seen = await shop.see(order)
    assert (seen["status"], seen["total"]["amount"], seen["invoices"], seen["payments"]) == ("PAID", 0, [], [])
    assert await uses(shop) == {"CADEAU": 1}


async def test_a_fixed_amount_takes_off_no_more_than_the_order_comes_to(shop: Shop) -> None:
    await shop.code("CENT", amount={"amount": 10_000})

    order = await shop.see(await shop.order(await shop.product(4000), discountCode="CENT"))

    assert (order["discount"]["amount"], order["total"]["amount"]) == (4000, 0)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"discount": {}}, "input.discount"),
        ({"discount": {"percent": 100, "amount": 100}}, "input.discount"),
        ({"discount": {"percent": 0}}, "input.discount.percent"),
        ({"discount": {"percent": 10_001}}, "input.discount.percent"),
        ({"discount": {"amount": 0}}, "input.discount.amount"),
        ({"discount": {"amount": 10_001}}, "input.discount.amount"),
        ({"discount": {"amount": -1}}, "input.discount.amount"),
        ({"discount": {"amount": 100, "reason": TOO_LONG}}, "input.discount.reason"),
        ({"discount": {"amount": 100, "reason": "a\x00b"}}, "input.discount.reason"),
        ({"discount": {"amount": 100}, "discountCode": "CODE"}, "input.discountCode"),
    ],
)
async def test_a_discount_that_cannot_be_is_refused_with_the_field_to_blame(
    shop: Shop, given: dict[str, Any], field: str
) -> None:
    lines, client = [{"product": await shop.product(10_000), "quantity": 1}], await shop.client()
    order = await shop.order(await shop.product(10_000))

    async with nothing_changes(shop):
        created = await shop.refused(CREATE, input={"client": client, "lines": lines} | given)
        changed = await shop.cannot("orderDiscount", order, **given)

    assert created[:2] == changed[:2] == ("INVALID", field)


@pytest.mark.parametrize(
    ("discount", "field"),
    [
        ({"percent": 0}, "input.lines.1.discount.percent"),
        ({"amount": 20_001}, "input.lines.1.discount.amount"),
        ({"percent": 1, "amount": 1}, "input.lines.1.discount"),
    ],
)
async def test_a_discount_of_a_line_that_cannot_be_names_the_line(shop: Shop, discount: Any, field: str) -> None:
    product = await shop.product(10_000)
    lines = [{"product": product, "quantity": 1}, {"product": product, "quantity": 2, "discount": discount}]

    refusal = await shop.refused(CREATE, input={"client": await shop.client(), "lines": lines})

    assert refusal[:2] == ("INVALID", field)


async def test_what_is_paid_in_part_or_given_up_keeps_its_price(shop: Shop) -> None:
    part, canceled = await shop.order(await shop.product(10_000)), await shop.order()
    await shop.do("paymentRecord", part, method="CASH", amount={"amount": 100})
    await shop.do("orderCancel", canceled)

    async with nothing_changes(shop):
        refusals = [await shop.cannot("orderDiscount", order, discount={"percent": 1}) for order in (part, canceled)]

    assert [refusal[:2] for refusal in refusals] == [("CONFLICT", "input.order")] * 2


async def uses(shop: Shop) -> dict[str, int]:
    """How many orders use each code."""
    found = await shop("{ discountCodes(orderBy: { field: CODE }) { nodes { code redemptions } } }")
    return {code["code"]: code["redemptions"] for code in found["nodes"]}
