"""Payments in odd moments: each was a way to lose money, a document or a client's patience."""

import asyncio
import copy
from typing import Any
from uuid import uuid4

import pytest

from models import Order
from sandbox.stripe_cards import DECLINED
from sandbox.stripe_sepa import FAILS
from tests.faults.test_events import row_id
from tests.security.test_keys import storefront
from tests.security.test_rates import coming_from
from tests.shop import CHECKOUT, INTENT, Shop, said

pytestmark = pytest.mark.usefixtures("printer")

CUT, STRIPES_OWN_TRIES = None, 3


# What is due changes while it is paid


async def test_a_page_paid_after_the_order_was_given_away_is_to_be_refunded_whole(shop: Shop) -> None:
    order = await shop.order(await shop.product(5000))
    session = await shop.checkout(order)
    await shop.do("orderDiscount", order, discount={"percent": 10_000})

    await shop.tell(await shop.sandbox.stripe.pay(session))

    seen = await shop.see(order)
    assert (seen["status"], seen["paid"]["amount"]) == ("OPEN", 0)
    assert [(each["kind"], each["proposal"], each["proposed"]["amount"]) for each in seen["conflicts"]] == [
        ("OVERPAID", "REFUND", 5000)
    ]
    assert await shop.count("outbox", "failures > 0") == 0


async def test_a_form_whose_debit_failed_after_the_money_came_otherwise_is_taken_back(shop: Shop) -> None:
    order, stripe = await shop.order(), shop.sandbox.stripe
    intent = await shop.intent(order)
    await shop.tell(await stripe.confirm(intent, iban=FAILS))
    await shop.do("paymentRecord", order, method="TRANSFER")
    await shop.work_is_done()

    await shop.tell(stripe.fail_debit(intent))

    assert stripe.intent(intent)["status"] == "canceled"
    assert await shop.count("attempts", "status = 'OPEN'") == 0


async def test_news_of_a_page_are_not_taken_for_those_of_a_form_that_was_asked_for_since(shop: Shop) -> None:
    """Stripe cancels the PaymentIntent of a page that is taken back; the answer about ours was lost."""
    order, stripe = await shop.order(client=await shop.client("marie@example.com")), shop.sandbox.stripe
    session = await shop.checkout(order)
    await stripe.pay(session, card=DECLINED)
    stripe.fail_next(CUT, times=STRIPES_OWN_TRIES, path="/v1/payment_intents")
    code, _, _ = await shop.refused(INTENT, input={"order": order["id"]})
    assert code == "UNAVAILABLE"
    known = stripe.books.store.all("payment_intent")[-1]["id"]
    assert stripe.session(session)["status"] == "expired"

    await shop.tell([canceled(stripe.intent(stripe.session(session)["payment_intent"]))])

    assert await shop.intent(order) == known


async def test_a_page_that_we_took_back_is_told_to_nobody(shop: Shop) -> None:
    order, stripe = await shop.order(client=await shop.client("marie@example.com")), shop.sandbox.stripe
    session = await shop.checkout(order)
    await stripe.pay(session, card=DECLINED)
    await shop.intent(order)
    assert stripe.session(session)["status"] == "expired"
    key = stripe.events("checkout.session.expired")[-1]["request"]["idempotency_key"]

    await shop.tell([canceled(stripe.intent(stripe.session(session)["payment_intent"]), key)])

    assert shop.mails("marie@example.com") == []


async def test_a_debit_that_is_told_to_be_under_way_in_the_second_it_failed_does_not_hold_the_order(shop: Shop) -> None:
    """Stripe counts in whole seconds."""
    order, stripe = await shop.order(), shop.sandbox.stripe
    intent = await shop.intent(order)
    (*_, processing) = await stripe.confirm(intent, iban=FAILS)
    (*_, failed) = stripe.fail_debit(intent)
    failed["created"] = processing["created"]

    await shop.tell([failed, processing])

    assert [payment["status"] for payment in (await shop.see(order))["payments"]] == ["FAILED"]
    assert await shop.intent(order) == intent


# What Stripe remembers


@pytest.mark.parametrize("by_page", [True, False], ids=["a page", "a form"])
async def test_what_stripe_failed_to_take_back_is_taken_back_at_the_next_try(shop: Shop, by_page: bool) -> None:
    """Stripe gives its failure again for the same idempotency key, for a day."""
    order, stripe = await shop.order(), shop.sandbox.stripe
    if by_page:
        path = f"/v1/checkout/sessions/{await shop.checkout(order)}/expire"
    else:
        path = f"/v1/payment_intents/{await shop.intent(order)}/cancel"
    stripe.fail_next(500, path=path)
    code, _, _ = await shop.cannot("orderCancel", order)

    assert code == "UNAVAILABLE"
    assert (await shop.do("orderCancel", order))["status"] == "CANCELED"


async def test_a_coupon_deleted_at_stripe_is_made_again_at_the_next_try(shop: Shop) -> None:
    order = await shop.order(discount={"percent": 1000})
    session = await shop.checkout(order)
    await shop.tell([shop.sandbox.stripe.expire(session)])
    await shop.sql("UPDATE attempts SET stripe_id = 'deleted' WHERE operation = 'CREATE_COUPON'")

    code, _, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))

    assert (code, "No such coupon" in message) == ("CONFLICT", True)
    assert (await shop.pay(order))["status"] == "PAID"


# Documents


async def test_what_is_paid_in_part_is_invoiced_ahead_with_what_was_paid(shop: Shop) -> None:
    """Less than the deposit: nothing was invoiced yet."""
    order = await shop.order(await shop.product(10_000), deposit={"amount": 3000})
    await shop.do("paymentRecord", order, method="CHEQUE", amount={"amount": 1000})

    seen = await shop.do("orderInvoice", order)

    assert [(each["type"], each["total"]["amount"], each["settledAt"]) for each in seen["invoices"]] == [
        ("PREPAYMENT", 3000, None)
    ]


async def test_the_rest_is_invoiced_ahead_where_a_brand_bears_no_part_of_the_deposit(shop: Shop) -> None:
    products = [await shop.product(9000, (await shop.partner(),)), await shop.product(1000)]
    order = await shop.order(*products, deposit={"amount": 1})
    await shop.do("paymentRecord", order, method="CASH", amount={"amount": 501})

    seen = await shop.do("orderInvoice", order)

    assert [(each["type"], each["total"]["amount"]) for each in seen["invoices"]] == [
        ("PREPAYMENT", 1), ("INVOICE", 9000), ("INVOICE", 1000),
    ]  # fmt: skip


async def test_a_partner_whose_part_was_paid_first_is_told_of_its_invoice_once_all_is(shop: Shop) -> None:
    first = await shop.partner("first")
    order = await shop.order(await shop.product(1, (first,)), await shop.product(9999))
    await shop.do("paymentRecord", order, method="TRANSFER", amount={"amount": 9999})
    (theirs, _) = (await shop.see(order))["invoices"]
    assert theirs["settledAt"]

    await shop.do("paymentRecord", order, method="TRANSFER")
    await shop.work_is_done()

    (told,) = shop.told("first")
    assert told.json["invoice"]["number"] == theirs["number"]


async def test_a_receipt_thanks_for_what_its_invoice_asked_for(shop: Shop) -> None:
    client = await shop.client("marie@example.com")
    order = await shop.order(await shop.product(10_000), client=client, deposit={"amount": 3000})
    await shop.do("paymentRecord", order, method="TRANSFER", amount={"amount": 3000})
    await shop.do("orderInvoice", order)

    await shop.do("paymentRecord", order, method="TRANSFER")
    await shop.work_is_done()

    assert any("votre paiement de 70,00 €" in said(letter) for letter in shop.letters(await shop.see(order)))


async def test_who_is_being_debited_is_not_reminded(shop: Shop) -> None:
    order, stripe = await shop.order(client=await shop.client("marie@example.com")), shop.sandbox.stripe
    await shop.do("orderInvoice", order)
    intent = await shop.intent(order)
    await shop.tell(await stripe.confirm(intent, iban=FAILS))

    await shop.time_passes(days=40)
    await shop.work_is_done()
    assert not any(each["sentAt"] for each in (await shop.see(order))["reminders"])

    await shop.tell(stripe.fail_debit(intent))
    await shop.time_passes(days=1)
    await shop.work_is_done()
    assert [bool(each["sentAt"]) for each in (await shop.see(order))["reminders"]] == [True, False]


async def test_reminders_that_nobody_could_send_do_not_all_come_at_once(shop: Shop) -> None:
    order = await shop.order(client=await shop.client("marie@example.com"))
    await shop.do("orderInvoice", order)
    await shop.work_is_done()

    await shop.time_passes(days=90)
    await shop.work_is_done()

    assert len([each for each in (await shop.see(order))["reminders"] if each["sentAt"]]) == 1


async def test_a_client_is_welcomed_once_though_two_orders_are_paid_at_once(shop: Shop) -> None:
    client = await shop.client("marie@example.com")
    orders = [await shop.order(await shop.product(1000, name=name), client=client) for name in ("A", "B")]
    rows = [await Order.get(id=row_id(order)) for order in orders]

    await asyncio.gather(*(shop.do("paymentRecord", order, method="CASH") for order in orders))
    await shop.work_is_done()

    assert [(await Order.get(id=row.id)).status for row in rows] == ["PAID", "PAID"]
    assert len([each for each in shop.mails("marie@example.com") if "welcome" in str(each.message["Message-ID"])]) == 1


@pytest.mark.parametrize("passing", ["40P01", "57014"], ids=["a deadlock", "a lock that took too long"])
async def test_a_passing_trouble_of_the_database_keeps_nobody_from_what_they_bought(shop: Shop, passing: str) -> None:
    order, events = await shop.paid_events()
    await shop.sql("CREATE SEQUENCE tries")
    await shop.sql(
        "CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('tries') = 1 THEN RAISE SQLSTATE '{passing}'; END IF; RETURN NULL; END $$"
    )
    await shop.sql("CREATE TRIGGER trouble AFTER INSERT ON accesses FOR EACH ROW EXECUTE FUNCTION trouble()")
    try:
        await shop.tell(events)
        await shop.time_passes(minutes=1)
        await shop.work_is_done()
    finally:
        await shop.sql("DROP FUNCTION trouble CASCADE")
        await shop.sql("DROP SEQUENCE tries")

    seen = await shop.see(order)
    assert (seen["status"], seen["conflicts"]) == ("PAID", [])
    assert await shop.count("accesses") == 1


# Codes


async def test_an_order_may_be_given_the_code_again_that_it_has(shop: Shop) -> None:
    await shop.code("ONCE", percent=1000, redemptionsMost=1, perClientMost=1)
    order = await shop.order(await shop.product(10_000), discountCode="ONCE")

    seen = await shop.do("orderDiscount", order, discountCode="ONCE")

    assert (seen["total"]["amount"], seen["discountCode"]["redemptions"]) == (9000, 1)


async def test_a_cart_that_stripe_does_not_take_holds_no_code(shop: Shop) -> None:
    """No page will ever run out that would give its place back."""
    await shop.code("ALMOST", amount={"amount": 960}, redemptionsMost=1)
    page, product = await storefront(shop), await shop.product(1000)
    cart = {"lines": [{"product": product, "quantity": 1}], "discountCode": "ALMOST", "successUrl": shop.sandbox.url}

    async with coming_from(page, "192.0.2.77") as visitor:
        code, _, message = await visitor.refused(CHECKOUT, input=cart | {"email": "a@example.com"})

    assert (code, "at least 50" in message) == ("CONFLICT", True)
    await shop.time_passes(hours=49)
    await shop.work_is_done()
    assert await shop.count("discount_codes", "redemptions > 0") == 0
    assert await shop.count("orders", "holds_code") == 0


def canceled(intent: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """Stripe's event of the PaymentIntent of a page that ended."""
    return {
        "id": f"evt_{uuid4().hex}", "object": "event", "type": "payment_intent.canceled", "livemode": False,
        "created": intent["created"] + 1, "request": {"id": None, "idempotency_key": key},
        "data": {"object": copy.deepcopy(intent) | {"status": "canceled"}},
    }  # fmt: skip
