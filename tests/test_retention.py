"""What is kept for a while is forgotten by a clock, and not before."""

from datetime import timedelta

import pytest

from services import retention
from services.retention import KEPT
from tests.identity.accounts import CHANGE_EMAIL, FORGOT, REGISTER, as_nobody
from tests.identity.test_registrations import LEA
from tests.shop import PASSWORD, Shop

PRODUCT = """mutation { productCreate(input: {
  name: "Bilan", price: { amount: 100 }, partners: [], idempotencyKey: "one"
}) { product { id } } }"""


@pytest.fixture
async def full(shop: Shop) -> Shop:
    """A shop with something in each of the tables."""
    await shop.order()
    await shop(PRODUCT)
    await as_nobody(shop)(REGISTER, input=LEA)
    await as_nobody(shop)(FORGOT, input={"email": shop.email})
    await shop(CHANGE_EMAIL, input={"email": "new@shop.test", "password": PASSWORD})
    return shop


@pytest.mark.parametrize(("table", "column", "kept"), KEPT, ids=[table for table, *_ in KEPT])
async def test_what_is_too_old_is_deleted_and_nothing_else(
    full: Shop, table: str, column: str, kept: timedelta
) -> None:
    there = await full.count(table)
    assert there
    await full.sql(f"UPDATE {table} SET {column} = now() - $1::interval + interval '1 minute'", kept)
    assert await retention.forget() == 0

    await full.sql(f"UPDATE {table} SET {column} = {column} - interval '2 minutes'")
    assert await retention.forget() == there
    assert await full.count(table) == 0
