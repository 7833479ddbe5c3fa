"""The shop's pages, in front of a GraphQL API made of prepared answers."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox import Sandbox, ShopClient

KEY, LOGIN = "pk_test_0123456789abcdef", ("owner@example.com", "secret")
PRODUCT = {
    "id": "UHJvZHVjdDox",
    "name": "Bilan express",
    "description": "12 heures",
    "interval": None,
    "intervalCount": None,
    "price": {"amount": 120000, "currency": "EUR", "formatted": "1 200,00 €"},
}
ORDER = {
    "id": "T3JkZXI6Nw==",
    "number": 7,
    "kind": "PRODUCTS",
    "status": "PAID",
    "payUrl": None,
    "discount": {"amount": 0, "formatted": "0,00 €"},
    "discountReason": None,
    "total": {"amount": 120000, "formatted": "1 200,00 €"},
    "payments": [{"status": "SUCCEEDED"}],
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
OPEN = ORDER | {
    "status": "OPEN",
    "payUrl": "http://api.test/pay/token",
    "payments": [],
    "invoices": [],
    "notifications": [],
}
AS_OWNER = ("Order", "StartIntent")


class Api:
    """Answers by operation name: what a storefront asks to its key and origin alone, the rest to the owner, whose
    tokens are good until `good` changes."""

    def __init__(self):
        self.asked = []
        self.origin = ""
        self.tokens = 0
        self.good = ""
        self.answers = {
            "Window": {"storefront": {"brandName": "ComptAppart"}, "products": {"nodes": [PRODUCT]}},
            "StartCheckout": {"checkoutStart": {"orderNumber": 7, "url": "http://pay.test/cs_1"}},
            "StartIntent": {"paymentIntentStart": {"clientSecret": "pi_1_secret_2"}},
        }
        self.order = ORDER

    @property
    def order(self):
        return self.answers["Order"]["orders"]["nodes"][0]

    @order.setter
    def order(self, order):
        self.answers["Order"] = {"orders": {"nodes": [order] if order else []}}

    def __call__(self, request):
        body = json.loads(request.content)
        name = body["query"].split()[1].partition("(")[0]
        self.asked.append((name, body["variables"]))
        if name == "SignIn":
            self.tokens += 1
            self.good = f"Bearer token-{self.tokens}"
            expires = (datetime.now(UTC) + timedelta(minutes=15)).isoformat()
            return self._data({"signIn": {"accessToken": f"token-{self.tokens}", "expiresAt": expires}})
        if name in AS_OWNER and request.headers.get("authorization") != self.good:
            return self._error("UNAUTHENTICATED", "Sign in first.")
        if name not in AS_OWNER:
            shown = (request.headers.get("authorization"), request.headers.get("origin"))
            assert shown == (f"Bearer {KEY}", self.origin)
        answer = self.answers[name]
        return self._error(*answer) if isinstance(answer, tuple) else self._data(answer)

    def _data(self, data):
        return httpx.Response(200, json={"data": data})

    def _error(self, code, message, field=None):
        error = {"message": message, "extensions": {"code": code, "field": field or ""}}
        return httpx.Response(200, json={"errors": [error], "data": None})


@pytest.fixture
def api():
    return Api()


@pytest.fixture
async def browser(api):
    shop = ShopClient("http://api.test", KEY, *LOGIN, transport=httpx.MockTransport(api))
    async with Sandbox(shop=shop) as sandbox, httpx.AsyncClient(base_url=sandbox.url) as browser:
        api.origin = sandbox.url
        yield browser


FORM = {
    "product": PRODUCT["id"],
    "first_name": "Marie",
    "last_name": "Martin",
    "email": "m@example.com",
    "quantity": "2",
    "code": "",
}


async def bought(api, browser, **changes):
    """The address of the page of an order that was just made."""
    await browser.post("/shop", data=FORM | changes)
    back = [variables["input"]["cancelUrl"] for name, variables in api.asked if name == "StartCheckout"][-1]
    return back.removeprefix(api.origin)


async def test_what_recurs_says_how_often_and_is_subscribed_to_on_the_page_of_stripe(browser, api):
    recurring = PRODUCT | {"interval": "MONTH", "intervalCount": 3}
    api.answers["Window"]["products"]["nodes"] = [recurring]

    page = await browser.get(f"/shop?product={recurring['id']}")

    assert "tous les 3 mois" in page.text
    assert "S’abonner sur la page de Stripe" in page.text
    assert "formulaire intégré" not in page.text


async def test_products_are_shown_and_one_can_be_chosen(browser):
    page = await browser.get("/shop")
    chosen = await browser.get("/shop", params={"product": PRODUCT["id"]})

    assert "ComptAppart, la boutique" in page.text
    assert "Bilan express" in page.text
    assert "1 200,00 €" in page.text
    assert "Commander «&nbsp;Bilan express&nbsp;»" in chosen.text


async def test_the_catalogue_and_the_checkout_are_asked_with_the_storefronts_key_alone(api, browser):
    await browser.get("/shop")
    await browser.post("/shop", data=FORM)

    assert [name for name, _ in api.asked] == ["Window", "StartCheckout"]
    assert api.tokens == 0


async def test_buying_leads_to_the_payment_page(api, browser):
    answer = await browser.post("/shop", data=FORM | {"code": "BIENVENUE10"})

    assert (answer.status_code, answer.headers["location"]) == (303, "http://pay.test/cs_1")
    asked = dict(api.asked)["StartCheckout"]["input"]
    cancel, success = asked.pop("cancelUrl"), asked.pop("successUrl")
    assert asked == {
        "lines": [{"product": PRODUCT["id"], "quantity": 2}],
        "email": "m@example.com",
        "firstName": "Marie",
        "lastName": "Martin",
        "discountCode": "BIENVENUE10",
    }
    assert cancel.startswith(f"{api.origin}/shop/orders/")
    assert success == f"{cancel}?seen=0"


async def test_buying_by_the_shops_own_form_leads_to_it_with_the_intents_secret(api, browser):
    answer = await browser.post("/shop", data=FORM | {"by": "form"})

    form = httpx.URL(answer.headers["location"])
    assert form.path == "/pay-intent/pi_1_secret_2"
    assert form.params["return_url"].endswith("?seen=0")
    assert dict(api.asked)["StartIntent"] == {"order": ORDER["id"]}


async def test_a_free_order_needs_no_payment_page(api, browser):
    api.answers["StartCheckout"] = {"checkoutStart": {"orderNumber": 7}}

    for by in ({}, {"by": "form"}):
        answer = await browser.post("/shop", data=FORM | by)
        assert answer.headers["location"].startswith(f"{api.origin}/shop/orders/")


async def test_a_refusal_is_shown_with_what_was_typed(api, browser):
    api.answers["StartCheckout"] = ("INVALID", "A quantity is 1 to 9999.", "input.lines.0.quantity")

    page = await browser.post("/shop", data=FORM | {"quantity": "0"})

    assert page.status_code == 400
    assert "Cette quantité n’est pas possible." in page.text
    assert "A quantity is 1 to 9999." in page.text
    assert 'value="m@example.com"' in page.text


@pytest.mark.parametrize(
    ("code", "field", "said"),
    [
        ("INVALID", "input.email", "Cette adresse e-mail n’est pas valable."),
        ("NOT_FOUND", "input.discountCode", "Ce code de réduction n’est pas valable, ou ne l’est plus."),
        ("CONFLICT", "input.discountCode", "Ce code de réduction n’est pas valable, ou ne l’est plus."),
        ("INVALID", "input.unheardOf", "Un des renseignements n’est pas valable."),
        ("UNAVAILABLE", "", "Un service extérieur ne répond pas."),
        ("NOT_CONFIGURED", "", "il manque un réglage à Comptoir"),
        ("LIMITED", "", "Patientez un instant"),
        ("UNHEARD_OF", "", "Comptoir a rencontré une erreur."),
    ],
)
async def test_the_api_s_refusals_are_said_in_french(api, browser, code, field, said):
    api.answers["StartCheckout"] = (code, "The API's own words.", field)

    page = await browser.post("/shop", data=FORM)

    assert said in page.text
    assert '<span lang="en">The API&#39;s own words.</span>' in page.text


async def test_an_order_that_is_paid_already_is_not_paid_again(api, browser):
    address = await bought(api, browser)
    api.answers["StartIntent"] = ("CONFLICT", "This order is paid.", "input.order")

    page = await browser.post(address, data={"by": "form"})

    assert page.status_code == 409
    assert "Ce n’est plus possible dans l’état actuel de la commande." in page.text


async def test_an_order_that_is_not_there_is_not_found(api, browser):
    address = await bought(api, browser)
    api.order = None

    for page in (await browser.get(address), await browser.get("/shop/orders/7"), await browser.post("/shop/orders/7")):
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


async def test_a_finished_order_shows_every_step_and_stops_refreshing(api, browser):
    page = await browser.get(await bought(api, browser))

    for shown in ("Commande n° 7", "FQCA-2026-000001", "http://api.test/files/1", "facture jointe", "Mon Partenaire"):
        assert shown in page.text
    assert "La facture est partie à m@example.com." in page.text
    assert "http-equiv" not in page.text


async def test_the_page_says_that_no_shop_sees_what_it_shows(api, browser):
    page = await browser.get(await bought(api, browser))

    assert "sa clé ne lit aucune commande" in page.text


async def test_an_unfinished_order_refreshes_itself_for_a_minute_at_most(api, browser):
    address = await bought(api, browser)
    api.order = OPEN

    first = await browser.get(address, params={"seen": "0"})
    last = await browser.get(address, params={"seen": "30"})

    assert f'content="2;url={address}?seen=1"' in first.text
    assert "http-equiv" not in last.text
    assert "Payer sur la page de Stripe" not in first.text
    assert "Payer sur la page de Stripe" in last.text


async def test_who_gave_up_paying_can_pay_from_the_order_with_the_same_cart(api, browser):
    address = await bought(api, browser)
    api.order = OPEN

    page = await browser.get(address)
    by_page = await browser.post(address)
    by_form = await browser.post(address, data={"by": "form"})

    assert "http-equiv" not in page.text
    assert "http://api.test/pay/token" in page.text
    assert by_page.headers["location"] == "http://pay.test/cs_1"
    assert by_form.headers["location"].startswith("/pay-intent/pi_1_secret_2?")
    carts = [variables["input"] for name, variables in api.asked if name == "StartCheckout"]
    assert carts == [carts[0]] * 3


async def test_a_debit_under_way_is_waited_for_and_not_paid_again(api, browser):
    address = await bought(api, browser)
    api.order = OPEN | {"payments": [{"status": "PROCESSING"}]}

    page = await browser.get(address)
    much_later = await browser.get(address, params={"seen": "30"})

    assert "prélèvement SEPA en cours" in page.text
    assert "http-equiv" in page.text
    assert "actualiser" in much_later.text
    assert "Payer" not in much_later.text


async def test_a_refused_payment_and_a_cancelled_order_are_shown_as_such(api, browser):
    address = await bought(api, browser)
    api.order = OPEN | {"payments": [{"status": "FAILED"}]}
    refused = await browser.get(address)
    api.order = OPEN | {"status": "CANCELED", "payUrl": None}
    canceled = await browser.get(address)

    assert "refusé, à recommencer" in refused.text
    assert "Payer sur la page de Stripe" in refused.text
    assert "Cette commande a été annulée." in canceled.text
    assert "Payer" not in canceled.text


async def test_a_discount_is_told(api, browser):
    address = await bought(api, browser)
    off = {"amount": 12000, "formatted": "120,00 €"}
    api.order = ORDER | {"discount": off, "discountReason": "Offre de bienvenue"}

    page = await browser.get(address)

    assert "remise de 120,00 € déduite (Offre de bienvenue)" in page.text


async def test_a_partner_that_was_not_told_is_marked(api, browser):
    address = await bought(api, browser)
    api.order = ORDER | {"notifications": [TOLD | {"status": "FAILED", "attempts": [{"statusCode": 500}] * 3}]}

    page = await browser.get(address)

    assert "pas prévenu, après 3 tentatives" in page.text
    assert 'class="failed"' in page.text
    assert 'Presque tout est fait : <a href="/partner">le partenaire</a> a refusé.' in page.text
    assert "Tout est fait. Merci" not in page.text


async def test_a_partner_to_be_tried_again_shows_when(api, browser):
    address = await bought(api, browser)
    due = datetime(2026, 11, 20, 10, 5, 7, tzinfo=UTC)
    retried = {"status": "PENDING", "nextAttemptAt": due.isoformat(), "attempts": [{"statusCode": 500}]}
    api.order = ORDER | {"notifications": [TOLD | retried]}

    page = await browser.get(address)

    assert f"nouvel essai le {due.astimezone():%-d nov. à %H:%M:%S}, après 1 tentative" in page.text
    assert '<a href="/partner">Voir ce qu’il a reçu</a>' in page.text


async def test_a_free_order_has_nothing_to_pay(api, browser):
    address = await bought(api, browser)
    api.order = ORDER | {"total": {"amount": 0, "formatted": "0,00 €"}, "payments": [], "invoices": []}

    page = await browser.get(address)

    assert "Rien à payer" in page.text
    assert "Paiement" not in page.text


async def test_it_signs_in_once_and_again_when_its_token_is_no_longer_good(api, browser):
    address = await bought(api, browser)
    await browser.get(address)
    await browser.get(address)
    assert api.tokens == 1

    api.good = "Bearer something else"
    page = await browser.get(address)

    assert (page.status_code, api.tokens) == (200, 2)


async def test_without_comptoir_the_shop_says_so():
    shop = ShopClient("http://127.0.0.1:9", KEY, *LOGIN)
    async with Sandbox(shop=shop) as sandbox, httpx.AsyncClient(base_url=sandbox.url) as browser:
        unreachable = await browser.get("/shop")
    async with Sandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.url) as browser:
        closed = [await browser.get("/shop"), await browser.get("/shop/orders/x"), await browser.post("/shop")]

    assert (unreachable.status_code, "ne répond pas" in unreachable.text) == (502, True)
    assert {(page.status_code, "--shop-key" in page.text) for page in closed} == {(503, True)}
