"""What is behind signed links is asked for so often, from one address and of one link."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services import limits
from tests.security.surroundings import installed_with
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("printer")


@pytest.fixture
async def strict(shop: Shop) -> AsyncIterator[Shop]:
    """The shop where limits are as they are in production."""
    async with installed_with(shop, rate_factor=1) as installed:
        yield installed


def most(kind: str, *, of_a_link: bool) -> int:
    rates = limits.LINKS[kind].caller if of_a_link else limits.LINKS[kind].address
    return min(rate.number for rate in rates)


@pytest.mark.parametrize("page", ["pay", "quote", "survey"])
async def test_the_page_of_a_link_is_opened_and_answered_so_often(strict: Shop, page: str) -> None:
    for method, kind in (("GET", "pages"), ("POST", "answers")):
        allowed = most(kind, of_a_link=True)
        answers = [await ask(strict, method, f"/{page}/the-same") for _ in range(2 * allowed)]

        assert [answer.status_code for answer in answers[:allowed]] == [404] * allowed
        refused = next(answer for answer in answers if answer.status_code == 429)  # some are given back meanwhile
        assert refused.headers["Retry-After"].isdigit()
        assert "réessayez dans" in refused.text and "no-store" in refused.headers["Cache-Control"]
        assert (await ask(strict, method, f"/{page}/another")).status_code == 404


@pytest.mark.parametrize(("path", "kind"), [("/survey/{}", "pages"), ("/documents/{}", "documents")])
async def test_who_tries_links_does_so_no_more_often_than_anybody(strict: Shop, path: str, kind: str) -> None:
    allowed = most(kind, of_a_link=False)

    asked = range(2 * allowed)  # some are given back meanwhile
    answers = [(await ask(strict, "GET", path.format(number))).status_code for number in asked]

    assert answers[:allowed] == [404] * allowed
    assert 429 in answers


async def ask(shop: Shop, method: str, path: str) -> httpx.Response:
    return await shop.http.request(method, path, data={} if method == "POST" else None)
