"""Money that came outside Stripe, recorded by a person: in full, in parts, and what cannot be recorded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import Role
from services.wording import day
from tests.printer import Printer
from tests.security.surroundings import nothing_changes
from tests.shop import Shop, said

pytestmark = pytest.mark.usefixtures("printer")


async def test_a_transfer_pays_the_order_and_all_that_follows_a_sale_follows(shop: Shop, printer: Printer) -> None:
    product = await shop.product(partners=(await shop.partner(),))
    order = await shop.order(product, client=await shop.client("marie@example.com"))
    came = some_days_ago()

    paid = await shop.do("paymentRecord", order, method="TRANSFER", reference="VIR MARTIN 42", paidAt=came.isoformat())
    await shop.work_is_done()

    assert (paid["status"], paid["balance"]["amount"]) == ("PAID", 0)
    (payment,) = paid["payments"]
    assert (payment["method"], payment["status"], payment["reference"]) == ("TRANSFER", "SUCCEEDED", "VIR MARTIN 42")
    assert (payment["amount"], payment["applied"]["amount"]) == ({"amount": 9999, "currency": "EUR"}, 9999)
    assert (payment["stripeId"], datetime.fromisoformat(payment["paidAt"])) == (None, came)
    (invoice,) = paid["invoices"]
    content = printer.printed[invoice["number"]]
    assert (content.is_paid, content.paid_on, content.payment_method) == (True, came.date(), "TRANSFER")
    (letter,) = shop.letters(paid)
    assert "par virement" in letter.body("plain")
    told = shop.told()[-1].json
    assert (told["invoice"]["number"], told["order"]["total_amount"]) == (invoice["number"], 99.99)
    assert told["event_id"].startswith("payment_")


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("CHEQUE", "par chèque"),
        ("CASH", "en espèces"),
        ("CPF", "par le compte personnel de formation"),
    ],
)
async def test_other_ways_pay_an_order_too_and_the_letter_names_them(shop: Shop, method: str, words: str) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))

    paid = await shop.do("paymentRecord", order, method=method)
    await shop.work_is_done()

    assert paid["status"] == "PAID"
    (letter,) = shop.letters(paid)
    assert words in letter.body("plain")


async def test_it_is_kept_who_recorded_it(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)

    await admin.do("paymentRecord", await shop.order(), method="CASH")

    rows = await shop.sql(
        "SELECT u.email FROM payments p JOIN memberships m ON m.id = p.recorded_by_id JOIN users u ON u.id = m.user_id"
    )
    assert [row["email"] for row in rows] == ["admin@shop.test"]


async def test_parts_are_counted_until_nothing_is_left(shop: Shop, printer: Printer) -> None:
    product = await shop.product(10_000, (await shop.partner(),))
    order = await shop.order(product, client=await shop.client("marie@example.com"))

    first = await shop.do("paymentRecord", order, method="CHEQUE", amount={"amount": 3000})
    await shop.work_is_done()
    assert (first["status"], first["paid"]["amount"], first["balance"]["amount"]) == ("OPEN", 3000, 7000)
    (invoice,) = first["invoices"]
    content = printer.printed[invoice["number"]]
    assert (content.gross_cents, content.paid_cents, content.due_cents) == (10_000, 3000, 7000)
    assert content.pay_url
    (letter,) = shop.letters(await shop.see(order))
    assert "À PAYER : 70,00 €" in said(letter)
    assert shop.told() == []

    second = await shop.do("paymentRecord", order, method="CASH", amount={"amount": 2500})
    await shop.work_is_done()
    assert (second["status"], second["balance"]["amount"]) == ("OPEN", 4500)
    assert len(shop.letters(await shop.see(order))) == 1

    third = await shop.do("paymentRecord", order, method="TRANSFER")
    await shop.work_is_done()
    assert (third["status"], third["balance"]["amount"]) == ("PAID", 0)
    assert [each["amount"]["amount"] for each in third["payments"]] == [3000, 2500, 4500]
    assert [each["number"] for each in third["invoices"]] == [invoice["number"]]
    (_, receipt) = shop.letters(await shop.see(order))
    assert "votre paiement de 45,00 €" in said(receipt)
    assert str(receipt.message["Subject"]).startswith(f"[TEST] Paiement reçu : votre facture {invoice['number']}")
    assert [told.json["invoice"]["number"] for told in shop.told()] == [invoice["number"]]


async def test_the_receipt_names_the_last_payment_and_carries_the_invoice(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    await shop.do("orderInvoice", order)
    came = some_days_ago()
    paid = await shop.do("paymentRecord", order, method="CHEQUE", paidAt=came.isoformat())
    await shop.work_is_done()

    receipt = shop.letters(paid)[-1]
    assert f"99,99 €, le {day(came.date())}, par chèque" in said(receipt)
    (attached,) = receipt.attachments
    assert attached.get_filename() == f"Facture-{paid['invoices'][0]['number']}.pdf"


# Not recorded


async def test_more_than_what_is_left_is_refused_and_nothing_is_half_done(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000))
    await shop.do("paymentRecord", order, method="CASH", amount={"amount": 9000})
    await shop.work_is_done()

    async with nothing_changes(shop):
        refusal = await shop.cannot("paymentRecord", order, method="CASH", amount={"amount": 1001})

    message = (
        f"Of order {order['number']}, 1000 minor units are still to be paid: record that or less, and give what is"
        " over back."
    )
    assert refusal == ("INVALID", "input.amount.amount", message)


@pytest.mark.parametrize(
    ("input", "field", "words"),
    [
        ({"amount": {"amount": 0}}, "input.amount.amount", "9999 minor units are still to be paid"),
        ({"amount": {"amount": -5}}, "input.amount.amount", "9999 minor units are still to be paid"),
        ({"amount": {"amount": 100, "currency": "USD"}}, "input.amount.currency", "The order is in EUR."),
        ({"method": "STRIPE"}, "input.method", "TRANSFER, CHEQUE, CASH and CPF"),
        ({"method": "PAYPAL"}, "input.method", "TRANSFER, CHEQUE, CASH and CPF"),
        ({"reference": "x" * 201}, "input.reference", "longer than 200"),
        ({"reference": "a\x00b"}, "input.reference", "NUL"),
    ],
    ids=["nothing", "less than nothing", "dollars", "STRIPE", "PAYPAL", "a long reference", "a NUL"],
)
async def test_what_cannot_be_is_refused_with_the_field_to_blame(
    shop: Shop, input: dict[str, Any], field: str, words: str
) -> None:
    order = await shop.order()

    async with nothing_changes(shop):
        code, blamed, message = await shop.cannot("paymentRecord", order, **{"method": "CASH"} | input)

    assert (code, blamed) == ("INVALID", field)
    assert words in message


@pytest.mark.parametrize("days", [1, -731], ids=["tomorrow", "more than two years ago"])
async def test_money_came_neither_tomorrow_nor_long_ago(shop: Shop, days: int) -> None:
    at = (datetime.now(UTC) + timedelta(days=days)).isoformat()

    refusal = await shop.cannot("paymentRecord", await shop.order(), method="CASH", paidAt=at)

    assert refusal == ("INVALID", "input.paidAt", "Money came in the last two years, and not in the future.")


async def test_nothing_is_recorded_on_an_order_that_has_nothing_to_pay(shop: Shop) -> None:
    canceled = await shop.order()
    await shop.do("orderCancel", canceled)
    paid, free = await shop.sell(), await shop.order(await shop.product(0))

    async with nothing_changes(shop):
        refusals = [await shop.cannot("paymentRecord", order, method="CASH") for order in (canceled, paid, free)]

    assert refusals == [
        ("CONFLICT", "input.order", f"Order {canceled['number']} was cancelled. Create a new order."),
        ("CONFLICT", "input.order", f"Order {paid['number']} is already paid. Nothing was charged."),
        ("CONFLICT", "input.order", f"Order {free['number']} is free: start its checkout."),
    ]


async def test_a_page_paid_after_the_money_came_by_hand_is_left_for_a_person(shop: Shop) -> None:
    order = await shop.order()
    events = await shop.sandbox.stripe.pay(await shop.checkout(order))
    await shop.do("paymentRecord", order, method="TRANSFER")

    await shop.tell(events)

    seen = await shop.see(order)
    assert (seen["status"], len(seen["invoices"]), seen["paid"]["amount"]) == ("PAID", 1, 9999)
    (conflict,) = seen["conflicts"]
    assert (conflict["kind"], conflict["proposed"]["amount"]) == ("DUPLICATE_PAYMENT", 9999)


def some_days_ago() -> datetime:
    """At noon, which is the same day in Paris."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=9)
