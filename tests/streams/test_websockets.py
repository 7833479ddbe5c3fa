"""graphql-transport-ws, as its clients meet it."""

from tests.shop import Shop
from tests.streams.clients import socket


async def test_an_order_that_is_paid_is_told(shop: Shop, port: int) -> None:
    order = await shop.order()
    async with socket(port, shop.token) as client:
        first = await client.follow(id=order["id"])
        assert (first["happened"], first["order"]["status"]) == ([], "OPEN")

        await shop.pay(order)

        event = await client.event()
        while "PAID" not in event["happened"]:
            event = await client.event()
        assert event["order"] == {"id": order["id"], "status": "PAID"}
