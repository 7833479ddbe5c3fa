"""A person agrees on Google's page, in the sandbox."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from models import OAuthGrant
from services import outside
from tests.shop import Shop

START = "mutation ($input: OAuthStartInput!) { oauthStart(input: $input) { authorizationUrl } }"
FINISH = "mutation ($input: OAuthFinishInput!) { oauthFinish(input: $input) { oauthGrant { status } } }"
ANNE = "anne@example.com"
CLIENT = "comptoir.apps.googleusercontent.com"


@pytest.fixture
async def google(shop: Shop) -> AsyncIterator[Any]:
    """Google's stand-in, as the installation is known to it."""
    usual = outside.outside()
    known = {
        "app_url": "https://comptoir.test",
        "google_api_base": shop.sandbox.url,
        "google_oauth_client_id": CLIENT,
        "google_oauth_client_secret": SecretStr("GOCSPX-sandbox"),
    }
    outside.use(replace(usual, settings=usual.settings.model_copy(update=known)))
    yield shop.sandbox.google
    shop.sandbox.google.people.rotates = False  # the sandbox is the next test's too
    outside.use(usual)


async def agree(shop: Shop, answer: str = "allow") -> dict[str, str]:
    """Go to the page, answer, and come back: what one comes back with."""
    url = (await shop(START, input={"provider": "google_calendar"}))["authorizationUrl"]
    async with httpx.AsyncClient() as browser:
        page = await browser.get(url)
        fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
        typed = {name: html.unescape(value) for name, value in fields} | {"email": ANNE, "answer": answer}
        back = await browser.post(url.partition("?")[0], data=typed)
    assert back.headers["location"].startswith("https://comptoir.test/account?")
    return {name: value for name, (value,) in parse_qs(urlsplit(back.headers["location"]).query).items()}


async def connected(shop: Shop) -> OAuthGrant:
    back = await agree(shop)
    finished = await shop(FINISH, input={"code": back["code"], "state": back["state"]})
    assert finished["oauthGrant"]["status"] == "CONNECTED"
    return await OAuthGrant.get()
