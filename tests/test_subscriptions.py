"""Subscriptions: begun at Checkout, renewed by Stripe, each period an order of its own, with its access."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models.base import parse_global_id
from sandbox.stripe_cards import DECLINED
from tests import test_refunds as refunds
from tests.begun_at_stripe import foreign_product, open_conflicts, twin
from tests.documents import CHECKOUT, INTENT
from tests.shop import Shop
from tests.subscribing import CANCEL, RESUME, accesses, at, begun, month_passes, monthly, seen, sole

PARIS = ZoneInfo("Europe/Paris")

pytestmark = pytest.mark.usefixtures("printer")


async def test_a_first_payment_settles_the_order_that_was_begun(shop: Shop) -> None:
    partner = await shop.partner()
    product = await monthly(shop, partners=(partner,))

    subscription = await begun(shop, product=product)

    assert (subscription["status"], subscription["interval"], subscription["intervalCount"]) == ("ACTIVE", "MONTH", 1)
    assert subscription["amount"] == {"amount": 1900, "currency": "EUR"}
    assert subscription["payUrl"] is None
    (order,) = subscription["orders"]["nodes"]
    assert (order["kind"], order["source"], order["status"]) == ("SUBSCRIPTION", "BACK_OFFICE", "PAID")
    (line,) = order["lines"]
    assert (line["periodStart"], line["periodEnd"]) == (
        subscription["currentPeriodStart"], subscription["currentPeriodEnd"],
    )  # fmt: skip
    sold = await shop.see(order)
    assert [payment["status"] for payment in sold["payments"]] == ["SUCCEEDED"]
    assert len(sold["invoices"]) == len(shop.letters(sold)) == len(shop.told()) == 1
    (access,) = await accesses(shop)
    assert at(access["endsAt"]) - at(line["periodEnd"]) == timedelta(days=7)


async def test_a_renewal_is_a_new_order_with_its_invoice_letter_and_notification(shop: Shop) -> None:
    partner = await shop.partner()
    subscription = await begun(shop, product=await monthly(shop, partners=(partner,)))

    await month_passes(shop)

    renewed = await seen(shop, subscription["id"])
    newest, first = renewed["orders"]["nodes"]
    assert (newest["kind"], newest["source"], newest["status"]) == ("SUBSCRIPTION", "RENEWAL", "PAID")
    assert newest["total"] == {"amount": 1900}
    assert newest["lines"][0]["periodStart"] == first["lines"][0]["periodEnd"]
    sold = await shop.see(newest)
    assert len(sold["invoices"]) == 1
    (paper,) = await shop.sql("SELECT content FROM invoices WHERE number = $1", sold["invoices"][0]["number"])
    period = " – ".join(
        f"{at(newest['lines'][0][end]).astimezone(PARIS):%d/%m/%Y}" for end in ("periodStart", "periodEnd")
    )
    assert json.loads(paper["content"])["lines"][0]["description"] == f"Suivi ({period})"
    assert len(shop.letters(sold)) == len(shop.told()) == 2
    assert {told.json["order_id"] for told in shop.told()} == {newest["number"], first["number"]}
    latest, before = await accesses(shop)
    assert before["endsAt"] == latest["startsAt"] == newest["lines"][0]["periodStart"]


async def test_renewals_leave_no_gap_in_numbers_or_access(shop: Shop) -> None:
    await begun(shop)

    await month_passes(shop, months=3)

    assert await shop.count("orders", "status = 'PAID'") == 4
    invoices = await shop.sql("SELECT sequence FROM invoices ORDER BY sequence")
    assert [invoice["sequence"] for invoice in invoices] == list(range(1, 5))
    granted = sorted(await accesses(shop), key=lambda access: at(access["startsAt"]))
    assert all(at(one["endsAt"]) >= at(another["startsAt"]) for one, another in pairwise(granted))


async def test_a_discount_is_of_the_first_payment_alone(shop: Shop) -> None:
    subscription = await begun(shop, discount={"amount": 400})

    await month_passes(shop)

    renewed = await seen(shop, subscription["id"])
    assert [order["total"]["amount"] for order in renewed["orders"]["nodes"]] == [1900, 1500]


async def test_a_changed_price_is_of_new_subscriptions_alone(shop: Shop) -> None:
    product = await monthly(shop)
    await begun(shop, product=product)
    await shop.work_is_done()

    await shop.change("product", product, price={"amount": 2900, "currency": "EUR"})
    await shop.work_is_done()
    await month_passes(shop)

    prices = shop.sandbox.stripe.books.store.all("price", [("product", "=", await twin(shop, product))])
    synced = [(price["unit_amount"], price["active"]) for price in prices if price["metadata"]]
    assert synced == [(1900, False), (2900, True)]
    at_stripe = shop.sandbox.stripe.books.find("product", await twin(shop, product))
    assert at_stripe["default_price"] == prices[-1]["id"]
    newest = (await sole(shop))["orders"]["nodes"][0]
    assert newest["total"] == {"amount": 1900}


async def test_a_declined_first_payment_is_told_like_that_of_any_order(shop: Shop) -> None:
    order = await shop.order(await monthly(shop))
    session = await shop.checkout(order)

    await shop.tell(await shop.sandbox.stripe.pay(session, card=DECLINED))
    begun_so_far = await sole(shop)
    await shop.time_passes(minutes=20)
    await shop.work_is_done()
    sold = await shop.see(order)
    told = shop.subjects(sold["client"]["email"])
    await shop.tell(await shop.sandbox.stripe.pay(session))

    assert begun_so_far["status"] == "INCOMPLETE"
    assert [payment["status"] for payment in sold["payments"]] == ["FAILED"]
    assert told == ["[TEST] Votre paiement n’a pas abouti"]
    assert (await sole(shop))["status"] == "ACTIVE"
    assert (await shop.see(order))["status"] == "PAID"


async def test_one_is_ended_with_its_period_or_goes_on_after_all(shop: Shop) -> None:
    subscription = await begun(shop)
    end = {"subscription": subscription["id"]}

    ending = await shop(CANCEL, input=end)
    paid_until = at(subscription["currentPeriodEnd"])
    (access,) = await accesses(shop)
    resumed = await shop(RESUME, input=end)
    (again,) = await accesses(shop)
    refused = await shop.refused(RESUME, input=end)
    await shop(CANCEL, input=end)
    await month_passes(shop)

    assert ending["clientSubscription"]["cancelAtPeriodEnd"] is True
    assert ending["clientSubscription"]["status"] == "ACTIVE"
    assert at(access["endsAt"]) == paid_until
    assert (resumed["clientSubscription"]["cancelAtPeriodEnd"], resumed["clientSubscription"]["canceledAt"]) == (
        False,
        None,
    )
    assert at(again["endsAt"]) == paid_until + timedelta(days=7)
    assert refused[:2] == ("CONFLICT", "input.subscription")
    ended = await seen(shop, subscription["id"])
    assert (ended["status"], at(ended["endedAt"])) == ("CANCELED", paid_until)
    assert len(ended["orders"]["nodes"]) == 1
    assert at((await accesses(shop))[0]["endsAt"]) == paid_until
    for document in (CANCEL, RESUME):
        assert (await shop.refused(document, input=end))[:2] == ("CONFLICT", "input.subscription")


async def test_a_period_that_is_given_back_takes_its_access_alone(shop: Shop) -> None:
    subscription = await begun(shop)
    await month_passes(shop)
    newest, first = (await seen(shop, subscription["id"]))["orders"]["nodes"]
    (payment,) = (await refunds.see(shop, newest))["payments"]

    await refunds.refund(shop, payment)

    assert (await refunds.see(shop, newest))["status"] == "REFUNDED"
    assert refunds.credit_notes(await refunds.see(shop, newest)) == [1900]
    assert await refunds.withdrawn(shop, newest) == ["REFUNDED"]
    assert await refunds.withdrawn(shop, first) == [None]
    assert (await sole(shop))["status"] == "ACTIVE"


async def test_one_that_is_ended_at_once_takes_its_access_along(shop: Shop) -> None:
    subscription = await begun(shop)

    ended = await shop(CANCEL, input={"subscription": subscription["id"], "atPeriodEnd": False})

    assert ended["clientSubscription"]["status"] == "CANCELED"
    (access,) = await accesses(shop)
    assert at(access["endsAt"]) < at(subscription["currentPeriodEnd"])


async def test_what_ended_at_stripe_meanwhile_is_said_so(shop: Shop) -> None:
    subscription = await begun(shop)
    shop.sandbox.stripe.cancel_subscription(subscription["stripeId"])

    canceled = await shop(CANCEL, input={"subscription": subscription["id"]})

    assert canceled["clientSubscription"]["status"] == "CANCELED"


async def test_asking_stripe_is_as_good_as_its_event(shop: Shop) -> None:
    order = await shop.order(await monthly(shop))
    await shop.sandbox.stripe.pay(await shop.checkout(order))  # and nothing is told

    confirmed = await shop.do("paymentConfirm", order)

    assert confirmed["status"] == "PAID"
    assert (await sole(shop))["status"] == "ACTIVE"


@pytest.mark.parametrize("reverse", [False, True])
async def test_one_begun_in_the_dashboard_with_a_known_product_becomes_ours(shop: Shop, reverse: bool) -> None:
    product = await monthly(shop)
    at_stripe = await twin(shop, product)
    price = shop.sandbox.stripe.books.find("product", at_stripe)["default_price"]
    link = await shop.dashboard.v1.payment_links.create_async({"line_items": [{"price": price, "quantity": 2}]})
    session = shop.sandbox.stripe.open_link(link.id)

    events = await shop.sandbox.stripe.pay(session["id"], email="marie@example.com")
    await shop.tell(events[::-1] if reverse else events)
    await month_passes(shop)

    subscription = await sole(shop)
    assert (subscription["client"]["email"], subscription["product"]["name"]) == ("marie@example.com", "Suivi")
    assert (subscription["quantity"], subscription["amount"]["amount"]) == (2, 3800)
    assert [order["source"] for order in subscription["orders"]["nodes"]] == ["RENEWAL", "STRIPE"]
    assert [order["total"]["amount"] for order in subscription["orders"]["nodes"]] == [3800, 3800]
    assert await open_conflicts(shop) == []


async def test_one_of_an_unknown_product_is_flagged_once(shop: Shop) -> None:
    name = await foreign_product(shop, "Presse")
    price = await shop.dashboard.v1.prices.create_async(
        {"currency": "eur", "unit_amount": 500, "product": name, "recurring": {"interval": "month"}}
    )
    link = await shop.dashboard.v1.payment_links.create_async({"line_items": [{"price": price.id, "quantity": 1}]})
    session = shop.sandbox.stripe.open_link(link.id)

    await shop.tell(await shop.sandbox.stripe.pay(session["id"], email="marie@example.com"))
    await month_passes(shop)

    (conflict,) = await open_conflicts(shop)
    assert conflict["kind"] == "UNKNOWN_SALE"
    assert "5.00 EUR" in conflict["message"]
    assert await shop.count("orders") == await shop.count("subscriptions") == 0


async def test_an_invoice_of_no_period_waits_for_a_person_and_the_next_period_is_an_order(shop: Shop) -> None:
    subscription = await begun(shop)
    books, events = shop.sandbox.stripe.books, shop.sandbox.stripe.advance(months=1)
    invoice = books.find("invoice", shop.sandbox.stripe.subscription(subscription["stripeId"])["latest_invoice"])
    (line,) = invoice["lines"]["data"]
    charged = line | {"type": "invoiceitem"}  # what somebody put on it by hand
    books.keep(invoice | {"lines": invoice["lines"] | {"data": [charged]}})

    await shop.tell(events)
    await month_passes(shop)

    (conflict,) = await open_conflicts(shop)
    assert (conflict["kind"], "no period" in conflict["message"]) == ("UNKNOWN_SALE", True)
    assert await shop.count("orders", "status = 'PAID'") == 2


async def test_an_order_that_was_paid_is_not_paid_by_another_subscription(shop: Shop) -> None:
    subscription = await begun(shop)
    (order,) = subscription["orders"]["nodes"]
    order_id = str((parse_global_id(order["id"]) or ("", ""))[1])
    customer = shop.sandbox.stripe.subscription(subscription["stripeId"])["customer"]
    method = shop.sandbox.stripe.subscription(subscription["stripeId"])["default_payment_method"]
    price = shop.sandbox.stripe.subscription(subscription["stripeId"])["items"]["data"][0]["price"]["id"]

    before = len(shop.sandbox.stripe.events())
    await shop.dashboard.v1.subscriptions.create_async(
        {
            "customer": customer,
            "items": [{"price": price}],
            "default_payment_method": method,
            "metadata": {"order": order_id},
        }
    )
    await shop.tell(shop.sandbox.stripe.events()[before:])

    assert await shop.count("subscriptions") == 2
    assert await shop.count("orders", "status = 'PAID'") == 2
    assert await shop.count("payments", "status = 'SUCCEEDED'") == 2


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"interval": "MONTH", "intervalCount": 37}, "input.intervalCount"),
    ({"interval": "YEAR", "intervalCount": 0}, "input.intervalCount"),
    ({"intervalCount": 2}, "input.intervalCount"),
    ({"interval": "MONTH", "price": {"amount": 0, "currency": "EUR"}}, "input.price.amount"),
]


@pytest.mark.parametrize(("values", "field"), REFUSED)
async def test_a_product_has_periods_that_stripe_knows(shop: Shop, values: dict[str, Any], field: str) -> None:
    given = {"name": "Suivi", "price": {"amount": 1900, "currency": "EUR"}} | values
    create = "mutation ($input: ProductCreateInput!) { productCreate(input: $input) { product { id } } }"

    assert (await shop.refused(create, input=given))[:2] == ("INVALID", field)


async def test_a_subscription_is_an_order_of_its_own_and_paid_on_its_page(shop: Shop) -> None:
    product, once = await monthly(shop), await shop.product()
    client = await shop.client()

    async def refused(*products: str, **more: Any) -> tuple[str, str | None]:
        lines = [{"product": each, "quantity": 1} for each in products]
        create = "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id } } }"
        return (await shop.refused(create, input={"client": client, "lines": lines} | more))[:2]

    assert await refused(product, once) == ("INVALID", "input.lines")
    assert await refused(product, product) == ("INVALID", "input.lines")
    assert await refused(product, deposit={"percent": 3000}) == ("INVALID", "input.deposit")
    assert await refused(product, discount={"percent": 10000}) == ("INVALID", "input.discount")
    discounted = [{"product": product, "quantity": 1, "discount": {"percent": 1000}}]
    assert await refused(lines=discounted) == ("INVALID", "input.lines.0.discount")

    order = await shop.order(product, client=client)
    assert (await shop.refused(INTENT, input={"order": order["id"]}))[:2] == ("CONFLICT", "input.order")
    for action, more in (("orderInvoice", {}), ("paymentRecord", {"method": "TRANSFER"})):
        assert (await shop.cannot(action, order, **more))[:2] == ("CONFLICT", "input.order"), action
    assert await shop(CHECKOUT, input=shop.checkout_input(order))
