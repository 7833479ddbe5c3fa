"""Invoices from their sale on: what they carry, and that nothing is sent which breaks a rule."""

import io
import logging

import pytest
from facturx import get_facturx_xml_from_pdf
from pypdf import PdfReader

from models import Invoice
from models.content import InvoiceContent
from services import facturx, files
from services.conformance import broken_rules
from tests.invoices.test_archival import broken
from tests.shop import Shop


async def test_the_letter_carries_the_stored_factur_x_as_it_is(shop: Shop) -> None:
    order = await shop.sell(await shop.product(operationCategory="GOODS"))

    (letter,) = shop.letters(order)
    (attached,) = letter.attachments
    invoice = await Invoice.get()
    pdf = await files.load(str(invoice.file_key))
    assert attached.get_content() == pdf
    assert broken(pdf) == []
    name, xml = get_facturx_xml_from_pdf(pdf, check_xsd=False, check_schematron=False)
    assert name == "factur-x.xml"
    assert xml == facturx.xml(InvoiceContent.model_validate(invoice.content))
    assert broken_rules(xml) == []
    assert b"<ram:ID>B2<" in xml
    assert invoice.number in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


async def test_who_opted_for_vat_on_debits_says_so_to_people_and_machines(shop: Shop) -> None:
    await shop.change("organization", vatOnDebits=True)
    await shop.sell(await shop.product(), await shop.product(operationCategory="GOODS"))

    content = InvoiceContent.model_validate((await Invoice.get()).content)
    assert content.vat_on_debits
    assert "Option pour le paiement de la taxe d'après les débits." in [mention.text for mention in content.mentions]
    assert content.operation_category == "MIXED"


async def test_an_invoice_that_would_break_a_rule_is_not_sent_and_somebody_is_told_which(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.sql("UPDATE organizations SET country = 'ZZ'")

    with caplog.at_level(logging.ERROR):
        order = await shop.sell(await shop.product())

    assert (order["status"], shop.letters(order)) == ("PAID", [])
    (invoice,) = order["invoices"]
    assert (invoice["pdfUrl"], invoice["emailedAt"]) == (None, None)
    assert await shop.count("outbox", "job = 'invoices.render' AND done_at IS NULL AND given_up_at IS NULL") == 1
    (alert,) = [record.message for record in caplog.records if record.name == "comptoir.invoices"]
    assert alert.startswith(f"Invoice {invoice['number']} breaks rules of e-invoicing: ")
    assert "ram:CountryID" in alert and alert.endswith(". It is not sent.")

    await shop.sql("UPDATE invoices SET content = jsonb_set(content::jsonb, '{seller,address,country}', '\"FR\"')")
    await shop.time_passes(minutes=15)
    await shop.work_is_done()

    assert len(shop.letters(order)) == 1
