"""The demonstration as a stranger meets it: `make run`, and a real browser. SCREENSHOTS=folder keeps what it showed."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from local import processes
from local.embedded.server import free_port
from tests.browser import EXECUTABLE, Browser, Page
from tests.faults.installation import wait_for

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="Chromium is not installed")

PROJECT = Path(__file__).parent.parent
STARTED_WITHIN, STOPPED_WITHIN = 180.0, 60.0  # seconds: generous, a loaded machine is slow
PARTNERED, PLAIN = "Déclaration d'impôts", "Intégrale"
SIGN_IN = """mutation {
  signIn(input: { email: "owner@demo.test", password: "comptoir-demo" }) { ... on SignedIn { accessToken } }
}"""
INVITE = "mutation ($input: InvitationCreateInput!) { invitationCreate(input: $input) { invitation { id } } }"
ORDER = """mutation ($client: ID!, $product: ID!) {
  orderCreate(input: { client: $client, lines: [{ product: $product, quantity: 1 }] }) { order { payUrl } }
}"""


@dataclass(frozen=True)
class Demonstration:
    """Where it answers."""

    api: str
    sandbox: str


@pytest.fixture(scope="module")
async def demo(
    tmp_path_factory: pytest.TempPathFactory, worker_number: int, redis_url: str
) -> AsyncIterator[Demonstration]:
    """What `make run` starts, on a database of its own; Ctrl-C ends it all."""
    home = tmp_path_factory.mktemp("demonstration")
    environment = {
        **os.environ,
        "PORT": str(free_port()),
        "COMPTOIR_HOME": str(home),
        "DATABASE_URL": await _empty_database(f"comptoir_demonstration_{worker_number}"),
        "REDIS_URL": redis_url,
    }
    command = [sys.executable, "cli.py", "run"]
    run = processes.spawn(command, log=home / "run.log", environment=environment, directory=PROJECT)
    try:
        await wait_for(lambda: _is_open(run, home / "run.log"), "the demonstration to open", STARTED_WITHIN)
        addresses = json.loads((home / "environment.json").read_text())
        yield Demonstration(addresses["APP_URL"], addresses["SANDBOX_URL"])
        run.send_signal(signal.SIGINT)
        await wait_for(lambda: run.poll() is not None, "Ctrl-C to stop everything", STOPPED_WITHIN)
        assert run.returncode == 0, processes.tail(home / "run.log")
        async with httpx.AsyncClient(trust_env=False) as http:
            for address in (addresses["APP_URL"], addresses["SANDBOX_URL"]):
                with pytest.raises(httpx.ConnectError):
                    await http.get(address)
    finally:
        processes.stop(run, patience=STOPPED_WITHIN)


async def test_a_card_pays_and_the_invoice_comes_by_mail_and_the_partner_is_told(demo: Demonstration) -> None:
    async with _visit(demo, "/") as page:
        await page.screenshot("sandbox")
        await page.click("main a", "Shop")
        await page.reads("la boutique")
        await page.screenshot("shop")
        await _choose(page, PARTNERED, email="marie@example.com", code="BIENVENUE10")
        await page.screenshot("shop-chosen")
        await page.click("button", "Payer sur la page de Stripe")

        await page.reads("Offre de bienvenue")
        await page.screenshot("checkout")
        await _pay(page, "4000 0000 0000 0002")
        await page.reads("Votre carte a été refusée")
        await page.screenshot("checkout-declined")
        await _pay(page, "4242 4242 4242 4242")
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
    async with _visit(demo, "/shop") as page:
        await _choose(page, PLAIN, email="paul@example.com")
        await page.click("button", "Payer sur la page de Stripe")
        await _pay(page, "4242 4242 4242 4242")
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
    async with _visit(demo, "/shop") as page:
        await _choose(page, PLAIN, email="claire@example.com")
        await page.click("button", "Payer sur la page de Stripe")
        await _pay(page, "4000 0025 0000 3155")
        await page.reads("Est-ce bien vous")
        await page.screenshot("bank")
        await page.click("button", "Confirmer")
        await page.reads("Tout est fait. Merci")


async def test_a_sepa_debit_is_under_way_and_then_settles(demo: Demonstration) -> None:
    async with _visit(demo, "/shop") as page:
        await _choose(page, PLAIN, email="luc@example.com")
        await page.click("button", "Payer sur la page de Stripe")
        await page.click("label", "Prélèvement SEPA")
        await page.screenshot("checkout-debit")
        await _pay(page, "FR14 2004 1010 0505 0001 3M02 606")
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
    async with _visit(demo, "/shop") as page:
        await _choose(page, PLAIN, email="anne@example.com")
        await page.click("button", "formulaire intégré")
        await _pay(page, "4242 4242 4242 4242")
        await page.reads("Tout est fait. Merci")


async def test_the_link_of_a_letter_leads_to_stripe_and_says_paid_on_coming_back(demo: Demonstration) -> None:
    async with _visit(demo, await _pay_url(demo)) as page:
        await page.reads("Votre commande n°")
        await page.screenshot("pay-link")
        await page.click("button", "Payer")
        await _pay(page, "4242 4242 4242 4242")
        await page.reads("Merci, tout est réglé")
        await page.screenshot("pay-link-paid")


async def test_who_gives_up_paying_pays_later(demo: Demonstration) -> None:
    async with _visit(demo, "/shop") as page:
        await _choose(page, PLAIN, email="jeanne@example.com")
        await page.click("button", "Payer sur la page de Stripe")
        await page.click("a", "Annuler et revenir")
        await page.reads("Cette commande n’est pas payée")
        await page.screenshot("order-given-up")
        await page.click("a", "le lien de paiement")
        await page.reads("Votre commande n°")
        await page.click("button", "Payer")
        await _pay(page, "4242 4242 4242 4242")
        await page.reads("Tout est fait. Merci")


async def test_a_free_order_is_complete_at_once(demo: Demonstration) -> None:
    async with _visit(demo, "/shop") as page:
        await _choose(page, "Simple", email="rose@example.com")
        await page.click("button.main", "Commander")
        await page.reads("Rien à payer")
        await page.reads("Tout est fait. Merci")


async def test_graphiql_opens_on_the_tour_and_asks_nothing_of_other_machines(demo: Demonstration) -> None:
    async with _visit(demo, demo.api) as page:
        await page.click(".graphiql-execute-button")
        await page.reads("Signed in as owner@demo.test")
        await page.click(".graphiql-tab:nth-of-type(2) .graphiql-tab-button")
        await page.until("localStorage.getItem('comptoir:graphiql:operationName') === 'Catalogue'")
        await page.click(".graphiql-execute-button")
        await page.until("document.querySelector('.result-window').innerText.includes('OWNER')")
        await page.screenshot("graphiql")
        bar = "document.querySelector('.graphiql-tabs')"
        assert await page.evaluate(f"{bar}.scrollWidth <= {bar}.clientWidth")  # every tab is seen


@asynccontextmanager
async def _visit(demo: Demonstration, place: str) -> AsyncIterator[Page]:
    """A page of the sandbox's, or an address. Afterwards: a clean console, and no request left this machine."""
    async with Browser() as browser:
        page = await browser.open(place if place.startswith("http") else f"{demo.sandbox}{place}")
        try:
            yield page
        except BaseException:
            await page.screenshot("failed")
            raise
        refusals = [line for line in page.console if "402 (Payment Required)" not in line]  # a card declined, say
        assert refusals == []
        # Chromium shows PDFs by an extension of its own.
        near = (demo.api, demo.sandbox, "chrome-extension://")
        assert [request for request in page.requests if not request.startswith(near)] == []


async def _choose(page: Page, product: str, *, email: str, code: str = "") -> None:
    await page.click(".product", product)
    await page.reads("Commander «")
    await page.fill("[name=email]", email)
    await page.fill("[name=code]", code)


async def _pay(page: Page, number: str) -> None:
    """With a test card or IBAN, the rest filled in."""
    await page.click(f"button[name=fill][value='{number}']")
    field = "iban" if number.startswith("FR") else "card"
    await page.until(
        f"document.querySelector('[name={field}]').value.replaceAll(' ', '') == '{number.replace(' ', '')}'"
    )
    await page.click("button.main", "Payer")


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

    async with _visit(demo, "/mail") as page:
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


def _is_open(run: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert run.poll() is None, processes.tail(log, 40)
    return re.search("Storefront's key", log.read_text()) is not None


async def _empty_database(name: str) -> str:
    server = os.environ["TEST_DATABASE_URL"]
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return f"{server.rpartition('/')[0]}/{name}"
