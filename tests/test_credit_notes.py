"""Credit notes: what is taken off an invoice, to the cent, and how it is numbered, printed and sent."""

from typing import Any

import pytest

from errors import Conflict, Invalid
from models import Invoice, Order
from models.content import InvoiceContent
from models.database import transaction
from services import credit_notes
from services.settlement import with_everything
from tests.shop import Shop, said

SEEN = """query ($id: ID!) { order(id: $id) {
    invoices { number type total { amount } credited { amount } corrects { number } settledAt pdfUrl }
} }"""


async def credit(invoice: Invoice, cents: int, **how: Any) -> InvoiceContent:
    async with transaction():
        order = await Order.select_for_update().get(id=invoice.order_id)
        note = await credit_notes.issue(await with_everything(order), invoice, cents, **how)
    return InvoiceContent.model_validate(note.content)


async def invoiced(shop: Shop, *products: str, **order: Any) -> tuple[dict[str, Any], Invoice]:
    sold = await shop.sell(*products, **order)
    return sold, await Invoice.get(number=sold["invoices"][0]["number"])


async def test_a_whole_credit_note_says_what_the_invoice_said(shop: Shop) -> None:
    sold, invoice = await invoiced(shop, await shop.product(9999), discount={"amount": 999})

    note = await credit(invoice, 9000, reason="Séance annulée")
    await shop.work_is_done()

    original = InvoiceContent.model_validate(invoice.content)
    assert (note.lines, note.allowances, note.vat) == (original.lines, original.allowances, original.vat)
    assert note.corrects is not None
    assert (note.corrects.number, note.corrects.issued_on) == (original.number, original.issued_on)
    assert (note.gross_cents, note.paid_cents, note.pay_url, note.notes) == (9000, 0, None, ("Séance annulée",))
    first, second = (await shop(SEEN, id=sold["id"]))["invoices"]
    assert (second["type"], second["corrects"], second["total"]) == (
        "CREDIT_NOTE", {"number": first["number"]}, {"amount": 9000},
    )  # fmt: skip
    assert (first["credited"], second["credited"]) == ({"amount": 9000}, {"amount": 0})
    assert second["number"].rpartition("-")[2] == "000002"  # of the same series
    assert second["pdfUrl"]


async def test_parts_come_to_the_invoice_rate_by_rate_to_the_cent(shop: Shop) -> None:
    products = [await shop.product(price, vatRate=rate) for price, rate in ((9999, 2000), (707, 550))]
    _, invoice = await invoiced(shop, *products)
    whole = InvoiceContent.model_validate(invoice.content)

    notes = [await credit(invoice, cents) for cents in (1, 3333, 99, 7000)]
    notes.append(await credit(invoice, whole.gross_cents - 10_433))

    for group in whole.vat:
        parts = [each for note in notes for each in note.vat if each.rate == group.rate]
        assert sum(part.net_cents for part in parts) == group.net_cents
        assert sum(part.vat_cents for part in parts) == group.vat_cents
    assert sum(note.gross_cents for note in notes) == whole.gross_cents


async def test_more_than_is_left_and_a_credit_note_of_a_credit_note_are_refused(shop: Shop) -> None:
    sold, invoice = await invoiced(shop, await shop.product(1000))
    await credit(invoice, 400)
    note = await Invoice.get(corrects_id=invoice.id)

    with pytest.raises(Invalid, match="600 minor units are left"):
        await credit(invoice, 601)
    with pytest.raises(Conflict, match="is a credit note"):
        await credit(note, 100)
    await credit(invoice, 600)
    with pytest.raises(Conflict, match="credited whole"):
        await credit(invoice, 1)
    assert await shop.count("invoices") == 3


async def test_the_client_is_written_to_with_the_credit_note(shop: Shop) -> None:
    sold, invoice = await invoiced(shop, await shop.product(1000))

    note = await credit(invoice, 400)
    await shop.work_is_done()

    letter = shop.letters(sold)[-1]
    assert shop.subjects(sold["client"]["email"])[-1].endswith(f"Votre avoir {note.number}")
    assert "Nous déduisons 4,00 € de votre facture" in said(letter)
    assert "We have taken 4,00 € off your invoice" in said(letter)
    assert letter.attachments[0].get_filename() == f"Avoir-{note.number}.pdf"
