"""The demonstration as a stranger meets it: `make run`, and a real browser. SCREENSHOTS=folder keeps what it showed."""

import re
from typing import Any

import httpx
import pytest

from tests.browser import EXECUTABLE, Browser
from tests.demonstrated import PASSWORD, Demonstration, choose, demo, pay, visit
from tests.faults.installation import wait_for
from tests.portal.selling import ANSWER, ASK, EMAIL, LETTER, PAY, PORTAL, TIMELINE, Caller, Sale

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="Chromium is not installed")

__all__ = ["demo"]  # a fixture is found by its name
TOLD_WITHIN = 60.0  # seconds: generous, a loaded machine is slow
PARTNERED, PLAIN = "Déclaration d'impôts", "Intégrale"
SIGN_IN = """mutation {
  signIn(input: { email: "owner@demo.test", password: "comptoir-demo" }) { ... on SignedIn { accessToken } }
}"""
INVITE = "mutation ($input: InvitationCreateInput!) { invitationCreate(input: $input) { invitation { id } } }"
ORDER = """mutation ($client: ID!, $product: ID!) {
  orderCreate(input: { client: $client, lines: [{ product: $product, quantity: 1 }] }) { order { payUrl } }
}"""


async def test_a_card_pays_and_the_invoice_comes_by_mail_and_the_partner_is_told(demo: Demonstration) -> None:
    async with visit(demo, "/") as page:
        await page.screenshot("sandbox")
        await page.click("main a", "Shop")
        await page.reads("la boutique")
        await page.screenshot("shop")
        await choose(page, PARTNERED, email="marie@example.com", code="BIENVENUE10")
        await page.screenshot("shop-chosen")
        await page.click("button", "Payer sur la page de Stripe")

        await page.reads("Offre de bienvenue")
        await page.screenshot("checkout")
        await pay(page, "4000 0000 0000 0002")
        await page.reads("Votre carte a été refusée")
        await page.screenshot("checkout-declined")
        await pay(page, "4242 4242 4242 4242")
        await page.reads("Tout est fait. Merci")
        await page.screenshot("order-done")

        await page.click("a", "Voir ce qu’il a reçu")
        await page.reads("signature verified")
        await page.screenshot("partner")

        await page.open(f"{demo.sandbox}/mail")
        await page.screenshot("mail")
        await page.click("td a", "Votre facture")
        await page.until("document.querySelector('iframe.mail')")
        await page.screenshot("mail-invoice")
        assert await page.evaluate("document.querySelector('a.button').innerText.startsWith('Facture-FQCA-')")


async def test_the_attached_invoice_opens_in_the_browser(demo: Demonstration) -> None:
    async with visit(demo, "/shop") as page:
        await choose(page, PLAIN, email="paul@example.com")
        await page.click("button", "Payer sur la page de Stripe")
        await pay(page, "4242 4242 4242 4242")
        await page.reads("Tout est fait. Merci")
        invoice = await page.evaluate("[...document.links].find(link => link.innerText == 'Ouvrir le PDF').href")
        await page.open(f"{demo.sandbox}/mail")
        await page.click("td a", "Votre facture")
        attached = await page.until("document.querySelector('a.button')?.href")

    async with Browser() as browser:
        for address in (invoice, attached):
            page = await browser.open(address)
            assert await page.evaluate("document.contentType") == "application/pdf"


async def test_a_card_pays_once_the_bank_has_asked(demo: Demonstration) -> None:
    async with visit(demo, "/shop") as page:
        await choose(page, PLAIN, email="claire@example.com")
        await page.click("button", "Payer sur la page de Stripe")
        await pay(page, "4000 0025 0000 3155")
        await page.reads("Est-ce bien vous")
        await page.screenshot("bank")
        await page.click("button", "Confirmer")
        await page.reads("Tout est fait. Merci")


async def test_a_sepa_debit_is_under_way_and_then_settles(demo: Demonstration) -> None:
    async with visit(demo, "/shop") as page:
        await choose(page, PLAIN, email="luc@example.com")
        await page.click("button", "Payer sur la page de Stripe")
        await page.click("label", "Prélèvement SEPA")
        await page.screenshot("checkout-debit")
        await pay(page, "FR14 2004 1010 0505 0001 3M02 606")
        await page.reads("prélèvement SEPA en cours")
        await page.screenshot("order-debit")
        order = await page.evaluate("location.href")

        await page.open(f"{demo.sandbox}/stripe")
        await page.screenshot("stripe")
        # Where it has not settled by itself meanwhile, which it does after a while.
        await page.evaluate("document.querySelector('button[value=settle]')?.click()")
        await page.until("!document.querySelector('button[value=settle]')")
        await page.open(order)
        await page.reads("Tout est fait. Merci")


async def test_a_form_of_the_shops_own_pays(demo: Demonstration) -> None:
    async with visit(demo, "/shop") as page:
        await choose(page, PLAIN, email="anne@example.com")
        await page.click("button", "formulaire intégré")
        await pay(page, "4242 4242 4242 4242")
        await page.reads("Tout est fait. Merci")


async def test_the_link_of_a_letter_leads_to_stripe_and_says_paid_on_coming_back(demo: Demonstration) -> None:
    async with visit(demo, await _pay_url(demo)) as page:
        await page.reads("Votre commande n°")
        await page.screenshot("pay-link")
        await page.click("button", "Payer")
        await pay(page, "4242 4242 4242 4242")
        await page.reads("Merci, tout est réglé")
        await page.screenshot("pay-link-paid")


async def test_who_gives_up_paying_pays_later(demo: Demonstration) -> None:
    async with visit(demo, "/shop") as page:
        await choose(page, PLAIN, email="jeanne@example.com")
        await page.click("button", "Payer sur la page de Stripe")
        await page.click("a", "Annuler et revenir")
        await page.reads("Cette commande n’est pas payée")
        await page.screenshot("order-given-up")
        await page.click("a", "le lien de paiement")
        await page.reads("Votre commande n°")
        await page.click("button", "Payer")
        await pay(page, "4242 4242 4242 4242")
        await page.reads("Tout est fait. Merci")


async def test_a_free_order_is_complete_at_once(demo: Demonstration) -> None:
    async with visit(demo, "/shop") as page:
        await choose(page, "Simple", email="rose@example.com")
        await page.click("button.main", "Commander")
        await page.reads("Rien à payer")
        await page.reads("Tout est fait. Merci")


async def test_what_was_won_is_paid_by_the_clients_portal_and_asked_about_there(demo: Demonstration) -> None:
    async with httpx.AsyncClient(base_url=demo.api, trust_env=False, timeout=30) as http:
        sale = await Sale.won(http, PASSWORD, "lea@example.com")
        client = await sale.portal()

        (shown,) = (await client(PORTAL))["opportunities"]
        assert (shown["title"], shown["amount"]["amount"], shown["paymentStatus"]) == (
            "Accompagnement", 120000, "AWAITED",
        )  # fmt: skip
        page_of_stripe = (await client(PAY, input={"order": shown["order"]}))["url"]
        assert page_of_stripe == sale.url
        async with visit(demo, page_of_stripe) as page:
            await page.reads("Accompagnement")
            await page.screenshot("portal-checkout")
            await pay(page, "4242 4242 4242 4242")
            await page.reads("Merci, tout est réglé")
            await page.screenshot("portal-paid")

        await wait_for(lambda: sale.is_at("PAID"), "the opportunity to be paid", TOLD_WITHIN)
        await wait_for(lambda: _invoiced(client), "the invoice's PDF", TOLD_WITHIN)
        seen = await client(PORTAL)
        (paid,), (invoice,) = seen["opportunities"], seen["invoices"]
        assert (paid["paymentStatus"], paid["payUrl"], invoice["total"]["amount"]) == ("PAID", None, 120000)
        assert (await http.get(invoice["pdfUrl"])).headers["content-type"] == "application/pdf"

        asked = (await client(ASK, input={"subject": "Et après ?", "body": "Quand commençons-nous ?"}))["ticket"]
        (ticket,) = (await client(PORTAL))["tickets"]
        assert (ticket["id"], ticket["type"], ticket["status"]) == (asked, "QUESTION", "NEW")
        await sale.consultant(ANSWER, input={"ticket": asked, "body": "Lundi."})
        (ticket,) = (await client(PORTAL))["tickets"]
        assert ticket["replies"] == [{"fromClient": False, "body": "Lundi."}]

        await sale.owner(EMAIL, input={"client": sale.client, "message": LETTER.format(email="lea@example.com")})
        told = {each["kind"]: each["data"] for each in (await sale.owner(TIMELINE, client=sale.client))["nodes"]}
        assert told["PAYMENT_RECEIVED"] == {"amount": {"amount": 120000}}
        assert told["CLIENT_EMAIL"] == {"sender": "lea@example.com", "subject": "Merci", "body": "Tout est bien reçu."}


async def test_what_was_lost_cannot_be_paid_on_the_page_that_is_open_still(demo: Demonstration) -> None:
    async with httpx.AsyncClient(base_url=demo.api, trust_env=False, timeout=30) as http:
        sale = await Sale.won(http, PASSWORD, "noe@example.com")
        client = await sale.portal()
        async with visit(demo, sale.url) as page:
            await page.click("button[name=fill][value='4242 4242 4242 4242']")
            await page.until("document.querySelector('[name=card]').value")
            await sale.move("WON", "LOST", lostReason="Ils ont changé d'avis.")
            assert (await client(PORTAL))["opportunities"] == []
            await wait_for(lambda: sale.is_at("CANCELED"), "the page to be taken back", TOLD_WITHIN)

            await page.click("button.main", "Payer")

            await page.reads("Page de paiement expirée")
            await page.screenshot("portal-lost")


async def test_graphiql_opens_on_the_tour_and_asks_nothing_of_other_machines(demo: Demonstration) -> None:
    async with visit(demo, demo.api) as page:
        await page.click(".graphiql-execute-button")
        await page.reads("Signed in as owner@demo.test")
        await page.click(".graphiql-tab:nth-of-type(2) .graphiql-tab-button")
        await page.until("localStorage.getItem('comptoir:graphiql:operationName') === 'Catalogue'")
        await page.click(".graphiql-execute-button")
        await page.until("document.querySelector('.result-window').innerText.includes('OWNER')")
        await page.screenshot("graphiql")
        assert await page.evaluate("document.querySelector('.graphiql-query-editor .CodeMirror-wrap') !== null")
        bar = "document.querySelector('.graphiql-tabs')"
        assert await page.evaluate(f"{bar}.scrollWidth <= {bar}.clientWidth")  # every tab is seen


async def _invoiced(client: Caller) -> bool:
    return any(invoice["pdfUrl"] for invoice in (await client(PORTAL))["invoices"])


async def _pay_url(demo: Demonstration) -> str:
    """The link to pay an order that was just made in the back office."""
    async with httpx.AsyncClient(base_url=demo.api, trust_env=False, timeout=30) as http:

        async def ask(document: str, **variables: str) -> dict[str, Any]:
            told = (await http.post("/graphql", json={"query": document, "variables": variables})).json()
            assert "errors" not in told, told
            data: dict[str, Any] = told["data"]
            return data

        signed = await ask(SIGN_IN)
        http.headers["Authorization"] = f"Bearer {signed['signIn']['accessToken']}"
        shown = await ask("{ clients { nodes { id } } products { nodes { id name } } }")
        product = next(each["id"] for each in shown["products"]["nodes"] if each["name"] == PLAIN)
        made = await ask(ORDER, client=shown["clients"]["nodes"][0]["id"], product=product)
        return str(made["orderCreate"]["order"]["payUrl"])


async def test_somebody_who_is_invited_chooses_a_password_and_is_in(demo: Demonstration) -> None:
    async with httpx.AsyncClient(base_url=demo.api, trust_env=False, timeout=30) as http:
        signed = (await http.post("/graphql", json={"query": SIGN_IN})).json()["data"]["signIn"]
        http.headers["Authorization"] = f"Bearer {signed['accessToken']}"
        invited = {"email": "zoe@example.com", "role": "CONSULTANT"}
        await http.post("/graphql", json={"query": INVITE, "variables": {"input": invited}})

    async with visit(demo, "/mail") as page:
        await page.until("document.body.innerText.includes('vous invite à rejoindre') || location.reload()")
        await page.click("td a", "vous invite à rejoindre")
        text = await page.until("document.querySelector('pre')?.innerText")
        await page.screenshot("mail-invitation")

        await page.open(re.findall(r"https?://\S+/account#\S+", text)[0])
        await page.reads("Votre compte sera zoe@example.com")
        for field, value in (("firstName", "Zoé"), ("lastName", "Martin"), ("password", "zzzzzzzzzzzzzzzz")):
            await page.fill(f"[name={field}]", value)
        await page.click("button", "Accepter")
        await page.reads("Ce mot de passe ne convient pas")
        await page.screenshot("account-invitation")
        await page.fill("[name=password]", "quatre mots de passe")
        await page.click("button", "Accepter")
        await page.reads("Vous avez rejoint l’équipe")
        assert "#" not in await page.evaluate("location.href")
