"""Exports for accountants: entries that the tax office takes, lists that spreadsheets take, all PDFs."""

import asyncio
import csv
import io
import os
import subprocess
import sys
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import models
from models import ApiScope, Role
from services import books, exports, retention
from services.accounting import Entry, Posting
from settings import Settings
from tests import fec
from tests.shop import Shop

PROJECT = Path(__file__).parent.parent

pytestmark = pytest.mark.usefixtures("printer")

SEEN = (
    "id kind status startsOn endsOn live total done percent leftOut filename fileSha256 kilobytes error url finishedAt"
    " requestedBy { user { email } }"
)
CREATE = f"mutation ($input: ExportCreateInput!) {{ exportCreate(input: $input) {{ export {{ {SEEN} }} }} }}"
EXPORT = f"query ($id: ID!) {{ export(id: $id) {{ {SEEN} }} }}"
ACCOUNTS = """mutation ($input: OrganizationUpdateInput!) {
  organizationUpdate(input: $input) { organization { accounts { use number name } } }
}"""
YEAR = {"from": "2026-01-01", "to": "2027-12-31"}


async def test_a_fec_holds_sales_and_money_and_the_checker_finds_nothing_wrong(shop: Shop) -> None:
    await shop.sell(await shop.product(12_000), client=await shop.client(firstName="Zoë", lastName="Žukov\t€"))
    await shop.sell(await shop.product(10_550, vatRate=550))

    made, content = await fetched(shop, "FEC")

    assert made["filename"] == "TEST_732829320FEC20271231.txt"
    assert (made["status"], made["percent"], made["done"], made["total"]) == ("READY", 100, 4, 4)
    assert made["requestedBy"]["user"]["email"] == "owner@shop.test"
    found = fec.checked(made["filename"], content, starts_on=date(2026, 1, 1), ends_on=date(2027, 12, 31))
    assert {number: found.balance(number) for number in ("411", "706", "445711", "445713", "5115")} == {
        "411": 0, "706": -20_000, "445711": -2000, "445713": -550, "5115": 22_550,
    }  # fmt: skip
    by_journal = {entry[0]["JournalCode"]: entry for entry in reversed(list(found.entries().values()))}
    sale, money = by_journal["VE"], by_journal["BQ"]
    assert [line["CompteNum"] for line in sale] == ["411000", "706000", "445711"]
    assert sale[0]["PieceRef"].startswith("FQCA-")
    assert (sale[0]["CompAuxLib"], sale[0]["EcritureLib"][:8]) == ("Zoë Žukov €", "Facture ")
    assert [line["CompteNum"] for line in money] == ["511500", "411000"]
    assert money[1]["CompAuxNum"] == sale[0]["CompAuxNum"]


async def test_a_deposit_is_a_debt_until_the_sale(shop: Shop) -> None:
    order = await shop.order(await shop.product(12_000), deposit={"amount": 3600})
    await shop.pay(order)
    _, before = await fetched(shop, "FEC")
    await shop.pay(order)

    _, after = await fetched(shop, "FEC")

    first = checked(before)
    assert {number: first.balance(number) for number in ("411", "4191", "706", "44571", "5115")} == {
        "411": 0, "4191": -3000, "706": 0, "44571": -600, "5115": 3600,
    }  # fmt: skip
    second = checked(after)
    assert {number: second.balance(number) for number in ("411", "4191", "706", "44571", "5115")} == {
        "411": 0, "4191": 0, "706": -10_000, "44571": -2000, "5115": 12_000,
    }  # fmt: skip


async def test_a_deposit_given_back_in_part_is_taken_over_by_the_sale_for_what_is_left_of_it(shop: Shop) -> None:
    order = await shop.order(await shop.product(12_000), deposit={"amount": 3600})
    deposit = (await shop.pay(order))["payments"][0]
    await shop.tell(shop.sandbox.stripe.refund((await models.Payment.get()).stripe_id, 1200))
    assert deposit["status"] == "SUCCEEDED"
    await shop.pay(order)

    found = checked((await fetched(shop, "FEC"))[1])

    assert {number: found.balance(number) for number in ("411", "4191", "706", "44571", "5115")} == {
        "411": 0, "4191": 0, "706": -9000, "44571": -1800, "5115": 10_800,
    }  # fmt: skip


async def test_money_lies_where_it_came_to(shop: Shop) -> None:
    for method in ("TRANSFER", "CHEQUE", "CASH"):
        order = await shop.order(await shop.product(1000))
        await shop.do("paymentRecord", order, method=method)
    await shop.work_is_done()

    found = checked((await fetched(shop, "FEC"))[1])

    assert {number: found.balance(number) for number in ("512", "5112", "530", "411")} == {
        "512": 1000, "5112": 1000, "530": 1000, "411": 0,
    }  # fmt: skip
    assert {line["JournalCode"] for line in found.lines if line["CompteNum"] == "530000"} == {"CA"}


async def test_accounts_may_have_numbers_of_the_organizations_own(shop: Shop) -> None:
    own = [{"use": "SERVICES", "number": "706100"}, {"use": "VAT_20", "number": "44571200a"}]
    changed = await shop(ACCOUNTS, input={"accounts": own})
    numbers = {each["use"]: each["number"] for each in changed["organization"]["accounts"]}
    assert (numbers["SERVICES"], numbers["VAT_20"], numbers["CLIENTS"]) == ("706100", "44571200A", "411000")
    await shop.sell(await shop.product(12_000))

    found = checked((await fetched(shop, "FEC"))[1])

    assert (found.balance("706100"), found.balance("44571200A")) == (-10_000, -2000)
    for wrong in (
        [{"use": "SERVICES", "number": "7"}],
        [{"use": "SERVICES", "number": "41\t1000"}],
        [{"use": "SERVICES", "number": "411000"}],
        [{"use": "SERVICES", "number": "706100"}, {"use": "SERVICES", "number": "706200"}],
    ):
        assert (await shop.refused(ACCOUNTS, input={"accounts": wrong}))[:2] == ("INVALID", "input.accounts")


async def test_what_is_live_and_what_is_of_test_mode_are_never_mixed(shop: Shop) -> None:
    await shop.sell()
    await shop.sell()
    some = await models.Invoice.all().order_by("id").first()
    await shop.sql("UPDATE payments SET live = true WHERE order_id = $1", some.order_id)

    made, content = await fetched(shop, "FEC")

    assert made["live"] is False
    assert made["total"] == 3
    assert len(checked(content).entries()) == 3


async def test_other_currencies_are_left_out_and_that_is_said(shop: Shop) -> None:
    await shop.charges_no_vat()
    await shop.sell(await shop.product(1000, currency="USD", vatRate=0))
    await shop.sell(await shop.product(1000))

    made, content = await fetched(shop, "FEC")

    assert made["leftOut"] == 2
    assert len(checked(content).entries()) == 2


async def test_only_the_days_asked_for_are_in_it_where_the_organization_is(shop: Shop) -> None:
    await shop.sell()
    today = datetime.now(ZoneInfo("Europe/Paris")).date()
    for day, expected in ((today, 2), (today - timedelta(days=1), 0), (today + timedelta(days=1), 0)):
        made, content = await fetched(shop, "FEC", **{"from": str(day), "to": str(day)})
        assert len(fec.checked(made["filename"], content, starts_on=day, ends_on=day).entries()) == expected


async def test_entries_come_in_order_page_by_page(shop: Shop) -> None:
    for _ in range(4):
        await shop.sell()
    period = books.Period.of(shop.organization, date(2026, 1, 1), date(2027, 12, 31), live=False)
    whole = [entry async for entry in books.entries(period)]

    small = [entry async for entry in books.entries(period, page=1)]

    assert small == whole
    assert len(small) == 8


async def test_lists_open_in_a_french_spreadsheet_and_run_nothing(shop: Shop) -> None:
    await shop.sell(client=await shop.client(firstName="=HYPERLINK(1)", lastName='é;"x"'))

    _, invoices = await fetched(shop, "INVOICES_CSV")
    _, payments = await fetched(shop, "PAYMENTS_CSV")

    assert invoices.startswith(b"\xef\xbb\xbf")
    (invoice,), (payment,) = listed(invoices), listed(payments)
    assert invoice["Client"] == payment["Client"] == '\'=HYPERLINK(1) é;"x"'
    assert (invoice["Type"], invoice["Total HT"], invoice["TVA"], invoice["Total TTC"]) == (
        "Facture", "83,32", "16,67", "99,99",
    )  # fmt: skip
    assert (payment["Montant"], payment["Moyen de paiement"], payment["Devise"]) == ("99,99", "Stripe", "EUR")


async def test_an_archive_holds_every_pdf_and_a_list_of_them(shop: Shop) -> None:
    orders = [await shop.sell(), await shop.sell()]
    numbers = [order["invoices"][0]["number"] for order in orders]

    made, content = await fetched(shop, "PDF_ZIP")

    archive = zipfile.ZipFile(io.BytesIO(content))
    assert sorted(archive.namelist()) == [*(f"{number}.pdf" for number in numbers), "index.csv"]
    assert archive.read(f"{numbers[0]}.pdf").endswith(numbers[0].encode())
    assert [row["Fichier"] for row in listed(archive.read("index.csv"))] == [f"{number}.pdf" for number in numbers]
    assert made["kilobytes"] > 0


async def test_three_are_made_at_once_and_no_more_and_a_period_is_bounded(shop: Shop) -> None:
    for _ in range(exports.AT_ONCE):
        await shop(CREATE, input={"kind": "FEC"} | YEAR)

    assert (await shop.refused(CREATE, input={"kind": "FEC"} | YEAR))[:2] == ("CONFLICT", "input.kind")
    await shop.work_is_done()
    await shop(CREATE, input={"kind": "FEC"} | YEAR)
    for days in ({"from": "2026-01-02", "to": "2026-01-01"}, {"from": "2020-01-01", "to": "2026-01-01"}):
        assert (await shop.refused(CREATE, input={"kind": "FEC"} | days))[:2] == ("INVALID", "input.to")


async def test_an_accountant_and_a_server_may_and_others_may_not(shop: Shop) -> None:
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    made = await shop(
        "mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key } }",
        input={"name": "ERP", "scopes": [ApiScope.EXPORTS.value]},
    )
    server = Shop(shop.http, shop.sandbox, shop.organization, "erp", token=made["key"])

    mine = (await accountant(CREATE, input={"kind": "FEC"} | YEAR))["export"]
    assert mine["requestedBy"]["user"]["email"] == "accountant@shop.test"
    document = CREATE.replace("requestedBy { user { email } }", "")
    assert (await server(document, input={"kind": "FEC"} | YEAR))["export"]["status"] == "PENDING"
    assert (await consultant.refused(CREATE, input={"kind": "FEC"} | YEAR))[0] == "FORBIDDEN"


async def test_an_export_is_forgotten_after_a_month_with_its_file(shop: Shop) -> None:
    made, _ = await fetched(shop, "FEC")
    await shop.sql("UPDATE exports SET created_at = created_at - interval '31 days'")

    await retention.forget()

    assert await models.Export.all().count() == 0
    assert (await shop.http.get(made["url"])).status_code == 404


async def test_an_export_that_a_worker_died_over_is_made_again(shop: Shop) -> None:
    await shop.sell()
    await shop(CREATE, input={"kind": "FEC"} | YEAR)
    await shop.sql("UPDATE exports SET status = 'RUNNING', done = 1, total = 2")

    await shop.work_is_done()

    export = await models.Export.get()
    assert (export.status, export.done, export.total) == (models.ExportStatus.READY, 2, 2)
    await exports.make(export)  # twice is once
    assert (await models.Export.get()).finished_at == export.finished_at


async def test_the_command_writes_the_same_file(shop: Shop, settings: Settings, tmp_path: Path) -> None:
    await shop.sell()
    _, content = await fetched(shop, "FEC")
    environment = {
        "PATH": os.environ["PATH"], "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
        "COMPTOIR_MASTER_KEYS": settings.comptoir_master_keys.get_secret_value(), "STRIPE_SECRET_KEY": "sk_test_1",
    }  # fmt: skip
    command = [sys.executable, str(PROJECT / "cli.py"), "export", "fec", "--from", "2026-01-01", "--to", "2027-12-31"]

    done = await asyncio.to_thread(
        subprocess.run, [*command, "--organization", "shop"], cwd=tmp_path, env=environment, capture_output=True,
        text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "TEST_732829320FEC20271231.txt").read_bytes() == content


def test_an_entry_that_does_not_balance_cannot_be() -> None:
    uneven = Posting(models.AccountUse.CLIENTS, 100), Posting(models.AccountUse.SERVICES, -99)
    with pytest.raises(ValueError, match="debits are not credits"):
        Entry(("VE", "Ventes"), date(2026, 1, 1), "F-1", "Facture", models.Order().id, "Marie", uneven)


async def fetched(shop: Shop, kind: str, **days: str) -> tuple[dict[str, Any], bytes]:
    """An export, once it is made, and its file."""
    made = (await shop(CREATE, input={"kind": kind} | (days or YEAR)))["export"]
    await shop.work_is_done()
    ready = await shop(EXPORT, id=made["id"])
    file = await shop.http.get(ready["url"])
    assert file.status_code == 200
    assert file.headers["content-disposition"] == f'attachment; filename="{ready["filename"]}"'
    return ready, file.content


def checked(content: bytes) -> fec.Books:
    return fec.checked("TEST_732829320FEC20271231.txt", content, starts_on=date(2026, 1, 1), ends_on=date(2027, 12, 31))


def listed(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
