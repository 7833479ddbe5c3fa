"""Payments that failed are told to the client, with a link that works, and to the person in charge; failures of ours
are alerts."""

import logging
import re
from typing import Any

import pytest

from models import Role
from sandbox.stripe_cards import DECLINED
from sandbox.stripe_form import EXAMPLE
from tests.security.surroundings import installed_with
from tests.shop import CHECKOUT, INTENT, Shop, said

pytestmark = pytest.mark.usefixtures("printer")

MARIE, STAFF = "marie@example.com", "bonjour@comptappart.test"
PATIENCE = 15  # minutes


# To the client


async def test_the_link_of_the_letter_leads_to_the_page_and_to_stripe_and_back_to_thanks(shop: Shop) -> None:
    order = await shop.order(client=await shop.client(MARIE))
    await shop.tell(await shop.sandbox.stripe.confirm(await shop.intent(order), DECLINED))
    await minutes_pass(shop, PATIENCE)
    (letter,) = shop.mails(MARIE)
    (link,) = set(re.findall(r"http://comptoir\.test/pay/\S+", letter.body("plain")))
    assert link in letter.body("html")

    page = await shop.browse(link)
    assert (page.status_code, f"Votre commande n°&nbsp;{order['number']}" in page.text) == (200, True)
    leading = await shop.browse(link, {})
    hosted = leading.headers["location"]
    assert (leading.status_code, hosted.startswith(f"{shop.sandbox.url}/pay/cs_")) == (303, True)
    assert "99,99" in (await shop.browse(hosted)).text
    paid = await shop.browse(hosted, EXAMPLE | {"means": "card", "card": "4242 4242 4242 4242"})
    assert (paid.status_code, paid.headers["location"]) == (303, f"{link}?back=1")
    thanks = await shop.browse(paid.headers["location"])

    assert "Merci, tout est réglé" in thanks.text
    await shop.work_is_done()
    assert (await shop.see(order))["status"] == "PAID"


async def test_the_letter_says_what_was_ordered_how_much_and_why(shop: Shop) -> None:
    order = await declined(shop)
    await minutes_pass(shop, PATIENCE)

    (letter,) = shop.mails(MARIE)
    text = said(letter)
    assert letter.message["Subject"] == "[TEST] Votre paiement n’a pas abouti – ComptAppart"
    assert f"Le paiement de votre commande n° {order['number']} n’a pas abouti : votre banque a refusé" in text
    assert "Rien ne vous a été débité." in text
    assert "nothing was charged" in text
    assert "À PAYER : 99,99 €" in text
    assert "Déclaration d'impôts - Formule Complète" in text
    assert letter.attachments == []


async def test_whose_card_was_declined_is_given_a_quarter_of_an_hour(shop: Shop) -> None:
    await declined(shop)

    await minutes_pass(shop, PATIENCE - 1)
    assert shop.mails(MARIE) == shop.mails(STAFF) == []

    await minutes_pass(shop, 1)
    assert (len(shop.mails(MARIE)), len(shop.mails(STAFF))) == (1, 1)


async def test_who_pays_meanwhile_hears_nothing_of_it(shop: Shop) -> None:
    order = await declined(shop)
    await minutes_pass(shop, PATIENCE - 1)
    await shop.pay(order)
    before = len(shop.mails(MARIE))

    await minutes_pass(shop, PATIENCE)

    assert (len(shop.mails(MARIE)), shop.mails(STAFF)) == (before, [])


async def test_who_pays_meanwhile_by_other_means_hears_nothing_of_it(shop: Shop) -> None:
    order = await declined(shop)
    await shop.do("paymentRecord", order, method="CASH")
    await shop.work_is_done()

    await minutes_pass(shop, PATIENCE)

    assert "[TEST] Votre paiement n’a pas abouti" not in shop.subjects(MARIE)
    assert shop.mails(STAFF) == []


async def test_whose_order_was_given_up_hears_nothing_of_it(shop: Shop) -> None:
    await shop.do("orderCancel", await declined(shop))

    await minutes_pass(shop, PATIENCE)

    assert shop.mails(MARIE) == shop.mails(STAFF) == []


async def test_however_often_a_payment_fails_it_is_told_once(shop: Shop) -> None:
    order = await declined(shop)
    session = await shop.checkout(order)
    await shop.tell(await shop.sandbox.stripe.pay(session, DECLINED))
    await minutes_pass(shop, PATIENCE)
    await shop.tell(await shop.sandbox.stripe.pay(session, DECLINED))
    await minutes_pass(shop, PATIENCE)

    assert (len(shop.mails(MARIE)), len(shop.mails(STAFF))) == (1, 1)


async def test_the_balance_that_fails_is_told_like_the_whole(shop: Shop) -> None:
    client = await shop.client(MARIE)
    order = await shop.order(await shop.product(10_000), client=client, deposit={"amount": 4000})
    await shop.pay(order)
    await shop.tell(await shop.sandbox.stripe.pay(await shop.checkout(order), DECLINED))

    await minutes_pass(shop, PATIENCE)

    assert "À PAYER : 60,00 €" in said(shop.mails(MARIE)[-1])


# To the person in charge


async def test_the_organization_hears_who_failed_to_pay_what_and_why(shop: Shop) -> None:
    client = await shop.client(MARIE, firstName="Marie", lastName="Martin", phone="+33612345678")
    order = await declined(shop, client=client)

    await minutes_pass(shop, PATIENCE)

    (letter,) = shop.mails(STAFF)
    text = said(letter)
    assert str(letter.message["Subject"]).startswith(
        f"[TEST] Un paiement n’a pas abouti : Marie Martin, commande n° {order['number']}"
    )
    assert "Un paiement de 99,99 € n’a pas abouti." in text
    for told in (MARIE, "06 12 34 56 78", "generic_decline", "Your card was declined."):
        assert told in text


async def test_who_looks_after_the_client_hears_of_it_instead(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    me = await consultant("{ me { id } }")
    client = await shop.client(MARIE, consultant=me["id"])
    await declined(shop, client=client)

    await minutes_pass(shop, PATIENCE)

    assert (len(shop.mails(consultant.email)), shop.mails(STAFF)) == (1, [])


async def test_a_mail_server_that_refuses_is_tried_again_and_each_is_written_to_once(shop: Shop) -> None:
    await declined(shop)
    shop.sandbox.mail.refuse_next(times=2)
    await minutes_pass(shop, PATIENCE)
    assert shop.mails(MARIE) == shop.mails(STAFF) == []

    await minutes_pass(shop, 1)

    assert (len(shop.mails(MARIE)), len(shop.mails(STAFF))) == (1, 1)


# Alerts


@pytest.mark.parametrize("status", [401, 400, 500], ids=["a bad key", "refused", "failed"])
@pytest.mark.parametrize("by_page", [True, False], ids=["by the page", "by a form"])
async def test_a_payment_that_cannot_be_created_is_an_alert(
    shop: Shop, caplog: pytest.LogCaptureFixture, status: int, by_page: bool
) -> None:
    order = await shop.order()
    shop.sandbox.stripe.fail_next(status, path="/v1/checkout/sessions" if by_page else "/v1/payment_intents")

    with caplog.at_level(logging.ERROR):
        document, input = started(shop, order, by_page)
        await shop.refused(document, input=input)

    assert len(alerts(caplog, "no payment could be created")) == 1


async def test_a_payment_that_cannot_be_created_from_the_link_is_an_alert(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    order = await shop.see(await shop.order())
    shop.sandbox.stripe.fail_next(503, path="/v1/checkout/sessions")

    with caplog.at_level(logging.ERROR):
        await shop.browse(order["payUrl"], {})

    assert len(alerts(caplog, "no payment could be created")) == 1


async def test_a_payment_without_a_key_is_an_alert(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    order = await shop.order()

    async with installed_with(shop, stripe_secret_key=None) as installed:
        with caplog.at_level(logging.ERROR):
            await installed.refused(CHECKOUT, input=shop.checkout_input(order))

    assert len(alerts(caplog, "STRIPE_SECRET_KEY is not set")) == 1


async def test_what_a_caller_does_wrong_is_no_alert(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    order = await shop.sell()

    with caplog.at_level(logging.ERROR):
        await shop.refused(CHECKOUT, input=shop.checkout_input(order))
        await shop.refused(CHECKOUT, input=shop.checkout_input(order) | {"successUrl": "https://evil.example/"})

    assert alerts(caplog) == []


async def test_a_bad_signature_is_an_alert(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    _, events = await shop.paid_events()

    with caplog.at_level(logging.ERROR):
        answer = await shop.deliver(events[-1], signature="t=1,v1=00")

    assert (answer.status_code, len(alerts(caplog, "bad signature"))) == (400, 1)


async def test_an_event_that_cannot_be_handled_is_an_alert_at_once(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    _, events = await shop.paid_events()
    await shop.sql("ALTER TABLE invoices ADD CONSTRAINT broken CHECK (false) NOT VALID")
    try:
        with caplog.at_level(logging.ERROR):
            await shop.tell(events)
            first = alerts(caplog, "inbox.handle")
            await minutes_pass(shop, 1)
    finally:
        await shop.sql("ALTER TABLE invoices DROP CONSTRAINT broken")

    assert len(first) == len(alerts(caplog, "inbox.handle")) == 1


async def test_an_event_that_comes_before_its_order_is_no_alert(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    _, events = await shop.paid_events()
    await shop.sql("UPDATE orders SET stripe_account = 'not yet'")

    with caplog.at_level(logging.ERROR):
        await shop.tell(events)

    assert alerts(caplog) == []


async def declined(shop: Shop, client: str | None = None) -> dict[str, Any]:
    """An order of Marie's, her card declined a moment ago."""
    order = await shop.order(client=client or await shop.client(MARIE))
    await shop.tell(await shop.sandbox.stripe.pay(await shop.checkout(order), DECLINED))
    return order


async def minutes_pass(shop: Shop, minutes: int) -> None:
    await shop.time_passes(minutes=minutes)
    await shop.work_is_done()


def started(shop: Shop, order: dict[str, Any], by_page: bool) -> tuple[str, dict[str, Any]]:
    return (CHECKOUT, shop.checkout_input(order)) if by_page else (INTENT, {"order": order["id"]})


def alerts(caplog: pytest.LogCaptureFixture, words: str = "") -> list[str]:
    """What operators are alerted to, of those that say `words`."""
    records = (each for each in caplog.records if each.levelno >= logging.ERROR and each.name.startswith("comptoir."))
    return [message for record in records if words in (message := record.getMessage())]
