"""Orders invoiced before they are paid, for an employer or a transfer: the invoice, its letter, the money later."""

from datetime import date, timedelta

import pytest

from services.wording import day
from tests.printer import Printer
from tests.security.surroundings import nothing_changes
from tests.shop import Shop, said

pytestmark = pytest.mark.usefixtures("printer")

IBAN, IN_GROUPS = "FR7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189"


async def test_an_employer_is_invoiced_before_it_pays(shop: Shop, printer: Printer) -> None:
    await shop.change("organization", iban=IBAN, bic="AGRIFRPPXXX", paymentDays=45)
    order = await shop.order(await shop.product(120_000, name="Bilan express"), client=await an_employer(shop))

    invoiced = await shop.do("orderInvoice", order)
    await shop.work_is_done()

    assert (invoiced["status"], invoiced["balance"]["amount"]) == ("OPEN", 120_000)
    (invoice,) = invoiced["invoices"]
    assert (invoice["type"], invoice["total"]["amount"], invoice["settledAt"]) == ("INVOICE", 120_000, None)
    content = printer.printed[invoice["number"]]
    due_on = content.issued_on + timedelta(days=45)
    assert date.fromisoformat(invoice["dueOn"]) == content.due_on == due_on
    assert (content.paid_cents, content.paid_on, content.due_cents) == (0, None, 120_000)
    assert (content.buyer.name, content.buyer.siren) == ("Atelier Durand SARL", "552100554")
    assert content.transfer
    assert (content.transfer.iban, content.transfer.reference) == (IBAN, invoice["number"])
    assert "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €." in [
        mention.text for mention in content.mentions
    ]
    (letter,) = shop.letters(invoiced)
    assert str(letter.message["Subject"]).startswith(f"[TEST] Votre facture {invoice['number']}")
    text = said(letter)
    assert f"À PAYER : 1 200,00 €, avant le {day(due_on)}" in text
    assert content.pay_url in letter.body("plain")
    assert f"IBAN {IN_GROUPS}" in text
    assert "BIC AGRIFRPPXXX" in text
    assert f"référence {invoice['number']}" in text
    (attached,) = letter.attachments
    assert attached.get_filename() == f"Facture-{invoice['number']}.pdf"


async def test_a_person_is_invoiced_without_what_is_said_between_companies(shop: Shop, printer: Printer) -> None:
    invoiced = await shop.do("orderInvoice", await shop.order())
    await shop.work_is_done()

    content = printer.printed[invoiced["invoices"][0]["number"]]
    assert [mention.text for mention in content.mentions] == [
        "Pas d’escompte pour paiement anticipé.", "Catégorie de l’opération : prestation de services.",
    ]  # fmt: skip
    assert content.transfer is None


@pytest.mark.parametrize("by_hand", [True, False], ids=["by hand", "by the link"])
async def test_what_was_invoiced_is_paid_later_without_a_new_invoice(shop: Shop, by_hand: bool) -> None:
    product = await shop.product(partners=(await shop.partner(),))
    order = await shop.order(product, client=await an_employer(shop))
    invoiced = await shop.do("orderInvoice", order)
    await shop.work_is_done()
    assert (shop.told(), await shop.count("accesses")) == ([], 0)

    if by_hand:
        await shop.do("paymentRecord", order, method="TRANSFER")
        await shop.work_is_done()
    else:
        await shop.pay(order)

    paid = await shop.see(order)
    assert (paid["status"], await shop.count("accesses")) == ("PAID", 1)
    (before,), (invoice,) = invoiced["invoices"], paid["invoices"]
    assert (invoice["number"], invoice["dueOn"]) == (before["number"], before["dueOn"])
    assert invoice["settledAt"]
    (told,) = shop.told()
    assert told.json["invoice"]["number"] == invoice["number"]
    _, receipt = shop.letters(paid)
    assert f"votre facture {invoice['number']} est réglée" in str(receipt.message["Subject"])


async def test_paid_before_the_letter_went_there_is_one_letter_that_thanks(shop: Shop) -> None:
    order = await shop.order(client=await an_employer(shop))
    await shop.do("orderInvoice", order)
    await shop.do("paymentRecord", order, method="TRANSFER")

    await shop.work_is_done()

    paid = await shop.see(order)
    (letter,) = shop.letters(paid)
    assert "Paiement reçu" in str(letter.message["Subject"])
    assert paid["invoices"][0]["emailedAt"]


async def test_an_order_of_two_brands_is_invoiced_by_each(shop: Shop, printer: Printer) -> None:
    first, second = await shop.partner("first"), await shop.partner("second")
    products = await shop.product(1000, (first,), name="A"), await shop.product(2000, (second,), name="B")
    order = await shop.order(*products, client=await an_employer(shop))

    invoiced = await shop.do("orderInvoice", order)
    await shop.work_is_done()

    by_brand = {invoice["partner"]["slug"]: invoice for invoice in invoiced["invoices"]}
    assert {slug: invoice["total"]["amount"] for slug, invoice in by_brand.items()} == {"first": 1000, "second": 2000}
    assert [printer.printed[by_brand[slug]["number"]].brand.name for slug in ("first", "second")] == [
        "Service First",
        "Service Second",
    ]
    assert len(shop.letters(invoiced)) == 2
    await shop.pay(order)
    paid = await shop.see(order)
    assert {invoice["number"] for invoice in paid["invoices"]} == {invoice["number"] for invoice in by_brand.values()}
    assert all(invoice["settledAt"] for invoice in paid["invoices"])
    for slug in ("first", "second"):
        assert shop.told(slug)[-1].json["invoice"]["number"] == by_brand[slug]["number"]
    receipts = {str(each.message["From"]).partition(" <")[0]: said(each) for each in shop.letters(paid)[2:]}
    assert "votre paiement de 10,00 €" in receipts["Service First"]
    assert "votre paiement de 20,00 €" in receipts["Service Second"]


async def test_what_is_invoiced_or_has_nothing_to_pay_is_not_invoiced_again(shop: Shop) -> None:
    invoiced, canceled = await shop.order(), await shop.order()
    await shop.do("orderInvoice", invoiced)
    await shop.do("orderCancel", canceled)
    paid = await shop.sell()

    async with nothing_changes(shop):
        refusals = [await shop.cannot("orderInvoice", order) for order in (invoiced, canceled, paid)]

    assert refusals == [
        ("CONFLICT", "input.order", f"Order {invoiced['number']} is invoiced already."),
        ("CONFLICT", "input.order", f"Order {canceled['number']} was cancelled. Create a new order."),
        ("CONFLICT", "input.order", f"Order {paid['number']} is already paid. Nothing was charged."),
    ]


async def test_the_price_of_what_is_invoiced_stands(shop: Shop) -> None:
    order = await shop.order()
    await shop.do("orderInvoice", order)

    async with nothing_changes(shop):
        code, field, message = await shop.cannot("orderDiscount", order, discount={"percent": 1000})

    assert (code, field, "its price stands" in message) == ("CONFLICT", "input.order", True)


async def test_invoices_ahead_and_of_payments_share_one_run_of_numbers(shop: Shop) -> None:
    for ahead in (True, False, True):
        if ahead:
            await shop.do("orderInvoice", await shop.order())
        else:
            await shop.do("paymentRecord", await shop.order(), method="CASH")

    rows = await shop.sql("SELECT sequence FROM invoices ORDER BY issued_at, sequence")
    assert [row["sequence"] for row in rows] == [1, 2, 3]


async def an_employer(shop: Shop) -> str:
    return await shop.client(
        "compta@durand.example", company="Atelier Durand SARL", siren="552100554", address="3 rue du Port",
        postalCode="35000", city="Rennes", country="FR",
    )  # fmt: skip
