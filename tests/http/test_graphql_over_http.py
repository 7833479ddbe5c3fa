"""GraphQL over HTTP: methods, bodies, addresses, statuses and headers, at the front door."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import strawberry
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

from engine.execution import Engine
from engine.http import GraphQLApp
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
TYPENAME = "{ __typename }"
MUTATION = 'mutation { clientCreate(input: { email: "a@b.fr" }) { client { id } } }'
BODY_MOST = 1024  # bytes; of `app`

NOT_PARSED = {"query": "{"}
NOT_OF_THE_SCHEMA = {"query": "{ nope }"}
NO_SUCH_OPERATION = {"query": "query A { __typename } query B { __typename }"}
NOT_OF_ITS_TYPE = {"query": "query ($id: ID!) { __typename }", "variables": {"id": None}}


@pytest.fixture
async def app() -> AsyncIterator[httpx.AsyncClient]:
    """A front of its own, small enough to see its bounds, with the newest draft's statuses."""
    transport = httpx.ASGITransport(_app(invalid_status=422))
    async with httpx.AsyncClient(transport=transport, base_url="http://comptoir.test") as client:
        yield client


# Methods


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
async def test_other_methods_than_get_and_post_are_told_of_both(shop: Shop, method: str) -> None:
    response = await shop.http.request(method, "/graphql", json={"query": TYPENAME})

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"
    assert _code(response) == "INVALID"


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_a_mutation_by_get_is_refused_and_nothing_changes(shop: Shop, accept: str) -> None:
    async with nothing_changes(shop):
        response = await _get(shop, {"query": MUTATION}, accept=accept)

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert _code(response) == "INVALID"


async def test_the_same_mutation_by_post_is_done(shop: Shop) -> None:
    response = await _post(shop, {"query": MUTATION})

    assert response.status_code == 200
    assert "errors" not in response.json()


async def test_a_query_by_get_takes_all_parameters(shop: Shop) -> None:
    client = await shop.client("camille@example.com")
    response = await _get(
        shop,
        {
            "query": "query A { __typename } query Client($id: ID!) { client(id: $id) { email } }",
            "operationName": "Client",
            "variables": json.dumps({"id": client}),
            "extensions": "{}",
            "utm_source": "ignored",
        },
    )

    assert response.status_code == 200
    assert response.json()["data"] == {"client": {"email": "camille@example.com"}}


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "qeury={__typename}",
        "query={__typename}&variables=5",
        "query={__typename}&variables=[]",
        "query={__typename}&variables={",
        "query={__typename}&variables=",
        'query={__typename}&extensions="text"',
        "query=%ff",
        "&".join(["query={__typename}"] * 21),
    ],
)
async def test_an_address_without_a_request_is_told_so(shop: Shop, query_string: str) -> None:
    response = await shop.http.get(f"/graphql?{query_string}", headers={"Accept": JSON})

    assert response.status_code == 400
    assert _code(response) == "INVALID"


async def test_an_address_past_the_limit_is_refused(app: httpx.AsyncClient) -> None:
    padding = "#" * BODY_MOST
    response = await app.get("/graphql", params={"query": TYPENAME + padding})

    assert response.status_code == 414
    assert _code(response) == "LIMITED"


# Bodies


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("query", value) for value in (None, "", 5, False, {}, [TYPENAME])),
        *(("operationName", value) for value in (5, False, {}, ["A"])),
        *(("variables", value) for value in ("{}", 5, False, [])),
        *(("extensions", value) for value in ("{}", 5, False, [])),
    ],
)
async def test_a_parameter_of_another_type_is_named(shop: Shop, parameter: str, value: Any) -> None:
    response = await _post(shop, {"query": TYPENAME, parameter: value})

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "INVALID", "field": parameter}


@pytest.mark.parametrize("parameter", ["operationName", "variables", "extensions"])
async def test_a_parameter_may_be_null(shop: Shop, parameter: str) -> None:
    response = await _post(shop, {"query": TYPENAME, parameter: None})

    assert response.json()["data"] == {"__typename": "Query"}


async def test_parameters_in_the_address_of_a_post_are_not_looked_at(shop: Shop) -> None:
    response = await shop.http.post("/graphql", params={"query": MUTATION}, json={"query": TYPENAME})

    assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql", None],
)
async def test_what_a_page_may_send_without_a_preflight_is_not_read(shop: Shop, media_type: str | None) -> None:
    headers = {"Authorization": f"Bearer {shop.token}"} | ({"Content-Type": media_type} if media_type else {})

    async with nothing_changes(shop):
        response = await shop.http.post("/graphql", content=json.dumps({"query": MUTATION}), headers=headers)

    assert response.status_code == 415
    assert _code(response) == "INVALID"


@pytest.mark.parametrize("spare", [0, -1])
async def test_a_body_may_be_as_long_as_the_limit_and_no_longer(app: httpx.AsyncClient, spare: int) -> None:
    body = json.dumps({"query": TYPENAME}).encode()
    body += b" " * (BODY_MOST - len(body) - spare)

    async def in_bytes() -> AsyncIterator[bytes]:
        for position in range(len(body)):
            yield body[position : position + 1]

    for content in (body, in_bytes()):
        response = await app.post("/graphql", content=content, headers={"Content-Type": JSON})
        assert response.status_code == (413 if spare else 200)
        assert spare == 0 or _code(response) == "LIMITED"


async def test_a_body_without_end_is_read_no_further_than_the_limit() -> None:
    read = 0

    async def endless() -> Message:
        nonlocal read
        read += 100
        assert read <= BODY_MOST + 100
        return {"type": "http.request", "body": b" " * 100, "more_body": True}

    start, _ = await _sent(_app(), endless)

    assert start["status"] == 413


async def test_a_body_that_does_not_come_is_not_waited_for_without_end() -> None:
    async def never() -> Message:
        return await asyncio.Future[Message]()

    start, end = await _sent(_app(body_seconds=0.01), never)

    assert start["status"] == 408
    assert json.loads(end["body"])["errors"][0]["extensions"]["code"] == "LIMITED"


async def test_half_a_body_from_a_client_that_left_is_not_answered() -> None:
    parts = iter([{"type": "http.request", "body": b'{"query":', "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(parts)

    assert await _sent(_app(), receive) == []


# Answers


@pytest.mark.parametrize("request_", [NOT_PARSED, NOT_OF_THE_SCHEMA, NO_SUCH_OPERATION, NOT_OF_ITS_TYPE])
async def test_a_refused_document_is_a_200_as_json_and_a_400_as_a_response(shop: Shop, request_: Any) -> None:
    as_json, as_response = [await _post(shop, request_, accept=accept) for accept in (JSON, RESPONSE)]

    assert (as_json.status_code, as_response.status_code) == (200, 400)
    assert as_json.content == as_response.content
    assert "data" not in as_json.json()


@pytest.mark.parametrize(
    ("request_", "status"),
    [(NOT_PARSED, 400), (NOT_OF_THE_SCHEMA, 422), (NO_SUCH_OPERATION, 422), (NOT_OF_ITS_TYPE, 422)],
)
async def test_the_status_of_what_the_schema_refuses_is_a_setting(
    app: httpx.AsyncClient, request_: Any, status: int
) -> None:
    answers = [await app.post("/graphql", json=request_, headers={"Accept": accept}) for accept in (RESPONSE, JSON)]

    assert [answer.status_code for answer in answers] == [status, 200]


@pytest.mark.parametrize("accept", [JSON, RESPONSE])
async def test_an_error_while_executing_is_a_200(shop: Shop, accept: str) -> None:
    shop.token = ""
    response = await _post(shop, {"query": "{ me { id } }"}, accept=accept)

    assert response.status_code == 200
    assert _code(response) == "UNAUTHENTICATED"


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/json;q=0", "text/plain," * 100 + JSON])
async def test_who_accepts_no_json_is_told_what_there_is(shop: Shop, accept: str) -> None:
    async with nothing_changes(shop):
        response = await _post(shop, {"query": MUTATION}, accept=accept)

    assert response.status_code == 406
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert _code(response) == "INVALID"


@pytest.mark.parametrize("request_", [{"query": TYPENAME}, NOT_PARSED, {}])
async def test_answers_say_what_they_are_and_are_kept_by_nobody(shop: Shop, request_: Any) -> None:
    response = await _post(shop, request_, accept=RESPONSE)

    assert response.headers["Content-Type"] == f"{RESPONSE}; charset=utf-8"
    assert response.headers["Content-Length"] == str(len(response.content))
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Vary"] == "Accept"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_browser_is_shown_the_page_whatever_its_address_asks(shop: Shop) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for address in ("/graphql", "/graphql?query={__typename}"):
        page = await shop.http.get(address, headers=browser)

        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "GraphiQL" in page.text


async def _post(shop: Shop, request: Any, *, accept: str = JSON) -> httpx.Response:
    headers = {"Accept": accept} | ({"Authorization": f"Bearer {shop.token}"} if shop.token else {})
    return await shop.http.post("/graphql", json=request, headers=headers)


async def _get(shop: Shop, parameters: dict[str, str], *, accept: str = JSON) -> httpx.Response:
    headers = {"Accept": accept, "Authorization": f"Bearer {shop.token}"}
    return await shop.http.get("/graphql", params=parameters, headers=headers)


@strawberry.type
class Query:
    hello: str = "hello"


async def _nobody(request: HTTPConnection) -> None:
    return None


def _app(**settings: Any) -> GraphQLApp:
    return GraphQLApp(Engine(strawberry.Schema(Query)), _nobody, body_most=BODY_MOST, **settings)


async def _sent(app: GraphQLApp, receive: Receive) -> list[Message]:
    """What the app sends for a POST that comes as `receive` says."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}, receive, send)
    return sent


def _code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    assert error["message"]
    return str(error["extensions"]["code"])
