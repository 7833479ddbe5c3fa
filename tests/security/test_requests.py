"""What comes over HTTP and is not what the API takes: told so with a code, never a 500, and nothing done."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.security.surroundings import installed_with, nothing_changes
from tests.shop import Shop

CLIENT_CREATE = "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { id } } }"
TWO_MEGABYTES = 2 * 1024 * 1024


NO_REQUESTS = [  # (body, media type, status)
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"5", "application/json", 400),
    (b"null", "application/json", 400),
    (b"[]", "application/json", 400),
    (b'[{"query": "{ __typename }"}]', "application/json", 400),
    (b"{}", "application/json", 400),
    (b'{"query": 5}', "application/json", 400),
    (b'{"query": ""}', "application/json", 400),
    (b'{"query": "{ __typename }", "variables": 5}', "application/json", 400),
    (b'{"query": "{ __typename }"}', "text/plain", 415),
    (b'{"query": "{ __typename }"}', "multipart/form-data; boundary=x", 415),
    (b"[" * 5000, "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
]
NOT_OF_THE_SCHEMA = [
    "{",
    "{ nope }",
    "{ me { nope } }",
    "{ me }",
    "{ a: me { id } a: order(id: 1) { id } }",
    "{me" * 50,
]


async def test_what_is_no_graphql_request_is_told_so_with_a_code(shop: Shop) -> None:
    for body, media_type, status in NO_REQUESTS:
        response = await shop.http.post("/graphql", content=body, headers={"Content-Type": media_type})

        assert response.status_code == status, body
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "INVALID"
        assert error["message"]


async def test_a_document_that_the_schema_does_not_allow_is_invalid(shop: Shop) -> None:
    for document in NOT_OF_THE_SCHEMA:
        answer = await shop.post(document, {})

        assert answer.get("data") is None
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"INVALID"}, document[:50]


async def test_a_mutation_is_not_taken_from_an_address(shop: Shop) -> None:
    document = 'mutation { clientCreate(input: { email: "a@b.fr" }) { client { id } } }'

    async with nothing_changes(shop):
        response = await shop.http.get(
            "/graphql", params={"query": document}, headers={"Authorization": f"Bearer {shop.token}"}
        )

    assert response.status_code == 405


async def test_a_mistake_of_ours_is_told_by_an_id_and_nothing_else(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.sql("ALTER TABLE clients ADD CONSTRAINT broken CHECK (email <> 'secret@b.fr') NOT VALID")
    try:
        code, field, message = await shop.refused(CLIENT_CREATE, input={"email": "secret@b.fr"})
    finally:
        await shop.sql("ALTER TABLE clients DROP CONSTRAINT broken")

    assert (code, field) == ("INTERNAL", None)
    (id,) = re.findall(r"[0-9a-f]{32}", message)
    assert "broken" not in message
    assert id in caplog.text


async def test_half_a_surrogate_pair_is_no_text(shop: Shop) -> None:
    as_variable = b'{"query": "query ($id: ID!) { order(id: $id) { id } }", "variables": {"id": "\\ud800"}}'
    response = await shop.http.post("/graphql", content=as_variable, headers={"Content-Type": "application/json"})
    as_literal = await shop.post(r'{ order(id: "\ud800") { id } }', {})

    assert response.status_code == 400
    for answer in (response.json(), as_literal):
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"


@pytest.mark.parametrize("path", ["/graphql", "/webhooks/stripe"])
@pytest.mark.parametrize("chunked", [False, True], ids=["of known length", "in chunks"])
async def test_a_body_of_two_megabytes_is_refused(shop: Shop, path: str, chunked: bool) -> None:
    body = b'"' + b"x" * TWO_MEGABYTES + b'"'
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {shop.token}",
        "Stripe-Signature": shop.sandbox.stripe.sign(body),
    }

    async with nothing_changes(shop):
        response = await shop.http.post(path, content=in_chunks(body) if chunked else body, headers=headers)

    assert response.status_code == 413


async def test_production_shows_neither_explorer_nor_introspection(shop: Shop) -> None:
    async with installed_with(shop, environment="production", app_url="https://api.comptoir.test") as installed:
        page = await installed.http.get("/graphql", headers={"Accept": "text/html"})
        assets = await installed.http.get("/graphiql/start.js")
        schema = await installed.post("{ __schema { types { name } } }", {})
        typename = await installed("{ __typename }")

    assert (page.status_code, assets.status_code) == (406, 404)
    assert "data" not in schema
    assert schema["errors"][0]["extensions"]["code"] == "INVALID"
    assert typename == "Query"


async def test_development_shows_both(shop: Shop) -> None:
    page = await shop.http.get("/graphql", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "GraphiQL" in page.text
    assert (await shop("{ __schema { queryType { name } } }"))["queryType"] == {"name": "Query"}


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 64 * 1024):
        yield body[start : start + 64 * 1024]
