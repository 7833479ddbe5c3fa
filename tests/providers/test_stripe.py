"""Stripe: who signed a webhook, and what each of its errors means to us."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from errors import Disconnected, NotConfigured, Refused, Unavailable
from providers.stripe import RETRIES, Credentials, Stripe, verify
from sandbox.server import HangUp, Server

NOW = 1_700_000_000.0
BODY = b'{"id": "evt_1"}'
SECRET = "whsec_first"


def signed(body: bytes = BODY, secret: str = SECRET, at: float = NOW) -> str:
    digest = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={int(at)},v1={digest}"


# Who signed


def test_what_stripe_signed_is_taken_for_300_seconds() -> None:
    for age in (0, 1, 299, 300, -300):
        assert verify(BODY, signed(at=NOW - age), [SECRET], NOW), age
    for age in (301, 3600, -301):
        assert not verify(BODY, signed(at=NOW - age), [SECRET], NOW), age


def test_what_was_altered_or_signed_by_another_is_refused() -> None:
    assert not verify(BODY + b" ", signed(), [SECRET], NOW)
    assert not verify(BODY, signed(secret="whsec_other"), [SECRET], NOW)
    assert not verify(BODY, signed().replace(f"t={int(NOW)}", f"t={int(NOW) - 1}"), [SECRET], NOW)
    assert not verify(BODY, signed().upper(), [SECRET], NOW)


def test_each_of_several_secrets_is_good_and_none_is_none() -> None:
    for secret in ("whsec_first", "whsec_second"):
        assert verify(BODY, signed(secret=secret), ["whsec_first", "whsec_second"], NOW)
    assert not verify(BODY, signed(), [], NOW)


def test_an_empty_secret_verifies_nothing() -> None:
    assert not verify(BODY, signed(secret=""), [""], NOW)
    assert verify(BODY, signed(), ["", SECRET], NOW)


def test_one_good_signature_among_several_is_enough() -> None:
    digest = signed().partition("v1=")[2]

    assert verify(BODY, f"t={int(NOW)},v1={'0' * 64},v1={digest},v0=x", [SECRET], NOW)
    assert verify(BODY, f"t={int(NOW)}, v1={digest}", [SECRET], NOW)


def test_of_endless_signatures_only_the_first_ten_are_tried() -> None:
    digest = signed().partition("v1=")[2]
    ten = ",".join(["v1=" + "0" * 64] * 10)

    assert not verify(BODY, f"t={int(NOW)},{ten},v1={digest}", [SECRET], NOW)


def test_a_header_that_is_none_is_refused() -> None:
    digest = signed().partition("v1=")[2]
    for header in (
        "", "t", "t=", "=", ",", f"v1={digest}", f"t={int(NOW)}", f"t=x,v1={digest}", f"t=-1,v1={digest}",
        f"t={int(NOW)},t={int(NOW)},v1={digest}", f"t={int(NOW)}.0,v1={digest}", f"t= {int(NOW)},v1={digest}",
        f"t={'9' * 400},v1={digest}", f"t=１７０００００００００,v1={digest}", f"t={int(NOW)},v1=é",
        f"t={int(NOW)},v0={digest}", f"t={int(NOW)},V1={digest}",
    ):  # fmt: skip
        assert not verify(BODY, header, [SECRET], NOW), header


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.binary(max_size=50))
def test_no_header_and_no_body_make_it_fail_otherwise(header: str, body: bytes) -> None:
    assert verify(body, header.encode("utf-8", "replace").decode("latin-1"), [SECRET], NOW) is False


def test_stripes_own_client_agrees() -> None:
    at = time.time()

    assert stripe.WebhookSignature.verify_header(BODY.decode(), signed(at=at), SECRET, 300)
    assert verify(BODY, signed(at=at), [SECRET], at)


# What its errors mean


@asynccontextmanager
async def stripe_that(answer: Any) -> AsyncIterator[tuple[Stripe, list[str]]]:
    """(a client, the idempotency keys that it sent) against a server that always answers so."""
    keys: list[str] = []

    async def respond(request: Request) -> Response:
        keys.append(request.headers.get("idempotency-key", ""))
        made: Response = answer()
        return made

    server = Server(Starlette(routes=[Route("/{path:path}", respond, methods=["GET", "POST"])]), 0)
    await server.start()
    try:
        yield Stripe(Credentials(secret_key=SecretStr("sk_test_secret")), url=server.url), keys
    finally:
        await server.stop()


def stripes_error(status: int, **error: Any) -> Any:
    given = {"type": "api_error", "message": "In Stripe's words."} | error
    return lambda: JSONResponse({"error": given}, status, headers={"Stripe-Should-Retry": "false"})


@pytest.mark.parametrize(
    ("answer", "expected", "says"),
    [
        (stripes_error(400, type="invalid_request_error"), Refused, "Stripe: In Stripe's words."),
        (stripes_error(402, type="card_error"), Refused, "Stripe: In Stripe's words."),
        (stripes_error(404, type="invalid_request_error"), Refused, "Stripe: In Stripe's words."),
        (stripes_error(400, type="idempotency_error"), Refused, "Stripe: In Stripe's words."),
        (stripes_error(401), Disconnected, "refuses the secret key: check it"),
        (stripes_error(403), Disconnected, "refuses the secret key: check it"),
    ],
    ids=["invalid", "declined", "missing", "key used otherwise", "bad key", "forbidden"],
)
async def test_a_refusal_is_told_in_stripes_words_and_a_bad_key_is_named(
    answer: Any, expected: type[Exception], says: str
) -> None:
    async with stripe_that(answer) as (client, keys):
        with pytest.raises(expected, match=says) as told:
            await client.create_customer({"email": "a@b.fr"}, "client:1:create_customer:1")

    assert keys == ["client:1:create_customer:1"]
    assert "sk_test" not in str(told.value)


@pytest.mark.parametrize(
    ("answer", "answered"),
    [
        (stripes_error(500), True),
        (stripes_error(503), True),
        (stripes_error(409, type="idempotency_error"), False),
        (stripes_error(429), False),
        (lambda: Response("<h1>Bad gateway</h1>", 502, {"Stripe-Should-Retry": "false"}), False),
        (lambda: Response("<h1>Welcome to this hotel's network</h1>"), False),
        (lambda: Response('{"id": "cus_'), False),
        (lambda: Response("<h1>Not from here</h1>", 403), False),
    ],
    ids=[
        "failed",
        "unavailable",
        "busy",
        "too many",
        "a proxy's 502",
        "a proxy's page",
        "half an answer",
        "a proxy's 403",
    ],
)
async def test_a_failure_says_whether_stripe_keeps_it_for_the_key(answer: Any, answered: bool) -> None:
    async with stripe_that(answer) as (client, _):
        with pytest.raises(Unavailable) as told:
            await client.create_customer({"email": "a@b.fr"}, "client:1:create_customer:1")

    assert told.value.answered is answered


async def test_without_an_answer_the_client_repeats_under_the_same_key_and_the_outcome_stays_unknown() -> None:
    async with stripe_that(HangUp) as (client, keys):
        with pytest.raises(Unavailable) as told:
            await client.create_customer({"email": "a@b.fr"}, "client:1:create_customer:1")

    assert told.value.answered is False
    assert keys == ["client:1:create_customer:1"] * (1 + RETRIES)


async def test_without_a_key_the_variable_is_named() -> None:
    with pytest.raises(NotConfigured, match="STRIPE_SECRET_KEY is not set"):
        await Stripe(Credentials(secret_key=None), url="http://127.0.0.1:9").check()


async def test_the_connection_test_asks_for_the_balance() -> None:
    balance = {"object": "balance", "livemode": False, "available": [], "pending": []}
    async with stripe_that(lambda: JSONResponse(balance)) as (client, _):
        await client.check()
