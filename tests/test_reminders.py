"""Reminders of what is invoiced and not paid: when they go, what they ask for, and what ends them."""

from typing import Any

import pytest

from tests.printer import Printer
from tests.shop import Shop, said

pytestmark = pytest.mark.usefixtures("printer")

DAYS = 30 + 7 + 1  # to pay in, then to the first reminder; it goes in the morning, so it is surely gone the day after


async def test_a_reminder_goes_some_days_after_the_invoice_was_due(shop: Shop, printer: Printer) -> None:
    order = await invoiced(shop)
    invoice = order["invoices"][0]
    await days_pass(shop, DAYS - 2)
    assert len(shop.letters(order)) == 1

    await days_pass(shop, 2)

    _, reminder = shop.letters(order)
    assert str(reminder.message["Subject"]).startswith(f"[TEST] Rappel : votre facture {invoice['number']}")
    assert "À PAYER : 99,99 €" in said(reminder)
    assert printer.printed[invoice["number"]].pay_url in reminder.body("plain")
    (attached,) = reminder.attachments
    assert attached.get_filename() == f"Facture-{invoice['number']}.pdf"
    first, second = (await shop.see(order))["reminders"]
    assert (first["number"], bool(first["sentAt"])) == (1, True)
    assert (second["number"], second["sentAt"]) == (2, None)


async def test_reminders_come_again_until_there_were_enough(shop: Shop) -> None:
    order = await invoiced(shop)
    await days_pass(shop, DAYS, 7, 7, 7, 7)

    subjects = [str(letter.message["Subject"]) for letter in shop.letters(order)[1:]]
    number = order["invoices"][0]["number"]
    assert [subject.removeprefix("[TEST] ").partition(" –")[0] for subject in subjects] == [
        f"Rappel : votre facture {number} reste à régler",
        f"Rappel n° 2 : votre facture {number} reste à régler",
        f"Rappel n° 3 : votre facture {number} est impayée",
    ]
    ids = {letter.message["Message-ID"] for letter in shop.letters(order)}
    assert len(ids) == 4


async def test_the_organization_sets_how_often_and_how_many(shop: Shop) -> None:
    await shop.change("organization", paymentDays=10, reminderEveryDays=2, remindersMost=1)
    order = await invoiced(shop)

    await days_pass(shop, 13, 2, 2)

    assert len(shop.letters(order)) == 2
    assert len((await shop.see(order))["reminders"]) == 1


async def test_an_organization_may_want_no_reminders(shop: Shop) -> None:
    await shop.change("organization", remindersMost=0)
    order = await invoiced(shop)

    await days_pass(shop, DAYS, 7)

    assert len(shop.letters(order)) == 1
    assert (await shop.see(order))["reminders"] == []


async def test_what_is_paid_is_not_reminded_of(shop: Shop) -> None:
    early, late = await invoiced(shop), await invoiced(shop)
    await shop.pay(early)
    await days_pass(shop, DAYS)
    await shop.do("paymentRecord", late, method="TRANSFER")
    await days_pass(shop, 7, 7)

    assert not any("Rappel" in str(letter.message["Subject"]) for letter in shop.letters(early))
    reminders = [letter for letter in shop.letters(late) if "Rappel" in str(letter.message["Subject"])]
    assert len(reminders) == 1


async def test_what_is_given_up_is_not_reminded_of(shop: Shop) -> None:
    order = await invoiced(shop)
    await shop.sql("UPDATE orders SET status = 'CANCELED', canceled_at = now()")

    await days_pass(shop, DAYS)

    assert len(shop.letters(order)) == 1


async def test_a_reminder_asks_for_what_is_left(shop: Shop) -> None:
    order = await invoiced(shop)
    await shop.do("paymentRecord", order, method="CHEQUE", amount={"amount": 4999})

    await days_pass(shop, DAYS)

    reminder = shop.letters(order)[-1]
    assert "À PAYER : 50,00 €" in said(reminder)
    assert "Payé : −49,99 €" in said(reminder)
    assert "Reste à payer : 50,00 €" in said(reminder)


async def test_what_was_paid_in_part_only_is_reminded_of(shop: Shop) -> None:
    """Its invoice was issued by the first part."""
    order = await shop.order()
    await shop.do("paymentRecord", order, method="CHEQUE", amount={"amount": 4999})
    await shop.work_is_done()

    await days_pass(shop, DAYS)

    assert "À PAYER : 50,00 €" in said(shop.letters(await shop.see(order))[-1])


async def test_each_brand_reminds_of_its_own_invoice_and_amount(shop: Shop) -> None:
    first, second = await shop.partner("first"), await shop.partner("second")
    order = await invoiced(
        shop, await shop.product(1000, (first,), name="A"), await shop.product(2000, (second,), name="B")
    )
    await shop.do("paymentRecord", order, method="CHEQUE", amount={"amount": 300})

    await days_pass(shop, DAYS)

    reminders = shop.letters(order)[2:]
    by_brand = {invoice["partner"]["slug"]: invoice["number"] for invoice in order["invoices"]}
    for slug, amount in (("first", "9,00 €"), ("second", "18,00 €")):
        (reminder,) = (each for each in reminders if by_brand[slug] in str(each.message["Subject"]))
        assert str(reminder.message["Subject"]).endswith(f"Service {slug.title()}")
        assert f"À PAYER : {amount}" in said(reminder)
    assert len(reminders) == 2


async def test_a_deposit_that_is_invoiced_and_not_paid_is_reminded_of(shop: Shop) -> None:
    order = await invoiced(shop, await shop.product(10_000), deposit={"percent": 3000})

    await days_pass(shop, DAYS)

    reminder = shop.letters(order)[-1]
    assert "votre facture d’acompte" in str(reminder.message["Subject"])
    assert "À PAYER : 30,00 €" in said(reminder)


async def test_a_reminder_that_the_mail_server_refuses_goes_a_moment_later(shop: Shop) -> None:
    order = await invoiced(shop)
    await shop.time_passes(days=DAYS)
    shop.sandbox.mail.refuse_next()
    await shop.work_is_done()
    assert len(shop.letters(order)) == 1

    await shop.time_passes(minutes=1)
    await shop.work_is_done()

    assert len(shop.letters(order)) == 2


async def invoiced(shop: Shop, *products: str, **input: Any) -> dict[str, Any]:
    """An order invoiced ahead, its letter sent."""
    order = await shop.do("orderInvoice", await shop.order(*products, **input))
    await shop.work_is_done()
    return order


async def days_pass(shop: Shop, *spans: int) -> None:
    """So many days, then what is due is done; again for each."""
    for days in spans:
        await shop.time_passes(days=days)
        await shop.work_is_done()
