"""After a month of mixed business payments, invoices, credit notes and books agree to the cent.

The whole of it: `python -m tests.faults.month --orders 2000`.
"""

import json
import os
import sys
from collections import Counter
from datetime import date
from typing import Any

import pytest

from models import Invoice, InvoiceType, Order, OrderStatus
from models.accounting import ACCOUNTS
from models.content import InvoiceContent
from services import doctor
from tests import fec
from tests.faults.month import Month
from tests.shop import Shop
from tests.test_exports import fetched

ORDERS = int(os.environ.get("MONTH", "0"))  # 0: a few, the same each time
PART, SOME = 250, 40  # all is looked at after so many; how few

pytestmark = pytest.mark.usefixtures("printer")

VAT = {2000: "445711", 1000: "445712", 550: "445713", 210: "445714"}
LIES = {"TRANSFER": "512", "CPF": "512", "CHEQUE": "5112", "CASH": "530"}  # where money by hand lies


async def test_payments_invoices_credit_notes_and_books_agree_to_the_cent(shop: Shop) -> None:
    month = await Month.open(shop, seed=ORDERS)
    for _ in range(ORDERS // PART):
        await month.play(PART)
        await all_must_agree(month)
    await month.play(ORDERS % PART or SOME)

    await month.end()

    await all_must_agree(month)


async def all_must_agree(month: Month) -> None:
    await nothing_is_left_to_do(month.shop)
    said = [(each, InvoiceContent.model_validate(each.content)) for each in await Invoice.all().order_by("id")]
    _, content = await fetched(month.shop, "FEC")
    books = fec.checked(
        "TEST_732829320FEC20271231.txt", content, starts_on=date(2026, 1, 1), ends_on=date(2027, 12, 31)
    )
    money = await money_is_where_it_came_to(month, books)
    sales_are_what_invoices_say(said, books)
    clients_owe_what_is_left(said, books, sum(money.values()))
    await orders_agree_with_their_invoices()
    if ORDERS:
        sys.stdout.write(json.dumps(await figures(month, said, books), indent=2) + "\n")
        sys.stdout.flush()


async def nothing_is_left_to_do(shop: Shop) -> None:
    assert await shop.count("outbox", "given_up_at IS NOT NULL") == 0
    assert await shop.count("stripe_events", "handled_at IS NULL") == 0
    assert await shop.count("conflicts", "kind NOT IN ('DISPUTE_LOST')") == 0
    # A dispute that is lost waits for a person, for ever here.
    looked_at = [each for each in doctor.INVARIANTS if each.holds != "No conflict waits for a person"]
    verdicts = [await doctor.examine(invariant) for invariant in looked_at]
    assert [(each.holds, each.error, each.examples) for each in verdicts if not each.good] == []


async def money_is_where_it_came_to(month: Month, books: fec.Books) -> Counter[str]:
    """By account: what Stripe and people's hands have is what payments, less what went back, and the books say."""
    found = Counter({"5115": month.at_stripe()})
    for method, cents in month.by_hand.items():
        found[LIES[method]] += cents
    for account, cents in found.items():
        assert books.balance(account) == cents, account
    kept = await month.shop.sql("SELECT coalesce(sum(amount_cents), 0) AS n FROM payments WHERE status = 'SUCCEEDED'")
    assert kept[0]["n"] - await went_back(month.shop) == sum(found.values())
    return found


async def went_back(shop: Shop) -> int:
    """Given, or taken by banks, by our tables."""
    (row,) = await shop.sql(
        "SELECT (SELECT coalesce(sum(amount_cents), 0) FROM refunds WHERE status = 'SUCCEEDED')"
        " + (SELECT coalesce(sum(amount_cents), 0) FROM disputes WHERE status = 'LOST') AS n"
    )
    return int(row["n"])


def sales_are_what_invoices_say(said: list[tuple[Invoice, InvoiceContent]], books: fec.Books) -> None:
    """By VAT rate, net and VAT: what the final invoices say, and deposits of what is not invoiced yet, less credit."""
    earned, vat, deposits = 0, Counter[int](), 0
    taken = {deposit.number for _, content in said for deposit in content.deposits}
    kinds = {invoice.id: invoice.type for invoice, _ in said}
    for invoice, content in said:
        sign = -1 if invoice.type is InvoiceType.CREDIT_NOTE else 1
        kind = kinds[invoice.corrects_id] if invoice.corrects_id else invoice.type
        if kind is InvoiceType.PREPAYMENT and sign > 0 and invoice.number in taken:
            continue  # the invoice of the sale says it
        for group in content.vat:
            vat[group.rate] += sign * group.vat_cents
            if kind is InvoiceType.PREPAYMENT:
                deposits += sign * group.net_cents
            else:
                earned += sign * group.net_cents
    assert -books.balance("706") - books.balance("707") == earned
    assert -books.balance("4191") == deposits
    for rate, account in VAT.items():
        assert -books.balance(account) == vat[rate], rate
    assert set(vat) <= set(VAT)
    known = {number for number, _ in ACCOUNTS.values()}
    assert {line["CompteNum"] for line in books.lines} <= known


def clients_owe_what_is_left(said: list[tuple[Invoice, InvoiceContent]], books: fec.Books, kept: int) -> None:
    """All that was invoiced, once, less all that was credited, less all money."""
    invoiced = 0
    for invoice, content in said:
        in_advance = sum(deposit.cents for deposit in content.deposits)
        is_credit = invoice.type is InvoiceType.CREDIT_NOTE
        invoiced += -invoice.total_cents if is_credit else invoice.total_cents - in_advance
    assert books.balance("411") == invoiced - kept


async def orders_agree_with_their_invoices() -> None:
    """What is paid is invoiced once, whatever the number of brands; what is invoiced comes to the order's total."""
    async for order in Order.all().prefetch_related("invoices", "payments"):
        final = [each for each in order.invoices if each.type is InvoiceType.INVOICE]
        deposits = [each for each in order.invoices if each.type is InvoiceType.PREPAYMENT]
        assert sum(each.applied_cents for each in order.payments) == order.paid_cents
        whole = sum(each.total_cents for each in final)
        assert whole == order.total_cents or (whole == 0 and not order.is_paid)
        assert sum(each.total_cents for each in deposits) in (0, order.deposit_cents)


async def figures(month: Month, said: list[tuple[Invoice, InvoiceContent]], books: fec.Books) -> dict[str, Any]:
    counted = Counter(str(invoice.type) for invoice, _ in said)
    return {
        "happened": dict(month.happened),
        "came": sum(month.happened.values()),
        "orders": {status.value: await Order.filter(status=status).count() for status in OrderStatus},
        "documents": dict(counted),
        "entries": len(books.entries()),
        "lines": len(books.lines),
        "balances": {number: books.balance(number) for number in sorted({line["CompteNum"] for line in books.lines})},
    }
