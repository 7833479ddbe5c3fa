"""Clients of subscriptions: over a WebSocket and over an event stream."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SOON = 10.0  # seconds after which a test gives up; nothing is told by how long it takes

ORDERS = """subscription ($id: ID, $after: String) {
  orderChanged(id: $id, after: $after) { happened cursor order { id status } }
}"""


class Socket:
    """A connection of graphql-transport-ws."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._ids = itertools.count(1)
        self._others: list[dict[str, Any]] = []

    async def say(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(SOON):
            return dict(json.loads(await self.connection.recv()))

    async def initialise(self, token: str | None = None, **more: str) -> Self:
        payload = ({"authorization": f"Bearer {token}"} if token else {}) | more
        await self.say(type="connection_init", payload=payload)
        assert await self.hear() == {"type": "connection_ack"}
        return self

    async def ask(self, query: str, **variables: Any) -> str:
        """Send an operation; its id."""
        id = str(next(self._ids))
        await self.say(id=id, type="subscribe", payload={"query": query, "variables": variables})
        return id

    async def event(self) -> dict[str, Any]:
        """What the next event gives, its one root field opened. Fails where it is no event, or has errors."""
        message = await self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        (value,) = message["payload"]["data"].values()
        return dict(value)

    async def follow(self, query: str = ORDERS, **variables: Any) -> dict[str, Any]:
        """Subscribe; the first event."""
        await self.ask(query, **variables)
        return await self.event()

    async def refusal(self) -> tuple[str, str]:
        """(code, message) of the error that ends an operation."""
        message = await self.hear()
        assert message["type"] == "error", message
        (error,) = message["payload"]
        return error["extensions"]["code"], error["message"]

    async def closed(self) -> tuple[int, str]:
        """(code, reason) of the server's closing."""
        async with asyncio.timeout(SOON):
            with suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


@asynccontextmanager
async def socket(port: int, token: str | None = None, **options: Any) -> AsyncIterator[Socket]:
    """A WebSocket to the API; acknowledged where a token is given."""
    options = {"subprotocols": ["graphql-transport-ws"]} | options
    async with connect(f"ws://127.0.0.1:{port}/graphql", **options) as connection:
        opened = Socket(connection)
        yield await opened.initialise(token) if token else opened


class Stream:
    """A response of GraphQL over Server-Sent Events."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def hear(self) -> tuple[str, Any]:
        """(event, data) of the next; comments are passed over."""
        event, data = "", ""
        async with asyncio.timeout(SOON):
            async for line in self._lines:
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data:"):
                    data = line.removeprefix("data:").strip()
                elif not line and event:
                    return event, json.loads(data) if data else None
        raise AssertionError("the stream ended")

    async def event(self) -> dict[str, Any]:
        """What the next event gives, its one root field opened."""
        event, data = await self.hear()
        assert event == "next"
        assert "errors" not in data, data
        (value,) = data["data"].values()
        return dict(value)


@asynccontextmanager
async def stream(port: int, token: str, query: str = ORDERS, **variables: Any) -> AsyncIterator[Stream]:
    headers = {"Accept": "text/event-stream"} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = {"query": query, "variables": variables}
    async with (
        httpx.AsyncClient(timeout=SOON) as client,
        client.stream("POST", f"http://127.0.0.1:{port}/graphql", json=body, headers=headers) as response,
    ):
        assert response.status_code == 200
        yield Stream(response)
