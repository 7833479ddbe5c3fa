"""Checkouts that cannot be, and a Stripe that fails meanwhile: one session, one key for one try, nothing half-done."""

import asyncio
from typing import Any

import pytest

from models.base import parse_global_id
from tests.security.surroundings import installed_with, nothing_changes
from tests.shop import CHECKOUT, Shop

SESSIONS = "/v1/checkout/sessions"
CUT = None  # executed at Stripe, then the connection is cut without an answer
STRIPES_OWN_TRIES = 3  # the official client repeats a request by itself, under the same key


async def test_a_paid_order_is_not_paid_again(shop: Shop) -> None:
    order = await shop.sell()

    async with nothing_changes(shop):
        refusal = await shop.refused(CHECKOUT, input=shop.checkout_input(order))

    message = f"Order {order['number']} is already paid. Nothing was charged."
    assert refusal == ("CONFLICT", "input.order", message)


async def test_a_cancelled_order_is_not_paid(shop: Shop) -> None:
    order = await shop.order()
    await shop.sql("UPDATE orders SET status = 'CANCELED', canceled_at = now()")

    async with nothing_changes(shop):
        code, _, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))

    assert code == "CONFLICT"
    assert "Create a new order" in message


ELSEWHERE = [
    "https://evil.example/",
    "https://comptoir.test.evil.example/",
    "http://comptoir.test@evil.example/",
    "http://comptoir.test:81/",
    "https://comptoir.test/",
    "http://evil.example/http://comptoir.test/",
    "http://evil.example\\@comptoir.test/",
]
NO_ADDRESSES = [
    "",
    "x",
    "/back",
    "//evil.example",
    "javascript:alert(1)",
    "ftp://comptoir.test/",
    "http://a b/",
    "http://",
]


@pytest.mark.parametrize("name", ["successUrl", "cancelUrl"])
async def test_clients_come_back_to_our_own_front_ends_only(shop: Shop, name: str) -> None:
    input = shop.checkout_input(await shop.order())
    not_ours = "This address is not one of your front ends. Add its origin to ALLOWED_ORIGINS."

    async with nothing_changes(shop):
        for address in ELSEWHERE:
            refusal = await shop.refused(CHECKOUT, input=input | {name: address})
            assert refusal == ("INVALID", f"input.{name}", not_ours), address
        for address in NO_ADDRESSES:
            refusal = await shop.refused(CHECKOUT, input=input | {name: address})
            assert refusal == ("INVALID", f"input.{name}", "Not an absolute http(s) address."), address


async def test_an_allowed_front_end_may_be_named_with_stripes_placeholder(shop: Shop) -> None:
    order = await shop.order()
    address = "https://boutique.example/merci?session={CHECKOUT_SESSION_ID}"

    async with installed_with(shop, allowed_origins=("https://boutique.example",)) as installed:
        started = await installed(CHECKOUT, input=shop.checkout_input(order) | {"successUrl": address})

    assert started["__typename"] == "CheckoutStarted"


async def test_after_a_session_expired_a_new_checkout_has_a_new_session_and_number(shop: Shop) -> None:
    order = await shop.order()
    first = await shop.checkout(order)
    await shop.deliver(shop.sandbox.stripe.expire(first))
    await shop.work_is_done()

    second = await shop.checkout(order)

    assert second != first
    rows = await attempts(shop, order)
    assert [(row["number"], row["status"], row["stripe_id"]) for row in rows] == [
        (1, "EXPIRED", first),
        (2, "OPEN", second),
    ]
    assert (await shop.see(order))["status"] == "OPEN"


async def test_checkouts_of_one_order_at_once_give_one_session(shop: Shop) -> None:
    order = await shop.order()

    started = await asyncio.gather(*(shop.checkout(order) for _ in range(8)))

    assert len(set(started)) == 1
    assert [row["status"] for row in await attempts(shop, order)] == ["OPEN"]
    assert sessions(shop, order) == started[:1]


async def test_without_a_stripe_key_the_variable_is_named_and_the_rest_works(shop: Shop) -> None:
    async with installed_with(shop, stripe_secret_key=None) as installed:
        order = await installed.order(await installed.product())
        code, field, message = await installed.refused(CHECKOUT, input=shop.checkout_input(order))
        seen = await installed.see(order)
    started = await shop.checkout(order)

    assert (code, field) == ("NOT_CONFIGURED", None)
    assert message == "STRIPE_SECRET_KEY is not set. Set it in the environment and restart."
    assert seen["status"] == "OPEN"
    assert sessions(shop, order) == [started]


async def test_a_key_that_stripe_refuses_is_named(shop: Shop) -> None:
    order = await shop.order()
    shop.sandbox.stripe.fail_next(401)

    code, _, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))

    assert code == "NOT_CONFIGURED"
    assert "STRIPE_SECRET_KEY" in message
    started = await shop.checkout(order)
    assert sessions(shop, order) == [started]


async def test_after_a_failure_that_stripe_stored_the_next_try_has_a_new_key(shop: Shop) -> None:
    order = await shop.order()
    shop.sandbox.stripe.fail_next(500, path=SESSIONS)

    code, field, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    started = await shop.checkout(order)

    assert (code, field) == ("UNAVAILABLE", None)
    assert "try again" in message
    assert [row["status"] for row in await attempts(shop, order)] == ["FAILED", "OPEN"]
    assert keys(shop, order) == [f"order:{row_of(order)}:checkout:{number}" for number in (1, 2)]
    assert sessions(shop, order) == [started]


async def test_after_an_unknown_outcome_the_next_try_has_the_same_key_and_finds_the_session(shop: Shop) -> None:
    order = await shop.order()
    shop.sandbox.stripe.fail_next(CUT, times=STRIPES_OWN_TRIES, path=SESSIONS)

    code, _, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))
    between = await attempts(shop, order)
    started = await shop.checkout(order)

    assert code == "UNAVAILABLE"
    assert "try again" in message
    assert [(row["status"], row["stripe_id"]) for row in between] == [("PENDING", None)]
    assert [row["status"] for row in await attempts(shop, order)] == ["OPEN"]
    assert len(set(keys(shop, order))) == 1
    assert sessions(shop, order) == [started]


async def test_what_stripe_refuses_is_told_in_its_words_and_the_order_stays_open(shop: Shop) -> None:
    order = await shop.order(await shop.product(49))

    code, _, message = await shop.refused(CHECKOUT, input=shop.checkout_input(order))

    assert code == "CONFLICT"
    assert "at least 50" in message
    assert [row["status"] for row in await attempts(shop, order)] == ["FAILED"]
    assert (await shop.see(order))["status"] == "OPEN"


def row_of(order: dict[str, Any]) -> str:
    _, row = parse_global_id(order["id"]) or ("", "")
    return str(row)


async def attempts(shop: Shop, order: dict[str, Any]) -> list[dict[str, Any]]:
    return await shop.sql("SELECT * FROM attempts WHERE order_id = $1 ORDER BY number", row_of(order))


def sessions(shop: Shop, order: dict[str, Any]) -> list[str]:
    """Those that Stripe opened for an order."""
    opened = shop.sandbox.stripe.books.store.all("checkout.session")
    return [session["id"] for session in opened if session["metadata"].get("order") == row_of(order)]


def keys(shop: Shop, order: dict[str, Any]) -> list[str | None]:
    """The idempotency keys under which sessions were asked for, in order, repetitions by Stripe's client included."""
    asked = [request for request in shop.sandbox.stripe.requests if request.path == SESSIONS]
    return [each.idempotency_key for each in asked if each.params.get("metadata", {}).get("order") == row_of(order)]
