"""GraphQL over Server-Sent Events, as its clients meet it."""

import httpx
import pytest

from main import create_app
from settings import Settings
from tests.http.served import served
from tests.shop import Shop
from tests.streams.clients import ORDERS, stream


async def test_an_order_that_is_paid_is_told(shop: Shop, port: int) -> None:
    order = await shop.order()
    async with stream(port, shop.token, id=order["id"]) as client:
        assert (await client.event())["happened"] == []

        await shop.pay(order)

        event = await client.event()
        while "PAID" not in event["happened"]:
            event = await client.event()
        assert event["order"] == {"id": order["id"], "status": "PAID"}


async def test_a_query_is_one_event_and_the_end(shop: Shop, port: int) -> None:
    async with stream(port, shop.token, "{ me { role } }") as client:
        assert (await client.event()) == {"role": "OWNER"}
        assert await client.hear() == ("complete", None)


@pytest.mark.parametrize(
    ("query", "signed_in", "code"),
    [
        ("subscription { nothing }", True, "INVALID"),
        (ORDERS, False, "UNAUTHENTICATED"),
    ],
    ids=["no such field", "nobody"],
)
async def test_what_cannot_run_is_told_as_a_result(
    shop: Shop, port: int, query: str, signed_in: bool, code: str
) -> None:
    async with stream(port, shop.token if signed_in else "", query) as client:
        event, data = await client.hear()
        assert (event, data["errors"][0]["extensions"]["code"]) == ("next", code)
        assert await client.hear() == ("complete", None)


async def test_a_subscription_by_a_plain_request_is_told_how_to_ask(shop: Shop) -> None:
    code, _, message = await shop.refused(ORDERS)

    assert code == "INVALID"
    assert "text/event-stream" in message


async def test_a_get_changes_nothing(shop: Shop, port: int) -> None:
    address = f"http://127.0.0.1:{port}/graphql"
    asked = {"query": 'mutation { clientCreate(input: { email: "a@example.com" }) { client { id } } }'}
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {shop.token}"}
    async with httpx.AsyncClient() as client:
        response = await client.get(address, params=asked, headers=headers)

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "mutations are not allowed" in response.text
    assert await shop.count("clients") == 0


@pytest.mark.parametrize(
    ("bound", "status", "code"), [("streams_most", 503, "UNAVAILABLE"), ("streams_per_address", 429, "LIMITED")]
)
async def test_streams_are_bounded(shop: Shop, settings: Settings, bound: str, status: int, code: str) -> None:
    app = create_app(settings.model_copy(update={bound: 1}))
    async with served(app) as port, stream(port, shop.token) as first, httpx.AsyncClient() as client:
        await first.event()

        headers = {"Accept": "text/event-stream"}
        response = await client.post(f"http://127.0.0.1:{port}/graphql", json={"query": ORDERS}, headers=headers)

    assert (response.status_code, response.headers["content-type"]) == (status, "application/json; charset=utf-8")
    assert response.json()["errors"][0]["extensions"]["code"] == code
