"""The contract of every provider, found: its form says what it is, and what goes wrong is one of three."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, get_args

import httpx
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, SecretStr

from errors import Disconnected, ProviderError, Refused, Unavailable
from providers import registry
from providers.announced import ANNOUNCED
from providers.base import HttpProvider, Provider, Surroundings
from providers.offers import Category, Feature, form_of, secrets_of

LISTED = registry.catalogue()
AVAILABLE: dict[str, type[Provider[Any]]] = {key: kind for key in LISTED if (kind := registry.provider(key))}
OVER_HTTP = {key: kind for key, kind in AVAILABLE.items() if issubclass(kind, HttpProvider)}
SECRET = "sk_test_nobody_may_ever_read_this"

# What a provider's form wants that no rule of its schema tells.
EXAMPLES: dict[str, dict[str, Any]] = {
    "smtp": {"host": "127.0.0.1", "sender": "a@example.com", "security": "none", "user": "me"},
    "stripe": {"webhook_secret": "whsec_" + SECRET},
    "google_calendar": {"service_account_email": "a@b.iam.gserviceaccount.com"},
}


@pytest.mark.parametrize("key", LISTED)
@pytest.mark.parametrize("french", [True, False], ids=["fr", "en"])
def test_a_form_is_a_json_schema_and_each_field_says_what_it_is_and_where_to_find_it(key: str, french: bool) -> None:
    listed = LISTED[key]

    form = form_of(listed.name, listed.offer, french=french)

    Draft202012Validator.check_schema(form)
    assert form["properties"], key
    for name, field in form["properties"].items():
        for said in ("title", "description", "x-where", "x-order"):
            assert field.get(said), f"{key}.{name} has no {said}: declare it with `asked`"
        assert "type" in field or "enum" in field, f"{key}.{name}"
        assert bool(field.get("writeOnly")) == (name in secrets_of(listed.offer))
    assert "x-fr" not in str(form)


@pytest.mark.parametrize("key", LISTED)
def test_a_provider_says_what_it_does_needs_and_opens(key: str) -> None:
    listed = LISTED[key]

    assert listed.key == key
    assert isinstance(listed.category, Category)
    assert listed.offer.opens
    for words in (listed.offer.does, listed.offer.needs, *(feature.value for feature in listed.offer.opens)):
        assert words.fr and words.en and words.fr != words.en, f"{key}: {words}"
    assert any(_is_secret(field.annotation) for field in listed.offer.credentials.model_fields.values())


def test_what_is_announced_is_not_available_and_every_feature_has_a_provider() -> None:
    assert not set(ANNOUNCED) & set(AVAILABLE), "it has a module: delete what announced it"
    assert {feature for listed in LISTED.values() for feature in listed.offer.opens} == set(Feature)


@pytest.mark.parametrize("key", AVAILABLE)
async def test_nobody_there_is_unavailable_in_time_and_tells_no_secret(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with _closed_port() as port:
        async with _connected(key, port) as provider:
            with pytest.raises(ProviderError) as caught:
                async with asyncio.timeout(20):
                    await provider.check()

    assert isinstance(caught.value, Unavailable | Disconnected)
    assert SECRET not in f"{caught.value}{caplog.text}{provider.credentials!r}"


@pytest.mark.parametrize("key", OVER_HTTP)
@pytest.mark.parametrize(
    ("status", "kind"), [(401, Disconnected), (429, Unavailable), (500, Unavailable), (400, Refused)]
)
async def test_what_is_answered_is_one_of_three(key: str, status: int, kind: type[ProviderError]) -> None:
    """Of those that speak HTTP by themselves; who brings a vendor's library has tests of its own."""
    said = httpx.MockTransport(lambda request: httpx.Response(status, json={"message": f"no {SECRET}"}))
    async with OVER_HTTP[key](_credentials(key, 1), transport=said) as provider:
        with pytest.raises(kind) as caught:
            await provider.check()

    assert SECRET not in str(caught.value)


def _credentials(key: str, port: int) -> BaseModel:
    """A form that is filled: its secrets with SECRET, the rest by its rules or by EXAMPLES."""
    offer = LISTED[key].offer
    values: dict[str, Any] = {}
    for name in secrets_of(offer):
        values[name] = SECRET
    for name, field in form_of(key, offer, french=False)["properties"].items():
        if name not in values and "default" not in field and name in offer.credentials.model_json_schema()["required"]:
            values[name] = "example"
        if name == "port":
            values[name] = port
        if name in ("endpoint_url", "url"):
            values[name] = f"http://127.0.0.1:{port}"
    return offer.credentials.model_validate(values | EXAMPLES.get(key, {}))


@asynccontextmanager
async def _connected(key: str, port: int) -> AsyncIterator[Provider[Any]]:
    surroundings = Surroundings(private=True, urls={key: f"http://127.0.0.1:{port}"})
    async with AVAILABLE[key].connect(_credentials(key, port), surroundings) as provider:
        yield provider


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


@contextmanager
def _closed_port() -> Iterator[int]:
    """A port of loopback that nobody listens on, and nobody else takes meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
