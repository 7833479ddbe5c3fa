"""The same key and input: done once, answered alike for a day."""

import asyncio
from typing import Any

import pytest

from errors import Conflict
from models import Order, Product, Role
from models.base import parse_global_id
from schema.idempotency import Answers
from services import idempotency, sales
from services.pricing import Item
from tests.documents import CHECKOUT
from tests.shop import Shop

KEY = "6c1f0a52-6c5e-4f8e-9df5-1c8d2a6a4f11"
ORDER_CREATE = (
    "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id number total { amount } } } }"
)
CLIENT = "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { id email } } }"
PARTNER = "mutation ($input: PartnerCreateInput!) { partnerCreate(input: $input) { signingSecret partner { slug } } }"
RECORD = "mutation ($input: PaymentRecordInput!) { paymentRecord(input: $input) { order { balance { amount } } } }"


async def test_the_same_key_and_input_gives_the_same_order(shop: Shop) -> None:
    asked = await _cart(shop)

    first = await shop(ORDER_CREATE, input=asked)
    again = await shop(ORDER_CREATE, input=asked)

    assert first == again
    assert await shop.count("orders") == 1


async def test_twenty_at_once_under_one_key_are_one_order(shop: Shop) -> None:
    asked = await _cart(shop)

    answers = await asyncio.gather(*(shop(ORDER_CREATE, input=asked) for _ in range(20)))

    assert len({answer["order"]["id"] for answer in answers}) == 1
    assert await shop.count("orders") == 1


async def test_the_answer_is_shown_anew_under_another_selection(shop: Shop) -> None:
    asked = await _cart(shop)
    first = await shop(ORDER_CREATE, input=asked)

    again = await shop(
        "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id client { email } } } }",
        input=asked,
    )

    assert again["order"] == {"id": first["order"]["id"], "client": {"email": "client1@example.com"}}


async def test_input_written_in_another_way_is_the_same_input(shop: Shop) -> None:
    asked = {"email": "Claire@Example.com", "idempotencyKey": KEY}
    first = await shop(CLIENT, input=asked)

    again = await shop(
        f'mutation {{ clientCreate(input: {{ idempotencyKey: "{KEY}", email: "claire@example.com" }})'
        " { client { id email } } }"
    )

    assert again == first


async def test_another_input_under_the_key_is_a_conflict_and_so_is_another_mutation(shop: Shop) -> None:
    asked = await _cart(shop)
    await shop(ORDER_CREATE, input=asked)

    other_input = await shop.refused(ORDER_CREATE, input=asked | {"deposit": {"percent": 3000}})
    other_mutation = await shop.refused(CLIENT, input={"email": "a@example.com", "idempotencyKey": KEY})

    message = "This key was used for something else in the last 24 hours. Choose another one."
    assert other_input == other_mutation == ("CONFLICT", "input.idempotencyKey", message)
    assert (await shop.count("orders"), await shop.count("clients")) == (1, 1)


async def test_the_key_is_free_for_anything_after_a_day(shop: Shop) -> None:
    asked = await _cart(shop)
    first = await shop(ORDER_CREATE, input=asked)
    await _hours_pass(shop, 23)
    assert await shop(ORDER_CREATE, input=asked) == first

    await _hours_pass(shop, 1)

    assert (await shop(ORDER_CREATE, input=asked))["order"]["number"] == 2
    await _hours_pass(shop, 24)
    assert await shop(CLIENT, input={"email": "a@example.com", "idempotencyKey": KEY})


async def test_a_refusal_is_not_kept(shop: Shop) -> None:
    asked = {"email": "claire@example.com", "idempotencyKey": KEY}
    await shop.client("claire@example.com")
    assert (await shop.refused(CLIENT, input=asked))[:2] == ("CONFLICT", "input.email")
    assert await shop.count("idempotency_keys") == 0

    await shop.sql("DELETE FROM clients")

    assert (await shop(CLIENT, input=asked))["client"]["email"] == "claire@example.com"


async def test_the_same_key_of_another_caller_or_organization_is_another_key(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    stranger = await Shop.open(shop.http, shop.sandbox, "other")

    made = [
        await caller(CLIENT, input={"email": f"{place}@example.com", "idempotencyKey": KEY})
        for place, caller in enumerate((shop, admin, stranger))
    ]

    assert len({each["client"]["id"] for each in made}) == 3


async def test_who_may_no_longer_ask_is_not_answered_again(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    asked = {"email": "claire@example.com", "idempotencyKey": KEY}
    await admin(CLIENT, input=asked)

    await shop.sql("UPDATE memberships SET role = 'ACCOUNTANT' WHERE role = 'ADMIN'")

    assert (await admin.refused(CLIENT, input=asked))[0] == "FORBIDDEN"


async def test_who_no_longer_sees_what_they_made_is_told_so(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    asked = {"email": "claire@example.com", "idempotencyKey": KEY}
    await admin(CLIENT, input=asked)

    await shop.sql("UPDATE memberships SET role = 'CONSULTANT' WHERE role = 'ADMIN'")

    code, field, message = await admin.refused(CLIENT, input=asked)
    assert (code, field) == ("CONFLICT", "input.idempotencyKey")
    assert "no longer yours to see" in message


async def test_what_was_deleted_since_is_a_conflict(shop: Shop) -> None:
    asked = {"email": "claire@example.com", "idempotencyKey": KEY}
    await shop(CLIENT, input=asked)
    await shop.sql("DELETE FROM clients")

    assert (await shop.refused(CLIENT, input=asked))[:2] == ("CONFLICT", "input.idempotencyKey")
    assert await shop.count("clients") == 0


async def test_a_secret_shown_once_is_given_again_and_kept_sealed(shop: Shop) -> None:
    asked = {
        "slug": "fiscalis", "name": "Fiscalis", "brandName": "Fiscalis", "contactEmail": "a@fiscalis.test",
        "idempotencyKey": KEY,
    }  # fmt: skip

    first = await shop(PARTNER, input=asked)

    assert await shop(PARTNER, input=asked) == first
    (kept,) = await shop.sql("SELECT answer FROM idempotency_keys")
    assert kept["answer"].startswith("v1.k1.")
    assert first["signingSecret"] not in kept["answer"]
    opened = await shop.sql("SELECT purpose FROM secret_openings WHERE table_name = 'idempotency_keys'")
    assert [row["purpose"] for row in opened] == ["partnerCreate, asked again under its key"]


async def test_money_is_recorded_once_under_a_key(shop: Shop) -> None:
    order = await shop.order()
    asked = {"order": order["id"], "method": "CHEQUE", "amount": {"amount": 1000}, "idempotencyKey": KEY}

    answers = await asyncio.gather(*(shop(RECORD, input=asked) for _ in range(5)))

    assert [answer["order"]["balance"]["amount"] for answer in answers] == [8999] * 5
    assert await shop.count("payments") == 1


async def test_a_checkout_under_a_key_gives_the_same_page(shop: Shop) -> None:
    asked = shop.checkout_input(await shop.order()) | {"idempotencyKey": KEY}

    first = await shop(CHECKOUT, input=asked)

    assert await shop(CHECKOUT, input=asked) == first
    (kept,) = await shop.sql("SELECT answer FROM idempotency_keys")
    assert first["url"] not in kept["answer"]


async def test_a_checkout_that_is_under_way_is_a_conflict_until_its_lease_ends(shop: Shop) -> None:
    asked = shop.checkout_input(await shop.order()) | {"idempotencyKey": KEY}
    first = await shop(CHECKOUT, input=asked)
    await shop.sql("UPDATE idempotency_keys SET answer = NULL")  # as who died before the answer was written leaves it

    refused = await shop.refused(CHECKOUT, input=asked)
    await shop.sql("UPDATE idempotency_keys SET lease_until = now()")
    again = await shop(CHECKOUT, input=asked)

    message = "The same is under way at this moment. Try again in a few seconds."
    assert refused == ("CONFLICT", "input.idempotencyKey", message)
    assert again["url"] == first["url"]
    assert await shop.count("attempts", "operation = 'CHECKOUT'") == 1


async def test_checkouts_at_once_under_one_key_give_one_page(shop: Shop) -> None:
    asked = shop.checkout_input(await shop.order()) | {"idempotencyKey": KEY}

    answers = await asyncio.gather(*(shop.post(CHECKOUT, {"input": asked}) for _ in range(5)))

    urls = {answer["data"]["checkoutStart"]["url"] for answer in answers if "errors" not in answer}
    codes = {error["extensions"]["code"] for answer in answers for error in answer.get("errors", ())}
    assert len(urls) == 1
    assert codes <= {"CONFLICT"}
    assert await shop.count("attempts", "operation = 'CHECKOUT'") == 1


async def test_a_checkout_that_stripe_refused_may_be_tried_again_under_its_key(shop: Shop) -> None:
    asked = shop.checkout_input(await shop.order()) | {"idempotencyKey": KEY}
    shop.sandbox.stripe.fail_next(500, path="/v1/checkout/sessions")
    assert (await shop.refused(CHECKOUT, input=asked))[0] == "UNAVAILABLE"

    assert (await shop(CHECKOUT, input=asked))["url"]


async def test_a_checkout_begun_again_goes_on_from_the_order_that_was_made(shop: Shop) -> None:
    """A process may die between the order of a storefront's cart and the answer: left alone, another would be made
    where the first one is not open any more."""
    asked, carts = _asked(shop), _Carts(shop, await shop.product())

    async def dies() -> None:
        await carts.make()
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await idempotency.carry_out(asked, dies, Rows)
    await shop.sql("UPDATE idempotency_keys SET lease_until = now()")
    await shop.sql("UPDATE orders SET status = 'CANCELED', canceled_at = now()")

    assert (await idempotency.carry_out(asked, carts.make, Rows)).number == 1
    assert await shop.count("orders") == 1


async def test_who_was_too_slow_makes_nothing_once_another_has_gone_on(shop: Shop) -> None:
    asked, carts = _asked(shop), _Carts(shop, await shop.product())

    async def slow() -> Order:
        await shop.sql("UPDATE idempotency_keys SET lease_until = now()")
        await asyncio.create_task(idempotency.carry_out(asked, carts.make, Rows))
        await shop.sql("UPDATE orders SET status = 'CANCELED', canceled_at = now()")
        return await carts.make()

    with pytest.raises(Conflict, match="under way"):
        await idempotency.carry_out(asked, slow, Rows)
    assert await shop.count("orders") == 1


@pytest.mark.parametrize("key", ["", "a" * 256, "line\nbreak"], ids=["empty", "long", "unprintable"])
async def test_a_key_that_is_none_is_refused(shop: Shop, key: str) -> None:
    refused = await shop.refused(CLIENT, input={"email": "a@example.com", "idempotencyKey": key})

    assert refused[:2] == ("INVALID", "input.idempotencyKey")


async def test_without_a_key_everything_is_done_each_time(shop: Shop) -> None:
    asked = await _cart(shop)
    for without in ({}, {"idempotencyKey": None}):
        await shop(
            ORDER_CREATE, input={name: value for name, value in asked.items() if name != "idempotencyKey"} | without
        )

    assert (await shop.count("orders"), await shop.count("idempotency_keys")) == (2, 0)


async def _cart(shop: Shop) -> dict[str, Any]:
    lines = [{"product": await shop.product(), "quantity": 1}]
    return {"client": await shop.client(), "lines": lines, "idempotencyKey": KEY}


async def _hours_pass(shop: Shop, hours: int) -> None:
    await shop.sql(f"UPDATE idempotency_keys SET created_at = created_at - interval '{hours} hours'")


def _asked(shop: Shop) -> idempotency.Asked:
    return idempotency.Asked(shop.organization.id, shop.organization.id, KEY, "checkoutStart", "0" * 64)


Rows = Answers({})


class _Carts:
    """A storefront's cart, sent again and again."""

    def __init__(self, shop: Shop, product: str) -> None:
        self._shop, self._product = shop, parse_global_id(product)

    async def make(self) -> Order:
        assert self._product
        item = Item(await Product.get(id=self._product[1]), 1)
        return await sales.create_at_storefront(
            self._shop.organization.id, "claire@example.com", [item], code=None, known={}
        )
