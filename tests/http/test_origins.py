"""Pages of any origin may call the API with a token of theirs: CORS, as the Fetch standard has it."""

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
