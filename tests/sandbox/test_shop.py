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
        {
            "status": "DELIVERED",
            "nextAttemptAt": None,
            "partner": {"name": "Mon Partenaire"},
            "attempts": [{"statusCode": 200}],
        }
    ],
}
TOLD = ORDER["notifications"][0]


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
            code, message, field = answer
            error = {"message": message, "extensions": {"code": code, "field": field}}
            return httpx.Response(200, json={"errors": [error], "data": None})
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
    assert "Commander «&nbsp;Bilan express&nbsp;»" in chosen.text


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
    api.answers["CreateClient"] = ("CONFLICT", "This client exists.", "input.email")
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
    api.answers["CreateOrder"] = ("INVALID", "A quantity is 1 to 9999.", "input.lines.0.quantity")

    page = await browser.post("/shop", data=FORM | {"quantity": "0"})

    assert page.status_code == 400
    assert "Cette quantité n’est pas possible." in page.text
    assert "A quantity is 1 to 9999." in page.text
    assert 'value="m@example.com"' in page.text


@pytest.mark.parametrize(
    ("code", "field", "said"),
    [
        ("INVALID", "input.email", "Cette adresse e-mail n’est pas valable."),
        ("INVALID", "input.unheardOf", "Un des renseignements n’est pas valable."),
        ("UNAVAILABLE", "", "Un service extérieur ne répond pas."),
        ("NOT_CONFIGURED", "", "il manque un réglage à Comptoir"),
        ("LIMITED", "", "Patientez un instant"),
        ("UNHEARD_OF", "", "Comptoir a rencontré une erreur."),
    ],
)
async def test_the_api_s_refusals_are_said_in_french(api, browser, code, field, said):
    api.answers["CreateClient"] = (code, "The API's own words.", field)

    page = await browser.post("/shop", data=FORM)

    assert said in page.text
    assert '<span lang="en">The API&#39;s own words.</span>' in page.text


async def test_an_order_that_is_paid_already_is_not_paid_again(api, browser):
    api.answers["StartCheckout"] = ("CONFLICT", "This order is paid.", "input.order")

    page = await browser.post("/shop/pay/T3JkZXI6Nw%3D%3D")

    assert page.status_code == 409
    assert "Ce n’est plus possible dans l’état actuel de la commande." in page.text


async def test_an_unknown_order_is_not_found(api, browser):
    api.order = None

    page = await browser.get("/shop/orders/nothing")

    assert page.status_code == 404
    assert "<title>Introuvable · Bac à sable</title>" in page.text


async def test_french_pages_have_a_french_bar_and_english_ones_an_english_one(browser):
    french = await browser.get("/shop")
    english = await browser.get("/partner")

    for label in ("Bac à sable", "Boutique", "Événements Stripe", "E-mails", "Partenaire"):
        assert f">{label}</a>" in french.text
    for label in ("Sandbox", "Shop", "Stripe events", "Mail", "Partner"):
        assert f">{label}</a>" in english.text
    assert ('<html lang="fr">' in french.text, '<html lang="en">' in english.text) == (True, True)


async def test_an_unknown_address_is_a_page_that_leads_back(browser):
    page = await browser.get("/nowhere")

    assert page.status_code == 404
    assert "Nothing here" in page.text
    assert 'href="/"' in page.text


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
    api.order = ORDER | {"notifications": [TOLD | {"status": "FAILED", "attempts": [{"statusCode": 500}] * 3}]}

    page = await browser.get("/shop/orders/T3JkZXI6Nw%3D%3D")

    assert "pas prévenu, après 3 tentatives" in page.text
    assert 'class="failed"' in page.text
    assert 'Presque tout est fait : <a href="/partner">le partenaire</a> a refusé.' in page.text
    assert "Tout est fait. Merci" not in page.text


async def test_a_partner_to_be_tried_again_shows_when(api, browser):
    due = datetime(2026, 11, 20, 10, 5, 7, tzinfo=UTC)
    retried = {"status": "PENDING", "nextAttemptAt": due.isoformat(), "attempts": [{"statusCode": 500}]}
    api.order = ORDER | {"notifications": [TOLD | retried]}

    page = await browser.get("/shop/orders/T3JkZXI6Nw%3D%3D")

    assert f"nouvel essai le {due.astimezone():%-d nov. à %H:%M:%S}, après 1 tentative" in page.text
    assert '<a href="/partner">Voir ce qu’il a reçu</a>' in page.text


async def test_a_free_order_has_nothing_to_pay(api, browser):
    api.order = ORDER | {"total": {"amount": 0, "formatted": "0,00 €"}, "invoices": []}

    page = await browser.get("/shop/orders/T3JkZXI6Nw%3D%3D")

    assert "Rien à payer" in page.text
    assert "Paiement" not in page.text


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
