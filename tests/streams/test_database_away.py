"""Whoever asks while the database is away is told so: nobody waits for an answer that never comes."""

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Route, WebSocketRoute

from engine.http import GraphQLApp
from engine.streams.hub import Hub
from engine.streams.sse import EventStreams
from engine.streams.websocket import WebSocketApp
from main import BODY_MOST, PASSED_ON, context
from resolvers.schema import engine
from schema.context import Context
from services.changes import Changes
from tests.http.served import served
from tests.shop import Shop
from tests.streams.clients import ORDERS, socket, stream


class Away:
    """Who calls, while the database can be reached: so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    async def __call__(self, connection: HTTPConnection) -> Context:
        if self.left == 0:
            raise ConnectionRefusedError("what asyncpg raises where nobody listens")
        self.left -= 1
        return await context(connection)


@pytest.mark.parametrize("document", [ORDERS, "{ me { id } }"], ids=["subscription", "query"])
async def test_an_operation_of_a_websocket_ends_with_an_error(shop: Shop, document: str) -> None:
    async with served(_app(Away(times=1))) as port, socket(port, shop.token) as client:
        await client.ask(document)
        message = await client.hear()

    errors = message["payload"]["errors"] if message["type"] == "next" else message["payload"]
    assert [error["extensions"]["code"] for error in errors] == ["INTERNAL"]


async def test_a_websocket_is_closed_with_an_internal_error(shop: Shop) -> None:
    async with served(_app(Away(times=0))) as port, socket(port) as client:
        await client.say(type="connection_init", payload={"authorization": f"Bearer {shop.token}"})
        code, reason = await client.closed()

    assert code == 1011
    assert "on our side" in reason


async def test_an_event_stream_ends_with_an_error(shop: Shop) -> None:
    async with served(_app(Away(times=0))) as port, stream(port, shop.token) as client:
        event, data = await client.hear()
        ended = await client.hear()

    assert (event, data["errors"][0]["extensions"]["code"]) == ("next", "INTERNAL")
    assert ended == ("complete", None)


def _app(who: Away) -> Starlette:
    operations = engine()
    hub = Hub(operations, Changes(), who)
    over_http = GraphQLApp(operations, who, body_most=BODY_MOST, streams=EventStreams(operations, hub))
    return Starlette(
        routes=[
            Route("/graphql", over_http),
            WebSocketRoute("/graphql", WebSocketApp(operations, hub, PASSED_ON)),
        ]
    )
