"""The payment page: every state, what it asks for, and that nothing in it runs or is fetched."""

import re
from html import unescape
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from services import pages
from services.pages import PayState, PayView
from tests.browser import EXECUTABLE, Browser
from tests.http.served import served
from tests.invoices.samples import BRAND, TRANSFER, brand

HOSTILE = "<script>alert(1)</script>\"'{{ 7 * 7 }}"
GREEN = "rgb(11, 110, 79)"  # the brand's

every_state = pytest.mark.parametrize("state", PayState)


def view(state: PayState = PayState.TO_PAY, **changes: Any) -> PayView:
    shown: dict[str, Any] = {
        "brand": BRAND,
        "order_number": 42,
        "lines": (("Déclaration d'impôts", 1, 99_99), ("Atelier CV", 3, 42_00)),
        "discount_cents": 14_20,
        "discount_reason": "Code BIENVENUE",
        "total_cents": 127_79,
        "due_cents": 127_79,
        "transfer": TRANSFER,
        "invoices": (("FQCA-2025-000156", "https://api.comptappart.example/files/a/b.pdf"),),
    }
    return PayView(state, **shown | changes)


def test_what_is_bought_and_what_it_comes_to_is_all_there() -> None:
    page = read(view())

    assert "Service Fiscalité – ComptAppart" in page and "Votre commande n° 42" in page
    assert "À payer 127,79 €" in page and "Payer 127,79 €" in page
    assert (
        "Déclaration d'impôts 99,99 € Atelier CV × 3 42,00 € Remise (Code BIENVENUE) −14,20 € Total TTC 127,79 €"
    ) in page
    assert "ou par virement" in page
    assert "Montant 127,79 € IBAN FR76 3000 6000 0112 3456 7890 189 BIC AGRIFRPPXXX Référence FQCA" in page
    assert "Une question ? contact@comptappart.example , 01 40 00 00 00" in page


def test_a_deposit_is_asked_for_and_the_balance_announced() -> None:
    page = read(view(due_cents=38_34, is_deposit=True))

    assert "Acompte à payer 38,34 €" in page and "Payer 38,34 €" in page
    assert "Acompte à payer maintenant −38,34 € Solde à payer plus tard 89,45 €" in page


def test_a_balance_is_what_payments_leave() -> None:
    page = read(view(paid_cents=38_34, due_cents=89_45))

    assert "Solde à payer 89,45 €" in page and "Payer 89,45 €" in page
    assert "Total TTC 127,79 € Déjà payé −38,34 € Solde à payer 89,45 €" in page


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (PayState.TO_PAY, "Votre commande n° 42"),
        (PayState.PROCESSING, "Votre paiement est en cours"),
        (PayState.PAID, "Merci, tout est réglé"),
        (PayState.CANCELED, "Cette commande est annulée"),
        (PayState.GONE, "Ce lien n’est plus valable"),
        (PayState.UNAVAILABLE, "Le paiement en ligne est indisponible"),
    ],
)
def test_every_state_has_its_words_in_french_and_in_english(state: PayState, title: str) -> None:
    html = pages.pay(view(state))

    assert f"<h1>{title}</h1>" in unescape(html).replace("\xa0", " ")
    assert '<html lang="fr">' in html and '<p lang="en">' in html


@every_state
def test_only_what_can_be_paid_has_a_button_and_an_account(state: PayState) -> None:
    html = pages.pay(view(state))

    asks = state in (PayState.TO_PAY, PayState.UNAVAILABLE)
    assert ('<form method="post"><button>' in html) is asks
    assert ("IBAN" in html) is asks
    assert html.count("<form") == html.count("<button") <= 1


def test_invoices_of_what_is_paid_are_links() -> None:
    two = (("FQCA-2025-000156", "https://api.comptappart.example/a.pdf"), ("FQCA-2025-000157", "javascript:alert(1)"))

    html = pages.pay(view(PayState.PAID, paid_cents=127_79, invoices=two))

    assert '<a href="https://api.comptappart.example/a.pdf">FQCA-2025-000156 (PDF)</a>' in html
    assert "FQCA-2025-000157" in html and "javascript" not in html


def test_of_a_link_that_is_gone_nothing_is_known() -> None:
    page = read(PayView(PayState.GONE))

    assert "Ce lien n’est plus valable" in page
    assert not re.search(r"None|€|Total|n° ", page)


def test_why_the_last_try_failed_is_told_first() -> None:
    html = pages.pay(view(problem="Votre paiement n’a pas abouti : la carte a expiré."))

    assert '<p class="alert" role="alert">Votre paiement n’a pas abouti\xa0: la carte a expiré.</p>' in html


@every_state
def test_a_test_says_so(state: PayState) -> None:
    assert "TEST" in read(view(state, live=False))
    assert "TEST" not in read(view(state))


@every_state
def test_everything_in_it_is_text(state: PayState) -> None:
    html = pages.pay(
        view(
            state,
            brand=brand(name=HOSTILE, contact_email=HOSTILE, phone=HOSTILE),
            lines=((HOSTILE, 2, 127_79),),
            discount_reason=HOSTILE,
            problem=HOSTILE,
            transfer=TRANSFER.model_copy(update={"reference": HOSTILE, "bic": HOSTILE, "iban": HOSTILE}),
            invoices=((HOSTILE, "https://x.example/" + HOSTILE),),
        )
    )

    assert "<script" not in html and "\"'{{" not in html  # no element begins, and no attribute ends


@every_state
def test_nothing_is_fetched_and_nothing_runs(state: PayState) -> None:
    html = pages.pay(view(state))

    assert not re.search(r"<(script|link|img|iframe|object)|src=|url\(|style=|@import| on\w+=", html)


def test_it_is_sent_so_that_nobody_else_learns_its_address_and_nothing_is_kept() -> None:
    headers = pages.headers(view())

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert pages.headers(view()) == headers
    assert pages.headers(view(brand=brand(color="#ffd400"))) != headers


@pytest.mark.skipif(EXECUTABLE is None, reason="Chromium is not installed")
async def test_a_browser_applies_its_style_and_goes_where_the_button_leads() -> None:
    async with served(shop_and_stripe()) as port, Browser() as browser:
        address = f"http://127.0.0.1:{port}"
        page = await browser.open(f"{address}/pay/0197")

        assert await page.evaluate("getComputedStyle(document.querySelector('button')).backgroundColor") == GREEN
        assert page.requests == [f"{address}/pay/0197"]
        await page.click("button")
        await page.until("document.body.innerText === 'Stripe'")
        assert await page.evaluate("location.hostname") == "localhost"
        assert page.console == []


def shop_and_stripe() -> Starlette:
    """An app that shows the page, and sends who posts to it to another origin, as Stripe's is."""

    async def pay(request: Request) -> Response:
        if request.method == "POST":
            return RedirectResponse(f"http://localhost:{request.url.port}/stripe", 303)
        return HTMLResponse(pages.pay(view()), headers=pages.headers(view()))

    async def stripe(request: Request) -> Response:
        return HTMLResponse('<link rel="icon" href="data:,"><body>Stripe')

    return Starlette(routes=[Route("/pay/{token}", pay, methods=["GET", "POST"]), Route("/stripe", stripe)])


def read(shown: PayView) -> str:
    """What a person reads of the page, every run of spaces as one."""
    body = pages.pay(shown).partition("</head>")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())
