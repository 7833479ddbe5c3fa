"""GraphiQL follows a subscription, in a real browser, under its own rules."""

import pytest

from tests.browser import EXECUTABLE, Browser
from tests.engine.test_graphiql import RESPONSE, RUN
from tests.shop import Shop

SIGNED_IN = "sessionStorage.setItem('comptoir:session', JSON.stringify({{ token: '{token}', who: 'owner' }}))"


@pytest.mark.skipif(EXECUTABLE is None, reason="Chromium is not installed")
async def test_the_explorer_shows_what_happens_while_one_looks(shop: Shop, port: int) -> None:
    address = f"http://127.0.0.1:{port}"
    query = "subscription Follow { orderChanged { happened order { number } } }"
    async with Browser() as browser:
        page = await browser.open(f"{address}/graphql?query={query}")
        await page.until(f"document.querySelector('{RUN}')")
        await page.evaluate(SIGNED_IN.format(token=shop.token))
        await page.click(RUN)
        await page.until(f"{RESPONSE}.includes('happened')")

        await shop.order()

        await page.until(f"{RESPONSE}.includes('CREATED')")
        await page.screenshot("a subscription in GraphiQL")
        assert page.console == []
