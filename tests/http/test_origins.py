"""Pages of any origin may call the API with a token of theirs, our own with a cookie: CORS, as Fetch has it."""

from typing import Any

import pytest
from starlette.requests import HTTPConnection

from engine.origins import must_be_ours
from errors import Forbidden
from tests.security.surroundings import installed_with
from tests.shop import Shop

PAGE = "https://shop.example.com"
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


async def test_a_browser_is_told_that_a_page_of_another_origin_may_ask(shop: Shop) -> None:
    told = await shop.http.options("/graphql", headers=PREFLIGHT)

    assert told.status_code == 200
    assert told.headers["access-control-allow-origin"] == "*"
    assert {"Authorization", "Content-Type"} <= set(told.headers["access-control-allow-headers"].split(", "))
    assert told.headers["access-control-allow-methods"] == "GET, POST"
    assert told.headers["access-control-max-age"] == "7200"
    assert "access-control-allow-credentials" not in told.headers


async def test_a_browser_is_told_that_other_headers_and_methods_may_not_be_sent(shop: Shop) -> None:
    for asked in ({"Access-Control-Request-Headers": "x-evil"}, {"Access-Control-Request-Method": "DELETE"}):
        assert (await shop.http.options("/graphql", headers=PREFLIGHT | asked)).status_code == 400, asked


async def test_a_page_of_another_origin_may_read_the_answer_refusals_too(shop: Shop) -> None:
    for content, status in ((b'{"query": "{ __typename }"}', 200), (b"{", 400)):
        answer = await shop.http.post(
            "/graphql", content=content, headers={"Origin": PAGE, "Content-Type": "application/json"}
        )

        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
        assert "access-control-allow-credentials" not in answer.headers


async def test_who_comes_from_no_page_is_told_nothing_of_it(shop: Shop) -> None:
    answer = await shop.http.post("/graphql", json={"query": "{ __typename }"})

    assert "access-control-allow-origin" not in answer.headers


async def test_what_is_not_for_pages_is_not_told_to_them(shop: Shop) -> None:
    for path in ("/webhooks/stripe", "/healthz"):
        answer = await shop.http.get(path, headers={"Origin": PAGE})

        assert "access-control-allow-origin" not in answer.headers, path


OURS = "https://app.comptoir.example"


@pytest.mark.parametrize("origin", [OURS, "http://comptoir.test"])
async def test_our_own_pages_are_told_that_they_may_send_cookies(shop: Shop, origin: str) -> None:
    async with installed_with(shop, allowed_origins=(f"{OURS}/",)) as installed:
        preflight = await installed.http.options("/graphql", headers=PREFLIGHT | {"Origin": origin})
        answer = await installed.http.post("/graphql", json={"query": "{ __typename }"}, headers={"Origin": origin})

    for told in (preflight, answer):
        assert told.status_code == 200
        assert told.headers["access-control-allow-origin"] == origin
        assert told.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in told.headers["vary"]


@pytest.mark.parametrize(
    "origin", [PAGE, "null", f"{OURS}.evil.example", OURS.replace("https", "http"), f"{OURS}:8443", OURS.upper()]
)
async def test_no_other_page_is_told_so(shop: Shop, origin: str) -> None:
    async with installed_with(shop, allowed_origins=(OURS,)) as installed:
        preflight = await installed.http.options("/graphql", headers=PREFLIGHT | {"Origin": origin})
        answer = await installed.http.post("/graphql", json={"query": "{ __typename }"}, headers={"Origin": origin})

    for told in (preflight, answer):
        assert told.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in told.headers


@pytest.mark.parametrize(
    "sent",
    [
        {"origin": OURS, "content-type": "application/json"},
        {"origin": OURS, "content-type": "application/json; charset=utf-8", "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin", "content-type": "application/json"},
    ],
)
def test_a_cookie_is_believed_from_our_own_pages(sent: dict[str, str]) -> None:
    must_be_ours(_request(sent), {OURS})


def test_a_cookie_is_believed_of_a_query_and_of_a_socket_of_our_own_pages() -> None:
    must_be_ours(_request({"sec-fetch-site": "same-origin"}, method="GET"), {OURS})
    must_be_ours(_request({"origin": OURS}, type="websocket"), {OURS})


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, "our own pages only"),
        ({"origin": PAGE}, "our own pages only"),
        ({"origin": PAGE, "sec-fetch-site": "same-origin"}, "our own pages only"),
        ({"origin": "null"}, "our own pages only"),
        ({"sec-fetch-site": "cross-site"}, "our own pages only"),
        ({"sec-fetch-site": "same-site"}, "our own pages only"),
        ({"sec-fetch-site": "none"}, "our own pages only"),
        ({"origin": OURS, "content-type": "text/plain"}, "as application/json"),
        ({"origin": OURS, "content-type": "application/x-www-form-urlencoded"}, "as application/json"),
    ],
)
def test_a_cookie_is_not_believed_otherwise(sent: dict[str, str], told: str) -> None:
    with pytest.raises(Forbidden, match=told):
        must_be_ours(_request({"content-type": "application/json"} | sent), {OURS})


def _request(headers: dict[str, str], *, method: str = "POST", type: str = "http") -> HTTPConnection:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": type, "headers": raw} | ({"method": method} if type == "http" else {})
    return HTTPConnection(scope)
