"""Sales at a storefront: a page in a browser, with its public key, sells to whoever an e-mail address belongs to."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from tests.security.surroundings import coming_from, installed_with, neighbour, never_made, nothing_changes
from tests.security.test_keys import storefront
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("printer")

BUY = """mutation ($input: CheckoutStartInput!) { checkoutStart(input: $input) { __typename
  ... on CheckoutStarted { url expiresAt amount { amount currency } orderNumber order { id } }
  ... on OrderCompleted { orderNumber order { id } } } }"""
PLACES = count(1)
MARIE = "marie@example.com"
TOO_LONG = "x" * 10_000


@pytest.fixture
async def page(shop: Shop) -> AsyncIterator[Shop]:
    """A storefront's page, opened in a place of its own: how often one may buy is counted by address."""
    async with coming_from(await storefront(shop), f"203.0.113.{next(PLACES)}") as opened:
        yield opened


async def test_an_address_and_a_cart_are_enough_to_buy(shop: Shop, page: Shop) -> None:
    product = await shop.product(4900, (await shop.partner(),), name="Conseil")

    started = await page(BUY, input=cart(shop, product, quantity=2))

    assert (started["amount"], started["order"]) == ({"amount": 9800, "currency": "EUR"}, None)
    order = await order_of(shop, started)
    assert (order["source"], order["status"], order["client"]["email"]) == ("STOREFRONT", "OPEN", MARIE)
    assert [(line["description"], line["quantity"]) for line in order["lines"]] == [("Conseil", 2)]
    await shop.tell(await shop.sandbox.stripe.pay(session_of(started)))
    paid = await shop.see(order)
    assert (paid["status"], len(paid["invoices"]), len(shop.letters(paid)), len(shop.told())) == ("PAID", 1, 1, 1)


async def test_what_renews_is_subscribed_to(shop: Shop, page: Shop) -> None:
    product = await shop.product(1900, interval="MONTH")

    started = await page(BUY, input=cart(shop, product))
    await shop.tell(await shop.sandbox.stripe.pay(session_of(started)))

    order = await order_of(shop, started)
    assert (order["source"], order["status"], order["client"]["email"]) == ("STOREFRONT", "PAID", MARIE)
    (begun,) = (await shop("{ subscriptions { nodes { status client { email } } } }"))["nodes"]
    assert begun == {"status": "ACTIVE", "client": {"email": MARIE}}


async def test_the_client_is_made_once_of_what_is_given(shop: Shop, page: Shop) -> None:
    product = await shop.product()
    given = {"firstName": "Marie", "lastName": "Martin", "phone": "+33612345678"}

    first = await page(BUY, input=cart(shop, product) | given)
    second = await page(BUY, input=cart(shop, product, quantity=2) | {"email": "Marie@Example.COM"})

    clients = await shop("{ clients { nodes { email firstName lastName phone } } }")
    assert clients["nodes"] == [{"email": MARIE} | given]
    assert (await order_of(shop, first))["client"] == (await order_of(shop, second))["client"]


async def test_a_free_cart_under_a_key_is_one_order_also_if_the_first_answer_was_never_written(
    shop: Shop, page: Shop
) -> None:
    asked = cart(shop, await shop.product(0)) | {"idempotencyKey": "4f1c"}

    first = await page(BUY, input=asked)
    again = await page(BUY, input=asked)
    await shop.sql("UPDATE idempotency_keys SET answer = NULL, lease_until = now()")
    begun_again = await page(BUY, input=asked)

    assert first == again == begun_again
    assert (first["__typename"], await shop.count("orders")) == ("OrderCompleted", 1)


async def test_a_cart_that_stripe_refused_is_the_same_order_at_the_next_try_under_its_key(
    shop: Shop, page: Shop
) -> None:
    asked = cart(shop, await shop.product()) | {"idempotencyKey": "4f1c"}
    shop.sandbox.stripe.fail_next(500, path="/v1/checkout/sessions")
    assert (await page.refused(BUY, input=asked))[0] == "UNAVAILABLE"
    await shop.change("product", asked["lines"][0]["product"], price={"amount": 5000, "currency": "EUR"})

    assert (await page(BUY, input=asked))["orderNumber"] == 1
    assert await shop.count("orders") == 1


async def test_what_is_known_of_a_client_stays(shop: Shop, page: Shop) -> None:
    """Anybody can give an address that is not theirs."""
    await shop.client(MARIE, firstName="Marie", lastName="Martin", phone="+33612345678")

    given = {"firstName": "Eve", "lastName": "Mallory", "phone": "+33699999999"}
    started = await page(BUY, input=cart(shop, await shop.product()) | given)

    client = (await order_of(shop, started))["client"]
    assert (client["firstName"], client["lastName"], client["phone"]) == ("Marie", "Martin", "+33612345678")


async def test_the_same_cart_again_is_the_same_order_and_page(shop: Shop, page: Shop) -> None:
    product = await shop.product()

    started = [await page(BUY, input=cart(shop, product)) for _ in range(2)]

    assert started[0]["orderNumber"] == started[1]["orderNumber"]
    assert started[0]["url"] == started[1]["url"]


async def test_the_same_cart_sent_twice_at_once_is_one_order(shop: Shop, page: Shop) -> None:
    product = await shop.product()

    started = await asyncio.gather(*(page(BUY, input=cart(shop, product)) for _ in range(4)))

    assert len({each["url"] for each in started}) == 1
    assert await shop.count("orders") == await shop.count("clients") == 1


async def test_another_cart_another_code_or_the_next_day_is_another_order(shop: Shop, page: Shop) -> None:
    await shop.code("CODE", percent=1000)
    product, other = await shop.product(), await shop.product()
    numbers = []
    for input in (
        cart(shop, product),
        cart(shop, product, quantity=2),
        cart(shop, other),
        cart(shop, product) | {"email": "lou@example.com"},
        cart(shop, product) | {"discountCode": "CODE"},
    ):
        numbers.append((await page(BUY, input=input))["orderNumber"])
    await shop.sql("UPDATE orders SET created_at = created_at - interval '25 hours'")
    numbers.append((await page(BUY, input=cart(shop, product)))["orderNumber"])

    assert len(set(numbers)) == len(numbers)


async def test_a_cart_whose_price_changed_since_is_another_order(shop: Shop, page: Shop) -> None:
    product = await shop.product(1000)
    first = await page(BUY, input=cart(shop, product))
    await shop.change("product", product, price={"amount": 2000})

    second = await page(BUY, input=cart(shop, product))

    assert (first["amount"]["amount"], second["amount"]["amount"]) == (1000, 2000)


async def test_a_cart_that_was_paid_can_be_bought_again(shop: Shop, page: Shop) -> None:
    product = await shop.product()
    first = await page(BUY, input=cart(shop, product))
    await shop.tell(await shop.sandbox.stripe.pay(session_of(first)))

    second = await page(BUY, input=cart(shop, product))

    assert second["orderNumber"] != first["orderNumber"]


async def test_a_code_takes_off_what_it_gives(shop: Shop, page: Shop) -> None:
    await shop.code("RENTREE", percent=2000)
    input = cart(shop, await shop.product(10_000)) | {"discountCode": "rentree"}

    first, again = await page(BUY, input=input), await page(BUY, input=input)

    assert first["amount"]["amount"] == 8000
    assert again["url"] == first["url"]
    assert (await order_of(shop, first))["discountCode"] == {"code": "RENTREE", "redemptions": 1}


async def test_what_is_free_is_complete_at_once(shop: Shop, page: Shop) -> None:
    started = await page(BUY, input=cart(shop, await shop.product(0)))
    await shop.work_is_done()

    assert started == {"__typename": "OrderCompleted", "orderNumber": 1, "order": None}
    assert shop.subjects(MARIE) == ["[TEST] Votre commande est confirmée"]


async def test_who_buys_too_often_from_one_place_is_told_to_wait(shop: Shop, page: Shop) -> None:
    input = cart(shop, await shop.product())
    async with installed_with(page, rate_factor=1), coming_from(page, "203.0.113.200") as busy:
        for _ in range(10):
            assert (await busy.refused(BUY, input=input | {"lines": []}))[0] == "INVALID"

        async with nothing_changes(shop):
            code, field, message = await busy.refused(BUY, input=input)

    assert (code, field, "Try again in" in message) == ("LIMITED", None, True)


# Refused


async def test_what_a_storefront_may_not_ask_is_refused_with_the_field_to_blame(shop: Shop, page: Shop) -> None:
    product, order = await shop.product(), await shop.order()
    line = {"product": product, "quantity": 1}
    good = cart(shop, product)

    async with nothing_changes(shop):
        for changed, code, field in (
            ({"order": order["id"]}, "INVALID", "input.order"),
            ({"email": None}, "INVALID", "input.email"),
            ({"lines": None}, "INVALID", "input.lines"),
            ({"lines": []}, "INVALID", "input.lines"),
            ({"lines": [line | {"discount": {"percent": 9999}}]}, "INVALID", "input.lines"),
            ({"lines": [line, line | {"quantity": 0}]}, "INVALID", "input.lines.1.quantity"),
            ({"lines": [line | {"quantity": 10_000}]}, "INVALID", "input.lines.0.quantity"),
            ({"lines": [line] * 101}, "INVALID", "input.lines"),
            ({"discountCode": "NEVERWAS"}, "NOT_FOUND", "input.discountCode"),
            ({"successUrl": "https://evil.example/"}, "INVALID", "input.successUrl"),
        ):
            refusal = await page.refused(BUY, input=good | changed)
            assert refusal[:2] == (code, field), changed


async def test_what_is_no_address_or_name_is_refused_with_the_field_to_blame(shop: Shop, page: Shop) -> None:
    good = cart(shop, await shop.product())

    async with nothing_changes(shop):
        for changed, field in (
            ({"email": "marie@example.com\r\nBcc: all@example.com"}, "input.email"),
            ({"email": "marie"}, "input.email"),
            ({"email": f"{'m' * 250}@example.com"}, "input.email"),
            ({"firstName": TOO_LONG}, "input.firstName"),
            ({"lastName": TOO_LONG}, "input.lastName"),
            ({"firstName": "a\x00b"}, "input.firstName"),
            ({"phone": "not a phone"}, "input.phone"),
            ({"successUrl": "javascript:alert(1)"}, "input.successUrl"),
        ):
            refusal = await page.refused(BUY, input=good | changed)
            assert refusal[:2] == ("INVALID", field), changed


async def test_only_what_is_sold_here_can_be_bought(shop: Shop, page: Shop) -> None:
    elsewhere, inactive = await (await neighbour(shop)).product(), await shop.product()
    await shop.change("product", inactive, active=False)
    good, client = await shop.product(), await shop.client()

    async with nothing_changes(shop):
        for product in (inactive, elsewhere, never_made("Product"), "x", client):
            lines = [{"product": good, "quantity": 1}, {"product": product, "quantity": 1}]
            refusal = await page.refused(BUY, input=cart(shop, good) | {"lines": lines})
            assert refusal == ("NOT_FOUND", "input.lines.1.product", "No such product."), product


async def test_a_person_names_an_order_and_no_address(shop: Shop) -> None:
    refusal = await shop.refused(BUY, input=cart(shop, await shop.product()))

    assert refusal == ("INVALID", "input.order", "Name the order to pay.")


def cart(shop: Shop, product: str, quantity: int = 1) -> dict[str, Any]:
    """Marie's, to be paid."""
    lines = [{"product": product, "quantity": quantity}]
    return {"email": MARIE, "lines": lines, "successUrl": f"{shop.sandbox.url}/shop"}


def session_of(started: dict[str, Any]) -> str:
    return str(started["url"].rpartition("/")[2])


async def order_of(shop: Shop, started: dict[str, Any]) -> dict[str, Any]:
    """The order of a number, as the organization sees it."""
    found = await shop(
        "query ($number: Int) { orders(filter: { number: $number }) { nodes { id } } }", number=started["orderNumber"]
    )
    return await shop.see(found["nodes"][0])
