"""Rows by plain statements: what is written and read is what the ORM writes and reads, of every table used so."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from tortoise.exceptions import DoesNotExist
from uuid_utils.compat import uuid7

from models import (
    Access,
    Attempt,
    Client,
    Invoice,
    InvoiceSeries,
    LegalMention,
    Notification,
    Order,
    OrderLine,
    Organization,
    Partner,
    Payment,
    Product,
    ProductPartner,
    Promise,
    StripeEvent,
    rows,
)
from models.base import Row
from models.database import query, transaction
from tests.shop import Shop

WRITTEN = (Access, Attempt, Invoice, InvoiceSeries, Notification, Order, Payment)
READ = (*WRITTEN, Client, OrderLine, Organization, Partner, Product, ProductPartner, Promise, StripeEvent)

pytestmark = pytest.mark.usefixtures("printer")


class Undone(Exception):
    """So that nothing stays."""


@pytest.fixture
async def sold(shop: Shop) -> dict[str, Any]:
    """One row at least of every table in `READ`; the client's name needs no ASCII."""
    client = await shop.client("marie@example.com", firstName="Zoë", lastName='O\'Brien "\\"')
    return await shop.sell(await shop.product(1000, (await shop.partner(),)), client=client)


async def left(row: Row, write: Callable[[Any], Awaitable[None]], *, new: bool) -> dict[str, Any]:
    """What is in a table after a write, which is undone. As a replica does: other tables' rules are not asked."""
    table, stored = row._meta.db_table, {}
    with suppress(Undone):
        async with transaction():
            await query("SET LOCAL session_replication_role = replica")
            if new:
                await query(f"DELETE FROM {table}")
            await write(row)
            (found,) = await query(f"SELECT to_jsonb({table}) AS stored FROM {table} WHERE id = $1", row.id)
            stored = json.loads(found["stored"])
            raise Undone
    return stored


async def test_a_new_row_is_written_as_the_orm_writes_it(sold: dict[str, Any]) -> None:
    for model in WRITTEN:
        row = await model.all().order_by("id").first()
        assert row
        known = await left(row, lambda _: query("SELECT 1"), new=False)

        written = [await left(_again(row), how, new=True) for how in (rows.insert, rows.write, model.save)]

        assert written == [known] * 3, model


def _again(row: Any) -> Any:
    """The same row, not saved yet."""
    made = row.clone(pk=row.pk)
    made._custom_generated_pk = False  # else the ORM would write what PostgreSQL makes
    return made


async def test_a_row_that_is_there_is_written_as_the_orm_writes_it(sold: dict[str, Any]) -> None:
    for model in WRITTEN:
        before = await model.all().order_by("id").first()
        assert before
        row = await model.get(id=before.id)
        row.created_at -= timedelta(days=1)
        known = await left(before, lambda _: query("SELECT 1"), new=False)

        written = [await left(row, how, new=False) for how in (rows.update, rows.write, model.save)]

        assert written[0] != known, model
        assert written == [written[2]] * 3, model


async def test_of_a_row_only_what_is_named_is_written(sold: dict[str, Any]) -> None:
    order = await Order.get()
    known = await left(order, lambda _: query("SELECT 1"), new=False)
    order.cancel_reason, order.welcomed_at = "No reason", None

    written = await left(order, lambda row: rows.update(row, "cancel_reason"), new=False)

    assert written == known | {"cancel_reason": "No reason"}


async def test_rows_are_read_as_the_orm_reads_them(sold: dict[str, Any]) -> None:
    for model in READ:
        known = await model.all().order_by("id")
        assert known

        assert list(map(_columns, await rows.find(model, "true ORDER BY id"))) == list(map(_columns, known)), model
    assert await rows.find(LegalMention, "true") == []


def _columns(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row._meta.fields_db_projection}


async def test_rows_of_several_tables_are_read_together_and_what_is_not_there_is_none(sold: dict[str, Any]) -> None:
    joined = "orders JOIN clients ON clients.id = orders.client_id LEFT JOIN partners ON false WHERE orders.id = $1"
    order = await Order.get().prefetch_related("client")

    ((found, client, nobody),) = await rows.find_together((Order, Client, Partner), joined, order.id)

    assert (_columns(found), _columns(client), nobody) == (_columns(order), _columns(order.client), None)


async def test_a_row_that_is_not_there_is_none_or_refused(sold: dict[str, Any]) -> None:
    assert await rows.find_one(Order, "id = $1", uuid7()) is None
    with pytest.raises(DoesNotExist):
        await rows.read(Order, "id = $1", uuid7())


async def test_a_lock_tells_the_time_once_it_is_there(sold: dict[str, Any]) -> None:
    series, freed = await InvoiceSeries.get(), asyncio.Event()

    async def hold() -> datetime:
        async with transaction():
            assert await rows.lock(InvoiceSeries, "id = $1", series.id)
            await freed.wait()
            (clock,) = await query("SELECT clock_timestamp() AS now")
        return clock["now"]

    async def wait() -> tuple[InvoiceSeries, datetime] | None:
        async with transaction():
            return await rows.lock(InvoiceSeries, "id = $1", series.id)

    holding = asyncio.create_task(hold())
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.05)
    freed.set()
    before, locked = await asyncio.gather(holding, waiting)

    assert locked
    assert (_columns(locked[0]), locked[1] > before) == (_columns(series), True)
    assert await rows.lock(InvoiceSeries, "id = $1", uuid7()) is None
