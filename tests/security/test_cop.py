"""What graphql-cop 1.15 looks for, asked of production settings in its words: no finding.

https://github.com/dolevf/graphql-cop lists the checks. Its requests come from no page and are signed in as nobody.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.trusted import sha256
from tests.security.surroundings import installed_with
from tests.shop import Shop

PRODUCTION = {"environment": "production", "app_url": "https://api.comptoir.test"}
TYPENAME = "query { __typename }"
MUTATION = "mutation { __typename }"
DEEP = "{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }"
CIRCLE = """
query { __schema { ...A } }
fragment A on __Schema { __typename ...B }
fragment B on __Schema { ...A }
"""


@pytest.fixture
async def cop(shop: Shop) -> AsyncIterator[Shop]:
    async with installed_with(shop, **PRODUCTION) as installed:
        installed.token = ""
        yield installed


async def test_101_aliases_are_too_many(cop: Shop) -> None:
    aliases = " ".join(f"alias{number}: __typename" for number in range(101))
    await _must_be_limited(cop, f"query {{ {aliases} }}")


async def test_operations_in_an_array_are_not_run(cop: Shop) -> None:
    response = await cop.http.post("/graphql", json=[{"query": TYPENAME}] * 10)

    assert (response.status_code, len(response.json()["errors"])) == (400, 1)


async def test_ten_directives_on_a_field_are_too_many_and_told_once(cop: Shop) -> None:
    await _must_be_limited(cop, f"query {{ __typename {'@aa' * 10} }}")


async def test_a_field_500_times_is_too_often(cop: Shop) -> None:
    await _must_be_limited(cop, f"query {{ {'__typename ' * 500} }}")


async def test_fragments_in_a_circle_are_refused(cop: Shop) -> None:
    assert "errors" in await cop.post(CIRCLE, {})


@pytest.mark.parametrize(
    "document", [DEEP, "{ __schema { queryType { name } } }", '{ __type(name: "Query") { name } }']
)
async def test_nothing_of_the_schema_is_told(cop: Shop, document: str) -> None:
    answer = await cop.post(document, {})

    assert answer.get("data") is None
    assert "introspection" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("query { __schema { directive } }", {}),
        ("query { prodcts { nodes { id } } }", {}),
        ("query { products(frst: 1) { nodes { id } } }", {}),
        ("mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }", {"input": {"emial": "a@b.fr"}}),
        ('query { product(id: "x") { pric { amount } } }', {}),
    ],
)
async def test_no_name_is_suggested(cop: Shop, document: str, variables: dict[str, Any]) -> None:
    answer = await cop.post(document, variables)

    assert answer["errors"]
    assert "Did you mean" not in str(answer)


@pytest.mark.parametrize("path", ["/", "/graphiql", "/playground", "/console", "/graphql"])
async def test_no_explorer_is_found(cop: Shop, path: str) -> None:
    for accept in ("*/*", "text/html"):
        page = await cop.http.get(path, headers={"Accept": accept})

        assert page.status_code >= 400
        assert not any(word in page.text.lower() for word in ("graphiql", "playground"))


@pytest.mark.parametrize("document", [TYPENAME, "{__typename}", MUTATION])
async def test_no_text_is_taken_from_an_address(cop: Shop, document: str) -> None:
    for accept in ("*/*", "application/json", "application/graphql-response+json"):
        response = await cop.http.get("/graphql", params={"query": document}, headers={"Accept": accept})

        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
        assert "data" not in response.json()


async def test_a_trusted_query_is_taken_from_an_address(shop: Shop, tmp_path: Any) -> None:
    """A page can make a browser ask it, and so it may ask nothing that was not written by us."""
    manifest = tmp_path / "documents.json"
    manifest.write_text(f'{{"{sha256(TYPENAME)}": "{TYPENAME}"}}')

    async with installed_with(shop, **PRODUCTION, trusted_documents=manifest) as installed:
        response = await installed.http.get("/graphql", params={"documentId": f"sha256:{sha256(TYPENAME)}"})

    assert response.json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", None])
async def test_what_a_form_can_send_is_not_taken(cop: Shop, media_type: str | None) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    in_body = await cop.http.post("/graphql", content=b"query=query+%7B__typename%7D", headers=headers)
    in_address = await cop.http.post("/graphql", params={"query": TYPENAME}, headers=headers)

    for response in (in_body, in_address):
        assert response.status_code == 415
        assert "data" not in response.json()


@pytest.mark.parametrize("document", [TYPENAME, "qwerty cop { abc }", "{ me { id } }", "query { nope }"])
async def test_no_trace_and_no_stack_is_shown(cop: Shop, document: str) -> None:
    response = await cop.http.post("/graphql", json={"query": document}, headers={"X-Apollo-Tracing": "1"})

    told = response.json()
    assert not {"tracing", "debug"} & set(told.get("extensions", {}))
    for error in told.get("errors", ()):
        assert not {"exception", "tracing", "stacktrace", "debug"} & set(error["extensions"])
    assert not any(word in response.text.lower() for word in ("stacktrace", "traceback", ".py"))


async def _must_be_limited(cop: Shop, document: str) -> None:
    answer = await cop.post(document, {})

    assert "data" not in answer
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["LIMITED"]
