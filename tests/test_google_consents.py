"""A person agrees on Google's page, in the sandbox: their calendar is read with it, until they take it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from errors import Disconnected
from models import OAuthGrant, OAuthStatus
from providers.google import AccessToken
from providers.google_calendar import GoogleCalendar
from services import integrations, oauth
from tests.consents import ANNE, CLIENT, agree, connected, google
from tests.shop import Shop

__all__ = ["google"]  # a fixture

REVOKE = "mutation ($input: OAuthRevokeInput!) { oauthRevoke(input: $input) { oauthGrant { status } } }"


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
    google.people.forget_consent(CLIENT, ANNE)
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
