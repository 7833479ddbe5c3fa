"""Cookies: kept by the browser where no script reads them, used by pages of allowed origins and by no other."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from models import Session, User
from tests.documents import SIGN_IN
from tests.identity.accounts import CONFIRM, ME, REFRESH, SIGN_OUT, sign_in
from tests.security.surroundings import installed_with, nothing_changes
from tests.shop import PASSWORD, Shop

APP = "https://app.example.com"
ELSEWHERE = "https://evil.example.com"
ACCESS, REFRESHING = "comptoir-access", "comptoir-refresh"
PROFILE = "mutation ($input: ProfileUpdateInput!) { profileUpdate(input: $input) { user { id } } }"
NOT_ALLOWED = "A cookie is good from our own pages only. Add the page's origin to ALLOWED_ORIGINS."


@dataclass
class Browser:
    """A page of an origin, with the cookies that the browser keeps for the API."""

    shop: Shop
    origin: str | None = APP
    cookies: dict[str, str] = field(default_factory=dict)
    answers: list[httpx.Response] = field(default_factory=list)

    async def ask(self, document: str, input: Any = None, **headers: str) -> dict[str, Any]:
        """The whole answer, once its cookies are kept."""
        sent = {"Origin": self.origin} if self.origin else {}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = {"query": document, "variables": {"input": input} if input is not None else {}}
        response = await self.shop.http.post("/graphql", json=body, headers=sent | headers)
        self.keep(response)
        return dict(response.json())

    def keep(self, response: httpx.Response) -> None:
        self.answers.append(response)
        self.shop.http.cookies.clear()
        for name, morsel in set_by(response).items():
            self.cookies[name] = morsel.value
            if morsel["max-age"] == "0":
                del self.cookies[name]

    async def sign_in(self) -> dict[str, Any]:
        return await self.ask(SIGN_IN, {"email": self.shop.email, "password": PASSWORD, "byCookie": True})


def set_by(response: httpx.Response) -> SimpleCookie:
    found = SimpleCookie()
    for header in response.headers.get_list("set-cookie"):
        found.load(header)
    return found


@pytest.fixture
async def browser(shop: Shop) -> AsyncIterator[Browser]:
    """A page of an allowed origin, nobody signed in."""
    async with installed_with(shop, allowed_origins=(APP,)) as installed:
        yield Browser(replace(installed, token=""))


def code_of(answer: dict[str, Any]) -> str:
    (error,) = answer["errors"]
    return str(error["extensions"]["code"])


async def test_the_tokens_are_in_cookies_and_nowhere_else(browser: Browser) -> None:
    answer = await browser.sign_in()

    assert answer["data"]["signIn"]["__typename"] == "SignedInByCookie"
    body = browser.answers[-1].text
    for name, most in ((ACCESS, 15 * 60), (REFRESHING, 30 * 86_400)):
        assert browser.cookies[name] not in body
        morsel = set_by(browser.answers[-1])[name]
        assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Strict", "/")
        assert most - 60 < int(morsel["max-age"]) <= most
        assert (morsel["secure"], morsel["domain"]) == ("", "")
    assert (await Session.all().order_by("-id").first()).by_cookie  # type: ignore[union-attr]


async def test_over_https_they_are_bound_to_this_host(shop: Shop) -> None:
    async with installed_with(shop, app_url="https://comptoir.test", allowed_origins=(APP,)) as installed:
        browser = Browser(replace(installed, token=""))
        await browser.sign_in()

        headers = browser.answers[-1].headers.get_list("set-cookie")
        assert [header.partition("=")[0] for header in headers] == ["__Host-comptoir-access", "__Host-comptoir-refresh"]
        for header in headers:
            assert header.endswith("; HttpOnly; SameSite=Strict; Secure")
            assert "; Path=/;" in header
            assert "Domain" not in header
        assert (await browser.ask(ME))["data"]["me"]["role"] == "OWNER"


async def test_a_page_of_an_allowed_origin_or_of_ours_calls_by_cookie(browser: Browser) -> None:
    await browser.sign_in()

    for origin in (APP, "http://comptoir.test"):
        browser.origin = origin
        assert (await browser.ask(ME))["data"]["me"]["user"]["email"] == browser.shop.email
    assert "errors" not in await browser.ask(PROFILE, {"firstName": "Maël"})
    assert (await User.get(email=browser.shop.email)).first_name == "Maël"


@pytest.mark.parametrize(
    "origin", [ELSEWHERE, "null", None, "https://app.example.com.evil.com", "http://app.example.com"]
)
async def test_a_page_of_another_origin_or_of_none_does_nothing_by_cookie(browser: Browser, origin: str | None) -> None:
    await browser.sign_in()
    browser.origin = origin

    async with nothing_changes(browser.shop):
        for document, input in ((ME, None), (PROFILE, {"firstName": "Maël"}), (SIGN_OUT, None), (REFRESH, None)):
            answer = await browser.ask(document, input)
            assert (code_of(answer), answer["errors"][0]["message"]) == ("FORBIDDEN", NOT_ALLOWED)
        del browser.cookies[ACCESS]
        assert code_of(await browser.ask(REFRESH)) == "FORBIDDEN"
        browser.cookies.clear()
        assert code_of(await browser.sign_in()) == "FORBIDDEN"
        assert (
            code_of(await browser.ask(CONFIRM, {"token": "x", "password": PASSWORD, "byCookie": True})) == "FORBIDDEN"
        )


async def test_only_allowed_origins_are_told_that_they_may_use_cookies(browser: Browser) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-organization"}
    for origin, may in ((APP, True), ("http://comptoir.test", True), (ELSEWHERE, False), ("null", False)):
        browser.origin = origin
        await browser.ask("{ __typename }")
        preflight = await browser.shop.http.options("/graphql", headers={"Origin": origin} | asked)
        for response in (browser.answers[-1], preflight):
            assert response.status_code == 200
            assert response.headers["access-control-allow-origin"] == (origin if may else "*")
            assert response.headers.get("access-control-allow-credentials") == ("true" if may else None)
            assert not may or "Origin" in response.headers["vary"]


async def test_a_refresh_by_cookie_gives_the_next_two(browser: Browser) -> None:
    await browser.sign_in()
    first = dict(browser.cookies)
    del browser.cookies[ACCESS]  # as a browser does once it is too old

    answer = await browser.ask(REFRESH)

    assert answer["data"]["sessionRefresh"]["__typename"] == "SignedInByCookie"
    assert browser.cookies[REFRESHING] != first[REFRESHING]
    assert (await browser.ask(ME))["data"]["me"]
    await browser.shop.sql("UPDATE sessions SET refreshed_at = refreshed_at - interval '1 minute'")
    thief = Browser(browser.shop, cookies=first)
    assert code_of(await thief.ask(REFRESH)) == "UNAUTHENTICATED"
    assert thief.cookies == {}
    assert code_of(await browser.ask(ME)) == "UNAUTHENTICATED"


async def test_who_signs_out_keeps_no_cookie(browser: Browser) -> None:
    await browser.sign_in()
    kept = dict(browser.cookies)

    await browser.ask(SIGN_OUT)

    assert browser.cookies == {}
    browser.cookies = kept
    assert code_of(await browser.ask(ME)) == "UNAUTHENTICATED"


async def test_a_bearer_wins_over_a_cookie_and_changes_none(browser: Browser) -> None:
    other = await Shop.open(browser.shop.http, browser.shop.sandbox, slug="other")
    await browser.sign_in()
    browser.origin = ELSEWHERE
    bearer = {"Authorization": f"Bearer {other.token}"}

    assert (await browser.ask(ME, **bearer))["data"]["me"]["user"]["email"] == other.email
    assert "errors" not in await browser.ask(SIGN_OUT, **bearer)

    assert "set-cookie" not in browser.answers[-1].headers
    browser.origin = APP
    assert (await browser.ask(ME))["data"]["me"]["user"]["email"] == browser.shop.email


async def test_an_address_opened_with_cookies_changes_nothing(browser: Browser) -> None:
    await browser.sign_in()
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

    async with nothing_changes(browser.shop):
        for document in (SIGN_OUT, 'mutation { profileUpdate(input: {firstName: "Maël"}) { user { id } } }'):
            for headers in ({"Origin": APP}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}, {}):
                response = await browser.shop.http.get(
                    "/graphql", params={"query": document}, headers=headers | {"Cookie": cookie}
                )
                assert "errors" in response.json()
                assert "set-cookie" not in response.headers


async def test_what_else_a_browser_sends_spoils_no_cookie(browser: Browser) -> None:
    await browser.sign_in()

    for other in ({"bad[]name": "1"}, {"json": '{"a":"b,c"}'}, {"x": "y" * 20_000}, {"": ""}):
        before = dict(browser.cookies)
        browser.cookies = {**other, **before}
        assert "errors" not in await browser.ask(ME), str(other)[:40]
        browser.cookies = before


async def test_tokens_for_who_asked_for_them_are_in_no_cookie(browser: Browser) -> None:
    await sign_in(browser.shop)
    answer = await browser.ask(SIGN_IN, {"email": browser.shop.email, "password": PASSWORD})

    assert answer["data"]["signIn"]["accessToken"]
    assert "set-cookie" not in browser.answers[-1].headers
