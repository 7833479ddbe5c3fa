"""Deposits: paid first, invoiced by themselves, and taken into account by the invoice of the whole."""

from typing import Any

import pytest

from tests.printer import Printer
from tests.security.surroundings import nothing_changes
from tests.shop import Shop, said

pytestmark = pytest.mark.usefixtures("printer")

CREATE = "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id } } }"


@pytest.mark.parametrize(
    ("deposit", "cents"), [({"percent": 3000}, 3000), ({"amount": 2500}, 2500), ({"percent": 1}, 1)]
)
async def test_a_deposit_is_a_percent_or_an_amount_of_the_total(shop: Shop, deposit: Any, cents: int) -> None:
    order = await shop.see(await shop.order(await shop.product(10_000), deposit=deposit))

    assert (order["total"]["amount"], order["deposit"]["amount"], order["balance"]["amount"]) == (10_000, cents, 10_000)


async def test_a_percent_is_of_what_is_left_after_the_discounts(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), discount={"amount": 2000}, deposit={"percent": 2500})

    assert (await shop.see(order))["deposit"]["amount"] == 2000


async def test_a_deposit_then_its_balance_are_an_invoice_each(shop: Shop, printer: Printer) -> None:
    product = await shop.product(120_000, (await shop.partner(),), name="Bilan")
    order = await shop.order(product, client=await shop.client("marie@example.com"), deposit={"percent": 3000})

    first = await shop.pay(order)
    assert (first["status"], first["paid"]["amount"], shop.told()) == ("OPEN", 36_000, [])
    (deposit,) = first["invoices"]
    assert (deposit["type"], deposit["total"]["amount"], bool(deposit["settledAt"])) == ("PREPAYMENT", 36_000, True)
    asked = printer.printed[deposit["number"]]
    (line,) = asked.lines
    assert line.description.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ") == (
        f"Acompte sur la commande n° {order['number']}, d'un total de 1 200,00 €"
    )
    assert (asked.net_cents, asked.vat_cents, asked.gross_cents, asked.due_cents) == (30_000, 6000, 36_000, 0)
    (letter,) = shop.letters(first)
    assert str(letter.message["Subject"]).startswith(f"[TEST] Votre facture d’acompte {deposit['number']}")

    second = await shop.pay(order)
    assert (second["status"], second["balance"]["amount"]) == ("PAID", 0)
    _, final = second["invoices"]
    assert (final["type"], final["total"]["amount"]) == ("INVOICE", 120_000)
    content = printer.printed[final["number"]]
    (deducted,) = content.deposits
    assert (deducted.number, deducted.cents, deducted.issued_on) == (deposit["number"], 36_000, asked.issued_on)
    assert (content.paid_cents, content.due_cents) == (120_000, 0)
    (_, letter) = shop.letters(second)
    assert f"Acompte, facture {deposit['number']} : −360,00 €" in said(letter)
    (told,) = shop.told()
    assert (told.json["invoice"]["number"], told.json["order"]["total_amount"]) == (final["number"], 1200.0)


async def test_access_is_granted_by_the_balance(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"percent": 3000})

    await shop.pay(order)
    assert await shop.count("accesses") == 0

    await shop.pay(order)
    assert await shop.count("accesses") == 1


async def test_a_deposit_and_then_the_rest_are_invoiced_ahead_each_in_its_turn(shop: Shop, printer: Printer) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})

    first = await shop.do("orderInvoice", order)
    await shop.work_is_done()
    (deposit,) = first["invoices"]
    asked = printer.printed[deposit["number"]]
    assert (deposit["type"], asked.due_cents, asked.paid_on) == ("PREPAYMENT", 4000, None)
    assert asked.pay_url
    again = await shop.cannot("orderInvoice", order)
    unpaid = f"The deposit of order {order['number']} is invoiced already, and not paid yet."
    assert again == ("CONFLICT", "input.order", unpaid)

    await shop.pay(order)
    second = await shop.do("orderInvoice", order)
    await shop.work_is_done()
    assert [(each["type"], bool(each["settledAt"])) for each in second["invoices"]] == [
        ("PREPAYMENT", True),
        ("INVOICE", False),
    ]
    rest = printer.printed[second["invoices"][1]["number"]]
    assert ([each.number for each in rest.deposits], rest.due_cents) == ([deposit["number"]], 6000)

    paid = await shop.pay(order)
    assert [each["number"] for each in paid["invoices"]] == [each["number"] for each in second["invoices"]]
    assert paid["status"] == "PAID"


async def test_a_deposit_invoiced_ahead_is_acknowledged_once_it_is_paid(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})
    await shop.do("orderInvoice", order)
    await shop.work_is_done()

    await shop.do("paymentRecord", order, method="TRANSFER", amount={"amount": 4000})
    await shop.work_is_done()

    seen = await shop.see(order)
    _, receipt = shop.letters(seen)
    assert f"votre facture d’acompte {seen['invoices'][0]['number']} est réglée" in str(receipt.message["Subject"])
    assert "40,00 €" in said(receipt)


async def test_a_deposit_paid_in_parts_is_invoiced_once_all_of_it_came(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})

    first = await shop.do("paymentRecord", order, method="CASH", amount={"amount": 1500})
    assert first["invoices"] == []
    second = await shop.do("paymentRecord", order, method="CASH", amount={"amount": 2500})
    third = await shop.do("paymentRecord", order, method="CASH", amount={"amount": 1000})

    assert [(each["type"], each["total"]["amount"]) for each in second["invoices"]] == [("PREPAYMENT", 4000)]
    assert third["invoices"] == second["invoices"] == with_links_of(third, second)


async def test_more_than_the_deposit_at_once_counts_towards_the_balance(shop: Shop, printer: Printer) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})

    await shop.do("paymentRecord", order, method="CASH", amount={"amount": 7000})
    paid = await shop.pay(order)
    await shop.work_is_done()

    assert [each["amount"]["amount"] for each in paid["payments"]] == [7000, 3000]
    assert [each["total"]["amount"] for each in paid["invoices"]] == [4000, 10_000]
    (deducted,) = printer.printed[paid["invoices"][1]["number"]].deposits
    assert deducted.cents == 4000


async def test_paid_at_once_in_full_there_is_one_invoice(shop: Shop, printer: Printer) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})

    paid = await shop.do("paymentRecord", order, method="CHEQUE")
    await shop.work_is_done()

    assert [(each["type"], each["total"]["amount"]) for each in paid["invoices"]] == [("INVOICE", 10_000)]
    assert printer.printed[paid["invoices"][0]["number"]].deposits == ()


async def test_paid_in_full_after_the_deposit_was_invoiced_both_are_settled(shop: Shop, printer: Printer) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})
    await shop.do("orderInvoice", order)
    await shop.work_is_done()

    paid = await shop.do("paymentRecord", order, method="CHEQUE")
    await shop.work_is_done()

    deposit, final = paid["invoices"]
    assert (bool(deposit["settledAt"]), bool(final["settledAt"])) == (True, True)
    (deducted,) = printer.printed[final["number"]].deposits
    assert deducted.number == deposit["number"]
    assert printer.printed[final["number"]].due_cents == 0


async def test_a_deposit_paid_before_its_letter_went_is_written_about_once(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})
    await shop.do("orderInvoice", order)
    await shop.do("paymentRecord", order, method="CHEQUE", amount={"amount": 4000})
    await shop.work_is_done()

    seen = await shop.see(order)
    (letter,) = shop.letters(seen)
    assert seen["invoices"][0]["number"] in str(letter.message["Subject"])


# Brands and rates


async def test_brands_and_rates_bear_their_part_of_the_deposit_to_the_cent(shop: Shop, printer: Printer) -> None:
    first, second = await shop.partner("first"), await shop.partner("second")
    products = [
        await shop.product(3333, (first,), name="A"),
        await shop.product(3333, (first,), name="B", vatRate=550),
        await shop.product(3335, (second,), name="C", vatRate=1000),
    ]
    order = await shop.order(*products, deposit={"percent": 3333})
    deposit = (await shop.see(order))["deposit"]["amount"]

    await shop.pay(order)
    paid = await shop.pay(order)

    by_brand: dict[tuple[str, str], Any] = {
        (each["type"], each["partner"]["slug"]): printer.printed[each["number"]] for each in paid["invoices"]
    }
    asked, final = ([by_brand[type, slug] for slug in ("first", "second")] for type in ("PREPAYMENT", "INVOICE"))
    assert len(by_brand) == len(paid["invoices"]) == 4
    assert sum(content.gross_cents for content in asked) == deposit == 3333
    assert [[line.vat_rate for line in content.lines] for content in asked] == [[2000, 550], [1000]]
    assert [content.gross_cents for content in final] == [6666, 3335]
    for before, after in zip(asked, final, strict=True):
        (deducted,) = after.deposits
        assert (deducted.number, deducted.cents) == (before.number, before.gross_cents)
        assert (before.due_cents, after.due_cents) == (0, 0)


# Refused


@pytest.mark.parametrize(
    ("deposit", "field"),
    [
        ({"amount": 10_000}, "input.deposit.amount"),
        ({"amount": 10_001}, "input.deposit.amount"),
        ({"amount": 0}, "input.deposit.amount"),
        ({"amount": -1}, "input.deposit.amount"),
        ({"percent": 10_000}, "input.deposit.percent"),
        ({"percent": 0}, "input.deposit.percent"),
        ({"percent": 10_001}, "input.deposit.percent"),
        ({"percent": 1000, "amount": 100}, "input.deposit"),
        ({}, "input.deposit"),
    ],
)
async def test_a_deposit_is_more_than_nothing_and_less_than_the_total(shop: Shop, deposit: Any, field: str) -> None:
    lines = [{"product": await shop.product(10_000), "quantity": 1}]
    input = {"client": await shop.client(), "lines": lines, "deposit": deposit}

    async with nothing_changes(shop):
        code, blamed, _ = await shop.refused(CREATE, input=input)

    assert (code, blamed) == ("INVALID", field)


async def test_a_discount_that_leaves_no_more_than_the_deposit_is_refused(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})

    async with nothing_changes(shop):
        refusal = await shop.cannot("orderDiscount", order, discount={"amount": 6000})

    assert refusal == ("INVALID", "input.discount", "The deposit is then as much as the total, or more.")
    assert (await shop.do("orderDiscount", order, discount={"amount": 5999}))["total"]["amount"] == 4001


def with_links_of(newer: dict[str, Any], older: dict[str, Any]) -> list[dict[str, Any]]:
    return [new | {"pdfUrl": old["pdfUrl"]} for new, old in zip(newer["invoices"], older["invoices"], strict=True)]
