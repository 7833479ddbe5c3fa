"""What a client agreed to, seen and paid by their private link."""

from typing import Any

import pytest

from schema.portal import PortalOpportunity
from tests.portal.clients import PAY, come, seen
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import Shop
from tests.test_opportunities import create, move
from tests.test_opportunity_links import linked, paid, won

pytestmark = pytest.mark.usefixtures("printer")

AGREED = """{ portal { opportunities {
  title amount { amount currency } paymentStatus order payUrl
} } }"""


async def agreed(client: Shop) -> list[dict[str, Any]]:
    return list((await client(AGREED))["opportunities"])


async def test_what_is_won_is_shown_and_paid_and_is_paid(shop: Shop) -> None:
    mine = await shop.client()
    client, made = await come(shop, mine), await won(shop, client=mine, title="Mission", description="Cheap")
    told = {"title": "Mission", "amount": {"amount": 120000, "currency": "EUR"}}
    unasked = {"paymentStatus": "NOT_ASKED", "order": None, "payUrl": None}
    assert await agreed(client) == [told | unasked]

    link = await linked(shop, made)
    (shown,) = await agreed(client)
    asked = await client(PAY, input={"order": shown["order"]})
    assert (shown["paymentStatus"], shown["order"], asked["url"]) == ("AWAITED", link["order"]["id"], link["url"])
    assert (await shop.http.get(shown["payUrl"])).status_code == 200
    await paid(shop, asked)

    assert await agreed(client) == [told | unasked | {"paymentStatus": "PAID"}]
    assert (await client.refused(PAY, input={"order": shown["order"]}))[:2] == ("CONFLICT", "input.order")


async def test_nothing_is_shown_before_it_is_won_and_nothing_internal_ever(shop: Shop) -> None:
    mine = await shop.client()
    client = await come(shop, mine)
    lost, *_ = [await create(shop, client=mine, stage=stage) for stage in ("LEAD", "LEAD", "QUALIFIED", "NEGOTIATION")]
    await move(shop, lost, "LEAD", "LOST", lostReason="Too dear")

    assert await agreed(client) == []
    assert set(PortalOpportunity.__annotations__) == {"title", "amount", "payment_status", "order", "pay_url"}


async def test_what_is_lost_vanishes_and_is_not_paid_by_the_link_that_the_client_has(shop: Shop) -> None:
    mine = await shop.client()
    client, made = await come(shop, mine), await won(shop, client=mine)
    order = (await linked(shop, made))["order"]["id"]
    await move(shop, made, "WON", "LOST", lostReason="Changed their mind")

    assert (await agreed(client), (await seen(client))["orders"]) == ([], [])
    refusal = await client.refused(PAY, input={"order": order})
    assert refusal == ("NOT_FOUND", "input.order", "No such order.")


async def test_what_anybody_else_agreed_to_is_as_nothing(shop: Shop) -> None:
    theirs, client = await neighbour(shop), await come(shop, await shop.client("marie@example.com"))
    orders = [(await linked(each, await won(each)))["order"]["id"] for each in (shop, theirs)]

    assert await agreed(client) == []
    async with nothing_changes(shop):
        for order in orders:
            assert await client.refused(PAY, input={"order": order}) == ("NOT_FOUND", "input.order", "No such order.")
