"""A person agrees on Google's page, in the sandbox: their calendar is read with it, until they take it back."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from errors import Disconnected
from models import OAuthGrant, OAuthStatus
from providers.google import AccessToken
from providers.google_calendar import GoogleCalendar
from services import integrations, oauth, outside
from tests.shop import Shop

START = "mutation ($input: OAuthStartInput!) { oauthStart(input: $input) { authorizationUrl } }"
FINISH = "mutation ($input: OAuthFinishInput!) { oauthFinish(input: $input) { oauthGrant { status } } }"
REVOKE = "mutation ($input: OAuthRevokeInput!) { oauthRevoke(input: $input) { oauthGrant { status } } }"
ANNE = "anne@example.com"


@pytest.fixture
async def google(shop: Shop) -> AsyncIterator[Any]:
    """Google's stand-in, as the installation is known to it."""
    usual = outside.outside()
    known = {
        "app_url": "https://comptoir.test",
        "google_api_base": shop.sandbox.url,
        "google_oauth_client_id": "comptoir.apps.googleusercontent.com",
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


@asynccontextmanager
async def calendar(grant: OAuthGrant) -> AsyncIterator[GoogleCalendar]:
    token = AccessToken(access_token=SecretStr(await oauth.access_token(grant, "a test")))
    async with GoogleCalendar.connect(token, integrations.surroundings()) as opened:
        yield opened


async def test_who_agrees_has_their_calendar_read(shop: Shop, google: Any) -> None:
    grant = await connected(shop)
    google.add(ANNE, "2027-01-18T09:00:00+01:00", "2027-01-18T10:00:00+01:00", "Dentiste")
    async with calendar(grant) as opened:
        (found,) = await opened.list_calendars()
        page = await opened.changes(found.id, since=datetime(2027, 1, 1, tzinfo=UTC))

    assert (found.id, found.primary, found.writable) == (ANNE, True, True)
    assert [each.title for each in page.events] == ["Dentiste"]


async def test_who_declines_comes_back_with_nothing(shop: Shop, google: Any) -> None:
    assert (await agree(shop, "deny"))["error"] == "access_denied"
    assert not await OAuthGrant.all().count()


@pytest.mark.parametrize("rotates", [False, True])
async def test_a_token_that_ends_is_renewed_again_and_again(shop: Shop, google: Any, rotates: bool) -> None:
    google.people.rotates = rotates
    grant = await connected(shop)
    for _ in range(3):
        google.people.expire_access_tokens()
        await OAuthGrant.all().update(expires_at=datetime.now(UTC) - timedelta(minutes=1))
        async with calendar(grant) as opened:
            await opened.check()


async def test_a_consent_that_is_taken_back_at_google_is_seen(shop: Shop, google: Any) -> None:
    grant = await connected(shop)
    google.people.forget_consent("comptoir.apps.googleusercontent.com", ANNE)
    async with calendar(grant) as opened:
        with pytest.raises(Disconnected):
            await opened.check()
    await OAuthGrant.all().update(expires_at=datetime.now(UTC) - timedelta(minutes=1))

    with pytest.raises(Disconnected):
        await oauth.access_token(grant, "a test")
    assert (await OAuthGrant.get()).status == OAuthStatus.DISCONNECTED


async def test_a_consent_that_is_withdrawn_here_is_withdrawn_at_google(shop: Shop, google: Any) -> None:
    before = google.people.grants()
    await connected(shop)
    id = (await shop("{ oauthGrants { nodes { id } } }"))["nodes"][0]["id"]
    await shop(REVOKE, input={"oauthGrant": id})
    await shop.work_is_done()

    assert google.people.grants() == before
