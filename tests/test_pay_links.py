"""The link by which a client pays: what its page shows, where its button leads, and what it never does."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.stripe_sepa import SETTLES
from services import tokens
from tests.security.surroundings import installed_with, nothing_changes
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("printer")


async def test_the_page_shows_what_was_ordered_and_what_is_to_be_paid(shop: Shop) -> None:
    lines = [
        {"product": await shop.product(5000, name="Conseil & suivi"), "quantity": 2},
        {"product": await shop.product(1000, name="<b>Dossier</b>"), "quantity": 1, "discount": {"amount": 200}},
    ]
    order = await shop.order(lines=lines, discount={"amount": 800, "reason": "Ancienne cliente"})

    page = await shop.browse(await link_of(shop, order))

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = plain(page.text)
    for shown in (
        f"Votre commande n° {order['number']}", "Conseil &amp; suivi", "× 2", "100,00 €", "&lt;b&gt;Dossier&lt;/b&gt;",
        "8,00 €", "Remise (Ancienne cliente)", "−8,00 €", "Total TTC", "Payer 100,00 €", "ComptAppart",
        "bonjour@comptappart.test", "TEST", "no real money moves".capitalize(),
    ):  # fmt: skip
        assert shown in text, shown


async def test_the_button_leads_to_stripe_and_the_same_page_while_it_can_be_used(shop: Shop) -> None:
    order = await shop.order()
    link = await link_of(shop, order)

    first, second = await shop.browse(link, {}), await shop.browse(link, {})

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    session = shop.sandbox.stripe.session(first.headers["location"].rpartition("/")[2])
    assert (session["amount_total"], session["success_url"], session["cancel_url"]) == (9999, f"{link}?back=1", link)


async def test_a_deposit_is_asked_for_first_and_then_the_balance(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"amount": 4000})
    link = await link_of(shop, order)

    first = plain((await shop.browse(link)).text)
    assert "Acompte à payer" in first
    assert "Payer 40,00 €" in first
    await shop.pay(order)

    second = plain((await shop.browse(link)).text)
    assert "Payer 60,00 €" in second
    assert "Déjà payé" in second
    assert "−40,00 €" in second


async def test_what_was_invoiced_can_be_paid_by_transfer_and_its_invoice_is_there(shop: Shop) -> None:
    await shop.change("organization", iban="FR7630006000011234567890189")
    order = await shop.do("orderInvoice", await shop.order())
    await shop.work_is_done()
    (invoice,) = order["invoices"]

    page = await shop.browse(await link_of(shop, order))

    assert "FR76 3000 6000 0112 3456 7890 189" in page.text
    assert f"<dt>Référence</dt><dd>{invoice['number']}</dd>" in page.text
    address = page.text.partition('<a href="http://comptoir.test/files/')[2].partition('"')[0]
    document = await shop.browse(f"http://comptoir.test/files/{address}")
    assert document.content.startswith(b"%PDF-")


# What is not to be paid


async def test_the_page_of_what_is_paid_gives_thanks_and_asks_for_nothing(shop: Shop) -> None:
    order = await shop.order()
    link = await link_of(shop, order)
    await shop.pay(order)

    shown = await shop.browse(link)
    pressed = await shop.browse(link, {})

    for page in (shown, pressed):
        assert "Merci, tout est réglé" in page.text
        assert "<form" not in page.text
        assert "écrivez-nous" not in page.text
    assert (shown.status_code, pressed.status_code) == (200, 409)


async def test_the_page_of_what_was_given_up_says_so(shop: Shop) -> None:
    order = await shop.order()
    link = await link_of(shop, order)
    await shop.do("orderCancel", order)

    for page in (await shop.browse(link), await shop.browse(link, {})):
        assert "Cette commande est annulée" in page.text
        assert "<form" not in page.text


async def test_the_page_of_a_debit_says_that_it_is_under_way(shop: Shop) -> None:
    order = await shop.order()
    link = await link_of(shop, order)
    await shop.pay(order, iban=SETTLES)

    shown = await shop.browse(link)
    pressed = await shop.browse(link, {})

    assert "Votre paiement est en cours" in shown.text
    assert "<form" not in shown.text
    assert (pressed.status_code, "Votre paiement est en cours" in pressed.text) == (409, True)


async def test_what_waits_for_a_person_cannot_be_paid_again_by_its_link(shop: Shop) -> None:
    order, events = await shop.paid_events()
    link = await link_of(shop, order)
    for event in events:
        event["data"]["object"] |= {"amount_total": 9998}
    await shop.tell(events)

    pressed = await shop.browse(link, {})

    assert pressed.status_code == 409
    assert "ne peut pas être payée en ce moment" in plain(pressed.text)


async def test_what_is_free_is_complete_at_a_press_of_the_button(shop: Shop) -> None:
    link = await link_of(shop, await shop.order(await shop.product(0)))

    pressed = await shop.browse(link, {})

    assert (pressed.status_code, pressed.headers["location"]) == (303, link)
    assert "Merci" in (await shop.browse(link)).text


# Links that are no good


async def test_a_link_that_was_tampered_with_opens_nothing(shop: Shop) -> None:
    first, second = await link_of(shop, await shop.order()), await link_of(shop, await shop.order())
    mine, other = (urlsplit(link).path.rpartition("/")[2].split(".") for link in (first, second))
    tampered = [
        ".".join((mine[0], other[1], mine[2])), ".".join((*mine[:2], mine[2][:-2] + "AA")), ".".join(mine[:2]),
        "x", "a" * 5000, "..%2f..", "%00",
    ]  # fmt: skip

    async with nothing_changes(shop):
        for token in tampered:
            for form in (None, {}):
                page = await shop.browse(f"http://comptoir.test/pay/{token}", form)
                assert page.status_code == 404, token
                assert "order" not in page.text.lower() or "n’est plus valable" in page.text


async def test_a_link_of_another_kind_opens_nothing(shop: Shop) -> None:
    order = await shop.sell()
    token = urlsplit(order["invoices"][0]["pdfUrl"]).path.split("/")[2]

    for other in (token, shop.token):
        page = await shop.browse(f"http://comptoir.test/pay/{other}")
        assert (page.status_code, "Ce lien n’est plus valable" in page.text) == (404, True)


async def test_a_link_is_good_for_a_year(shop: Shop) -> None:
    order = await shop.order()
    link = await link_of(shop, order)
    claims = tokens.read(tokens.PAY, link.rpartition("/")[2])

    assert claims
    (row,) = await shop.sql("SELECT extract(epoch FROM now() + interval '365 days') AS at")
    assert abs(claims["exp"] - float(row["at"])) < 60


# Back from Stripe


async def test_back_from_stripe_the_page_asks_what_came_of_it(shop: Shop) -> None:
    order = await shop.order()
    link = await link_of(shop, order)
    hosted = (await shop.browse(link, {})).headers["location"]
    await shop.sandbox.stripe.pay(hosted.rpartition("/")[2])

    assert "<form" in (await shop.browse(link)).text  # Stripe's event has not come
    assert "Merci, tout est réglé" in (await shop.browse(f"{link}?back=1")).text
    assert (await shop.see(order))["status"] == "PAID"


async def test_back_without_having_paid_the_button_is_there_again(shop: Shop) -> None:
    link = await link_of(shop, await shop.order())
    await shop.browse(link, {})

    page = await shop.browse(f"{link}?back=1")

    assert (page.status_code, "<form" in page.text) == (200, True)


async def test_back_while_stripe_is_away_the_page_shows_what_is_known(shop: Shop) -> None:
    link = await link_of(shop, await shop.order())
    await shop.browse(link, {})
    shop.sandbox.stripe.fail_next(503, path="/v1/checkout/sessions/")

    page = await shop.browse(f"{link}?back=1")

    assert (page.status_code, "<form" in page.text) == (200, True)


@pytest.mark.parametrize("status", [503, 401])
async def test_while_stripe_is_away_the_button_says_so_and_can_be_pressed_again(shop: Shop, status: int) -> None:
    link = await link_of(shop, await shop.order())
    shop.sandbox.stripe.fail_next(status, path="/v1/checkout/sessions")

    page = await shop.browse(link, {})

    assert page.status_code == 503
    assert "Le paiement en ligne est indisponible" in page.text
    assert "Rien n’a été débité" in page.text
    assert "Réessayer" in page.text
    assert (await shop.browse(link, {})).status_code == 303


async def test_without_a_key_of_stripe_the_page_says_that_paying_is_unavailable(shop: Shop) -> None:
    link = await link_of(shop, await shop.order())

    async with installed_with(shop, stripe_secret_key=None) as installed:
        page = await installed.browse(link, {})

    assert (page.status_code, "indisponible" in page.text) == (503, True)


# Harmless to look at


async def test_looking_starts_nothing(shop: Shop) -> None:
    """Mail programs follow links by themselves."""
    link = await link_of(shop, await shop.order())

    async with nothing_changes(shop):
        for method in ("GET", "HEAD"):
            for address in (link, f"{link}?back=1"):
                assert (await shop.http.request(method, address)).status_code == 200
        assert (await shop.http.put(link)).status_code == 405


async def test_the_page_runs_no_script_is_kept_by_nobody_and_tells_nobody_its_address(shop: Shop) -> None:
    link = await link_of(shop, await shop.order())

    for page in (await shop.browse(link), await shop.browse("http://comptoir.test/pay/x")):
        policy = dict(rule.strip().partition(" ")[::2] for rule in page.headers["content-security-policy"].split(";"))
        assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3
        assert policy["style-src"].startswith("'sha256-")
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["x-robots-tag"] == "noindex"
        assert "<script" not in page.text


async def link_of(shop: Shop, order: dict[str, Any]) -> str:
    return str((await shop.see(order))["payUrl"])


def plain(text: str) -> str:
    """With plain spaces where lines do not break."""
    for space in ("&nbsp;", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"):
        text = text.replace(space, " ")
    return text
