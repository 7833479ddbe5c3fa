"""Prepaid packs: sold as products, granted once paid, drawn by bookings, never below nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

import models
from errors import Conflict, Invalid
from models.base import global_id, parse_global_id
from models.database import transaction
from services import packs
from tests.shop import Shop

PACKS = """query ($client: ID!) { packs(filter: { client: $client }) { nodes {
  sessions used left access { endsAt withdrawnAt product { name packSessions packServices { name } } order { number } }
} } }"""
PRODUCT_CREATE = "mutation ($input: ProductCreateInput!) { productCreate(input: $input) { product { id } } }"
PRODUCT_UPDATE = "mutation ($input: ProductUpdateInput!) { productUpdate(input: $input) { product { id } } }"


async def test_a_pack_that_is_paid_gives_the_client_its_sessions(shop: Shop) -> None:
    service, product = await sold_as_pack(shop, days=90)
    client = await shop.client()

    await shop.sell(product, client=client, quantity=2)

    (pack,) = (await shop(PACKS, client=client))["nodes"]
    assert (pack["sessions"], pack["used"], pack["left"]) == (10, 0, 10)
    assert pack["access"]["product"]["packServices"] == [{"name": service.name}]
    ends_at = datetime.fromisoformat(pack["access"]["endsAt"])
    assert timedelta(days=89) < ends_at - datetime.now(UTC) <= timedelta(days=90)


async def test_what_is_not_paid_gives_nothing_and_what_is_refunded_ends_it(shop: Shop) -> None:
    service, product = await sold_as_pack(shop)
    client = await shop.client()
    order = await shop.order(product, client=client)
    assert (await shop(PACKS, client=client))["nodes"] == []

    order = await shop.pay(order)
    await shop(
        "mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { refund { status } } }",
        input={"payment": order["payments"][0]["id"]},
    )
    await shop.work_is_done()

    (pack,) = (await shop(PACKS, client=client))["nodes"]
    assert pack["access"]["withdrawnAt"]
    with pytest.raises(Conflict, match="refunded or is disputed"):
        await draw(client, service)


async def test_a_pack_is_drawn_to_its_last_session_and_not_beyond(shop: Shop) -> None:
    service, product = await sold_as_pack(shop)
    client = await shop.client()
    await shop.sell(product, client=client)

    found = await asyncio.gather(*(draw(client, service) for _ in range(12)), return_exceptions=True)

    refused = [each for each in found if isinstance(each, BaseException)]
    assert len(refused) == 7
    assert all(isinstance(each, Conflict) and "All sessions" in str(each) for each in refused)
    assert (await models.Pack.get()).remaining == 0


async def test_the_database_itself_keeps_a_pack_from_going_below_nothing(shop: Shop) -> None:
    _, product = await sold_as_pack(shop)
    await shop.sell(product)

    with pytest.raises(IntegrityError, match="packs_used_check"):
        await models.Pack.all().update(used=6)
    with pytest.raises(IntegrityError, match="packs_used_check"):
        await models.Pack.all().update(used=-1)


async def test_a_pack_is_for_its_client_its_services_and_its_time(shop: Shop) -> None:
    service, product = await sold_as_pack(shop, days=30)
    client, stranger = await shop.client(), await shop.client()
    await shop.sell(product, client=client)
    other = await a_service(shop, "Yoga")

    for wrong, message in (
        ({"client": stranger}, "another client's"),
        ({"service": other}, "not for this service"),
        ({"at": datetime.now(UTC) + timedelta(days=31)}, "over by then"),
    ):
        given: dict[str, Any] = {"client": client, "service": service} | wrong
        with pytest.raises((Invalid, Conflict), match=message):
            await draw(**given)
    assert (await models.Pack.get()).used == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"packSessions": 0}, "input.packSessions"),
        ({"packSessions": 501}, "input.packSessions"),
        ({"packSessions": 5, "packDays": 0}, "input.packDays"),
        ({"packDays": 5}, "input.packDays"),
        ({"packSessions": 5, "interval": "MONTH"}, "input.packSessions"),
        ({"packSessions": 5, "packServices": []}, "input.packServices"),
        ({"packServices": "one"}, "input.packServices"),
    ],
)
async def test_a_product_that_could_be_no_pack_is_refused(shop: Shop, given: dict[str, Any], field: str) -> None:
    services = {"packServices": [global_id(await a_service(shop))]}
    given = services | {name: value for name, value in given.items() if value != "one"}

    code, blamed, _ = await shop.refused(PRODUCT_CREATE, input={"name": "Forfait", "price": {"amount": 5000}} | given)

    assert (code, blamed) == ("INVALID", field)


async def test_what_was_sold_stays_good_for_its_services(shop: Shop) -> None:
    _, product = await sold_as_pack(shop)
    other = await a_service(shop, "Yoga")
    await shop.change("product", product, packServices=[global_id(other)])
    await shop.sell(product)

    third = await a_service(shop, "Pilates")
    code, blamed, _ = await shop.refused(PRODUCT_UPDATE, input={"product": product, "packServices": [global_id(third)]})

    assert (code, blamed) == ("CONFLICT", "input.packServices")
    await shop.change("product", product, packServices=[global_id(other), global_id(third)])


async def sold_as_pack(shop: Shop, *, days: int | None = None) -> tuple[models.Service, str]:
    """(a service, a product of five sessions of it)."""
    service = await a_service(shop)
    given = {"packSessions": 5, "packServices": [global_id(service)]} | ({"packDays": days} if days else {})
    return service, await shop.product(25_000, name="Forfait de 5 séances", **given)


async def a_service(shop: Shop, name: str = "Bilan") -> models.Service:
    return await models.Service.create(organization=shop.organization, name=name, duration_minutes=60, price_cents=6000)


async def draw(client: str, service: models.Service, at: datetime | None = None) -> models.Pack:
    named = parse_global_id(client)
    assert named
    pack, row = await models.Pack.get(), await models.Client.get(id=named[1])
    async with transaction():
        return await packs.draw(pack.id, row, service, at or datetime.now(UTC) + timedelta(days=1), field="input.pack")
