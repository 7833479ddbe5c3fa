"""Each request has an id, is counted under its route, and leaves an alert where nobody caught what it raised."""

import logging
import re

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from telemetry.context import current
from telemetry.requests import Requests
from tests.shop import Shop


async def test_a_request_gets_an_id_of_its_own(shop: Shop) -> None:
    first, second = [(await shop.http.get("/healthz")).headers["X-Request-Id"] for _ in range(2)]

    assert re.fullmatch(r"[0-9a-f]{16}", first)
    assert first != second


@pytest.mark.parametrize("given", ["a", "01HZX-q_9", "x" * 64])
async def test_an_id_that_the_caller_gives_is_kept(shop: Shop, given: str) -> None:
    response = await shop.http.get("/healthz", headers={"X-Request-Id": given})

    assert response.headers.get_list("X-Request-Id") == [given]


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "é".encode(), b'"}', "a\\n"])
async def test_an_id_that_could_say_something_else_in_a_log_is_not_taken(shop: Shop, given: str | bytes) -> None:
    response = await shop.http.get("/healthz", headers=[("X-Request-Id", given)])

    assert re.fullmatch(r"[0-9a-f]{16}", response.headers["X-Request-Id"])


async def test_what_a_request_logs_names_its_id() -> None:
    async def told(request: Request) -> Response:
        return PlainTextResponse(str(current()["request_id"]))

    async with served(told) as http:
        response = await http.get("/things/1", headers={"X-Request-Id": "mine"})

    assert response.text == "mine"
    assert "request_id" not in current()


async def test_a_request_is_counted_under_its_route_never_under_its_address(shop: Shop) -> None:
    cases = {
        ("/healthz", "200"): "/healthz",
        ("/files/{token}/{name}", "404"): "/files/secret/x.pdf",
        ("none", "404"): "/nothing/here",
        ("/webhooks/stripe", "405"): "/webhooks/stripe",
    }
    for (route, status), address in cases.items():
        before = counted(route, status)

        await shop.http.get(address)

        assert counted(route, status) == before + 1, address


async def test_what_nobody_caught_is_answered_counted_and_an_alert(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(request: Request) -> Response:
        raise RuntimeError("a mistake of ours")

    before = counted("/things/{id}", "500")
    async with served(fail) as http:
        response = await http.get("/things/1")

    assert response.status_code == 500
    assert response.headers["X-Request-Id"]
    assert "mistake" not in response.text
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("comptoir.requests", logging.ERROR)
    assert record.getMessage() == "a request failed: GET /things/{id}"
    assert record.exc_info
    assert counted("/things/{id}", "500") == before + 1


async def test_a_client_that_leaves_is_counted_without_a_status() -> None:
    async def leave(scope: Scope, receive: Receive, send: Send) -> None:
        return

    async def nothing() -> Message:
        raise AssertionError("nobody asks")

    async def unheard(message: Message) -> None:
        raise AssertionError("nobody answers")

    before = counted("none", "none")
    await Requests(leave)({"type": "http", "method": "GET", "headers": []}, nothing, unheard)

    assert counted("none", "none") == before + 1


def served(endpoint: object) -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/things/{id}", endpoint)])  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=httpx.ASGITransport(Requests(app)), base_url="http://test")


def counted(route: str, status: str) -> float:
    labels = {"route": route, "status": status}
    return REGISTRY.get_sample_value("comptoir_request_duration_seconds_count", labels) or 0
