"""How integrations do is told while one looks."""

from tests.managing.test_integrations import do, server
from tests.shop import Shop
from tests.streams.clients import socket
from tests.streams.test_resuming import settled

CHANGED = """subscription ($id: ID, $after: String) { integrationChanged(id: $id, after: $after) {
  happened cursor integration { provider enabled status } } }"""


async def test_an_integration_is_told_when_it_is_set_up_switched_on_and_fails(shop: Shop, port: int) -> None:
    await settled(shop)
    async with socket(port, shop.token) as client:
        assert (await client.follow(CHANGED))["integration"] is None  # where one is
        await do(shop, "integrationConfigure", values=server(shop))
        event = await client.event()
        assert "CREATED" in event["happened"]
        assert event["integration"] == {"provider": "smtp", "enabled": False, "status": "OFF"}

        await do(shop, "integrationEnable")
        while event["integration"]["status"] != "CONNECTED":
            event = await client.event()
        await do(shop, "integrationConfigure", values={"port": 1})
        while event["integration"]["status"] != "ERROR":
            event = await client.event()
