"""What Prometheus reads: the counts of what runs, and who may read them."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from tests.security.surroundings import installed_with
from tests.shop import Shop

TOKEN = "a token that only Prometheus has"
PRODUCTION = {"environment": "production", "app_url": "https://api.comptoir.test"}


async def test_a_query_that_a_plan_answers_is_counted_as_such(shop: Shop) -> None:
    before = await _answered_by_plans(shop.http)

    await shop("{ products { nodes { id } } }")
    await shop("{ clients { nodes { id } } }")

    assert await _answered_by_plans(shop.http) == before + 2


async def test_the_counts_are_told_in_the_format_of_prometheus(shop: Shop) -> None:
    response = await shop.http.get("/metrics")

    assert response.headers["Content-Type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(response.text)}
    assert {"comptoir_documents", "comptoir_operations", "comptoir_plans"} <= names


async def test_in_production_the_counts_are_for_the_bearer_of_the_token(shop: Shop) -> None:
    async with installed_with(shop, **PRODUCTION, metrics_token=SecretStr(TOKEN)) as installed:
        response = await installed.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert response.status_code == 200
    assert "comptoir_operations_total" in response.text


@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}s", b"Bearer \xe9"]
)
async def test_in_production_nobody_else_is_told_the_counts(shop: Shop, sent: str | bytes | None) -> None:
    async with installed_with(shop, **PRODUCTION, metrics_token=SecretStr(TOKEN)) as installed:
        response = await installed.http.get("/metrics", headers=[] if sent is None else [("Authorization", sent)])

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "comptoir" not in response.text


async def test_in_production_without_a_token_there_is_no_such_address(shop: Shop) -> None:
    async with installed_with(shop, **PRODUCTION, metrics_token=None) as installed:
        response = await installed.http.get("/metrics", headers={"Authorization": "Bearer "})

    assert response.status_code == 404


async def _answered_by_plans(http: httpx.AsyncClient) -> float:
    response = await http.get("/metrics")
    assert response.status_code == 200
    samples = [sample for family in text_string_to_metric_families(response.text) for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == "comptoir_operations_total" and sample.labels == {"kind": "query", "way": "plan"}
    )
