"""Stripe fails, or its answer is lost, at each of the calls that paying takes: nothing is half-done, and the next try
works."""

import json
import re
from collections import defaultdict
from random import Random
from typing import Any

import pytest

from models import Attempt, AttemptStatus, Promise
from services.asking import TO_PAY
from tests.faults.histories import Catalogue, History, Sale, Step
from tests.faults.truths import must_hold
from tests.shop import CHECKOUT, INTENT, Shop

pytestmark = pytest.mark.usefixtures("printer")

CUT, STRIPES_OWN_TRIES = None, 3
FAULTS = {
    "it fails, and remembers": (500, 1),
    "the answer is lost": (CUT, STRIPES_OWN_TRIES),
}
DISCOUNTED = Sale(lines=((0, 1, None), (2, 2, 0)), discount=0)
PAGES, FORMS = "/v1/checkout/sessions", "/v1/payment_intents"

faults = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())


@pytest.fixture
async def history(shop: Shop) -> History:
    history = await History.begin(await Catalogue.open(shop), DISCOUNTED)
    assert history
    return history


@faults
@pytest.mark.parametrize("path", ["/v1/customers", "/v1/products", "/v1/coupons", PAGES, f"{FORMS}/"])
async def test_a_page_that_could_not_be_given_is_given_at_the_next_try(
    history: History, path: str, fault: tuple[int | None, int]
) -> None:
    """The last path is that of a form, which is taken back before."""
    if path == f"{FORMS}/":
        await history.go(Step("intent"))
    await fails(history, CHECKOUT, path, fault, input=history.shop.checkout_input(history.order))

    await history.go(Step("checkout"), Step("card"))

    assert await paid(history)


@pytest.mark.parametrize("fault", [FAULTS["the answer is lost"]])
@pytest.mark.parametrize("path", ["/v1/customers", "/v1/products", FORMS, f"{FORMS}/", f"{PAGES}/"])
async def test_a_form_that_could_not_be_given_is_given_at_the_next_try(
    history: History, path: str, fault: tuple[int | None, int]
) -> None:
    """The last but one is that of its secret, the last that of a page, which is taken back before."""
    if path == f"{PAGES}/":
        await history.go(Step("checkout"))
    await fails(history, INTENT, path, fault, input={"order": history.order["id"]})

    await history.go(Step("intent"), Step("card"))

    assert await paid(history)


@faults
@pytest.mark.parametrize("way", ["checkout", "intent"])
async def test_an_order_that_could_not_be_given_up_is_given_up_at_the_next_try(
    history: History, way: str, fault: tuple[int | None, int]
) -> None:
    await history.go(Step(way))
    document = "mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { order { status } } }"
    await fails(
        history, document, f"{PAGES if way == 'checkout' else FORMS}/", fault, input={"order": history.order["id"]}
    )
    assert (await history.shop.see(history.order))["status"] == "OPEN"

    await history.go(Step("cancel"))

    await history.end(Random(1))
    assert (await history.shop.see(history.order))["status"] == "CANCELED"
    await must_hold(history)


@faults
@pytest.mark.parametrize("way", ["checkout", "intent"])
async def test_what_could_not_be_taken_back_is_taken_back_later(
    history: History, way: str, fault: tuple[int | None, int]
) -> None:
    """A transfer came: nothing is to be paid by the page any more."""
    shop, (status, times) = history.shop, fault
    await history.go(Step(way), Step("record"))
    shop.sandbox.stripe.fail_next(status, times, path=f"{PAGES if way == 'checkout' else FORMS}/")
    await shop.work_is_done()
    assert await Promise.filter(job="asking.take_back_what_is_stale", done_at=None, failures=1).count() == 1

    await shop.time_passes(minutes=2)
    assert await paid(history)


@pytest.mark.parametrize("what", ["record", "cancel", "discount"])
@pytest.mark.parametrize("way", ["lost_page", "lost_form"])
async def test_what_was_given_and_lost_on_its_way_is_taken_back_once_it_is_not_due(
    history: History, way: str, what: str
) -> None:
    await history.go(Step(way), Step(what, 1))
    await history.end(Random(1))

    await must_hold(history)
    (attempt,) = await Attempt.filter(order_id=history.key, operation__in=TO_PAY)
    assert attempt.status is AttemptStatus.CLOSED


@faults
@pytest.mark.parametrize("way", ["checkout", "intent"])
async def test_an_order_that_could_not_be_asked_after_is_asked_after_at_the_next_try(
    history: History, way: str, fault: tuple[int | None, int]
) -> None:
    await history.go(Step(way), Step("card"))
    document = "mutation ($input: PaymentConfirmInput!) { paymentConfirm(input: $input) { order { status } } }"
    path = f"{PAGES if way == 'checkout' else FORMS}/"
    await fails(history, document, path, fault, input={"order": history.order["id"]})
    assert (await history.shop.see(history.order))["payments"] == []

    await history.go(Step("confirm"))

    assert (await history.shop.see(history.order))["status"] == "PAID"
    assert await paid(history)


@faults
async def test_a_debit_that_could_not_be_asked_after_stays_as_it_was(
    history: History, fault: tuple[int | None, int]
) -> None:
    shop = history.shop
    await history.go(Step("checkout"), Step("sepa"), Step("all_at_once"), Step("bounce"))
    document = "mutation ($input: PaymentConfirmInput!) { paymentConfirm(input: $input) { order { status } } }"
    await fails(history, document, f"{FORMS}/", fault, input={"order": history.order["id"]})
    assert [each["status"] for each in (await shop.see(history.order))["payments"]] == ["PROCESSING"]

    await history.go(Step("confirm"))

    assert [each["status"] for each in (await shop.see(history.order))["payments"]] == ["FAILED"]
    await history.end(Random(1))
    await must_hold(history)


@faults
async def test_a_sale_begun_at_stripe_waits_until_it_says_what_was_sold(
    shop: Shop, fault: tuple[int | None, int]
) -> None:
    stripe, (status, times) = shop.sandbox.stripe, fault
    product = await shop.product(1000)
    order = await shop.order(product)
    *_, event = await stripe.pay(await shop.checkout(order))
    event["data"]["object"]["metadata"] = {}
    await shop.deliver(event)
    stripe.fail_next(status, times, path=f"{PAGES}/{event['data']['object']['id']}/line_items")

    await shop.work_is_done()
    assert await shop.count("orders") == 1
    assert await Promise.filter(job="inbox.handle", done_at=None, failures=1).count() == 1

    await shop.time_passes(minutes=2)
    await shop.work_is_done()
    assert await shop.count("orders", "status = 'PAID' AND source = 'STRIPE'") == 1


async def fails(history: History, document: str, path: str, fault: tuple[int | None, int], **variables: Any) -> None:
    """The first try: told to come again."""
    status, times = fault
    history.shop.sandbox.stripe.fail_next(status, times, path=path)
    code, _, message = await history.shop.refused(document, **variables)
    assert (code, "try again" in message) == ("UNAVAILABLE", True)


async def paid(history: History) -> bool:
    """Whether the history ends with its order paid, each thing asked of Stripe once, under a key of its own."""
    await history.end(Random(1))
    await must_hold(history)
    asked = defaultdict(set)
    for request in history.shop.sandbox.stripe.requests:
        if request.method == "POST" and history.key in str(request.idempotency_key):
            key = str(request.idempotency_key)
            assert re.fullmatch(rf"order:{history.key}:(checkout|payment_intent|create_coupon):\d+(:close:\w+)?", key)
            asked[key].add((request.path, json.dumps(request.params, sort_keys=True)))
    assert {len(requests) for requests in asked.values()} == {1}
    return bool((await history.shop.see(history.order))["status"] == "PAID")
