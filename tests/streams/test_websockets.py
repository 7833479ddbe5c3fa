"""graphql-transport-ws, as its clients meet it."""

import asyncio
import json
from contextlib import aclosing, suppress
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed

from engine.streams.hub import Bounds, Hub
from engine.streams.websocket import OPERATIONS_MOST, PROTOCOL, WebSocketApp
from main import PASSED_ON, context, create_app
from resolvers.schema import engine
from services.changes import Changes
from settings import Settings
from tests.documents import SIGN_IN
from tests.http.served import served
from tests.shop import PASSWORD, Shop
from tests.streams.clients import ORDERS, socket


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


async def test_an_invoice_is_told_when_it_is_ready_and_a_notification_when_it_is_delivered(
    shop: Shop, port: int
) -> None:
    product = await shop.product(partners=(await shop.partner(),))
    async with socket(port, shop.token) as client:
        await client.follow("subscription { invoiceChanged { happened cursor invoice { number pdfUrl } } }")
        await client.follow("subscription { notificationChanged { happened notification { status } } }")

        await shop.sell(product)

        happened: set[str] = set()
        while not {"READY", "SENT", "DELIVERED"} <= happened:
            event = await client.event()
            happened |= set(event["happened"])
            if "READY" in event["happened"]:
                assert event["invoice"]["pdfUrl"]


async def test_queries_and_mutations_are_answered_too(shop: Shop, port: int) -> None:
    async with socket(port, shop.token) as client:
        id = await client.ask("{ me { role } }")
        answer = await client.hear()
        assert (answer["id"], answer["payload"]["data"]) == (id, {"me": {"role": "OWNER"}})
        assert answer["payload"]["extensions"]["cost"]["requested"] == 2
        assert await client.hear() == {"id": id, "type": "complete"}

        await client.ask('mutation { clientCreate(input: { email: "a@example.com" }) { client { email } } }')
        assert await client.event() == {"client": {"email": "a@example.com"}}


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("subscription { nothing }", {}, "INVALID"),
        ("subscription {", {}, "INVALID"),
        ("subscription { orderChanged { cursor } invoiceChanged { cursor } }", {}, "INVALID"),
        ("query ($first: Int!) { orders(first: $first) { totalCount } }", {"first": "many"}, "INVALID"),
        (ORDERS, {"after": "junk"}, "INVALID"),
        (ORDERS, {"after": "MS4xLjE"}, "EXPIRED"),
        (ORDERS, {"id": "T3JkZXI6MDE5"}, "NOT_FOUND"),
    ],
    ids=["no such field", "no document", "two fields", "a variable", "no cursor", "an old cursor", "no such row"],
)
async def test_what_cannot_run_ends_with_an_error_and_nothing_else(
    shop: Shop, port: int, query: str, variables: dict[str, Any], code: str
) -> None:
    async with socket(port, shop.token) as client:
        await client.ask(query, **variables)
        assert (await client.refusal())[0] == code

        assert (await client.follow())["happened"] == []


async def test_a_page_of_an_event_that_costs_too_much_is_refused_beforehand(shop: Shop, port: int) -> None:
    dear = "client { orders(first: 100) { nodes { client { orders(first: 100) { nodes { id number } } } } } }"
    async with socket(port, shop.token) as client:
        await client.ask(f"subscription {{ orderChanged {{ order {{ {dear} }} }} }}")

        assert (await client.refusal())[0] == "LIMITED"


async def test_two_programs_behind_one_address_are_not_confused(shop: Shop, port: int) -> None:
    async with (
        socket(port, user_agent_header="Firefox") as first,
        socket(port, user_agent_header="Safari") as second,
    ):
        for client in (first, second):
            await client.initialise()
            await client.ask(SIGN_IN, input={"email": shop.email, "password": PASSWORD})
            assert (await client.event())["accessToken"]
            assert (await client.hear())["type"] == "complete"

    shown = (await shop("{ sessions(first: 2) { nodes { userAgent } } }"))["nodes"]
    assert [each["userAgent"] for each in shown] == ["Safari", "Firefox"]


async def test_what_a_client_completes_is_told_no_more(shop: Shop, port: int) -> None:
    order = await shop.order()
    async with socket(port, shop.token) as client:
        first = await client.ask(ORDERS, id=order["id"])
        await client.event()
        await client.say(id=first, type="complete")
        second = await client.ask(ORDERS, id=order["id"])
        await client.event()

        await shop.do("orderCancel", order)

        assert (await client.hear())["id"] == second


async def test_a_ping_is_answered_with_what_it_carried(shop: Shop, port: int) -> None:
    async with socket(port) as client:
        await client.say(type="ping", payload={"at": 1})
        assert await client.hear() == {"type": "pong", "payload": {"at": 1}}
        await client.initialise(shop.token)
        await client.say(type="ping")
        assert await client.hear() == {"type": "pong"}


SUBSCRIBE = json.dumps({"id": "1", "type": "subscribe", "payload": {"query": ORDERS}})
INIT = json.dumps({"type": "connection_init"})


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["{"], 4400),
        ([b"\x00"], 4400),
        (["[]"], 4400),
        (['{"type": "start"}'], 4400),
        (['{"type": "connection_init", "payload": 1}'], 4400),
        (['{"type": "connection_init", "payload": {"authorization": 1}}'], 4400),
        ([SUBSCRIBE], 4401),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer no.good"}}'], 4403),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer ptk_not_a_key_of_ours"}}'], 4403),
        ([INIT, INIT], 4429),
        ([INIT, '{"type": "subscribe", "payload": {"query": "{ me { role } }"}}'], 4400),
        ([INIT, '{"id": "1", "type": "subscribe", "payload": {"query": 1}}'], 4400),
        ([INIT, '{"id": "1", "type": "subscribe"}'], 4400),
        ([INIT, '{"id": "%s", "type": "complete"}' % ("x" * 129)], 4400),
        ([json.dumps({"type": "ping", "payload": {"much": "x" * 300_000}})], 1009),
    ],
)
async def test_what_the_protocol_does_not_know_closes_the_connection(
    port: int, shop: Shop, messages: list[str | bytes], code: int
) -> None:
    async with socket(port) as client:
        for message in messages:
            await client.connection.send(message)

        closed, reason = await client.closed()

    assert closed == code
    assert reason or code == 1009


async def test_an_id_in_use_closes_the_connection(shop: Shop, port: int) -> None:
    async with socket(port, shop.token) as client:
        await client.connection.send(SUBSCRIBE)
        await client.connection.send(SUBSCRIBE)

        assert await client.closed() == (4409, "Subscriber for 1 already exists")


async def test_another_subprotocol_closes_the_connection(shop: Shop, port: int) -> None:
    async with socket(port, subprotocols=None) as client:
        assert (await client.closed())[0] == 4406


async def test_who_does_not_say_who_it_is_in_time_is_shown_out() -> None:
    operations = engine()
    hub = Hub(operations, Changes(), context)
    app = Starlette(routes=[WebSocketRoute("/graphql", WebSocketApp(operations, hub, {}, init_seconds=0.05))])
    async with served(app) as port, socket(port) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_a_client_that_takes_nothing_is_dropped(shop: Shop) -> None:
    """Its connection as uvicorn gives it, whose buffer is full from the first event on."""
    operations = engine()
    hub = Hub(operations, Changes(), context, Bounds(sending=0))
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {shop.token}"}}
    for text in (json.dumps(init), SUBSCRIBE):
        incoming.put_nowait({"type": "websocket.receive", "text": text})

    async def send(message: dict[str, Any]) -> None:
        if '"next"' in message.get("text", ""):
            await asyncio.Event().wait()

    scope = {"type": "websocket", "subprotocols": [PROTOCOL], "headers": [], "query_string": b"", "client": None}
    app = WebSocketApp(operations, hub, PASSED_ON)
    async with asyncio.timeout(20), aclosing(hub):
        await app(scope, incoming.get, send)  # type: ignore[arg-type]


async def test_a_connection_has_so_many_operations_and_no_more(shop: Shop, port: int) -> None:
    async with socket(port, shop.token) as client:
        for _ in range(OPERATIONS_MOST):
            await client.follow()

        await client.ask(ORDERS)
        assert (await client.refusal())[0] == "LIMITED"


@pytest.mark.parametrize("bound", ["streams_most", "streams_per_address", "streams_per_person"])
async def test_connections_are_bounded(shop: Shop, settings: Settings, bound: str) -> None:
    async with served(create_app(settings.model_copy(update={bound: 1}))) as port:
        async with socket(port, shop.token) as client:
            await client.follow()
            async with socket(port) as another:
                with suppress(ConnectionClosed):  # shown out before it says who it is
                    await another.say(type="connection_init", payload={"authorization": f"Bearer {shop.token}"})
                code, reason = await another.closed()
            assert (code, bool(reason)) == (4429, True)
            assert (await client.follow())["happened"] == []

        async with asyncio.timeout(10):  # the server hears of the end a moment later
            while not await _is_let_in(port, shop.token):
                await asyncio.sleep(0.01)


async def _is_let_in(port: int, token: str) -> bool:
    async with socket(port) as client:
        try:
            await client.initialise(token)
        except ConnectionClosed:
            return False
        return True


async def test_what_is_open_is_counted(shop: Shop, port: int) -> None:
    before = await _counted(shop)
    async with socket(port, shop.token) as client:
        await client.follow()
        await client.follow()
        assert await _counted(shop) == (before[0] + 1, before[1] + 2)

    async with asyncio.timeout(10):  # the server hears of the end a moment later
        while await _counted(shop) != before:
            await asyncio.sleep(0.01)


async def _counted(shop: Shop) -> tuple[float, ...]:
    """(connections, subscriptions) that are open."""
    told = dict(line.rsplit(" ", 1) for line in (await shop.http.get("/metrics")).text.splitlines())
    return float(told["comptoir_streams_open"]), float(told["comptoir_subscriptions_open"])
