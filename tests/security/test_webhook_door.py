"""Stripe's door: what is not signed by Stripe, or is no event, changes nothing."""

import time
from typing import Any

import orjson
from pydantic import SecretStr

from tests.security.surroundings import installed_with, nothing_changes
from tests.shop import WEBHOOK_SECRET, Shop

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "created": 1_700_000_000,
    "livemode": False,
    "data": {"object": {}},
}


async def post(shop: Shop, body: bytes, signature: str | bytes | None) -> int:
    headers: Any = {"Stripe-Signature": signature} if signature is not None else {}
    return (await shop.http.post("/webhooks/stripe", content=body, headers=headers)).status_code


async def test_what_is_not_signed_is_refused(shop: Shop) -> None:
    async with nothing_changes(shop):
        for signature in (None, "", "t=1,v1=00", "v1=00", "t=,v1=", "t=1,t=2,v1=00", b"\xe9", "x" * 10_000):
            assert await post(shop, orjson.dumps(EVENT), signature) == 400, signature


async def test_what_another_secret_signed_is_refused(shop: Shop) -> None:
    body = orjson.dumps(EVENT)

    async with nothing_changes(shop):
        assert await post(shop, body, shop.sandbox.stripe.sign(body, secret="whsec_another")) == 400


async def test_a_signature_over_another_body_is_refused(shop: Shop) -> None:
    signature = shop.sandbox.stripe.sign(orjson.dumps(EVENT))

    async with nothing_changes(shop):
        assert await post(shop, orjson.dumps(EVENT | {"livemode": True}), signature) == 400


async def test_a_signature_of_another_time_is_refused(shop: Shop) -> None:
    body, now = orjson.dumps(EVENT), int(time.time())

    async with nothing_changes(shop):
        for seconds in (-310, 310, -86_400):
            assert await post(shop, body, shop.sandbox.stripe.sign(body, timestamp=now + seconds)) == 400, seconds


NO_EVENTS = [
    b"",
    b"{",
    b"5",
    b"null",
    b"[]",
    b"{}",
    b"\xff",
    orjson.dumps({"id": "evt_1"}),
    orjson.dumps(EVENT | {"created": "yesterday"}),
    *(
        orjson.dumps({name: value for name, value in EVENT.items() if name != absent})
        for absent in EVENT
        if absent != "object"
    ),
    *(
        orjson.dumps(EVENT | bad)
        for bad in (
            {"id": 5},
            {"id": ""},
            {"id": "x" * 300},
            {"id": "a\0b"},
            {"type": []},
            {"type": 5},
            {"type": "x" * 200},
            {"type": "a\0b"},
            {"created": -1},
            {"created": 10**17},
            {"created": True},
            {"livemode": "no"},
            {"data": None},
        )
    ),
    orjson.dumps(EVENT).replace(b"1700000000", b"1" * 30),
]


async def test_what_is_signed_and_no_event_is_refused(shop: Shop) -> None:
    async with nothing_changes(shop):
        for body in NO_EVENTS:
            assert await post(shop, body, shop.sandbox.stripe.sign(body)) == 400, body


async def test_without_a_secret_there_is_no_route(shop: Shop) -> None:
    body = orjson.dumps(EVENT)

    async with nothing_changes(shop), installed_with(shop, stripe_webhook_secret=()) as installed:
        assert await post(installed, body, shop.sandbox.stripe.sign(body)) == 404
        assert await post(installed, body, shop.sandbox.stripe.sign(body, secret="")) == 404


async def test_while_secrets_rotate_each_of_them_is_good(shop: Shop) -> None:
    secrets = ("whsec_new", WEBHOOK_SECRET)

    async with installed_with(shop, stripe_webhook_secret=tuple(map(SecretStr, secrets))) as installed:
        for number, secret in enumerate(secrets):
            body = orjson.dumps(EVENT | {"id": f"evt_{number}", "type": "plan.created"})
            assert await post(installed, body, shop.sandbox.stripe.sign(body, secret=secret)) == 200

    assert await shop.count("stripe_events") == 2


async def test_only_post_is_answered(shop: Shop) -> None:
    assert (await shop.http.get("/webhooks/stripe")).status_code == 405
