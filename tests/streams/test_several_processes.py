"""Subscriptions over processes that end, begin again and lose Redis."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from settings import Settings
from tests.faults.installation import Installation, installed
from tests.shop import Shop
from tests.streams.clients import Socket, socket, stream

CHANGE = "UPDATE orders SET cancel_reason = 'changed' WHERE number = 1"  # nobody rings for what is done beside


@dataclass
class House:
    """A process of the API; the shop speaks to another, in this process, over another Redis."""

    installation: Installation
    shop: Shop
    beside: Shop

    @property
    def port(self) -> int:
        return int(self.installation.url.rpartition(":")[2])


@pytest.fixture
async def house(shop: Shop, settings: Settings, tmp_path: Path) -> AsyncIterator[House]:
    async with installed(settings, tmp_path) as installation, httpx.AsyncClient(base_url=installation.url) as http:
        yield House(installation, Shop(http, installation.sandbox, shop.organization, shop.email, shop.token), shop)


async def test_what_one_process_does_another_tells(house: House) -> None:
    async with socket(house.port, house.shop.token) as client:
        await client.follow()

        order = await house.beside.order()

        assert (await client.event())["order"]["id"] == order["id"]


async def test_a_server_that_starts_again_leaves_no_gap(house: House) -> None:
    async with socket(house.port, house.shop.token) as client:
        await client.follow()
        first = await house.shop.order()
        cursor = await _cursor_of(client, first["id"])
        house.installation.kill("serve")
    second = await house.beside.order(client=await house.beside.client("second@example.com"))
    await house.installation.start("serve")
    third = await house.shop.order()

    async with socket(house.port, house.shop.token) as client:
        event = await client.follow(after=cursor)
        assert event["order"]["id"] == second["id"]
        assert (await client.event())["order"]["id"] == third["id"]


async def test_a_server_that_is_told_to_end_says_goodbye_and_leaves_in_time(house: House) -> None:
    async with (
        socket(house.port, house.shop.token) as client,
        stream(house.port, house.shop.token) as events,
        asyncio.TaskGroup() as both,
    ):
        await client.follow()
        await events.event()

        both.create_task(house.installation.leave("serve"))

        code, _ = await client.closed()
        assert code in (1001, 1012)  # ours, or uvicorn's own word for it, where that is quicker
        assert await events.hear() == ("complete", None)


async def test_without_redis_nothing_is_lost_and_on_its_return_it_is_heard_again(house: House) -> None:
    async with socket(house.port, house.shop.token) as client:
        await client.follow()
        await house.installation.stop_valkey()
        first = await house.shop.order()
        assert (await client.event())["order"]["id"] == first["id"]

        house.installation.revive_valkey()
        second = await house.shop.order()
        assert (await client.event())["order"]["id"] == second["id"]

        await house.beside.sql(CHANGE)
        assert (await client.event())["happened"] == ["CHANGED"]


async def _cursor_of(client: Socket, id: str) -> str:
    event = await client.event()
    assert event["order"]["id"] == id
    return str(event["cursor"])
