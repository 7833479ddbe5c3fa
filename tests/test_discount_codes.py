"""Discount codes: made and changed, their limits, and the places that orders hold and give back."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.security.surroundings import nothing_changes
from tests.security.test_keys import storefront
from tests.shop import CODE, Shop
from tests.test_discounts import CREATE, TOO_LONG, uses

pytestmark = pytest.mark.usefixtures("printer")

UPDATE = """mutation ($input: DiscountCodeUpdateInput!) { discountCodeUpdate(input: $input) { discountCode {
  code name percent active startsAt endsAt redemptionsMost perClientMost redemptions amount { amount } } } }"""
NOT_TODAY = ("INVALID", "input.discountCode", "This code is not valid today.")


def away(**duration: int) -> str:
    return (datetime.now(UTC) + timedelta(**duration)).isoformat()


# Limits


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        ({"startsAt": away(hours=1)}, NOT_TODAY),
        ({"startsAt": away(hours=-2), "endsAt": away(hours=-1)}, NOT_TODAY),
        (
            {"minimum": {"amount": 10_001}},
            ("INVALID", "input.discountCode", "This code is for orders of 100.01 EUR or more."),
        ),
        (
            {"percent": None, "amount": {"amount": 100, "currency": "USD"}},
            ("INVALID", "input.discountCode", "This code is for orders in USD."),
        ),
        (
            {"minimum": {"amount": 1, "currency": "USD"}},
            ("INVALID", "input.discountCode", "This code is for orders in USD."),
        ),
    ],
    ids=["not yet", "no more", "too little", "an amount in dollars", "a minimum in dollars"],
)
async def test_a_code_applies_within_its_limits_only(shop: Shop, limits: dict[str, Any], refusal: Any) -> None:
    given = {"percent": 1000} | limits
    await shop.code("CODE", **{name: value for name, value in given.items() if value is not None})

    assert await tried(shop, await shop.product(10_000)) == refusal


async def test_a_code_applies_at_its_very_limits(shop: Shop) -> None:
    await shop.code("CODE", percent=1000, minimum={"amount": 10_000}, startsAt=away(hours=-1), endsAt=away(hours=1))

    order = await shop.order(await shop.product(10_000), discountCode="CODE")

    assert (await shop.see(order))["total"]["amount"] == 9000


async def test_a_percent_without_a_minimum_is_good_in_any_currency(shop: Shop) -> None:
    await shop.charges_no_vat()
    await shop.code("CODE", percent=1000)

    order = await shop.order(await shop.product(10_000, currency="USD", vatRate=0), discountCode="CODE")

    assert (await shop.see(order))["total"]["amount"] == 9000


async def test_a_code_that_was_ended_is_not_good(shop: Shop) -> None:
    code = await shop.code("CODE", percent=1000)
    await shop(UPDATE, input={"discountCode": code["id"], "active": False})

    assert await tried(shop, await shop.product()) == NOT_TODAY


async def test_a_code_that_never_was_is_not_found(shop: Shop) -> None:
    refusal = ("NOT_FOUND", "input.discountCode", "No such code.")

    assert await tried(shop, await shop.product()) == refusal
    assert await tried(shop, await shop.product(), code="a\x00b") == refusal
    assert await tried(shop, await shop.product(), code=TOO_LONG) == refusal


async def test_a_code_is_used_by_so_many_orders(shop: Shop) -> None:
    product = await shop.product()
    await shop.code("CODE", percent=1000, redemptionsMost=2)
    await shop.order(product, discountCode="CODE")
    await shop.order(product, discountCode="CODE")

    async with nothing_changes(shop):
        refusal = await tried(shop, product, client=await known(shop))

    assert refusal == ("CONFLICT", "input.discountCode", "This code has been used as often as it may be.")


async def test_a_code_is_used_by_so_many_orders_of_one_client(shop: Shop) -> None:
    product, client = await shop.product(), await shop.client()
    await shop.code("CODE", percent=1000, perClientMost=1)
    await shop.order(product, client=client, discountCode="CODE")

    refusal = await tried(shop, product, client=client)

    assert refusal == ("CONFLICT", "input.discountCode", "This client has used this code as often as one may.")
    await shop.order(product, discountCode="CODE")


async def test_many_at_once_use_a_code_no_more_often_than_it_may_be(shop: Shop) -> None:
    product = await shop.product()
    clients = [await shop.client() for _ in range(8)]
    await shop.code("CODE", percent=1000, redemptionsMost=3)

    made = await asyncio.gather(
        *(shop.order(product, client=client, discountCode="CODE") for client in clients), return_exceptions=True
    )

    assert sum(isinstance(each, dict) for each in made) == 3
    assert await uses(shop) == {"CODE": 3}


# Places held and given back


async def test_an_order_of_a_person_keeps_its_place_when_its_page_runs_out(shop: Shop) -> None:
    await shop.code("CODE", percent=1000, redemptionsMost=1)
    order = await shop.order(await shop.product(10_000), discountCode="CODE")

    await shop.tell([shop.sandbox.stripe.expire(await shop.checkout(order))])

    assert await uses(shop) == {"CODE": 1}


async def test_a_cart_that_was_left_gives_its_place_back_and_takes_it_again(shop: Shop) -> None:
    await shop.code("CODE", percent=1000, redemptionsMost=1)
    cart = await a_cart(shop)
    await shop.tell([shop.sandbox.stripe.expire(cart["session"])])
    assert await uses(shop) == {"CODE": 0}

    again = await shop.checkout(cart["order"])

    assert again != cart["session"]
    assert await uses(shop) == {"CODE": 1}
    assert (await shop.pay(cart["order"]))["total"]["amount"] == 9000


async def test_a_cart_whose_place_was_taken_since_says_so(shop: Shop) -> None:
    await shop.code("CODE", percent=1000, redemptionsMost=1)
    cart = await a_cart(shop)
    await shop.tell([shop.sandbox.stripe.expire(cart["session"])])
    await shop.order(await shop.product(), discountCode="CODE")

    async with nothing_changes(shop):
        page = await shop.browse((await shop.see(cart["order"]))["payUrl"], {})

    assert page.status_code == 409
    assert "écrivez-nous" in page.text


async def test_a_page_that_ran_out_long_ago_does_not_free_the_place_of_the_page_after_it(shop: Shop) -> None:
    await shop.code("CODE", percent=1000, redemptionsMost=1)
    cart = await a_cart(shop)
    expired = shop.sandbox.stripe.expire(cart["session"])
    await shop.sql("UPDATE attempts SET expires_at = now() WHERE stripe_id = $1", cart["session"])
    await shop.checkout(cart["order"])

    await shop.tell([expired])

    assert await uses(shop) == {"CODE": 1}


async def test_a_cart_paid_by_hand_after_it_gave_its_place_back_counts_again(shop: Shop) -> None:
    await shop.code("CODE", percent=1000)
    cart = await a_cart(shop)
    await shop.tell([shop.sandbox.stripe.expire(cart["session"])])

    await shop.do("paymentRecord", cart["order"], method="CASH")

    assert await uses(shop) == {"CODE": 1}


# Made and changed


async def test_a_code_is_kept_in_capitals_with_all_that_limits_it(shop: Shop) -> None:
    made = await shop.code(
        " rentree-26 ", name="Rentrée", amount={"amount": 1500}, minimum={"amount": 5000}, startsAt=away(days=-1),
        endsAt=away(days=30), redemptionsMost=100, perClientMost=1,
    )  # fmt: skip

    seen = await shop(
        """query ($id: ID!) { discountCode(id: $id) { code name percent amount { amount currency } minimum { amount }
           redemptionsMost perClientMost redemptions active } }""",
        id=made["id"],
    )

    assert seen == {
        "code": "RENTREE-26", "name": "Rentrée", "percent": 0, "amount": {"amount": 1500, "currency": "EUR"},
        "minimum": {"amount": 5000}, "redemptionsMost": 100, "perClientMost": 1, "redemptions": 0, "active": True,
    }  # fmt: skip


async def test_there_is_one_code_of_each_name(shop: Shop) -> None:
    await shop.code("CODE", percent=1000)

    refusal = await shop.refused(CODE, input={"code": "code", "percent": 500})

    assert refusal == ("CONFLICT", "input.code", "This code exists already.")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"code": "C"}, "input.code"),
        ({"code": "DEUX MOTS"}, "input.code"),
        ({"code": "É2"}, "input.code"),
        ({"code": "X" * 41}, "input.code"),
        ({"code": " "}, "input.code"),
        ({"percent": 0}, "input.percent"),
        ({"percent": -1}, "input.percent"),
        ({"percent": 10_001}, "input.percent"),
        ({"percent": 100, "amount": {"amount": 100}}, "input.amount"),
        ({"percent": 0, "amount": {"amount": -100}}, "input.amount"),
        ({"percent": 0, "amount": {"amount": 100_000_000}}, "input.amount"),
        ({"minimum": {"amount": -1}}, "input.minimum"),
        (
            {"percent": 0, "amount": {"amount": 5, "currency": "USD"}, "minimum": {"amount": 5}},
            "input.minimum.currency",
        ),
        ({"redemptionsMost": 0}, "input.redemptionsMost"),
        ({"perClientMost": 0}, "input.perClientMost"),
        ({"startsAt": away(hours=2), "endsAt": away(hours=1)}, "input.endsAt"),
        ({"name": "x" * 201}, "input.name"),
    ],
)
async def test_a_code_that_cannot_be_is_refused_with_the_field_to_blame(shop: Shop, given: Any, field: str) -> None:
    async with nothing_changes(shop):
        code, blamed, _ = await shop.refused(CODE, input={"code": "CODE", "percent": 1000} | given)

    assert (code, blamed) == ("INVALID", field)


async def test_the_limits_of_a_code_are_changed_and_what_it_gives_stays(shop: Shop) -> None:
    made = await shop.code("CODE", percent=1000)

    changed = await shop(UPDATE, input={"discountCode": made["id"], "redemptionsMost": 5, "name": "Salon"})

    code = changed["discountCode"]
    assert (code["code"], code["percent"], code["redemptionsMost"], code["name"]) == ("CODE", 1000, 5, "Salon")
    unlimited = await shop(UPDATE, input={"discountCode": made["id"], "redemptionsMost": None})
    assert (unlimited["discountCode"]["redemptionsMost"], unlimited["discountCode"]["name"]) == (None, "Salon")


async def test_a_code_cannot_be_limited_to_less_than_it_was_used(shop: Shop) -> None:
    made = await shop.code("CODE", percent=1000)
    for _ in range(2):
        await shop.order(await shop.product(), discountCode="CODE")

    async with nothing_changes(shop):
        refusal = await shop.refused(UPDATE, input={"discountCode": made["id"], "redemptionsMost": 1})

    assert refusal == ("INVALID", "input.redemptionsMost", "Used 2 times already: allow at least as many.")


async def known(shop: Shop) -> str:
    found = await shop("{ clients(first: 1) { nodes { id } } }")
    return str(found["nodes"][0]["id"])


async def tried(shop: Shop, product: str, *, client: str | None = None, code: str = "CODE") -> Any:
    """The refusal of an order with a code."""
    lines = [{"product": product, "quantity": 1}]
    client = client or await shop.client()
    return await shop.refused(CREATE, input={"client": client, "lines": lines, "discountCode": code})


async def a_cart(shop: Shop) -> dict[str, Any]:
    """What a client began at a storefront, with the code: the `order`, and the `session` of its page."""
    page = await storefront(shop)
    lines = [{"product": await shop.product(10_000), "quantity": 1}]
    started = await page(
        """mutation ($input: CheckoutStartInput!) { checkoutStart(input: $input) {
           ... on CheckoutStarted { url orderNumber } } }""",
        input={
            "email": "marie@example.com", "lines": lines, "discountCode": "CODE",
            "successUrl": f"{shop.sandbox.url}/shop",
        },
    )  # fmt: skip
    orders = await shop("{ orders { nodes { id number } } }")
    (order,) = (each for each in orders["nodes"] if each["number"] == started["orderNumber"])
    return {"order": order, "session": started["url"].rpartition("/")[2]}
