"""Invoices from their sale on: what they carry, and that nothing is sent which breaks a rule."""

import hashlib
import io
import logging
from datetime import UTC, date, datetime
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest
from facturx import get_facturx_xml_from_pdf
from pypdf import PdfReader
from tortoise import connections
from tortoise.exceptions import OperationalError

from models import Invoice, InvoiceSeries, chain
from models.content import InvoiceContent
from services import facturx, files, seals
from services.conformance import broken_rules
from tests.invoices.test_archival import broken
from tests.printer import Printer
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
    assert "Option pour le paiement de la taxe d’après les débits." in [mention.text for mention in content.mentions]
    assert content.operation_category == "MIXED"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices SET number = 'FQCA-2026-000002'",
        "UPDATE invoices SET content = jsonb_set(content, '{gross_cents}', '1')",
        "UPDATE invoices SET total_cents = 9998, net_cents = net_cents - 1",
        "UPDATE invoices SET issued_at = issued_at - interval '1 day'",
        "UPDATE invoices SET chain_sha256 = content_sha256",
        "UPDATE invoices SET live = NOT live",
        "UPDATE invoices SET file_sha256 = repeat('0', 64)",
        "UPDATE invoices SET file_key = NULL",
        "UPDATE invoices SET emailed_at = now()",
        "UPDATE invoices SET settled_at = NULL",
        "DELETE FROM invoices",
        "TRUNCATE invoices CASCADE",
    ],
)
async def test_postgresql_refuses_to_change_or_delete_what_was_issued(shop: Shop, statement: str) -> None:
    await shop.sell()
    (before,) = await shop.sql("SELECT * FROM invoices")

    with pytest.raises(OperationalError, match=r"is issued: its \w+|invoices are kept"):
        await shop.sql(statement)

    assert await shop.sql("SELECT * FROM invoices") == [before]


async def test_what_happens_to_an_invoice_later_is_written_down_once(shop: Shop, printer: Printer) -> None:
    order = await shop.order()
    await shop.do("orderInvoice", order)
    assert await shop.count("invoices", "file_key IS NULL AND settled_at IS NULL") == 1

    await shop.work_is_done()
    await shop.pay(order)

    assert (
        await shop.count("invoices", "file_key IS NOT NULL AND emailed_at > issued_at AND settled_at > issued_at") == 1
    )


async def test_each_invoice_is_chained_to_the_one_before_it(shop: Shop, printer: Printer) -> None:
    for _ in range(3):
        await shop.sell()
    first, second, third = await Invoice.all().order_by("sequence")

    assert first.content_sha256 == sha256(canonical(first.content))
    for before, invoice in ((None, first), (first, second), (second, third)):
        said = {name: plain(getattr(invoice, name)) for name in chain.LINKED}
        said |= {"content_sha256": invoice.content_sha256, "before": before and before.chain_sha256}
        assert invoice.chain_sha256 == sha256(canonical(said))
    assert (await InvoiceSeries.get()).chain_sha256 == third.chain_sha256
    assert await seals.broken() == []


async def test_what_was_issued_before_there_was_a_chain_is_chained_as_it_stands(shop: Shop, printer: Printer) -> None:
    for _ in range(2):
        await shop.sell()
    before = await shop.sql("SELECT id, content_sha256, chain_sha256 FROM invoices ORDER BY id")
    zeros = "repeat('0', 64)"
    await shop.tamper(
        f"UPDATE invoices SET content_sha256 = {zeros}, chain_sha256 = {zeros}",
        "UPDATE invoice_series SET chain_sha256 = NULL",
        "ALTER TABLE invoices DISABLE TRIGGER fixed",  # as it stood then
    )

    migration = import_module("migrations.0019_sealed_invoices")
    await migration.hash_what_stands(None, SimpleNamespace(client=connections.get("default"), collect_sql=False))

    await shop.sql("ALTER TABLE invoices ENABLE TRIGGER fixed")
    assert await shop.sql("SELECT id, content_sha256, chain_sha256 FROM invoices ORDER BY id") == before
    assert await seals.broken() == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "UPDATE invoices SET content = jsonb_set(content, '{buyer,name}', '\"Personne\"') WHERE sequence = 2",
            ["shop FQCA-2026-000002: what it says is not what was issued"],
        ),
        (
            "UPDATE invoices SET total_cents = 1, net_cents = 0, vat_cents = 1 WHERE sequence = 2",
            ["shop FQCA-2026-000002: a column is not what was issued, or the one before it is not"],
        ),
        (
            "UPDATE invoices SET chain_sha256 = content_sha256 WHERE sequence = 2",
            [
                "shop FQCA-2026-000003: a column is not what was issued, or the one before it is not",
                "shop FQCA-2026-000002: a column is not what was issued, or the one before it is not",
            ],
        ),
        (
            "DELETE FROM invoices WHERE sequence = 1",
            ["shop FQCA-2026-000002: a column is not what was issued, or the one before it is not"],
        ),
        (
            "DELETE FROM invoices WHERE sequence = 3",
            ["shop FQCA: the newest invoice is not the one that ends its chain"],
        ),
    ],
    ids=lambda given: given[:40] if isinstance(given, str) else "",
)
async def test_who_goes_around_that_is_found_out(
    shop: Shop, printer: Printer, statement: str, found: list[str]
) -> None:
    for _ in range(3):
        await shop.sell()

    await shop.tamper(statement)

    year = f"-{datetime.now(UTC).year}-"
    assert await seals.broken() == [each.replace("-2026-", year) for each in found]


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

    await shop.tamper("UPDATE invoices SET content = jsonb_set(content, '{seller,address,country}', '\"FR\"')")
    await shop.time_passes(minutes=15)
    await shop.work_is_done()

    assert len(shop.letters(order)) == 1


def canonical(value: Any) -> bytes:
    """As RFC 8785 has it, of text, whole numbers, booleans and null."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    return str(value) if isinstance(value, date | UUID | str) else value
