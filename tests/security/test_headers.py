"""What every answer tells browsers, refusals and pages too."""

import pytest

from tests.security.surroundings import installed_with
from tests.shop import Shop

PATHS = (
    "/graphql",
    "/graphql?query={__typename}",
    "/healthz",
    "/readyz",
    "/nowhere",
    "/files/x/y",
    "/pay/x",
    "/metrics",
)


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_is_of_its_type_and_told_to_nobody_else(shop: Shop, path: str) -> None:
    told = (await shop.http.get(path)).headers

    assert told.get_list("X-Content-Type-Options") == ["nosniff"]
    assert told.get_list("Referrer-Policy") == ["same-origin" if path.startswith("/pay") else "no-referrer"]
    assert told.get_list("Cross-Origin-Opener-Policy") == ["same-origin"]
    assert told.get_list("Cross-Origin-Resource-Policy") == ["same-origin"]
    assert "Strict-Transport-Security" not in told


async def test_the_explorer_says_it_once_too(shop: Shop) -> None:
    told = (await shop.http.get("/graphql", headers={"Accept": "text/html"})).headers

    assert told.get_list("X-Content-Type-Options") == ["nosniff"]
    assert "frame-ancestors 'none'" in told["Content-Security-Policy"]


async def test_production_is_for_https_alone(shop: Shop) -> None:
    async with installed_with(shop, environment="production", app_url="https://api.comptoir.test") as installed:
        for path in PATHS:
            told = (await installed.http.get(path)).headers

            assert told.get_list("Strict-Transport-Security") == ["max-age=63072000"], path
