"""A client reads when that is which they pay: on the page, at Stripe, on invoices and in letters."""

from datetime import timedelta
from typing import Any

import pytest

import models
from models.base import global_id
from services.wording import occasion
from tests.bookings.desk import PARIS, SERIES, Desk, ahead
from tests.shop import Shop, said
from tests.test_pay_links import link_of, plain

pytestmark = pytest.mark.usefixtures("printer")


async def test_a_client_reads_when_it_is_that_they_pay_everywhere(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000, deposit_cents=2000)
    at = ahead()
    when = plain(occasion(at.astimezone(PARIS), at + timedelta(hours=1)))
    order = (await desk.book(at))["booking"]["order"]

    link = await link_of(shop, order)
    items = await asked(shop, order)
    page = plain((await shop.browse(link)).text)
    await shop.pay(order)
    await shop.pay(order)
    await shop.work_is_done()

    assert when in page
    (item,) = items
    product = shop.sandbox.stripe.books.find("product", item["price"]["product"])
    assert (product["name"], plain(product["description"])) == (f"Acompte de la commande n° {order['number']}", when)
    deposit, invoice = await models.Invoice.all().order_by("id")
    assert plain(deposit.content["lines"][0]["description"]).endswith(f"({when})")
    assert plain(invoice.content["lines"][0]["description"]) == f"Bilan ({when})"
    assert any(f"Bilan ({when})" in " ".join(said(letter).split()) for letter in shop.mails("client1@example.com"))


async def test_the_line_of_the_whole_at_stripe_says_it_too_and_costs_what_was_sold(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    order = (await desk.book(ahead()))["booking"]["order"]

    (item,) = await asked(shop, order)

    product = shop.sandbox.stripe.books.find("product", item["price"]["product"])
    assert (product["name"], item["amount_total"]) == ("Bilan", 6000)
    assert "(heure de Paris)" in product["description"]


async def test_what_is_issued_says_the_time_that_it_was_issued_with_and_a_page_the_time_that_it_is(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    made = await desk.book(ahead())
    order = made["booking"]["order"]
    await shop.do("orderInvoice", order)
    (before,) = await models.Invoice.all()
    link = await link_of(shop, order)

    await desk.move(made["booking"]["id"], ahead(hour=14))

    assert "de 14 h" in plain((await shop.browse(link)).text)
    (after,) = await models.Invoice.all()
    assert after.content == before.content


async def test_of_many_times_the_first_and_the_last_are_said(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    wanted = desk.asked(ahead(), await shop.client(), staff=global_id(desk.staff[0]), rule="FREQ=DAILY;COUNT=9")
    order = (await shop(SERIES, input=wanted))["first"]["order"]

    page = plain((await shop.browse(await link_of(shop, order))).text)

    assert "9 dates, la première" in page


async def test_a_time_that_was_given_up_for_nothing_is_none_that_is_paid(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    wanted = desk.asked(ahead(), await shop.client(), staff=global_id(desk.staff[0]), rule="FREQ=DAILY;COUNT=9")
    first = (await shop(SERIES, input=wanted))["first"]
    await desk.cancel(first["id"])

    page = plain((await shop.browse(await link_of(shop, first["order"]))).text)
    (item,) = await asked(shop, first["order"])

    assert "8 dates, la première" in page
    assert "8 dates" in shop.sandbox.stripe.books.find("product", item["price"]["product"])["description"]


async def asked(shop: Shop, order: dict[str, Any]) -> list[dict[str, Any]]:
    """What the page at Stripe shows that it is paid for."""
    books = shop.sandbox.stripe.books
    return list(books.plan(books.find("checkout.session", await shop.checkout(order)))["line_items"])
