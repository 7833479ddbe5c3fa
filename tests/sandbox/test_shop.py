"""The shop's pages, in front of a GraphQL API made of prepared answers."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox import Sandbox, ShopClient

PRODUCT = {
    "id": "UHJvZHVjdDox",
    "name": "Bilan express",
    "description": "12 heures",
    "price": {"amount": 120000, "currency": "EUR", "formatted": "1 200,00 €"},
}
ORDER = {
    "id": "T3JkZXI6Nw==",
    "number": 7,
    "status": "PAID",
    "paidAt": "2026-11-20T10:00:00Z",
    "total": {"amount": 120000, "formatted": "1 200,00 €"},
    "invoices": [
        {"number": "FQCA-2026-000001", "pdfUrl": "http://api.test/files/1", "emailedAt": "2026-11-20T10:00:05Z"}
    ],
    "notifications": [
        {"status": "DELIVERED", "partner": {"name": "Mon Partenaire"}, "attempts": [{"statusCode": 200}]}
    ],
}


class Api:
    """Answers by operation name; the tokens it gave are good until `forget`."""

    def __init__(self):
        self.asked = []
        self.tokens = 0
        self.good = ""
        self.order = ORDER
        self.answers = {
            "Products": {"products": {"nodes": [PRODUCT]}},
            "CreateClient": {"clientCreate": {"client": {"id": "Q2xpZW50OjE="}}},
            "CreateOrder": {"orderCreate": {"order": {"id": ORDER["id"], "number": 7}}},
            "StartCheckout": {"checkoutStart": {"__typename": "CheckoutStarted", "url": "http://pay.test/cs_1"}},
        }

    def __call__(self, request):
        body = json.loads(request.content)
        name = body["query"].split()[1].partition("(")[0]
        self.asked.append((name, body["variables"]))
        if name == "SignIn":
            self.tokens += 1
            self.good = f"Bearer token-{self.tokens}"
            expires = (datetime.now(UTC) + timedelta(minutes=15)).isoformat()
            return self._data({"signIn": {"accessToken": f"token-{self.tokens}", "expiresAt": expires}})
        if request.headers.get("authorization") != self.good:
            error = {"message": "Sign in first.", "extensions": {"code": "UNAUTHENTICATED"}}
            return httpx.Response(200, json={"errors": [error], "data": None})
        if name == "Order":
            return self._data({"order": self.order})
        answer = self.answers[name]
        if isinstance(answer, tuple):
            code, message = answer
            return httpx.Response(
                200, json={"errors": [{"message": message, "extensions": {"code": code}}], "data": None}
            )
        return self._data(answer)

    def _data(self, data):
        return httpx.Response(200, json={"data": data})


@pytest.fixture
def api():
    return Api()


@pytest.fixture
async def browser(api):
    shop = ShopClient("http://api.test", "demo@example.com", "secret", transport=httpx.MockTransport(api))
    async with Sandbox(shop=shop) as sandbox, httpx.AsyncClient(base_url=sandbox.url) as browser:
        yield browser


FORM = {
    "product": PRODUCT["id"],
    "first_name": "Marie",
    "last_name": "Martin",
    "email": "m@example.com",
    "quantity": "2",
}


async def test_products_are_shown_and_one_can_be_chosen(browser):
    page = await browser.get("/shop")
    chosen = await browser.get("/shop", params={"product": PRODUCT["id"]})

    assert "Bilan express" in page.text
    assert "1 200,00 €" in page.text
    assert "Commander « Bilan express »" in chosen.text


async def test_buying_leads_to_the_payment_page(api, browser):
    answer = await browser.post("/shop", data=FORM)

    assert (answer.status_code, answer.headers["location"]) == (303, "http://pay.test/cs_1")
    asked = dict(api.asked)
    assert asked["CreateClient"]["input"] == {"email": "m@example.com", "firstName": "Marie", "lastName": "Martin"}
    assert asked["CreateOrder"]["input"]["lines"] == [{"product": PRODUCT["id"], "quantity": 2}]
    back = asked["StartCheckout"]["input"]
    assert back["successUrl"].endswith("/shop/orders/T3JkZXI6Nw%3D%3D?seen=0")
    assert back["cancelUrl"].endswith("/shop/orders/T3JkZXI6Nw%3D%3D")


async def test_a_known_client_buys_again(api, browser):
    api.answers["CreateClient"] = ("CONFLICT", "Ce client existe déjà.")
    api.answers["NewestClients"] = {
        "clients": {"nodes": [{"id": "a", "email": "x@example.com"}, {"id": "b", "email": "m@example.com"}]}
    }

    answer = await browser.post("/shop", data=FORM | {"email": "M@example.com"})

    assert answer.status_code == 303
    assert dict(api.asked)["CreateOrder"]["input"]["client"] == "b"


async def test_a_free_order_needs_no_payment_page(api, browser):
    api.answers["StartCheckout"] = {"checkoutStart": {"__typename": "OrderCompleted", "order": {"id": ORDER["id"]}}}

    answer = await browser.post("/shop", data=FORM)

    assert answer.headers["location"].endswith("/shop/orders/T3JkZXI6Nw%3D%3D")


async def test_a_refusal_is_shown_with_what_was_typed(api, browser):
    api.answers["CreateOrder"] = ("INVALID", "La quantité doit être au moins 1.")

    page = await browser.post("/shop", data=FORM | {"quantity": "0"})

    assert page.status_code == 400
    assert "La quantité doit être au moins 1." in page.text
    assert 'value="m@example.com"' in page.text


async def test_a_finished_order_shows_every_step_and_stops_refreshing(browser):
    page = await browser.get("/shop/orders/T3JkZXI6Nw%3D%3D")

    for shown in ("Commande n° 7", "FQCA-2026-000001", "http://api.test/files/1", "facture jointe", "Mon Partenaire"):
        assert shown in page.text
    assert "http-equiv" not in page.text


async def test_an_unfinished_order_refreshes_itself_for_a_minute_at_most(api, browser):
    api.order = ORDER | {"status": "OPEN", "invoices": [], "notifications": []}

    first = await browser.get("/shop/orders/T3JkZXI6Nw%3D%3D", params={"seen": "0"})
    last = await browser.get("/shop/orders/T3JkZXI6Nw%3D%3D", params={"seen": "30"})

    assert 'content="2;url=/shop/orders/T3JkZXI6Nw%3D%3D?seen=1"' in first.text
    assert "http-equiv" not in last.text
    assert "Payer cette commande" not in first.text
    assert "Payer cette commande" in last.text


async def test_who_gave_up_paying_can_pay_from_the_order(api, browser):
    api.order = ORDER | {"status": "OPEN", "invoices": [], "notifications": []}

    page = await browser.get("/shop/orders/T3JkZXI6Nw%3D%3D")
    paying = await browser.post("/shop/pay/T3JkZXI6Nw%3D%3D")

    assert "http-equiv" not in page.text
    assert "Payer cette commande" in page.text
    assert paying.headers["location"] == "http://pay.test/cs_1"


async def test_a_partner_that_was_not_told_is_marked(api, browser):
    failed = {"status": "FAILED", "partner": {"name": "Mon Partenaire"}, "attempts": [{"statusCode": 500}] * 3}
    api.order = ORDER | {"notifications": [failed]}

    page = await browser.get("/shop/orders/T3JkZXI6Nw%3D%3D")

    assert "pas prévenu, après 3 tentatives" in page.text
    assert 'class="failed"' in page.text


async def test_it_signs_in_once_and_again_when_its_token_is_no_longer_good(api, browser):
    await browser.get("/shop")
    await browser.get("/shop")
    assert api.tokens == 1

    api.good = "Bearer something else"
    page = await browser.get("/shop")

    assert (page.status_code, api.tokens) == (200, 2)


async def test_without_comptoir_the_shop_says_so():
    shop = ShopClient("http://127.0.0.1:9", "demo@example.com", "secret")
    async with Sandbox(shop=shop) as sandbox, httpx.AsyncClient(base_url=sandbox.url) as browser:
        unreachable = await browser.get("/shop")
    async with Sandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.url) as browser:
        closed = await browser.get("/shop")

    assert (unreachable.status_code, "ne répond pas" in unreachable.text) == (502, True)
    assert (closed.status_code, "--api-url" in closed.text) == (503, True)
