"""Google's authorization server in the sandbox: consent on a page, tokens by PKCE, refreshed, revoked."""

import asyncio
import hashlib
import html
import re
from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit

import httplib2
import pytest
from google.oauth2 import service_account
from google_auth_httplib2 import Request

from sandbox.google_people import SERVICE_ACCOUNT

CLIENT = {"client_id": "comptoir.apps.googleusercontent.com", "client_secret": "GOCSPX-sandbox"}
BACK = "http://127.0.0.1:8000/oauth"
VERIFIER = "a-verifier-that-is-long-enough-for-the-standard"
ASKED = {
    "client_id": CLIENT["client_id"],
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "https://www.googleapis.com/auth/calendar",
    "state": "s-1",
    "access_type": "offline",
    "code_challenge": urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode(),
    "code_challenge_method": "S256",
}


async def agree(browser, answer="allow", email="anne@example.com", **more):
    """Open the page, and answer as somebody does; gives what the client is sent back with."""
    shown = await browser.get("/o/oauth2/v2/auth", params=ASKED | more)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    typed = {name: html.unescape(value) for name, value in fields.items()}
    sent = await browser.post("/o/oauth2/v2/auth", data=typed | {"email": email, "answer": answer})
    assert sent.status_code == 303
    assert sent.headers["location"].startswith(BACK)
    return {name: value for name, (value,) in parse_qs(urlsplit(sent.headers["location"]).query).items()}


async def exchange(browser, code, **more):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return await browser.post("/token", data=form | CLIENT | more)


async def refresh(browser, token):
    return await browser.post("/token", data={"grant_type": "refresh_token", "refresh_token": token} | CLIENT)


async def calendars(browser, token):
    return await browser.get("/calendar/v3/users/me/calendarList", headers={"Authorization": f"Bearer {token}"})


async def test_a_service_account_signs_in_by_its_key_and_invites_nobody(browser, sandbox):
    key = sandbox.google.people.service_account()
    sandbox.google.share(sandbox.google.person("anne@example.com"), SERVICE_ACCOUNT)
    account = service_account.Credentials.from_service_account_info(
        {"client_email": SERVICE_ACCOUNT, "private_key": key, "token_uri": f"{sandbox.url}/token"},
        scopes=[ASKED["scope"]],
    )
    await asyncio.to_thread(account.refresh, Request(httplib2.Http()))
    event = {
        "start": {"dateTime": "2027-01-18T10:00:00+01:00"},
        "end": {"dateTime": "2027-01-18T11:00:00+01:00"},
        "attendees": [{"email": "marie@example.com"}],
    }
    path, headers = "/calendar/v3/calendars/anne@example.com/events", {"Authorization": f"Bearer {account.token}"}
    refused = await browser.post(path, json=event, headers=headers)
    alone = await browser.post(path, json=event | {"attendees": []}, headers=headers)

    assert refused.status_code == 403
    assert refused.json()["error"]["errors"][0]["reason"] == "forbiddenForServiceAccounts"
    assert alone.status_code == 200


async def test_a_person_agrees_and_the_client_sees_their_calendar(browser):
    back = await agree(browser)
    tokens = (await exchange(browser, back["code"])).json()
    seen = await calendars(browser, tokens["access_token"])

    assert back["state"] == "s-1"
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", ASKED["scope"])
    assert [each["id"] for each in seen.json()["items"]] == ["anne@example.com"]


async def test_who_refuses_is_sent_back_without_a_code(browser):
    assert await agree(browser, "deny") == {"state": "s-1", "error": "access_denied"}


async def test_a_code_is_good_once_and_with_its_verifier(browser):
    back = await agree(browser)
    wrong = await exchange(browser, back["code"], code_verifier="another")
    after = await exchange(browser, back["code"])

    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert (after.status_code, after.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("more", "status", "error"),
    [
        ({"client_secret": "guessed"}, 401, "invalid_client"),
        ({"client_id": "else"}, 401, "invalid_client"),
        ({"redirect_uri": "http://127.0.0.1:8000/elsewhere"}, 400, "redirect_uri_mismatch"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_client_that_is_another_gets_nothing(browser, more, status, error):
    back = await agree(browser)
    answer = await exchange(browser, back["code"], **more)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    "more", [{"client_id": "else"}, {"redirect_uri": "http://evil.example/"}, {"response_type": "token"}, {"scope": ""}]
)
async def test_nobody_is_sent_back_to_who_asks_wrongly(browser, more):
    shown = await browser.get("/o/oauth2/v2/auth", params=ASKED | more)

    assert shown.status_code == 400
    assert "Accès bloqué" in shown.text


async def test_a_refresh_token_comes_with_the_first_consent_or_a_renewed_one(browser):
    first = (await exchange(browser, (await agree(browser))["code"])).json()
    second = (await exchange(browser, (await agree(browser))["code"])).json()
    renewed = (await exchange(browser, (await agree(browser, prompt="consent"))["code"])).json()

    assert ["refresh_token" in each for each in (first, second, renewed)] == [True, False, True]


async def test_a_refreshed_token_works_and_the_refresh_token_stays(browser, clock):
    tokens = (await exchange(browser, (await agree(browser))["code"])).json()
    clock.now += 3600
    expired = await calendars(browser, tokens["access_token"])
    fresh = (await refresh(browser, tokens["refresh_token"])).json()

    assert expired.status_code == 401
    assert (await calendars(browser, fresh["access_token"])).status_code == 200
    assert "refresh_token" not in fresh


async def test_a_refresh_token_that_was_rotated_is_good_no_more(browser, sandbox):
    sandbox.google.people.rotates = True
    tokens = (await exchange(browser, (await agree(browser))["code"])).json()
    fresh = (await refresh(browser, tokens["refresh_token"])).json()
    again = await refresh(browser, tokens["refresh_token"])

    assert fresh["refresh_token"] != tokens["refresh_token"]
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await refresh(browser, fresh["refresh_token"])).status_code == 200


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_revoking_either_token_ends_the_agreement(browser, which):
    tokens = (await exchange(browser, (await agree(browser))["code"])).json()
    revoked = await browser.post("/revoke", data={"token": tokens[which]})
    again = await browser.post("/revoke", data={"token": tokens[which]})

    assert (revoked.status_code, again.status_code) == (200, 400)
    assert (await calendars(browser, tokens["access_token"])).status_code == 401
    assert (await refresh(browser, tokens["refresh_token"])).json()["error"] == "invalid_grant"
