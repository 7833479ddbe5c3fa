"""Numbers without a gap, dates in order and a chain without a break, whatever happens at once."""

import asyncio
from datetime import datetime
from functools import partial
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from models import Invoice, InvoiceSeries, InvoiceType, Order
from models.content import InvoiceContent
from models.database import transaction
from services import invoices, seals
from services.settlement import with_everything
from tests.invoices.cases import CASES
from tests.shop import Shop

ALLOCATIONS = 500
FIFTH = 5


class ChangedMind(Exception):
    """After the number was taken."""


async def test_of_500_numbers_taken_at_once_a_fifth_given_back_none_is_missing_and_none_twice(shop: Shop) -> None:
    made = await shop.order()
    order = await with_everything(await Order.get(number=made["number"]))
    async with transaction():
        first = await invoices.issue_one(order, InvoiceType.INVOICE, None, partial(content, InvoiceType.INVOICE))

    outcomes = await asyncio.gather(
        *(credit(order, first, gives_back=number % FIFTH == 0) for number in range(ALLOCATIONS)),
        return_exceptions=True,
    )

    kept = 1 + ALLOCATIONS - ALLOCATIONS // FIFTH
    assert [type(each) for each in outcomes].count(ChangedMind) == ALLOCATIONS // FIFTH
    issued = await Invoice.all().order_by("sequence")
    assert [each.sequence for each in issued] == list(range(1, kept + 1))
    assert [each.number for each in issued] == [f"FQCA-{issued[0].year}-{n:06}" for n in range(1, kept + 1)]
    assert {each.id for each in issued} == {
        first.id,
        *(each for each in outcomes if not isinstance(each, BaseException)),
    }
    assert all(before.issued_at <= after.issued_at for before, after in pairwise(issued))
    assert (await InvoiceSeries.get()).last_number == kept
    assert await seals.broken() == []


async def credit(order: Order, first: Invoice, *, gives_back: bool) -> UUID:
    async with transaction():
        note = await invoices.issue_one(
            order, InvoiceType.CREDIT_NOTE, None, partial(content, InvoiceType.CREDIT_NOTE), corrects=first
        )
        if gives_back:
            raise ChangedMind
    return note.id


def content(type: InvoiceType, number: str, issued_at: datetime, zone: ZoneInfo) -> InvoiceContent:
    of_type = CASES["a credit note, given back"] if type is InvoiceType.CREDIT_NOTE else CASES["to a person"]
    return of_type.model_copy(update={"number": number})
