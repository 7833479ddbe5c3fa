"""Credit notes: what is taken off an invoice, to the cent, and how it is numbered, printed and sent."""

import asyncio
from typing import Any

import pytest

from errors import Conflict, Invalid
from models import Invoice, InvoiceType, Order, Role
from models.base import global_id
from models.content import InvoiceContent
from models.database import transaction
from services import credit_notes
from services.settlement import with_everything
from tests.shop import CHECKOUT, Shop, said
from tests.test_refunds import REFUND

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


async def test_a_credit_note_says_nothing_of_how_an_invoice_is_paid(shop: Shop) -> None:
    _, invoice = await invoiced(shop, client=await shop.client(company="Smith SARL"))

    note = await credit(invoice, 1000)

    asked = {mention.subject for mention in InvoiceContent.model_validate(invoice.content).mentions}
    assert {"AAB", "PMD", "PMT"} < asked
    assert [mention.text for mention in note.mentions] == ["Catégorie de l’opération : prestation de services."]


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


# By a person

CREATE = """mutation ($input: CreditNoteCreateInput!) { creditNoteCreate(input: $input) { invoice {
    number type total { amount } corrects { number }
} } }"""
ORDER = """query ($id: ID!) { order(id: $id) {
    status balance { amount } waived { amount } refunded { amount } payUrl cancelReason
    payments { id } invoices { id type total { amount } } reminders { sentAt }
} }"""


async def test_what_is_credited_of_an_invoice_to_pay_is_not_due_any_more(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000), client=await shop.client("marie@example.com"))
    await shop.do("orderInvoice", order)
    await shop.work_is_done()
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)
    (invoice,) = (await shop(ORDER, id=order["id"]))["invoices"]

    await accountant(CREATE, input={"invoice": invoice["id"], "amount": {"amount": 400}, "reason": "Geste commercial"})
    await shop.work_is_done()

    seen = await shop(ORDER, id=order["id"])
    assert (seen["status"], seen["balance"]["amount"], seen["waived"]["amount"]) == ("OPEN", 600, 400)
    started = await shop(CHECKOUT, input=shop.checkout_input(order))
    assert started["amount"]["amount"] == 600
    await shop.time_passes(days=40)
    await shop.work_is_done()
    assert "6,00 €" in said(shop.mails("marie@example.com")[-1])


async def test_an_invoice_credited_whole_before_it_is_paid_gives_the_order_up_and_reminds_nobody(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000), client=await shop.client("marie@example.com"))
    await shop.do("orderInvoice", order)
    await shop.work_is_done()
    (invoice,) = (await shop(ORDER, id=order["id"]))["invoices"]
    assert (await shop.cannot("orderCancel", order))[2].endswith("credit its invoices first (creditNoteCreate).")

    await shop(CREATE, input={"invoice": invoice["id"], "reason": "Annulée"})
    await shop.time_passes(days=40)
    await shop.work_is_done()

    seen = await shop(ORDER, id=order["id"])
    assert (seen["status"], seen["balance"]["amount"], seen["cancelReason"]) == ("CANCELED", 0, "Annulée")
    assert [each["sentAt"] for each in seen["reminders"]] == [None]


async def test_what_is_credited_once_a_part_is_paid_settles_the_order(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000))
    await shop.do("paymentRecord", order, method="CASH", amount={"amount": 700})
    await shop.work_is_done()
    (invoice,) = (await shop(ORDER, id=order["id"]))["invoices"]

    await shop(CREATE, input={"invoice": invoice["id"], "amount": {"amount": 300}, "reason": "Geste commercial"})
    await shop.work_is_done()

    seen = await shop(ORDER, id=order["id"])
    assert (seen["status"], seen["balance"]["amount"]) == ("PAID", 0)
    assert await shop.count("accesses") == 1


async def test_what_is_credited_of_a_paid_invoice_goes_back_later_without_another_credit_note(shop: Shop) -> None:
    sold, invoice = await invoiced(shop, await shop.product(1000))
    await shop(CREATE, input={"invoice": global_id(invoice), "amount": {"amount": 200}, "reason": "Geste commercial"})
    (payment,) = (await shop(ORDER, id=sold["id"]))["payments"]

    for cents in (150, 100):
        await shop(REFUND, input={"payment": payment["id"], "amount": {"amount": cents}})
    await shop.work_is_done()

    seen = await shop(ORDER, id=sold["id"])
    assert (seen["status"], seen["refunded"]["amount"], seen["balance"]["amount"]) == ("PAID", 250, 0)
    notes = [each["total"]["amount"] for each in seen["invoices"] if each["type"] == "CREDIT_NOTE"]
    assert notes == [200, 50]


async def test_what_cannot_be_credited_is_refused_and_named(shop: Shop) -> None:
    _, invoice = await invoiced(shop, await shop.product(1000))
    note = await shop(CREATE, input={"invoice": global_id(invoice), "amount": {"amount": 400}, "reason": "Geste"})
    credit_note = await Invoice.get(number=note["invoice"]["number"])
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)

    async def refusal(caller: Shop = shop, **input: Any) -> tuple[str, str | None]:
        given = {"invoice": global_id(invoice), "reason": "Geste"} | input
        return (await caller.refused(CREATE, input=given))[:2]

    assert await refusal(invoice=global_id(credit_note)) == ("CONFLICT", "input.invoice")
    for cents in (601, 0, -1):
        assert await refusal(amount={"amount": cents}) == ("INVALID", "input.amount.amount")
    assert await refusal(amount={"amount": 1, "currency": "USD"}) == ("INVALID", "input.amount.currency")
    assert await refusal(reason=" ") == ("INVALID", "input.reason")
    assert (await refusal(consultant))[0] == "FORBIDDEN"


async def test_a_deposit_that_the_invoice_of_the_sale_took_over_is_credited_by_that_one(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000), deposit={"amount": 300})
    await shop.pay(order)
    await shop.pay(order)
    deposit, whole = (await shop(ORDER, id=order["id"]))["invoices"]

    code, field, message = await shop.refused(CREATE, input={"invoice": deposit["id"], "reason": "Geste"})

    assert (code, field) == ("CONFLICT", "input.invoice")
    assert "credit that one" in message
    await shop(CREATE, input={"invoice": whole["id"], "reason": "Geste"})


async def test_a_deposit_credited_by_hand_whose_money_stays_pays_the_sale(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000), deposit={"amount": 300})
    await shop.pay(order)
    (deposit,) = (await shop(ORDER, id=order["id"]))["invoices"]
    await shop(CREATE, input={"invoice": deposit["id"], "reason": "Acompte mal libellé"})

    await shop.pay(order)

    whole = InvoiceContent.model_validate((await Invoice.get(type=InvoiceType.INVOICE)).content)
    assert (whole.gross_cents, whole.paid_cents, whole.deposits) == (1000, 1000, ())
    assert await shop.count("invoices", "settled_at IS NULL") == 0


async def test_twenty_at_once_credit_no_more_than_there_is(shop: Shop) -> None:
    _, invoice = await invoiced(shop, await shop.product(1000))
    input = {"invoice": global_id(invoice), "amount": {"amount": 300}, "reason": "Geste"}

    answers = await asyncio.gather(*(shop.post(CREATE, {"input": input}) for _ in range(20)))

    assert sum("errors" in answer for answer in answers) == 17
    assert (await Invoice.get(id=invoice.id)).credited_cents == 900
