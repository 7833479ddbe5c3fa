"""Trusted documents: asked for by the SHA-256 of their text, and where it is set nothing else is answered."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.trusted import TrustedDocuments, sha256
from errors import NotConfigured
from main import create_app
from settings import Settings
from tests.security.surroundings import installed_with
from tests.shop import Shop

TYPENAME = "query Typename { __typename }"
CLIENT = "query Client($id: ID!) { client(id: $id) { email } }"
MUTATION = 'mutation Make { clientCreate(input: { email: "a@b.fr" }) { client { email } } }'
KNOWN = {sha256(text): text for text in (TYPENAME, CLIENT, MUTATION)}
UNKNOWN = sha256("query Unknown { __typename }")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return _written(tmp_path, KNOWN)


def _by_id(text: str) -> dict[str, Any]:
    return {"documentId": f"sha256:{sha256(text)}"}


def _by_hash(text: str) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}}


@pytest.mark.parametrize("ask", [_by_id, _by_hash], ids=["documentId", "persistedQuery"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_trusted_document_is_asked_for_by_its_hash(shop: Shop, manifest: Path, ask: Any, method: str) -> None:
    client = await shop.client("camille@example.com")
    request = ask(CLIENT) | {"operationName": "Client", "variables": {"id": client}}

    async with installed_with(shop, trusted_documents=manifest, trusted_documents_only=True) as installed:
        answer = await _sent(installed, method, request)

    assert answer == (200, {"client": {"email": "camille@example.com"}}, None)


async def test_a_trusted_mutation_is_not_taken_from_an_address(shop: Shop, manifest: Path) -> None:
    async with installed_with(shop, trusted_documents=manifest) as installed:
        refused = await _sent(installed, "GET", _by_id(MUTATION))
        done = await _sent(installed, "POST", _by_id(MUTATION))

    assert (refused[0], refused[2]) == (405, "INVALID")
    assert done[1] == {"clientCreate": {"client": {"email": "a@b.fr"}}}


async def test_where_only_trusted_documents_are_answered_no_text_is(shop: Shop, manifest: Path) -> None:
    async with installed_with(shop, trusted_documents=manifest, trusted_documents_only=True) as installed:
        for method in ("GET", "POST"):
            for request in ({"query": TYPENAME}, _by_hash(TYPENAME) | {"query": TYPENAME}):
                assert await _sent(installed, method, request) == (400, None, "DOCUMENT_NOT_TRUSTED")


async def test_our_own_page_of_accounts_is_answered_though_no_manifest_names_it(shop: Shop, manifest: Path) -> None:
    wrong = {"token": "x", "input": {"token": "x", "password": "four quiet rivers run"}}
    async with installed_with(shop, trusted_documents=manifest, trusted_documents_only=True) as installed:
        asked = re.findall(r'"(sha256:[0-9a-f]{64})"', (await installed.http.get("/account")).text)
        answers = [await _sent(installed, "POST", {"documentId": each, "variables": wrong}) for each in asked]

    assert [code for _, _, code in answers] == ["INVALID"] * 6


@pytest.mark.parametrize("only", [False, True])
async def test_an_id_that_is_not_known_is_told_in_the_words_that_clients_look_for(
    shop: Shop, manifest: Path, only: bool
) -> None:
    async with installed_with(shop, trusted_documents=manifest, trusted_documents_only=only) as installed:
        for request in (
            {"documentId": f"sha256:{UNKNOWN}"},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": UNKNOWN}}},
        ):
            assert await _sent(installed, "POST", request) == (400, None, "PERSISTED_QUERY_NOT_FOUND")


async def test_a_text_beside_its_hash_is_run_and_beside_another_refused(shop: Shop) -> None:
    assert (await _sent(shop, "POST", _by_hash(TYPENAME) | {"query": TYPENAME}))[1] == {"__typename": "Query"}
    assert await _sent(shop, "POST", _by_hash(TYPENAME) | {"query": CLIENT}) == (400, None, "INVALID")
    assert await _sent(shop, "POST", _by_id(TYPENAME) | {"query": CLIENT}) == (400, None, "INVALID")


@pytest.mark.parametrize(
    "request_",
    [
        {"documentId": 5},
        {"documentId": UNKNOWN},
        {"documentId": f"md5:{UNKNOWN[:32]}"},
        {"extensions": {"persistedQuery": 5}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"query": None, "documentId": None},
    ],
)
async def test_an_id_that_is_none_is_no_request(shop: Shop, request_: dict[str, Any]) -> None:
    assert await _sent(shop, "POST", request_) == (400, None, "INVALID")


def test_apollos_manifest_is_read_too(tmp_path: Path) -> None:
    operations = [{"id": key, "name": "x", "type": "query", "body": text} for key, text in KNOWN.items()]
    made = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}

    trusted = TrustedDocuments.read(_written(tmp_path, made))

    assert [trusted.text(key) for key in KNOWN] == list(KNOWN.values())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON"),
        ("[]", 'must be {"<sha256>": "<document>"}'),
        ('{"operations": [5]}', 'must be {"<sha256>": "<document>"}'),
        (json.dumps({"abc": TYPENAME}), r"query Typename \(abc…\) is not the SHA-256 of its text"),
        (json.dumps({sha256("query Old { gone }"): "query Old { gone }"}), r"query Old .* cannot be run.*'gone'"),
        (json.dumps({sha256("query Half {"): "query Half {"}), r"query Half .* cannot be run.*Syntax Error"),
    ],
    ids=["no JSON", "a list", "no operation", "another hash", "not of the schema", "no GraphQL"],
)
async def test_a_manifest_that_is_not_valid_stops_the_start_and_is_named(
    settings: Settings, tmp_path: Path, content: str, told: str
) -> None:
    manifest = tmp_path / "persisted-documents.json"
    manifest.write_text(content)

    with pytest.raises(NotConfigured, match=told):
        create_app(settings.model_copy(update={"trusted_documents": manifest}))


def test_a_manifest_that_is_not_there_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="cannot be read"):
        create_app(settings.model_copy(update={"trusted_documents": tmp_path / "none.json"}))


def _written(folder: Path, content: Any) -> Path:
    manifest = folder / "persisted-documents.json"
    manifest.write_text(json.dumps(content))
    return manifest


async def _sent(shop: Shop, method: str, request: dict[str, Any]) -> tuple[int, Any, str | None]:
    """(status, data, code of the first error)."""
    headers = {"Authorization": f"Bearer {shop.token}"}
    if method == "GET":
        parameters = {name: value if isinstance(value, str) else json.dumps(value) for name, value in request.items()}
        response = await shop.http.get("/graphql", params=parameters, headers=headers)
    else:
        response = await shop.http.post("/graphql", json=request, headers=headers)
    answer = response.json()
    errors = answer.get("errors", ())
    return response.status_code, answer.get("data"), errors[0]["extensions"]["code"] if errors else None
