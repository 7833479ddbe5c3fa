"""The explorer: what its page and files promise, then used in a real browser as a newcomer would."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain

import httpx
import pytest
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from strawberry.asgi import GraphQL

from engine.graphiql import STATIC, Tab, assets, explorer
from errors import Unauthenticated
from tests.browser import EXECUTABLE, Browser, Page
from tests.http.served import served

in_a_browser = pytest.mark.skipif(EXECUTABLE is None, reason="Chromium is not installed")

SIGN_IN = "mutation SignIn($email: String!) {\n  signIn(email: $email) {\n    accessToken\n  }\n}"
EXAMPLES = (
    Tab(SIGN_IN, {"email": "camille@comptoir.example"}),
    Tab("query Orders {\n  orders\n}"),
)

RESPONSE = "document.querySelector('.result-window').innerText"
SESSION = "document.querySelector('.session').innerText"
STORED = "JSON.stringify({...localStorage})"
TABS = "[...document.querySelectorAll('.graphiql-tab')].map(tab => tab.innerText.trim())"
RUN = ".graphiql-execute-button"


async def test_the_page_and_its_files_allow_no_inline_script_and_no_other_origin() -> None:
    policies = [_directives(answer) for answer in (await _get("/graphql"), await _get("/graphiql/start.js"))]

    for policy in policies:
        assert policy["default-src"] == ["'none'"]
        assert policy["script-src"] == policy["connect-src"] == ["'self'"]
        assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & {*chain(*policy.values())}


async def test_the_page_refers_to_nothing_outside_itself() -> None:
    page = (await _get("/graphql")).text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert "http:" not in page
    assert "https:" not in page
    assert len(files) == 9
    for file in files:
        assert (await _get(file)).status_code == 200, file


async def test_the_files_are_kept_by_browsers_and_the_page_is_not() -> None:
    assert (await _get("/graphiql/start.css")).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (await _get("/graphql")).headers["Cache-Control"] == "no-cache"


async def test_only_the_static_files_are_served() -> None:
    assert (await _get("/graphiql/../__init__.py")).status_code == 404
    assert (await _get("/graphiql/%2e%2e/page.html")).status_code == 404


def test_an_example_cannot_end_the_script_element_that_carries_it() -> None:
    page = bytes(explorer("/graphql", tabs=[Tab("# </script><script>alert(1)</script>")]).body).decode()

    [config] = re.findall(r'id="config">(.*?)</script>', page)
    assert json.loads(config)["tabs"][0]["query"] == "# </script><script>alert(1)</script>"


def test_the_vendored_files_are_the_ones_listed() -> None:
    vendor = STATIC / "vendor"
    listed = re.findall(r"^\| `(\S+)` .* `(\S+)` \|$", (vendor / "README.md").read_text(), re.MULTILINE)

    assert {name for name, _ in listed} == {str(file.relative_to(vendor)) for file in vendor.glob("*/*.*s")}
    for name, sha384 in listed:
        assert base64.b64encode(hashlib.sha384((vendor / name).read_bytes()).digest()).decode() == sha384, name


@in_a_browser
async def test_a_newcomer_signs_in_and_lists_the_orders() -> None:
    async with _explorer() as page:
        assert await page.until(TABS) == ["SignIn", "Orders"]
        assert await page.evaluate("document.title") == "Comptoir · GraphiQL"

        await page.click(RUN)
        await page.until(f"{SESSION}.includes('Signed in as camille@comptoir.example')")
        await _show_orders(page)
        await page.click(".graphiql-query-editor .CodeMirror")
        await page.press("Enter", ctrl=True)
        await page.until(f"{RESPONSE}.includes('BC-0042')")

        await page.click(".session button")
        await page.until(f"{SESSION}.includes('Not signed in')")
        await page.click(RUN)
        await page.until(f"{RESPONSE}.includes('Sign in first')")


@in_a_browser
async def test_a_token_that_is_no_longer_good_is_forgotten() -> None:
    async with _explorer() as page:
        session = json.dumps({"token": "expired", "who": "camille@comptoir.example"})
        await page.evaluate(f"sessionStorage.setItem('comptoir:session', {json.dumps(session)})")
        await page.open(page.requests[0])
        await page.until(f"{SESSION}.includes('Signed in as camille@comptoir.example')")

        await _show_orders(page)
        await page.click(RUN)
        await page.until(f"{SESSION}.includes('Not signed in')")


@in_a_browser
async def test_an_authorization_header_of_ones_own_comes_first() -> None:
    async with _explorer() as page:
        await page.click(RUN)
        await page.until(f"{SESSION}.includes('Signed in')")
        await _show_orders(page)

        await _write_headers(page, '{"Authorization": "Bearer mine"}')
        await page.click(RUN)
        await page.until(f"{RESPONSE}.includes('Sign in first')")


@in_a_browser
async def test_headers_of_ones_own_are_forgotten_with_the_page() -> None:
    async with _explorer() as page:
        kept = {"query": "{ orders }", "headers": "Bearer mine"}
        earlier = {
            "graphiql:headers": "Bearer mine",
            "graphiql:queries": json.dumps({"queries": [kept]}),
            "graphiql:tabState": json.dumps({"tabs": [kept | {"id": "a", "title": "b"}], "activeTabIndex": 0}),
        }
        for name, value in earlier.items():
            await page.evaluate(f"localStorage.setItem('comptoir:{name}', {json.dumps(value)})")
        await page.open(page.requests[0])
        await page.until(f"document.querySelector('{RUN}')")
        await page.until(f"!({STORED}).includes('Bearer mine') && ({STORED}).includes('orders')")

        await _write_headers(page, '{"Authorization": "Bearer mine"}')
        await page.click(RUN)
        await page.until(f"{RESPONSE}.includes('Sign in first')")
        await page.until("JSON.parse(localStorage.getItem('comptoir:graphiql:queries')).queries.length > 1")
        assert "Bearer mine" not in await page.evaluate(STORED)


@in_a_browser
async def test_a_link_opens_its_query_and_a_reload_adds_no_tab() -> None:
    async with _explorer("?query=query%20Linked%20%7B%20orders%20%7D") as page:
        tabs = await page.until(TABS)
        assert tabs == ["Linked", "SignIn", "Orders"]
        # GraphiQL writes tabs down half a second later.
        await page.until("localStorage.getItem('comptoir:graphiql:tabState')?.includes('Linked')")

        await page.open(page.requests[0])
        assert await page.until(TABS) == tabs
        await page.open(page.requests[0].partition("?")[0])
        assert await page.until(TABS) == tabs


@in_a_browser
async def test_dialogs_menus_and_panels_break_no_rule_of_the_page() -> None:
    async with _explorer("?query=query%20One%20%7B%20orders%20%7D%20query%20Two%20%7B%20orders%20%7D") as page:
        for opener, closer in {
            "[aria-label='Open settings dialog']": ".graphiql-dialog-close",
            "[aria-label='Open short keys dialog']": ".graphiql-dialog-close",
            RUN: "[role=menuitem]",
        }.items():
            await page.click(opener)
            await page.click(closer)
            await page.until(f"!document.querySelector('{closer}')")
        for panel, shown in {
            "Documentation Explorer": ".graphiql-doc-explorer",
            "History": ".graphiql-history",
            "GraphiQL Explorer": ".graphiql-explorer-root",
        }.items():
            await page.click(f"[aria-label='Show {panel}']")
            await page.until(f"document.querySelector('{shown}')")


@strawberry.type
class Session:
    access_token: str


@strawberry.type
class Query:
    @strawberry.field
    def orders(self, info: strawberry.Info) -> list[str]:
        if info.context["request"].headers.get("Authorization") != "Bearer camille@comptoir.example's":
            raise Unauthenticated("Sign in first")
        return ["BC-0042", "BC-0041"]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def sign_in(self, email: str) -> Session:
        return Session(access_token=f"{email}'s")


def _page(request: Request) -> Response:
    return explorer("/graphql", tabs=EXAMPLES)


app = Starlette(
    routes=[
        Route("/graphql", _page),
        Route("/graphql", GraphQL(strawberry.Schema(Query, Mutation)), methods=["POST"]),
        Mount("/graphiql", assets),
    ]
)


async def _get(path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://comptoir.example") as client:
        return await client.get(path)


def _directives(answer: httpx.Response) -> dict[str, list[str]]:
    policy = answer.headers["Content-Security-Policy"].split(";")
    return {name: sources for name, *sources in map(str.split, policy)}


@asynccontextmanager
async def _explorer(search: str = "") -> AsyncIterator[Page]:
    """The page, ready. Afterwards: the console is clean and every request went to our own server."""
    async with served(app) as port, Browser() as browser:
        address = f"http://127.0.0.1:{port}"
        page = await browser.open(f"{address}/graphql{search}")
        await page.until(f"document.querySelector('{RUN}')")
        yield page
        assert page.console == []
        assert {request for request in page.requests if not request.startswith(f"{address}/")} == set()


async def _show_orders(page: Page) -> None:
    """Go to the second tab. GraphiQL shows it at once, and takes its operation's name a moment later."""
    await page.click(".graphiql-tab:nth-of-type(2) .graphiql-tab-button")
    await page.until("localStorage.getItem('comptoir:graphiql:operationName') === 'Orders'")


async def _write_headers(page: Page, text: str) -> None:
    await page.click(".graphiql-editor-tools button:nth-of-type(2)")
    await page.click(".graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror")
    await page.type(text)
